"""Sites in simulated time: short runs at every level of faults, and seeds that once found something."""

import pytest

from tests.simulation.faults import LEVELS
from tests.simulation.timeline import Timeline
from tests.simulation.world import simulate

_HOUR = 1 / 24


@pytest.mark.parametrize("faults", LEVELS)
@pytest.mark.parametrize("seed", [7, 201])
def test_what_must_hold_holds(faults: str, seed: int) -> None:
    """Nothing that the world does breaks an invariant, and something did happen."""
    report = simulate(seed, 3 * _HOUR, faults)
    assert {name: n for name, n in report["invariants"].items() if n} == {}, report["examples"]
    assert report["sessions"] > 0
    assert any(report["faults"].values()) == (faults != "none")


@pytest.mark.parametrize(
    ("seed", "hours"),
    [
        (2, 4),  # events of an offline time were numbered after the frame that was newer: a register seemed to fall
        (102, 4),  # a stopped session's allowance stood for ever while its module was silent
        (118, 4),  # a crash between two puts left readings of the boot before: old frames were taken for new
    ],
)
def test_what_was_found_stays_mended(seed: int, hours: int) -> None:
    """Seeds that broke an invariant, with the cause; ``test_found`` has the smallest form of each."""
    report = simulate(seed, hours * _HOUR, "heavy")
    assert {name: n for name, n in report["invariants"].items() if n} == {}, report["examples"]


def test_a_seed_says_it_all() -> None:
    """The same seed gives the same report, another another."""
    assert simulate(3, _HOUR, "heavy") == simulate(3, _HOUR, "heavy") != simulate(4, _HOUR, "heavy")


def test_what_is_due_together_comes_in_the_order_of_asking() -> None:
    """Time decides, then the order; only what is concurrent may come in the midst of another."""
    timeline, order = Timeline(0.0), list[str]()
    timeline.after(2, lambda: order.append("late"))
    timeline.after(1, lambda: order.append("first"), concurrent=True)
    timeline.after(1, lambda: order.append("second"))
    timeline.now = 1.0
    assert timeline.run_concurrent()
    assert not timeline.run_concurrent()
    timeline.run_due()
    assert order == ["first", "second"]
    assert timeline.next_at == 2
