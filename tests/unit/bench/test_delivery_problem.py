"""The delivery problem and its score."""

import json
import math

import pytest

from tests.bench.delivery_problem import (
    PERIOD_S,
    Arrival,
    Limit,
    Outcome,
    Place,
    Problem,
    Served,
    from_json,
    jain_index,
    peaks_a,
    percentile,
    trondheim_problem,
)

HOUR_S = 3600.0
TREE = (Limit("main", None, (math.inf,) * 3), Limit("g", "main", (math.inf,) * 3))


def test_the_score_adds_up_what_became_of_everybody() -> None:
    """Energy by the Wh, not by the head."""
    outcome = Outcome.of([Served(1000.0, 1000.0, 0.0), Served(3000.0, 1500.0, 600.0)])
    assert outcome.delivered_share == pytest.approx(2500 / 4000)
    assert outcome.wait_p95_s == 600.0
    assert outcome.jain == pytest.approx(1.5**2 / (2 * 1.25))


def test_a_percentile_is_a_value_that_occurs() -> None:
    """95 of 100 are at or below it."""
    assert percentile([float(v) for v in range(100, 0, -1)], 0.95) == 95.0
    assert percentile([7.0], 0.95) == 7.0


def test_the_fairness_index_goes_from_one_for_all_alike_to_one_of_n() -> None:
    """Nothing for anybody is even too."""
    assert jain_index([0.4, 0.4, 0.4]) == pytest.approx(1.0)
    assert jain_index([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
    assert jain_index([0.0, 0.0]) == 1.0


def test_a_peak_ends_when_vehicles_are_full() -> None:
    """The third comes when the first is done: two at a time, and only on the phases that they use."""
    outlets = tuple(Place(f"o{n}", "g", (0,), 10.0) for n in range(3))
    arrivals = (
        Arrival(0.0, 4 * HOUR_S, "o0", 2300.0, 10.0, (0,)),
        Arrival(0.0, 4 * HOUR_S, "o1", 4600.0, 10.0, (0,)),
        Arrival(HOUR_S, 4 * HOUR_S, "o2", 6900.0, 10.0, (0, 1, 2)),
    )
    peaks = peaks_a(Problem(TREE, outlets, arrivals))
    assert [peaks["main", p] for p in range(3)] == pytest.approx([20.0, 10.0, 10.0])
    assert peaks["g", 0] == pytest.approx(20.0)


@pytest.fixture(scope="module")
def halved() -> Problem:
    return trondheim_problem(0.5)


def test_the_record_s_weeks_can_be_delivered_without_limits(halved: Problem) -> None:
    """Nobody needs more than the outlet gives while the vehicle stays; everybody comes and goes on a whole period."""
    assert len(halved.arrivals) > 500
    for a in halved.arrivals:
        assert 0 < a.needs_wh <= a.most_wh
        assert a.at_s % PERIOD_S == a.leaves_s % PERIOD_S == 0
        assert a.at_s < a.leaves_s


def test_an_outlet_has_one_vehicle_at_a_time(halved: Problem) -> None:
    """Arrivals are in order of time, so the last one's departure tells."""
    free_s: dict[str, float] = {}
    for a in halved.arrivals:
        assert a.at_s >= free_s.get(a.outlet, 0.0)
        free_s[a.outlet] = a.leaves_s


def test_the_main_fuse_is_a_share_of_the_peak_and_garages_carry_theirs(halved: Problem) -> None:
    """What limits is the main fuse alone."""
    peaks = peaks_a(halved)
    for f in halved.fuses:
        most = max(peaks[f.id, p] for p in range(3))
        assert f.rating_a[0] == pytest.approx(0.5 * most if f.parent is None else max(16.0, most))


def test_a_problem_survives_json(halved: Problem) -> None:
    """Nothing is lost."""
    assert from_json(json.loads(json.dumps(halved.as_json()))) == halved
