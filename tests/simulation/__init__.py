"""Whole sites in simulated time, from a seed: the real bridge and the real cloud, a hostile world between them."""
