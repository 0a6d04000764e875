"""Keep the pins that lead to a site on the map as its configuration has them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from epspot.ports import Registry
from epspot.registry.kinds import Change, Kind, Put, Remove
from epspot.registry.pins import Pin, pins_of
from epspot.site import Site


def new_pins(site: Site) -> Sequence[Change]:
    """Make the pins of a new site."""
    return [Put(kind, None, pin) for kind, pin in pins_of(site)]


def moved_pins(registry: Registry, present: Site, site: Site) -> Sequence[Change]:
    """Make what changes of the pins when a site is configured otherwise; mostly that is nothing."""
    before, after = dict(_keyed(present)), dict(_keyed(site))
    if before == after:
        return []
    changes: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        kind, pin = after.get(key) or before[key]
        stands = registry.get(kind, kind.under(pin), kind.id(pin))
        if key not in after:
            changes += [] if stands is None else [Remove(kind, stands)]
        elif stands is None or replace(stands, version=0) != pin:
            changes.append(Put(kind, stands, pin))
    return changes


def _keyed(site: Site) -> Sequence[tuple[tuple[str, str], tuple[Kind[Any], Pin]]]:
    return [((kind.under(pin), kind.name), (kind, pin)) for kind, pin in pins_of(site)]
