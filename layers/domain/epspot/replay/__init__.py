"""``python -m epspot.replay``: the journal of sites, made again and explained."""
