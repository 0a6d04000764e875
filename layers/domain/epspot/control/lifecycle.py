"""The life of a session as the controller sees it: from request to the last register."""

from dataclasses import replace
from typing import Any

from epspot.control import admission, alarms, appetite, plans
from epspot.control.draft import Draft
from epspot.control.leases import OBEY_S, obeys
from epspot.control.planning import COOL_DOWN, is_cooling, rejoin, rest
from epspot.control.state import GRAVE, NO_WISHES, End, Phase, Plug, Reading, SessionState, Wishes
from epspot.errors import InvalidRequest, OutletFaulty, OutletOccupied, OutletOffline, OutletUnknown, SessionOver
from epspot.sessions.metering import Meter, energy_wh
from epspot.site import Outlet

_DREW_WH = 1
_LITTLE_WH = 100.0
_DAY_S = 86_400.0
_MOST_TRIPS = 20
FINAL_WAIT_S = 900.0
"""How long a stopped session waits for its last register before it ends with what is known."""


OVER = (
    "The session has ended already. Its history shows when and why.",
    "Sessionen är redan avslutad. Historiken visar när och varför.",
)


def unknown_outlet(outlet: str) -> OutletUnknown:
    """Make the refusal of an outlet that does not exist."""
    return OutletUnknown(
        f"There is no outlet {outlet}. The list of outlets has the ids.",
        f"Det finns inget uttag {outlet}. Listan över uttag visar vilka som finns.",
    )


def begin(draft: Draft, session: str, outlet: str, wishes: Wishes = NO_WISHES) -> None:
    """Take in a new session at an outlet.

    Raises InvalidRequest, OutletUnknown, OutletOccupied, OutletFaulty or OutletOffline.
    """
    here = draft.site.outlet.get(outlet)
    if here is None:
        raise unknown_outlet(outlet)
    plans.check(wishes, draft.now)
    if draft.session_at(outlet) is not None:
        raise OutletOccupied(
            f"Outlet {here.number} is in use. Choose another, or wait until it is free.",
            f"Uttag {here.number} är upptaget. Välj ett annat, eller vänta tills det är ledigt.",
        )
    reading = draft.reading(here)
    if reading is not None and reading.faults & GRAVE:
        raise OutletFaulty(
            f"Outlet {here.number} is out of order. Choose another; its owner has been told.",
            f"Uttag {here.number} är ur funktion. Välj ett annat; ägaren har fått veta det.",
        )
    if not draft.reachable(here):
        raise OutletOffline(
            f"Outlet {here.number} can't be reached now. Choose another, or try again later.",
            f"Uttag {here.number} kan inte nås just nu. Välj ett annat, eller försök igen senare.",
        )
    _add(draft, session, here, reading, wishes)
    _promise(draft)


def _add(draft: Draft, session: str, outlet: Outlet, reading: Reading | None, wishes: Wishes) -> None:
    state, policy = draft.outlets[outlet.id], draft.site.policy
    register = None if reading is None or state.unread or state.counted_a else reading.energy_wh
    weight = policy.weights.get(wishes.group, 1.0)
    draft.outlet(outlet.id, conductors=None)
    draft.add_session(
        SessionState(
            id=session,
            outlet=outlet.id,
            since=draft.now,
            served_s=admission.newcomers_service_s(draft.sessions.values(), draft.now, policy, weight),
            base_wh=register,
            start_wh=register,
            plugged=reading is not None and reading.plug is not Plug.NONE,
            wishes=wishes,
        )
    )
    if not plans.wants_now(draft, draft.sessions[session]):
        draft.session(session, phase=Phase.PLANNED)
        draft.tell("session.planned", session, outlet=outlet.id)
    draft.replan = True


def _promise(draft: Draft) -> None:
    """Say at once to everybody what of its need can't be had in time, also when another's need makes it so."""
    for session in list(draft.sessions.values()):
        if session.wishes.needs_wh is None or session.phase is Phase.STOPPING:
            continue
        short = plans.shortfall_wh(draft, session)
        if (short > _LITTLE_WH) == session.cut_short:
            continue
        draft.session(session.id, cut_short=not session.cut_short)
        if not session.cut_short:
            draft.tell(
                "session.short",
                session.id,
                outlet=session.outlet,
                needs_wh=session.wishes.needs_wh,
                missing_wh=round(short),
            )


def begin_by_itself(draft: Draft, outlet: Outlet) -> None:
    """Begin a session where something was plugged in, if its outlet does so by itself and nothing is in the way."""
    reading = draft.reading(outlet)
    if reading is None or reading.plug is Plug.NONE:
        if reading is not None and draft.outlets[outlet.id].spent:
            draft.outlet(outlet.id, spent=False)
        return
    is_free = draft.session_at(outlet.id) is None and not draft.outlets[outlet.id].spent
    if not outlet.autostart or not is_free or reading.faults & GRAVE or not draft.reachable(outlet):
        return
    told = draft.readings[outlet.bridge]  # each message begins one session at an outlet at most
    session = f"{outlet.id}-{told.boot}-{told.seq}"
    draft.tell("session.begun", session, outlet=outlet.id, number=outlet.number, at=draft.now)
    _add(draft, session, outlet, reading, NO_WISHES)


def change(draft: Draft, session_id: str, wishes: Wishes) -> None:
    """Let a session that lives have other wishes; whose it is and what is known of its vehicle stay.

    Raises SessionOver, or InvalidRequest.
    """
    session = _living(draft, session_id)
    was = session.wishes
    plans.check(wishes, draft.now, was)
    wishes = replace(wishes, group=was.group, least_a=was.least_a, wakes_by=was.wakes_by)
    if wishes == was:
        return
    had = plans.delivered_wh(draft, session)
    if wishes.until_wh is not None and wishes.until_wh <= had:
        raise InvalidRequest(
            f"The session has had {had} Wh already. Stop it, or choose more.",
            f"Sessionen har redan fått {had} Wh. Stoppa den, eller välj mer.",
        )
    draft.session(session_id, wishes=wishes)
    draft.tell("session.changed", session_id, outlet=session.outlet)
    draft.next_rev(draft.site.outlet[session.outlet].bridge)
    _promise(draft)
    draft.replan = True


def pause(draft: Draft, session_id: str) -> None:
    """Give a session no current until its user resumes it. Raises SessionOver."""
    session = _living(draft, session_id)
    if session.phase is not Phase.PAUSED:
        rest(draft, session, Phase.PAUSED)
        draft.tell("session.paused", session_id, outlet=session.outlet)


def resume(draft: Draft, session_id: str) -> None:
    """Let a paused session have current again, when its turn comes. Raises SessionOver."""
    session = _living(draft, session_id)
    if session.phase is Phase.PAUSED:
        rejoin(draft, session)
        draft.tell("session.resumed", session_id, outlet=session.outlet)


def _living(draft: Draft, session_id: str) -> SessionState:
    session = draft.sessions.get(session_id)
    if session is None or session.phase is Phase.STOPPING:
        raise SessionOver(*OVER)
    return session


def pass_time(draft: Draft) -> None:
    """End what ends by the clock, and begin or rest what was planned."""
    for s in list(draft.sessions.values()):
        if s.phase is Phase.STOPPING:
            if s.stopping_since is not None and draft.now - s.stopping_since > FINAL_WAIT_S:
                draft.replan = True
            continue
        ends_at = plans.ends_at(s.wishes)
        if ends_at is not None and draft.now >= ends_at:
            stop(draft, s, End.TIME)
        elif _has_changed(draft, s):
            draft.replan = True


def _has_changed(draft: Draft, session: SessionState) -> bool:
    """Tell whether time alone lets a session have current that had to wait for it, or the reverse."""
    if session.phase is not Phase.PAUSED and (session.phase is Phase.PLANNED) == plans.wants_now(draft, session):
        return True
    if plans.is_pressed_at(draft, session) <= draft.now:
        return True
    return draft.outlets[session.outlet].reason == COOL_DOWN and not is_cooling(draft, session.outlet)


def stop(draft: Draft, session: SessionState, end: End) -> None:
    """Let a session stop: it gets no more current, and ends when its last register is known."""
    if session.phase is Phase.STOPPING:
        return
    draft.session(
        session.id,
        phase=Phase.STOPPING,
        end=end,
        stopping_since=draft.now,
        on_since=None,
        waiting_since=None,
        position=None,
        served_s=admission.served_s(session, draft.now),
    )
    draft.tell("session.stopping", session.id, outlet=session.outlet, reason=end.value)
    draft.replan = True


def stop_by_user(draft: Draft, session_id: str) -> None:
    """Stop a session because its user says so. Raises SessionOver if it has stopped already."""
    stop(draft, _living(draft, session_id), End.STOPPED)


def watch_reading(draft: Draft, outlet: Outlet, session: SessionState, reading: Reading) -> None:
    """Draw from a session's newest reading what it means for its life."""
    if reading.faults & GRAVE:
        draft.tell("outlet.fault", outlet.id, faults=int(reading.faults))
        stop(draft, session, End.FAULT)
        return
    if reading.plug is Plug.NONE:
        waited_s = draft.now - max(session.since, session.on_since or 0.0, session.waiting_since or 0.0)
        if session.plugged:
            stop(draft, session, End.UNPLUGGED)
        elif session.phase is not Phase.PLANNED and waited_s > draft.site.policy.plug_wait_s:
            stop(draft, session, End.NOT_PLUGGED)
        return
    if not session.plugged:
        session = draft.session(session.id, plugged=True)
    most = max(reading.current_a)
    if most > outlet.max_a * outlet.guard.instant:
        trip(draft, outlet, rule="instant", current_a=most)
        stop(draft, session, End.GUARD)
        return
    appetite.watch(draft, outlet, session, reading)
    session = draft.sessions[session.id]
    if appetite.is_given_up(draft, session):
        # What has charged before and can't be woken is full, perhaps since an earlier turn.
        stop(draft, session, End.FULL if _has_drawn(session, reading) else End.NOT_ASKING)
    else:
        _watch_standby(draft, outlet, session, reading)


def trip(draft: Draft, outlet: Outlet, **detail: Any) -> None:
    """Remember that an outlet's power guard has tripped: it rests, and its owner is told if that happens often."""
    lately = [t for t in draft.outlets[outlet.id].trips if t > draft.now - _DAY_S]
    draft.outlet(outlet.id, trips=(*lately[-_MOST_TRIPS:], draft.now))
    draft.tell("guard.tripped", outlet.id, **detail)
    alarms.note(draft, "guard_tripped", outlet.id, **detail)


def _watch_standby(draft: Draft, outlet: Outlet, session: SessionState, reading: Reading) -> None:
    """End a session that has drawn next to nothing for the set time, since its load is done."""
    policy = draft.site.policy
    if max(reading.current_a) > policy.standby_a:
        if session.idle_since is not None:
            draft.session(session.id, idle_since=None)
    elif _is_done(draft, outlet, session, reading):
        if session.idle_since is None:
            draft.session(session.id, idle_since=draft.now)
        elif draft.now - session.idle_since >= _standby_s(draft, session):
            stop(draft, session, End.FULL)


def _standby_s(draft: Draft, session: SessionState) -> float:
    """Tell how long a load may draw next to nothing: not so long where others lack what a full vehicle keeps from them."""
    policy = draft.site.policy
    if session.appetite.full and appetite.is_contended(draft):
        return min(policy.full_s, policy.standby_s)
    return policy.standby_s


def _is_done(draft: Draft, outlet: Outlet, session: SessionState, reading: Reading) -> bool:
    """Tell whether a load that draws next to nothing could draw, has had time to begin, and has drawn before."""
    if not draft.outlets[outlet.id].limit_a or session.on_since is None or draft.now - session.on_since <= OBEY_S:
        return False
    return _has_drawn(session, reading)


def _has_drawn(session: SessionState, reading: Reading) -> bool:
    return energy_wh(Meter(session.base_wh, session.booked_wh), reading.energy_wh) > _DREW_WH


def settle(draft: Draft) -> None:
    """End the stopped sessions whose outlet is known to be off, or whose last register has not come in time."""
    for s in list(draft.sessions.values()):
        if s.phase is not Phase.STOPPING:
            continue
        outlet = draft.site.outlet.get(s.outlet)
        state = draft.outlets.get(s.outlet)
        reading = None if outlet is None else draft.reading(outlet)
        off = state is not None and state.counted_a == 0 and reading is not None and obeys(reading, 0.0)
        if off and s.first_rev is not None and outlet is not None:
            # A reading from before the stop may be from before the current as well; an event tells no register.
            off = draft.is_read(outlet) and draft.read_at(outlet) >= (s.stopping_since or 0.0)
        late = s.stopping_since is not None and draft.now - s.stopping_since > FINAL_WAIT_S
        if off or late:
            _end(draft, s, complete=off)


def _end(draft: Draft, session: SessionState, *, complete: bool) -> None:
    outlet = draft.site.outlet.get(session.outlet)
    last = None if outlet is None else draft.last(outlet)
    register = None if last is None else last.energy_wh
    meter = Meter(session.base_wh, session.booked_wh)
    draft.drop_session(session)
    is_plugged = last is not None and last.plug is not Plug.NONE
    # Who has unplugged and is seen plugged has plugged in again, which begins another.
    if outlet is not None and outlet.autostart and is_plugged and session.end is not End.UNPLUGGED:
        draft.outlet(outlet.id, spent=True)
    if not complete and session.outlet in draft.outlets:
        draft.outlet(session.outlet, unread=True)
    draft.tell(
        "session.ended",
        session.id,
        outlet=session.outlet,
        reason=(session.end or End.STOPPED).value,
        energy_wh=energy_wh(meter, register),
        start_wh=session.start_wh,
        end_wh=register,
        put_aside=session.booked_wh != 0,
        complete=complete,
    )
    draft.replan = True
