"""What others deliver, on problems small enough to know the answer."""

import pytest

pytest.importorskip("highspy", reason="the solver highspy is not installed, so the optimum is not tested here")

from tests.bench.delivery_peers import optimum_wh, run_peers
from tests.bench.delivery_problem import Arrival, Limit, Outcome, Place, Problem
from tests.bench.peers import NoPeer

HOUR_S = 3600.0
A_HOUR_AT_16_A_WH = 16 * 230.0


def _problem(rating_a: float, *arrivals: Arrival, garage_a: float = 1000.0) -> Problem:
    tree = (Limit("main", None, (rating_a,) * 3), Limit("g", "main", (garage_a,) * 3))
    outlets = tuple(Place(a.outlet, "g", a.phases, a.max_a) for a in arrivals)
    return Problem(tree, outlets, arrivals)


def _car(outlet: str, at_h: float, leaves_h: float, hours: float, phases: tuple[int, ...] = (0,)) -> Arrival:
    """Make a car that needs so many hours at 16 A."""
    needs_wh = hours * A_HOUR_AT_16_A_WH * len(phases)
    return Arrival(at_h * HOUR_S, leaves_h * HOUR_S, outlet, needs_wh, 16.0, phases)


def test_the_optimum_is_all_when_all_fits() -> None:
    """Two at once on two phases, and one after the other on one."""
    problem = _problem(16.0, _car("a", 0, 1, 1), _car("b", 0, 1, 1, (1,)), _car("c", 1, 2, 1))
    assert optimum_wh(problem) == pytest.approx(problem.needed_wh)


def test_the_optimum_is_what_the_fuse_lets_through() -> None:
    """Two cars that each could fill it get half of what they need, whichever fuse it is."""
    cars = (_car("a", 0, 1, 1), _car("b", 0, 1, 1))
    assert optimum_wh(_problem(16.0, *cars)) == pytest.approx(A_HOUR_AT_16_A_WH)
    assert optimum_wh(_problem(100.0, *cars, garage_a=8.0)) == pytest.approx(A_HOUR_AT_16_A_WH / 2)


def test_the_optimum_knows_who_leaves_first() -> None:
    """The one who stays waits, and everybody gets everything."""
    problem = _problem(16.0, _car("a", 0, 2, 1), _car("b", 0, 1, 1))
    assert optimum_wh(problem) == pytest.approx(problem.needed_wh)


def test_the_optimum_knows_who_will_come() -> None:
    """The first may take both hours, the second needs the last: three hours are needed and two are there."""
    problem = _problem(16.0, _car("a", 0, 2, 2), _car("b", 1, 2, 1))
    assert optimum_wh(problem) == pytest.approx(2 * A_HOUR_AT_16_A_WH)


def test_a_three_phase_car_is_bound_by_its_fullest_phase() -> None:
    """Alone it gets three phases' worth; giving L1 to the other instead would be less."""
    problem = _problem(16.0, _car("a", 0, 1, 1, (1, 2, 0)), _car("b", 0, 1, 1))
    assert optimum_wh(problem) == pytest.approx(3 * A_HOUR_AT_16_A_WH)


def _peers(problem: Problem) -> dict[str, Outcome]:
    try:
        return run_peers(problem)
    except NoPeer as reason:
        pytest.skip(str(reason))


def test_peers_deliver_all_when_all_fits() -> None:
    """At once, to everybody, also a rest that is less than their smallest step."""
    peers = _peers(_problem(32.0, _car("a", 0, 2, 1.011), _car("b", 0, 2, 0.333, (0, 1, 2))))
    assert len(peers) == 6
    for outcome in peers.values():
        assert outcome.delivered_share == pytest.approx(1.0)
        assert outcome.wait_p95_s == 0.0
        assert outcome.jain == pytest.approx(1.0)


def test_peers_share_a_fuse_each_in_its_own_way() -> None:
    """Round robin halves it; first come gives it to the first; least laxity to the one who leaves first."""
    peers = _peers(_problem(16.0, _car("a", 0, 3, 1), _car("b", 1 / 12, 1 + 1 / 12, 1)))
    first = peers["first_come_pilots"]
    assert first.wait_p95_s == pytest.approx(11 / 12 * HOUR_S)
    assert first.delivered_share == pytest.approx((1 + 1 / 12) / 2)
    assert peers["least_laxity_pilots"].delivered_share == pytest.approx(1.0)
    even = peers["round_robin_pilots"]
    assert even.wait_p95_s == 0.0
    assert even.delivered_share == pytest.approx((1 + 1 / 2) / 2)


def test_no_peer_beats_the_optimum() -> None:
    """On a fuse that is too small for three, with a phase of its own for one."""
    problem = _problem(20.0, _car("a", 0, 2, 1), _car("b", 0, 1, 1, (0, 1, 2)), _car("c", 0.5, 2, 1, (0,)))
    best = optimum_wh(problem) / problem.needed_wh
    for name, outcome in _peers(problem).items():
        assert 0.3 < outcome.delivered_share <= best + 1e-9, name
