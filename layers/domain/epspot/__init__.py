"""Everything that EpSpot knows about selling electricity at outlets."""
