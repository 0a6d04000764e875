"""How EpSpot is put before a delivery problem, and what is said of what came of it."""

import pytest

from epspot.services.what_if import what_if
from epspot.site import Principle
from tests.bench.delivery import MONDAY, Row, served_by, site_of, visits_of
from tests.bench.delivery_problem import Arrival, Limit, Outcome, Place, Problem
from tests.bench.simulation import OUTLETS, garages, weeks_of_thirty

HOUR_S = 3600.0
HOUR_AT_16_A_WH = 16 * 230.0


def problem() -> Problem:
    """Make two cars that need an hour at 16 A each; the one that comes last leaves first."""
    tree = (Limit("main", None, (16.0,) * 3), Limit("g", "main", (1000.0,) * 3))
    outlets = (Place("a", "g", (0,), 16.0), Place("b", "main", (0,), 16.0))
    return Problem(
        tree,
        outlets,
        (
            Arrival(0.0, 3 * HOUR_S, "a", HOUR_AT_16_A_WH, 16.0, (0,)),
            Arrival(0.25 * HOUR_S, 1.25 * HOUR_S, "b", HOUR_AT_16_A_WH, 16.0, (0,)),
        ),
    )


def test_the_site_is_the_problem_s() -> None:
    """Fuses may carry all of their rating, and every outlet is reached."""
    of = site_of(problem(), Principle.TURNS)
    assert [(f.id, f.parent, f.planning_a[0]) for f in of.fuses] == [("main", None, 16.0), ("g", "main", 1000.0)]
    assert [(o.id, o.fuse, o.phases) for o in of.outlets] == [("a", "g", (0,)), ("b", "main", (0,))]
    assert len(of.of_bridge) == 2
    assert set(of.principle.values()) == {Principle.TURNS}


def test_departures_are_told_where_that_is_asked_for() -> None:
    """The times are those of the problem, from the Monday on."""
    told, untold = visits_of(problem(), ready_by=True), visits_of(problem())
    assert [v.ready_by for v in told] == [v.leaves_at for v in told] == [MONDAY + 3 * HOUR_S, MONDAY + 1.25 * HOUR_S]
    assert [v.ready_by for v in untold] == [None, None]


def test_an_outcome_is_what_the_controller_made() -> None:
    """Equal shares leave the second with half; by readiness it has all of the fuse that the first can spare."""
    of = problem()
    equal = what_if(site_of(of, Principle.EQUAL), visits_of(of))
    assert equal.served[1].delivered_wh == pytest.approx(HOUR_AT_16_A_WH / 2)
    outcome = Outcome.of(served_by(equal))
    assert outcome.delivered_share == pytest.approx(0.75)
    assert outcome.wait_p95_s == 0.0
    assert outcome.jain == pytest.approx(0.9)
    readiness = what_if(site_of(of, Principle.READINESS), visits_of(of, ready_by=True))
    assert readiness.served[1].delivered_wh > 0.6 * HOUR_AT_16_A_WH


def test_figures_hold_the_optimum_ourselves_and_the_peers() -> None:
    """Goals stand at half of the peak only."""
    own, other = Outcome(0.9, 60.0, 0.99), Outcome(0.8, 120.0, 0.9)
    row = Row(0.5, 1.0, {Principle.EQUAL: own, Principle.TURNS: own}, {"round_robin_pilots": other}, "acnportal 9")
    figures = {f.name: f for f in row.figures()}
    assert figures["optimum_50"].value == 100
    assert (figures["of_optimum_equal_50"].value, figures["of_optimum_equal_50"].met) == (90, False)
    assert (figures["jain_turns_50"].value, figures["jain_turns_50"].met) == (0.99, True)
    assert figures["jain_equal_50"].goal is None
    assert figures["delivered_round_robin_pilots_50"].value == 80
    assert figures["wait_p95_round_robin_pilots_50"].peer == "acnportal 9"
    assert all(f.goal is None for f in row._replace(main_share=0.25).figures())


def test_without_a_solver_the_rest_is_told() -> None:
    """Nothing is compared with an optimum that nobody knows."""
    names = [f.name for f in Row(0.5, None, {Principle.EQUAL: Outcome(0.9, 60.0, 0.99)}, {}, None).figures()]
    assert names == ["delivered_equal_50", "wait_p95_equal_50", "jain_equal_50"]


def test_garages_are_kept_whole() -> None:
    """The largest that fit, with their visits; a main fuse of half of their own peak."""
    of = weeks_of_thirty()
    assert len(of.outlets) == OUTLETS
    assert {o.fuse for o in of.outlets} == {f.id for f in of.fuses if f.parent is not None}
    assert {a.outlet for a in of.arrivals} <= {o.id for o in of.outlets}
    assert 0 < of.fuses[0].rating_a[0] < sum(o.max_a for o in of.outlets) / 2
    assert garages(of, 9).outlets == tuple(o for o in of.outlets if o.fuse in {f.id for f in garages(of, 9).fuses})
