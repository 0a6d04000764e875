"""Outlets that are planned: they stand in the configuration before they have a module, at a bridge that never speaks."""

import hashlib
import re

_BRIDGES = 3
"""A site may plan as many outlets as it can hold, and a command names at most 400 modules."""
_BRIDGE = re.compile(r"plan[0-9]-[0-9a-f]{24}\Z")


def planned_at(site: str, outlet: str) -> tuple[str, str]:
    """Name what stands for the bridge and the module of an outlet that has none as yet: the same each time."""
    module = hashlib.sha256(outlet.encode()).hexdigest()
    place = hashlib.sha256(site.encode()).hexdigest()
    return f"plan{int(module[-4:], 16) % _BRIDGES}-{place[:24]}", module[:12]


def is_planned(bridge: str) -> bool:
    """Tell whether a bridge only stands for one that is to come."""
    return _BRIDGE.match(bridge) is not None
