"""The lease protocol, in every state within some happenings of three first ones."""

from collections.abc import Callable

import pytest

from epspot.control import leases
from epspot.control.draft import Draft
from epspot.control.events import FrameReceived
from epspot.site import Policy
from tests.model.lease import PLANNING_A, RIGHT, SITE, SLOW, TOO_SLOW, State, after, broken, charging, cold, expiring
from tests.model.search import search

DEPTH_AT_THE_BRINK = 4


@pytest.mark.parametrize(
    ("start", "depth", "least"), [(cold, 5, 9_000), (charging, 5, 50_000), (expiring, DEPTH_AT_THE_BRINK, 9_000)]
)
def test_the_fuse_never_carries_too_much(start: Callable[[], State], depth: int, least: int) -> None:
    """No order of losses, repeats, delays, reboots, crashes and requests lets more flow than is planned or counted."""
    found = search(start(), depth)
    assert found.broken is None, found.trace
    assert found.states > least


def test_two_share_the_fuse_at_first() -> None:
    """The second first state is one in which a mistake would show: the fuse is full."""
    assert sum(a for box in charging().boxes for a in box.limits) == PLANNING_A


def test_both_leases_are_about_to_end_at_first() -> None:
    """The third first state is one in which a lease that is counted too short shows: all is still drawn, soon nothing."""
    state = expiring()
    assert sum(a for box in state.boxes for a in box.limits) == PLANNING_A
    assert sum(a for box in after(state, ["tick"]).boxes for a in box.limits) == SITE.outlet["o1"].fallback_a


def test_a_decrease_that_counts_unseen_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a decrease believed before its revision is applied, another would get the current too early."""
    see = leases.see

    def careless(draft: Draft, frame: FrameReceived, *, listed_only: bool) -> None:
        for o in draft.outlets_of(frame.bridge):
            draft.outlet(o.id, since_rev=0)
        see(draft, frame, listed_only=listed_only)

    monkeypatch.setattr(leases, "see", careless)
    monkeypatch.setattr(leases, "obeys", lambda reading, limit_a, _: max(reading.current_a) <= limit_a)
    # o1 has the whole fuse and shall give half of it to o3; for a moment it draws nothing, as if it obeyed.
    found = search(after(charging("o1"), ["start o3"]), 4)
    assert found.broken is not None
    assert "idle frame 0" in found.trace


@pytest.mark.parametrize("start", [charging, expiring])
@pytest.mark.parametrize("clock", [RIGHT, SLOW])
@pytest.mark.parametrize("part", [0.5, 0.8, 0.9, 0.99])
def test_a_lease_that_is_counted_too_short_is_found_out(
    monkeypatch: pytest.MonkeyPatch, part: float, clock: float, start: Callable[..., State]
) -> None:
    """Were a lease counted shorter than the bridge holds it, its current would be given away too early."""

    def hasty(policy: Policy) -> float:
        return policy.lease_s * part

    monkeypatch.setattr(leases, "span_s", hasty)
    assert search(start(clock=clock), DEPTH_AT_THE_BRINK).broken is not None


@pytest.mark.parametrize("left_out", [{"CLOCK_FACTOR": 1.0}, {"OBEY_S": 0.0}])
def test_each_part_of_the_margin_is_needed(monkeypatch: pytest.MonkeyPatch, left_out: dict[str, float]) -> None:
    """Were a slow clock or the time to obey not allowed for, a lease would outlive the cloud's count."""
    for name, value in left_out.items():
        monkeypatch.setattr(leases, name, value)
    found = search(charging(), DEPTH_AT_THE_BRINK)
    assert found.broken is not None
    assert "brink" in found.trace


def test_a_clock_that_is_slower_than_allowed_for_is_found_out() -> None:
    """A bridge whose clock is 3 % slow lets a lease outlive the cloud's count: the 2 % are an assumption that counts."""
    found = search(charging(clock=TOO_SLOW), DEPTH_AT_THE_BRINK)
    assert found.broken is not None
    assert "brink" in found.trace


def test_a_fuse_is_overloaded_only_if_a_lease_is_counted_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """o1 shall give half to o3 and does not hear of it: o3 gets nothing while o1 may still draw all."""
    unheard = ["start o3", "lose down 0", "brink", "frame 1", "deliver up 0"]
    state = after(charging("o1"), [*unheard, "brink", "clock"])
    assert state.live.outlets["o3"].limit_a == 0
    assert broken(state) is None
    monkeypatch.setattr(leases, "span_s", lambda policy: policy.lease_s * 0.9)
    state = after(charging("o1"), [*unheard, "command 1"])
    assert "the fuse may carry 24.00 A" in str(broken(state))


def test_a_lost_command_gives_nothing_away() -> None:
    """A stop whose command is lost keeps its current counted, so that nobody else gets it."""
    state = after(charging(), ["stop o1", "lose down 0", "start o2"])
    assert state.live.outlets["o1"].counted_a == PLANNING_A / 2
    assert state.live.outlets["o2"].limit_a == 0
