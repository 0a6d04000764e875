"""What can be done with EpSpot: one use case per file, named by its verb."""
