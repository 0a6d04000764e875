"""Pins on the map: which sites have outlets in a part of it, so that nobody has to look at all of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from epspot.registry.kinds import Kind
from epspot.registry.records import of_owner
from epspot.site import Outlet, Site
from epspot.site.cells import GRIDS, Box, box_of, cell_of

MOST_CELLS = 8
"""A site is one place: if it lies in more cells of a grid than this, those with the fewest outlets do not lead to it."""


PUBLIC = "PUBLIC"
"""Keys the sites where everyone may charge a car: what has to be published of them is read in order, page by page."""


def of_cell(cell: str) -> str:
    """Key the sites with public outlets in a cell."""
    return f"GEO#{cell}"


@dataclass(frozen=True, slots=True)
class Pin:
    """That a site has outlets somewhere: public ones in a cell, or any for those who look by its owner."""

    site: str
    owner: str
    west: float
    south: float
    east: float
    north: float
    """Of the box round those outlets, in degrees."""
    cell: str = ""
    cells: tuple[str, ...] = ()
    """All cells of the same grid that lead to it."""
    tariffs: tuple[str, ...] = ()
    """Those of its charging points, where these are to be published."""
    version: int = 0

    @property
    def box(self) -> Box:
        """Tell the box round its outlets."""
        return Box(self.west, self.south, self.east, self.north)


MAP_PIN = Kind("PIN", Pin, under=lambda p: of_cell(p.cell), id=lambda p: p.site)
PUBLIC_PIN = Kind("PUBLICPIN", Pin, under=lambda _: PUBLIC, id=lambda p: p.site)
OWN_PIN = Kind("OWNPIN", Pin, under=lambda p: of_owner(p.owner), id=lambda p: p.site)


def charging_points(site: Site) -> tuple[Outlet, ...]:
    """List the outlets of a site that are publicly accessible recharging points for road vehicles."""
    return tuple(o for o in site.outlets if o.kind == "car" and site.is_public(o))


def pins_of(site: Site) -> Iterator[tuple[Kind[Any], Pin]]:
    """List the pins that lead to a site, each with its kind."""
    if site.outlets and site.owner:
        yield OWN_PIN, _pin(site, site.outlets)
    if charging := charging_points(site):
        tariffs = {t for o in charging if (t := site.tariff_of(o))}
        yield PUBLIC_PIN, replace(_pin(site, charging), tariffs=tuple(sorted(tariffs)))
    public = tuple(o for o in site.outlets if site.is_public(o))
    for grid in GRIDS if public else ():
        counts = Counter(cell_of(grid, site.place_of(o)) for o in public)
        cells = tuple(c for c, _ in sorted(counts.items(), key=lambda found: (-found[1], found[0]))[:MOST_CELLS])
        yield from ((MAP_PIN, _pin(site, public, c, cells)) for c in cells)


def _pin(site: Site, outlets: tuple[Outlet, ...], cell: str = "", cells: tuple[str, ...] = ()) -> Pin:
    box = box_of(site.place_of(o) for o in outlets)
    return Pin(site.id, site.owner, box.west, box.south, box.east, box.north, cell, cells)
