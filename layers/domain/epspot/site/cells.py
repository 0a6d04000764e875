"""Where on the globe: boxes and circles on a map, and the cells of a grid by which what stands there is found.

There are grids of several sizes, each a quarter as fine as the one before; a place lies in one cell of each. A cell is
twice as wide as high in degrees, so that it is about square in Sweden. Degrees are those of WGS 84.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, cos, degrees, floor, radians, sin, sqrt
from typing import TypeAlias

Place: TypeAlias = tuple[float, float]
"""(latitude, longitude)."""

GRIDS = (4096, 1024, 256, 64)
"""Rows from pole to pole, and columns round the globe: cells of 5, 20, 80 and 310 km."""
MOST_CELLS = 24
"""A box that needs more of a grid is looked for in the next coarser one."""

_RADIUS_M = 6_371_000.0
_ROUND, _HALF, _POLE = 360.0, 180.0, 90.0


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map. Where ``west`` is more than ``east`` it goes over the 180th meridian."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, place: Place) -> bool:
        """Tell whether a place lies within."""
        latitude, longitude = place
        return self.south <= latitude <= self.north and any(w <= longitude <= e for w, e in self.spans)

    def meets(self, other: "Box") -> bool:
        """Tell whether two boxes have a place in common."""
        if self.south > other.north or other.south > self.north:
            return False
        return any(w <= e2 and w2 <= e for w, e in self.spans for w2, e2 in other.spans)

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """List the longitudes that it goes over, (from, to), in one or two parts."""
        if self.west <= self.east:
            return ((self.west, self.east),)
        return ((self.west, _HALF), (-_HALF, self.east))


@dataclass(frozen=True, slots=True)
class Circle:
    """All that is within a distance of a place."""

    latitude: float
    longitude: float
    distance_m: float

    @property
    def center(self) -> Place:
        """Tell the place."""
        return self.latitude, self.longitude

    def holds(self, place: Place) -> bool:
        """Tell whether a place lies within."""
        return distance_m(self.center, place) <= self.distance_m

    @property
    def box(self) -> Box:
        """Make a box that holds all of it."""
        high = degrees(self.distance_m / _RADIUS_M) * (1 + 1e-9)
        south, north = self.latitude - high, self.latitude + high
        farthest = sin(self.distance_m / _RADIUS_M) / max(cos(radians(self.latitude)), 1e-12)
        if south <= -_POLE or north >= _POLE or farthest >= 1:
            return Box(-_HALF, max(south, -_POLE), _HALF, min(north, _POLE))
        wide = degrees(asin(farthest)) * (1 + 1e-9)
        return Box(_turned(self.longitude - wide), south, _turned(self.longitude + wide), north)


def distance_m(one: Place, other: Place) -> float:
    """Measure along the surface of the globe, taken for a sphere (at most 0.6 % wrong)."""
    lat1, lon1, lat2, lon2 = (radians(d) for d in (*one, *other))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _RADIUS_M * asin(min(1.0, sqrt(h)))


def box_of(places: Iterable[Place]) -> Box:
    """Make the box round places, of which there must be one at least."""
    latitudes, longitudes = zip(*places, strict=True)
    return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def cell_of(grid: int, place: Place) -> str:
    """Name the cell of a grid that a place lies in."""
    latitude, longitude = place
    return _name(grid, _row(grid, latitude), _column(grid, longitude))


def covering(box: Box) -> tuple[str, ...]:
    """Name the cells that cover a box, of the finest grid that needs few; none if the box is too large for any."""
    for grid in GRIDS:
        rows = range(_row(grid, box.south), _row(grid, box.north) + 1)
        first, last = _column(grid, box.west), _column(grid, box.east)
        last += grid if box.west > box.east else 0
        columns = range(first, min(last, first + grid - 1) + 1)
        if len(rows) * len(columns) <= MOST_CELLS:
            return tuple(_name(grid, r, c) for r in rows for c in columns)
    return ()


def _row(grid: int, latitude: float) -> int:
    return min(grid - 1, floor((latitude + _POLE) * grid / _HALF))


def _column(grid: int, longitude: float) -> int:
    """Tell the number of a column; the 180th meridian as the east end of a box is one more than the last."""
    return floor((longitude + _HALF) * grid / _ROUND)


def _name(grid: int, row: int, column: int) -> str:
    return f"{grid}.{row}.{column % grid}"


def _turned(longitude: float) -> float:
    """Bring a longitude back between -180 and 180."""
    return longitude if -_HALF <= longitude <= _HALF else (longitude + _HALF) % _ROUND - _HALF
