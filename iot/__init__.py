"""What stands beside the hardware, and what it shares with the cloud."""
