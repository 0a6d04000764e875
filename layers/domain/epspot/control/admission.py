"""In which order sessions are served, by each principle, and when turns change.

Whoever has had current for less than the minimum on-time keeps it, whatever the principle. Beyond that:

equal, turns   While nobody waits, everybody stays. When somebody waits at the start of a turn (turns are aligned with
               the clock), those who have waited longest come first, then those who have current, the least served of
               them first. Within a turn those who have current come first, so that a turn is cut short for nobody.
priority       The same, but at the start of a turn the least served *for its weight* comes first, waiting or not.
first_come     Those who have current keep it, in the order of their arrival; the others come in the same order.
readiness      At the start of a turn, whoever has the least time to spare before its departure comes first; within a
               turn those who have current, unless somebody has no time to spare at all.

Why nobody starves under turns: at each turn the waiting are served before all who had a turn, in the order in which
they began to wait, and whoever loses a turn goes to the end. A newcomer starts with the least service of those
present, so that it overtakes nobody by being new.
"""

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import NamedTuple, TypeAlias

from epspot.control.state import Phase, SessionState
from epspot.site import Policy, Principle

Rank: TypeAlias = tuple[float | str, ...]


class Moment(NamedTuple):
    """What the order depends on beside the sessions."""

    now: float
    policy: Policy
    new_turn: bool
    spare_s: Mapping[str, float]
    """Of sessions that have to be ready: the time that they could do without current."""


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


def weight_of(session: SessionState, policy: Policy) -> float:
    """Tell what a session counts under priority."""
    return policy.weights.get(session.wishes.group, 1.0)


def newcomers_service_s(present: Iterable[SessionState], now: float, policy: Policy, weight: float = 1.0) -> float:
    """Tell the service that a newcomer is taken to have had: as much for its weight as the least served present.

    Those who want no current for now are not present: what they have had says nothing of the others.
    """
    wanting = [s for s in present if s.phase in (Phase.QUEUED, Phase.ACTIVE)]
    return weight * min((served_s(s, now) / weight_of(s, policy) for s in wanting), default=0.0)


def serving_order(
    sessions: Iterable[SessionState], moment: Moment, principle: Principle = Principle.EQUAL
) -> list[SessionState]:
    """Put sessions in the order in which a principle lets them in."""
    rank, may_lose = _RANKS[principle], principle is not Principle.FIRST_COME
    return sorted(sessions, key=lambda s: (0.0 if may_lose and _is_protected(s, moment) else 1.0, *rank(s, moment)))


def _is_protected(s: SessionState, moment: Moment) -> bool:
    """Tell whether a session keeps its current by the minimum on-time, where its order may take it away."""
    may_lose = moment.new_turn or bool(moment.spare_s)
    return may_lose and s.on_since is not None and moment.now - s.on_since < moment.policy.min_on_s


def _waits(s: SessionState, now: float) -> Rank:
    return (now if s.waiting_since is None else s.waiting_since, s.served_s, s.since, s.id)


def _by_turns(s: SessionState, moment: Moment) -> Rank:
    if s.on_since is None:
        return (1.0, *_waits(s, moment.now))
    if not moment.new_turn:
        return (0.0, inf if s.place is None else s.place, s.on_since, s.since, s.id)
    return (2.0, served_s(s, moment.now), 0.0, s.since, s.id)


def _by_weight(s: SessionState, moment: Moment) -> Rank:
    service = served_s(s, moment.now) / weight_of(s, moment.policy)
    if s.on_since is not None and not moment.new_turn:
        return (0.0, s.on_since, 0.0, s.since, s.id)
    return (1.0, service, *_waits(s, moment.now))


def _by_arrival(s: SessionState, _: Moment) -> Rank:
    return (0.0 if s.on_since is not None else 1.0, s.since, s.id)


def _by_readiness(s: SessionState, moment: Moment) -> Rank:
    spare = moment.spare_s.get(s.id, inf)
    if spare <= 0:
        return (0.0, spare, s.since, s.id)
    if s.on_since is not None and not moment.new_turn:
        return (1.0, s.on_since, s.since, s.id)
    return (2.0, spare, *_by_turns(s, moment))


_RANKS: dict[Principle, Callable[[SessionState, Moment], Rank]] = {
    Principle.EQUAL: _by_turns,
    Principle.TURNS: _by_turns,
    Principle.PRIORITY: _by_weight,
    Principle.FIRST_COME: _by_arrival,
    Principle.READINESS: _by_readiness,
}
