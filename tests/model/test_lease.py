"""The lease protocol, in every state within some happenings of two first ones."""

from collections.abc import Callable

import pytest

from epspot.control import leases
from epspot.control.draft import Draft
from epspot.control.events import FrameReceived
from epspot.site import Policy
from tests.model.lease import PLANNING_A, State, after, charging, cold
from tests.model.search import search


@pytest.mark.parametrize(("start", "depth", "least"), [(cold, 5, 9_000), (charging, 5, 15_000)])
def test_the_fuse_never_carries_too_much(start: Callable[[], State], depth: int, least: int) -> None:
    """No order of losses, repeats, delays, reboots, crashes and requests lets more flow than is planned or counted."""
    found = search(start(), depth)
    assert found.broken is None, found.trace
    assert found.states > least


def test_two_share_the_fuse_at_first() -> None:
    """The second first state is one in which a mistake would show: the fuse is full."""
    assert sum(a for box in charging().boxes for a in box.limits) == PLANNING_A


def test_a_decrease_that_counts_unseen_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a decrease believed before its revision is applied, another would get the current too early."""
    see = leases.see

    def careless(draft: Draft, frame: FrameReceived, *, listed_only: bool) -> None:
        for o in draft.outlets_of(frame.bridge):
            draft.outlet(o.id, since_rev=0)
        see(draft, frame, listed_only=listed_only)

    monkeypatch.setattr(leases, "see", careless)
    monkeypatch.setattr(leases, "obeys", lambda reading, limit_a: max(reading.current_a) <= limit_a)
    # o1 has the whole fuse and shall give half of it to o3; for a moment it draws nothing, as if it obeyed.
    found = search(after(charging("o1"), ["start o3"]), 4)
    assert found.broken is not None
    assert "idle frame 0" in found.trace


def test_a_lease_that_is_counted_too_short_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a lease counted shorter than the bridge holds it, its current would be given away too early."""

    def hasty(policy: Policy) -> float:
        return policy.lease_s * 0.5

    monkeypatch.setattr(leases, "span_s", hasty)
    found = search(charging(), 5)
    assert found.broken is not None
    assert found.trace.count("tick") > 1


def test_a_lost_command_gives_nothing_away() -> None:
    """A stop whose command is lost keeps its current counted, so that nobody else gets it."""
    state = after(charging(), ["stop o1", "lose down 0", "start o2"])
    assert state.live.outlets["o1"].counted_a == PLANNING_A / 2
    assert state.live.outlets["o2"].limit_a == 0
