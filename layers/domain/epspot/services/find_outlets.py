"""Find outlets on a map: within a box, or within a distance of a place, the nearest sites first.

What it costs depends on what is found: the pins in a few cells, and the state of the sites that are told. An answer is
bounded in each, and ends early with a cursor where it reaches a bound.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from epspot.access import Grant
from epspot.control.state import Live
from epspot.errors import InvalidRequest, NotFound
from epspot.registry.kinds import Kind
from epspot.registry.pins import MAP_PIN, OWN_PIN, Pin, of_cell
from epspot.registry.records import of_owner
from epspot.services.authorize import GUEST, Caller, Gate, grants_of, usable
from epspot.services.list_outlets import outlet_state
from epspot.services.listing import everything
from epspot.site import Outlet, Site
from epspot.site.cells import Box, Circle, Place, covering, distance_m
from epspot.tariffs import Spot

MOST_SITES = 20
"""How many sites' states are read for one answer."""
MOST_PINS = 400
"""How many pins are looked through for one answer."""
MOST_NEAR = 2000
"""How many pins there may be about a place; more can't be put in order at once."""
_PAGE = 100

Area: TypeAlias = Box | Circle


@dataclass(frozen=True, slots=True)
class Found:
    """An outlet on the map."""

    site: Site
    outlet: Outlet
    state: str
    place: Place
    may_use: bool
    distance_m: float | None = None
    spot: Spot = ()
    """What is known there of the spot price."""


class _At(NamedTuple):
    """How far an answer has come: so many outlets of a site that was found somewhere."""

    where: str
    site: str
    told: int


class _Look(NamedTuple):
    """A pin that is looked at, and whether it leads to something that has not been told yet."""

    where: str
    pin: Pin
    leads: bool


@dataclass(frozen=True, slots=True)
class _Eyes:
    """Who looks, and what that allows to be seen."""

    gate: Gate
    caller: Caller
    grants: Sequence[Grant]
    owners: tuple[str, ...]
    """Those of whom something may be seen that is not public."""

    @classmethod
    def of(cls, gate: Gate, caller: Caller) -> "_Eyes":
        if caller.token is not None:
            return cls(gate, caller, (), (caller.token.owner,))
        grants = grants_of(gate, caller) if caller.subject else ()
        return cls(gate, caller, grants, tuple(sorted({g.owner for g in grants})))

    def seen(self, site: Site, live: Live, area: Area) -> list[Found]:
        """List the outlets of a site in an area; in a circle the nearest first."""
        mine = {o.id for o in usable(self.gate, self.caller, site, self.grants)}
        center = area.center if isinstance(area, Circle) else None
        found = [
            Found(
                site=site,
                outlet=o,
                state=outlet_state(live, o),
                place=place,
                may_use=o.id in mine,
                distance_m=None if center is None else distance_m(center, place),
                spot=live.prices,
            )
            for o in site.outlets
            if (o.id in mine or site.is_public(o)) and area.holds(place := site.place_of(o))
        ]
        return found if center is None else sorted(found, key=lambda f: (f.distance_m, f.outlet.id))


def find_outlets(
    gate: Gate, area: Area, limit: int, cursor: str | None = None, caller: Caller = GUEST
) -> tuple[list[Found], str | None]:
    """List the outlets in an area that are public or that the caller may use, and where the list goes on.

    Raises InvalidRequest if the area is too large.
    """
    cells = covering(area if isinstance(area, Box) else area.box)
    if not cells:
        raise _too_large()
    eyes, at = _Eyes.of(gate, caller), None if cursor is None else _read(cursor)
    pins = _near(eyes, area, cells, at) if isinstance(area, Circle) else _in_order(eyes, area, cells, at)
    return _fill(eyes, area, pins, limit, at)


def _fill(eyes: _Eyes, area: Area, pins: Iterator[_Look], limit: int, at: _At | None) -> tuple[list[Found], str | None]:
    """Tell of the outlets that pins lead to, until there are enough."""
    found: list[Found] = []
    sites = 0
    for looked_at, (where, pin, leads) in enumerate(pins, 1):
        told = at.told if at is not None and at.site == pin.site else 0
        if len(found) == limit or sites == MOST_SITES or looked_at > MOST_PINS:
            return found, _written(_At(where, pin.site, told))
        if not leads:
            continue
        sites += 1
        here = _seen(eyes, pin.site, area)[told:]
        room = limit - len(found)
        found += here[:room]
        if len(here) > room:
            return found, _written(_At(where, pin.site, told + room))
    return found, None


def _seen(eyes: _Eyes, site: str, area: Area) -> list[Found]:
    try:
        return eyes.seen(*eyes.gate.lives.load(site), area)
    except NotFound:
        return []  # it has just been taken away


# ------------------------------------------------------------------ where to look


def _in_order(eyes: _Eyes, box: Box, cells: Sequence[str], at: _At | None) -> Iterator[_Look]:
    """Walk over the pins of each owner and cell in order, from a cursor on."""
    sources = _sources(eyes, cells)
    names = [under for _, under in sources]
    if at is not None and at.where not in names:
        raise _lost()
    for kind, under in sources[0 if at is None else names.index(at.where) :]:
        begin = at.site if at is not None and at.where == under else None
        for pin in _pins(eyes, kind, under, begin):
            yield _Look(under, pin, _leads(eyes, box, cells, pin))


def _near(eyes: _Eyes, circle: Circle, cells: Sequence[str], at: _At | None) -> Iterator[_Look]:
    """Walk over the pins about a place, the nearest first. Raises InvalidRequest if there are too many."""
    found: list[Pin] = []
    looks = (pin for kind, under in _sources(eyes, cells) for pin in _pins(eyes, kind, under))
    for looked_at, pin in enumerate(looks, 1):
        if looked_at > MOST_NEAR:
            raise _too_large()
        found += [pin] if _leads(eyes, circle.box, cells, pin) else []
    found.sort(key=lambda pin: (_distance_m(circle, pin.box), pin.site))
    sites = [pin.site for pin in found]
    if at is not None and at.site not in sites:
        raise _lost()
    return (_Look("", pin, leads=True) for pin in found[0 if at is None else sites.index(at.site) :])


def _sources(eyes: _Eyes, cells: Sequence[str]) -> list[tuple[Kind[Pin], str]]:
    own = [(OWN_PIN, of_owner(o)) for o in eyes.owners]
    return [*own, *((MAP_PIN, of_cell(c)) for c in cells)]


def _pins(eyes: _Eyes, kind: Kind[Pin], under: str, begin: str | None = None) -> Iterator[Pin]:
    """Walk over the pins of an owner or a cell, from a site on."""
    registry = eyes.gate.registry
    if begin is not None and (first := registry.get(kind, under, begin)) is not None:
        yield first
    yield from everything(registry, kind, under, begin, at_once=_PAGE)


def _leads(eyes: _Eyes, box: Box, cells: Sequence[str], pin: Pin) -> bool:
    """Tell whether a pin leads to something in a box to which no other has led before."""
    if not pin.box.meets(box):
        return False
    if not pin.cell:
        return True
    return pin.owner not in eyes.owners and next(c for c in cells if c in pin.cells) == pin.cell


def _distance_m(circle: Circle, box: Box) -> float:
    """Measure how far a box is; one over the 180th meridian is none of ours."""
    latitude, longitude = circle.center
    nearest = min(max(latitude, box.south), box.north), min(max(longitude, box.west), box.east)
    return distance_m(circle.center, nearest)


# ------------------------------------------------------------------ cursors


def _written(at: _At) -> str:
    return base64.urlsafe_b64encode("\n".join(map(str, at)).encode()).decode()


def _read(cursor: str) -> _At:
    try:
        where, site, told = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().split("\n")
        return _At(where, site, max(0, int(told)))
    except (binascii.Error, ValueError):
        raise _lost() from None


def _lost() -> InvalidRequest:
    return InvalidRequest("This cursor leads nowhere any more. Ask without it, from the beginning.")


def _too_large() -> InvalidRequest:
    return InvalidRequest(
        "This part of the map is too large. Ask for a smaller one.",
        "Den här delen av kartan är för stor. Zooma in.",
    )


__all__ = ["MOST_NEAR", "MOST_PINS", "MOST_SITES", "Area", "Found", "find_outlets"]
