"""Boxes, circles and the cells of the grids."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from epspot.site.cells import GRIDS, MOST_CELLS, Box, Circle, Place, box_of, cell_of, covering, distance_m

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, 180.0, 0.0])
parts = st.floats(0, 1) | st.sampled_from([0.0, 1.0])
STOCKHOLM, GOTHENBURG = (59.33, 18.07), (57.71, 11.97)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Make boxes of any size, some over the 180th meridian."""
    south, north = sorted((draw(latitudes), draw(latitudes)))
    if draw(st.booleans()):
        south = max(south, north - 3)
    west, east = draw(longitudes), draw(longitudes)
    if draw(st.booleans()):
        west, east = -east, min(180.0, -east + draw(st.floats(0, 5)))
    return Box(west, south, east, north)


@st.composite
def boxes_with_places(draw: st.DrawFn) -> tuple[Box, Place]:
    """Make a box and a place in it."""
    box = draw(boxes())
    width = box.east - box.west + (360 if box.west > box.east else 0)
    longitude = box.west + draw(parts) * width
    place = box.south + draw(parts) * (box.north - box.south), longitude if longitude <= 180 else longitude - 360
    assume(box.holds(place))  # else rounding has put it beside the edge
    return box, place


@given(boxes_with_places())
def test_every_place_of_a_box_lies_in_one_of_its_cells(made: tuple[Box, Place]) -> None:
    """Whatever stands in a box is found by the cells that cover it, which are few and of one grid."""
    box, place = made
    cells = covering(box)
    assume(cells)
    (grid,) = {int(c.partition(".")[0]) for c in cells}
    assert cell_of(grid, place) in cells
    assert len(set(cells)) == len(cells) <= MOST_CELLS


@given(boxes())
def test_only_what_is_wider_than_a_country_is_too_large(box: Box) -> None:
    """A box of up to eight by sixteen degrees always has cells."""
    width = box.east - box.west + (360 if box.west > box.east else 0)
    if box.north - box.south <= 8 and width <= 16:
        assert covering(box)


def test_a_finer_grid_goes_before_a_coarser_one() -> None:
    """A part of a town is covered by the finest cells, all of Sweden by the coarsest, and Europe by none."""
    assert {c.partition(".")[0] for c in covering(Box(18.0, 59.3, 18.1, 59.4))} == {str(GRIDS[0])}
    assert {c.partition(".")[0] for c in covering(Box(11.0, 55.3, 24.2, 69.1))} == {str(GRIDS[-1])}
    assert covering(Box(-10.0, 36.0, 40.0, 70.0)) == ()


@given(latitudes, longitudes, st.floats(1, 2_000_000), latitudes, longitudes)
def test_a_circle_lies_in_its_box(
    latitude: float, longitude: float, meters: float, other_latitude: float, other_longitude: float
) -> None:
    """What is within a distance is within the box, near poles and over the 180th meridian too."""
    circle = Circle(latitude, longitude, meters)
    for place in ((other_latitude, other_longitude), (latitude, longitude)):
        if circle.holds(place):
            assert circle.box.holds(place)


@given(latitudes, longitudes, st.floats(10, 100_000), st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1)]))
def test_the_rim_of_a_circle_lies_in_its_box(
    latitude: float, longitude: float, meters: float, way: tuple[int, int]
) -> None:
    """A place just within the distance to any side is in the box."""
    step = meters / 112_000
    assume(abs(latitude) < 80 and abs(longitude) < 170)
    circle = Circle(latitude, longitude, meters)
    place = latitude + way[0] * step, longitude + way[1] * step
    assert circle.holds(place)
    assert circle.box.holds(place)


def test_distance() -> None:
    """Stockholm and Gothenburg are 398 km apart; half round the globe is 20,015 km."""
    assert distance_m(STOCKHOLM, GOTHENBURG) == pytest.approx(398_000, rel=0.01)
    assert distance_m((0, 0), (0, 180)) == pytest.approx(20_015_087, rel=1e-6)
    assert distance_m(STOCKHOLM, STOCKHOLM) == 0


def test_boxes_meet() -> None:
    """Boxes meet that share an edge or more, also over the 180th meridian."""
    here = Box(10, 50, 20, 60)
    assert here.meets(Box(20, 60, 30, 70))
    assert not here.meets(Box(21, 50, 30, 60))
    assert not here.meets(Box(10, 61, 20, 70))
    over = Box(170, -10, -170, 10)
    assert over.meets(Box(-180, 0, -175, 1))
    assert over.meets(Box(175, 0, 176, 1))
    assert not over.meets(Box(-160, 0, 160, 1))


@given(st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=5))
def test_a_box_round_places_holds_them(places: list[Place]) -> None:
    """Every place is in the box round them all."""
    assert all(box_of(places).holds(p) for p in places)
