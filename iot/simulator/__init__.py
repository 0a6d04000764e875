"""Modules, cars, heaters and whole sites with plain physics, stepped by the caller; faults on order.

Nothing here reads a clock or chance: a site advances by the seconds that it is given and repeats itself
exactly from a seed. Only the runner lives in real time.
"""
