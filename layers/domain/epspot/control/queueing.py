"""When somebody who waits may expect current, and how sure that is."""

from math import ceil
from typing import NamedTuple

from epspot.control import caps, plans
from epspot.control.admission import turn_at
from epspot.control.draft import Draft
from epspot.control.state import Phase, SessionState
from epspot.site import Principle

_HOUR_S = 3600.0


class Expectation(NamedTuple):
    """Epoch seconds; somebody may always leave, so that it may come at any time before ``latest``."""

    likely_at: float | None
    """None: nobody can tell."""
    latest_at: float | None
    """None: nothing promises it."""


NEVER = Expectation(None, None)


def expectation(draft: Draft, session: SessionState) -> Expectation:
    """Tell when a session that waits may expect its turn.

    Turns are given out anew at fixed times, each time to as many as have one now: so the n-th of those who wait has
    its turn after n / S of them, and with one place a turn at the latest. Without turns, places become free as those
    who have current get done.
    """
    if session.position is None:
        return NEVER
    reason = draft.outlets[session.outlet].reason
    if reason.startswith("cap:"):
        return Expectation(caps.next_change(draft.site, draft.now), None)
    fuse = reason.partition("/")[0]
    if fuse not in draft.site.fuse:
        fuse = draft.site.main.id
    ahead = _served_under(draft, fuse)
    principle = draft.site.principle[fuse]
    if principle in (Principle.FIRST_COME, Principle.READINESS):
        return Expectation(_when_done(draft, ahead, session.position), None)
    turn_s = draft.site.policy.turn_s
    next_turn = (turn_at(draft.now, draft.site.policy) + 1) * turn_s
    rounds = ceil(session.position / max(1, len(ahead)))
    latest = None if principle is Principle.PRIORITY else float(next_turn + session.position * turn_s)
    return Expectation(float(next_turn + (rounds - 1) * turn_s), latest)


def _served_under(draft: Draft, fuse: str) -> list[SessionState]:
    number = draft.network.fuse_names.index(fuse)
    return [s for s in draft.sessions.values() if s.phase is Phase.ACTIVE and number in draft.network.chains[s.outlet]]


def _when_done(draft: Draft, served: list[SessionState], place: int) -> float | None:
    """Tell when as many as ``place`` of those who have current have had what they need."""
    times = sorted(_done_at(draft, s) for s in served)
    return times[place - 1] if place <= len(times) else None


def _done_at(draft: Draft, session: SessionState) -> float:
    outlet = draft.site.outlet[session.outlet]
    power = plans.power_w(outlet, session, max(outlet.least_a, draft.outlets[outlet.id].limit_a))
    return draft.now + plans.remaining_wh(draft, session) / power * _HOUR_S
