"""What EpSpot stands on: the nested stacks, what is packaged for Lambda, and the local account."""
