"""When a session wants current: planned starts, motor heaters, cheapest hours, and what time it can spare.

Where a user has not said what is needed or when, something is assumed that most would agree to, so that nobody is
put off for ever: a night's charge, ready half a day after the start.
"""

from collections.abc import Iterator
from math import inf
from typing import TypeAlias

from epspot.control.draft import Draft
from epspot.control.loads import other_load
from epspot.control.prices import cheapest_slots
from epspot.control.state import NO_WISHES, Phase, SessionState, Wishes
from epspot.control.warmth import heating_s
from epspot.errors import InvalidRequest
from epspot.sessions.metering import Meter, energy_wh
from epspot.site import Outlet, Principle

Periods: TypeAlias = tuple[tuple[float, float], ...]

NOMINAL_V = 230.0
ASSUMED_NEED_WH = 20_000.0
ASSUMED_STAY_S = 12 * 3600.0
_LEAST_NEED_WH = 500.0
_STILL_WARM_S = 900.0
"""A motor heater goes on this long after the time that it was asked for."""
_SLACK = 1.1
"""The cheapest hours are chosen a little too long: a car slows down towards the end."""
_MOST_AHEAD_S = 7 * 86_400.0
_ASSUMED_C = 0.0
_MOST_WH = 1_000_000


def check(wishes: Wishes, now: float, was: Wishes = NO_WISHES) -> None:
    """Raise InvalidRequest if wishes can't be meant; a time that was wished before may have passed."""
    if problem := next(_problems(wishes, now, was), None):
        raise InvalidRequest(*problem)


def _problems(w: Wishes, now: float, was: Wishes) -> Iterator[tuple[str, str]]:
    new = (("start_at", w.start_at, was.start_at), ("ready_by", w.ready_by, was.ready_by))
    for name, at, before in (*new, ("until", w.until_at, was.until_at)):
        if at not in (None, before) and not (now if name != "start_at" else now - 60) < at <= now + _MOST_AHEAD_S:
            yield (
                f"{name} must be later than now, and within seven days.",
                f"{name} måste ligga framåt i tiden, inom sju dagar.",
            )
    for name, wh in (("needs_wh", w.needs_wh), ("until_wh", w.until_wh)):
        if wh is not None and not 0 < wh <= _MOST_WH:
            yield (f"{name} must be 1 to {_MOST_WH} Wh.", f"{name} måste vara 1 till {_MOST_WH} Wh.")
    if w.ready_by is None and (w.cheapest or w.heats_engine or w.needs_wh is not None):
        yield (
            "Say with ready_by when it must be ready.",
            "Ange med ready_by när det ska vara klart.",
        )
    if w.start_at is not None and w.ready_by is not None and w.start_at >= w.ready_by:
        yield ("start_at must be before ready_by.", "start_at måste vara före ready_by.")


def wanted(draft: Draft, session: SessionState) -> Periods:
    """List the times from now on in which a session wants current."""
    w, now = session.wishes, draft.now
    begin = now if w.start_at is None else max(now, w.start_at)
    if w.ready_by is None:
        return ((begin, inf),)
    if w.heats_engine:
        lasts = heating_s(temperature_at(draft, w.ready_by))
        return ((max(begin, w.ready_by - lasts), inf),) if lasts else ()
    if now >= w.ready_by:
        return ((begin, inf),)
    if w.cheapest:
        left = remaining_wh(draft, session) / power_w(draft.site.outlet[session.outlet], session) * 3600 * _SLACK
        return (*cheapest_slots(draft.prices, begin, w.ready_by, left), (w.ready_by, inf))
    return ((begin, inf),)


def wants_now(draft: Draft, session: SessionState) -> bool:
    """Tell whether a session wants current now."""
    return any(a <= draft.now < b for a, b in wanted(draft, session))


def next_change(draft: Draft, session: SessionState) -> float:
    """Tell when a session next begins or ceases to want current, or ends by the clock."""
    w = session.wishes
    times = [t for period in wanted(draft, session) for t in period if t > draft.now]
    times += [t for t in (ends_at(w), w.ready_by) if t is not None and t > draft.now]
    if (pressed_at := is_pressed_at(draft, session)) > draft.now:
        times.append(pressed_at)
    return min(times, default=inf)


def ends_at(wishes: Wishes) -> float | None:
    """Tell at what time a session ends, if time ends it."""
    if wishes.until_at is not None:
        return wishes.until_at
    return wishes.ready_by + _STILL_WARM_S if wishes.heats_engine and wishes.ready_by is not None else None


def temperature_at(draft: Draft, at: float) -> float:
    """Tell how cold it will be outdoors, °C; freezing point while nobody knows."""
    known = [c for begin, c in draft.temperatures if begin <= at]
    return known[-1] if known else next((c for _, c in draft.temperatures), _ASSUMED_C)


# ------------------------------------------------------------------ readiness


def delivered_wh(draft: Draft, session: SessionState) -> int:
    """Tell what a session has had so far."""
    last = draft.last(draft.site.outlet[session.outlet])
    return energy_wh(Meter(session.base_wh, session.booked_wh), None if last is None else last.energy_wh)


def remaining_wh(draft: Draft, session: SessionState) -> float:
    """Tell what a session still needs, as far as is known."""
    need = session.wishes.needs_wh if session.wishes.needs_wh is not None else session.wishes.until_wh
    known = need is not None
    left = (ASSUMED_NEED_WH if need is None else need) - delivered_wh(draft, session)
    return max(0.0 if known else _LEAST_NEED_WH, left)


def power_w(outlet: Outlet, session: SessionState, current_a: float | None = None) -> float:
    """Tell the power of a session at a current, at its outlet's maximum if none is given."""
    conductors = session.appetite.conductors or outlet.phases
    return NOMINAL_V * len(conductors) * (outlet.max_a if current_a is None else current_a)


def ready_by(session: SessionState) -> float:
    """Tell when a session is to be ready."""
    return session.since + ASSUMED_STAY_S if session.wishes.ready_by is None else session.wishes.ready_by


def spare_s(draft: Draft, session: SessionState) -> float:
    """Tell for how long a session could do without current and still be ready in time; negative: it can't."""
    full = power_w(draft.site.outlet[session.outlet], session)
    return ready_by(session) - draft.now - remaining_wh(draft, session) / full * 3600


def is_pressed_at(draft: Draft, session: SessionState) -> float:
    """Tell when one that waits has no time to spare any more, where readiness counts; infinite: never."""
    if session.waiting_since is None or Principle.READINESS not in draft.site.principle.values():
        return inf
    return draft.now + spare_s(draft, session)


def needed_a(draft: Draft, session: SessionState) -> float:
    """Tell the current that makes a session ready just in time."""
    outlet = draft.site.outlet[session.outlet]
    hours = (ready_by(session) - draft.now) / 3600
    if hours <= 0:
        return outlet.max_a
    return remaining_wh(draft, session) / hours / power_w(outlet, session, 1.0)


def shortfall_wh(draft: Draft, session: SessionState) -> float:
    """Tell how much of what a session needs can't be had in time; 0: all of it can, as far as is known.

    On each line above it all that must be ready by some time has to pass before that time: where it is more than the
    line can carry until then, something is missing. (The demand bound, exact for one line with earliest deadlines
    first.)
    """
    w, now = session.wishes, draft.now
    if w.ready_by is None or w.needs_wh is None or now >= w.ready_by:
        return 0.0
    outlet = draft.site.outlet[session.outlet]
    begin = now if w.start_at is None else max(now, w.start_at)
    alone = remaining_wh(draft, session) - power_w(outlet, session) * (w.ready_by - begin) / 3600
    return max(0.0, alone, _crowded_wh(draft, session, outlet))


def _crowded_wh(draft: Draft, session: SessionState, outlet: Outlet) -> float:
    network, now = draft.network, draft.now
    due = session.wishes.ready_by or now
    asked = [0.0] * len(network.names)
    for s in draft.sessions.values():
        if s.phase is Phase.STOPPING or s.wishes.needs_wh is None or ready_by(s) > due or s.outlet not in network.paths:
            continue
        per_conductor = remaining_wh(draft, s) / power_w(draft.site.outlet[s.outlet], s, 1.0)
        for c in network.paths[s.outlet]:
            asked[c] += per_conductor
    hours = (due - now) / 3600
    free_a = [p - a for p, a in zip(network.planning_a, other_load(draft.site, draft.other_a), strict=False)]
    own = [c for c in network.paths[outlet.id] if c < len(free_a)]
    over_ah = max(asked[c] - free_a[c] * hours for c in own)
    return max(0.0, over_ah) * power_w(outlet, session, 1.0)
