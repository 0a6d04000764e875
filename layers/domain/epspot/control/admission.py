"""In which order sessions are served, and when turns change.

While nobody waits, everybody stays. When somebody waits at the start of a turn (turns are aligned with the clock),
those who have waited longest come first, then those who have current, the least served of them first; whoever has had
current for less than the minimum on-time keeps it. Within a turn those who have current come first, so that a turn is
cut short for nobody.

Why nobody starves: at each turn the waiting are served before all who had a turn, in the order in which they began to
wait, and whoever loses a turn goes to the end. A newcomer starts with the least service of those present, so that it
overtakes nobody by being new.
"""

from collections.abc import Iterable

from epspot.control.state import SessionState
from epspot.site import Policy


def turn_at(now: float, policy: Policy) -> int:
    """Tell the number of the turn that a time lies in."""
    return int(now // policy.turn_s)


def turn_is_over(sessions: Iterable[SessionState], last_turn: int, now: float, policy: Policy) -> bool:
    """Tell whether a new turn has begun for which somebody has waited since before it."""
    turn = turn_at(now, policy)
    if turn <= last_turn:
        return False
    begin = turn * policy.turn_s
    return any(s.waiting_since is not None and s.waiting_since < begin for s in sessions)


def served_s(session: SessionState, now: float) -> float:
    """Tell how long a session has had current in all, for fairness."""
    return session.served_s + (0.0 if session.on_since is None else max(0.0, now - session.on_since))


def newcomers_service_s(present: Iterable[SessionState], now: float) -> float:
    """Tell the service that a newcomer is taken to have had."""
    return min((served_s(s, now) for s in present), default=0.0)


def serving_order(
    sessions: Iterable[SessionState], now: float, policy: Policy, *, new_turn: bool
) -> list[SessionState]:
    """Put sessions in the order in which they are let in."""

    def rank(s: SessionState) -> tuple[int, float, float, float, str]:
        if s.on_since is None:
            waiting = now if s.waiting_since is None else s.waiting_since
            return (1, waiting, s.served_s, s.since, s.id)
        if not new_turn or now - s.on_since < policy.min_on_s:
            return (0, s.on_since, 0.0, s.since, s.id)
        return (2, served_s(s, now), 0.0, s.since, s.id)

    return sorted(sessions, key=rank)


def queue(sessions: Iterable[SessionState]) -> list[SessionState]:
    """List those who wait, in the order of their turns."""
    waiting = [s for s in sessions if s.waiting_since is not None]
    return sorted(waiting, key=lambda s: (s.waiting_since, s.served_s, s.since, s.id))
