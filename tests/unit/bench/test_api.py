"""What the API's calls take of DynamoDB, as the bench counts it."""

from tests.bench.api import Units, figures, units


def test_units_do_not_grow_with_the_number_of_owners() -> None:
    """The same calls take the same with twice the owners, no call scans, and who only looks writes nothing."""
    few = units(2)
    assert few == units(4)
    assert few.scans == 0
    assert min(few.read.values()) > 0
    assert few.written["start_session"] > 0 == few.written["list_in_box"] == few.written["session_state"]


def test_growth_is_seen() -> None:
    """A call that takes more where there are more owners misses the goal, and so does a scan."""
    few, many = Units({"list": 1.0}, {"list": 0.0}, 0), Units({"list": 1.5}, {"list": 0.0}, 1)
    told = {f.name: f for f in figures({"list": [0.1, 0.2]}, few, many)}
    assert told["emulated_list_p95"].value == 200
    assert (told["units_more_for_10_times_the_owners"].value, told["no_scans"].value) == (0.5, 1)
    assert not told["units_more_for_10_times_the_owners"].met
    assert not told["no_scans"].met
