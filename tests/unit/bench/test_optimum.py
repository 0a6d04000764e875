"""The fair allocation by linear programs, and EpSpot's allocator held to it."""

from typing import Any

import pytest

pytest.importorskip("highspy", reason="the solver highspy is not installed, so exactness is not tested here")

from epspot.control.scenario import Problem, Solution, solve
from tests.bench import allocation
from tests.bench.allocation import largest_difference_a
from tests.bench.optimum import fair_shares_a
from tests.bench.trees import scenarios

TREES = 100


def _scenario(rating_a: float, *asked: dict[str, Any], parent_a: float = 1000.0) -> dict[str, Any]:
    usual = {"fuse": "g", "phases": ["L1"], "min_a": 1.0, "max_a": 16.0, "modulated": True}
    weights = [a.pop("weight", 1) for a in asked]
    return {
        "fuses": [
            {"id": "main", "parent": None, "rating_a": [parent_a] * 3, "other_a": [1.0, 0.0, 0.0]},
            {"id": "g", "parent": "main", "rating_a": [rating_a] * 3},
        ],
        "outlets": [usual | {"id": f"o{i}"} | a for i, a in enumerate(asked)],
        "sessions": [{"outlet": f"o{i}", "wants_a": None, "weight": w} for i, w in enumerate(weights)],
    }


def _shares(scenario: dict[str, Any]) -> list[float]:
    shares = fair_shares_a(scenario, [o["id"] for o in scenario["outlets"]])
    return [shares[o["id"]] for o in scenario["outlets"]]


def test_current_is_shared_by_weight() -> None:
    """A third and two thirds of 12 A."""
    assert _shares(_scenario(12.0, {"weight": 1}, {"weight": 2})) == pytest.approx([4.0, 8.0])


def test_what_one_cannot_take_goes_to_the_others() -> None:
    """5 A are enough for the first, so the others share 20 A."""
    assert _shares(_scenario(25.0, {"max_a": 5.0}, {}, {})) == pytest.approx([5.0, 10.0, 10.0])


def test_a_smallest_current_comes_before_fairness() -> None:
    """Who can't take less than 10 A of 16 A leaves 3 A to each of the others."""
    assert _shares(_scenario(16.0, {"min_a": 10.0}, {}, {})) == pytest.approx([10.0, 3.0, 3.0])


def test_a_fuse_higher_up_and_the_other_load_bind_on_their_phase_only() -> None:
    """L1 has 11 of 12 A left for two; L2 has 12 A for one."""
    shares = _shares(_scenario(100.0, {}, {}, {"phases": ["L2"]}, parent_a=12.0))
    assert shares == pytest.approx([5.5, 5.5, 12.0])


def test_three_phases_are_bound_by_the_fullest() -> None:
    """The one on three phases shares L1; nobody else uses what is left on L2 but its own neighbour there."""
    shares = _shares(_scenario(12.0, {"phases": ["L3", "L1", "L2"]}, {"weight": 3}, {"phases": ["L2"]}))
    assert shares == pytest.approx([3.0, 9.0, 9.0])


def test_the_allocator_is_exact_on_random_trees() -> None:
    """No allowance differs by more than the rounding down to a microampere."""
    assert largest_difference_a(TREES) <= 2e-6


def test_an_allocator_that_is_half_an_ampere_off_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one outlet of one tree."""

    def almost(of: Problem) -> Solution:
        solution = solve(of)
        return solution._replace(allowances_a=solution.allowances_a | {"o0": solution.allowances_a["o0"] - 0.5})

    monkeypatch.setattr(allocation, "solve", almost)
    assert largest_difference_a(20) == pytest.approx(0.5, abs=1e-5)


def test_random_trees_are_of_every_form() -> None:
    """Among them are big ones, switched outlets, limited numbers of sessions, and every wiring."""
    found = list(scenarios(1000))
    outlets = [o for s in found for o in s["outlets"]]
    assert {tuple(o["phases"]) for o in outlets} >= {("L1",), ("L1", "L2", "L3"), ("L3", "L2", "L1")}
    assert len({tuple(o["phases"]) for o in outlets}) == 9
    assert {o["modulated"] for o in outlets} == {True, False}
    assert max(len(s["outlets"]) for s in found) >= 100
    assert {len(s["fuses"]) for s in found} >= set(range(1, 9))
    assert any(f["max_sessions"] is not None for s in found for f in s["fuses"])
