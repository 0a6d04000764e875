"""The life of a session as the controller sees it: from request to the last register."""

from epspot.control import admission
from epspot.control.draft import Draft
from epspot.control.leases import OBEY_S, obeys
from epspot.control.state import GRAVE, End, Phase, Plug, Reading, SessionState
from epspot.errors import OutletFaulty, OutletOccupied, OutletOffline, OutletUnknown, SessionOver
from epspot.sessions.metering import Meter, energy_wh
from epspot.site import Outlet

GUARD_FACTOR = 1.5
_DREW_WH = 1
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


def begin(draft: Draft, session: str, outlet: str) -> None:
    """Take in a new session at an outlet.

    Raises OutletUnknown, OutletOccupied, OutletFaulty or OutletOffline.
    """
    here = draft.site.outlet.get(outlet)
    if here is None:
        raise unknown_outlet(outlet)
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
    state = draft.outlets[outlet]
    register = None if reading is None or state.unread or state.counted_a else reading.energy_wh
    draft.add_session(
        SessionState(
            id=session,
            outlet=outlet,
            since=draft.now,
            served_s=admission.newcomers_service_s(draft.sessions.values(), draft.now),
            base_wh=register,
            start_wh=register,
            plugged=reading is not None and reading.plug is not Plug.NONE,
        )
    )
    draft.replan = True


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
        served_s=admission.served_s(session, draft.now),
    )
    draft.tell("session.stopping", session.id, outlet=session.outlet, reason=end.value)
    draft.replan = True


def stop_by_user(draft: Draft, session_id: str) -> None:
    """Stop a session because its user says so. Raises SessionOver if it has stopped already."""
    session = draft.sessions.get(session_id)
    if session is None or session.phase is Phase.STOPPING:
        raise SessionOver(*OVER)
    stop(draft, session, End.STOPPED)


def watch_reading(draft: Draft, outlet: Outlet, session: SessionState, reading: Reading) -> None:
    """Draw from a session's newest reading what it means for its life."""
    if reading.faults & GRAVE:
        draft.tell("outlet.fault", outlet.id, faults=int(reading.faults))
        stop(draft, session, End.FAULT)
        return
    if reading.plug is Plug.NONE:
        if session.plugged:
            stop(draft, session, End.UNPLUGGED)
        elif draft.now - session.since > draft.site.policy.plug_wait_s:
            stop(draft, session, End.NOT_PLUGGED)
        return
    if not session.plugged:
        session = draft.session(session.id, plugged=True)
    most = max(reading.current_a)
    if most > outlet.max_a * GUARD_FACTOR:
        draft.tell("guard.tripped", outlet.id, rule="instant", current_a=most)
        stop(draft, session, End.GUARD)
    else:
        _watch_standby(draft, outlet, session, reading)


def _watch_standby(draft: Draft, outlet: Outlet, session: SessionState, reading: Reading) -> None:
    """End a session that has drawn next to nothing for the set time, since its load is done."""
    policy = draft.site.policy
    if max(reading.current_a) > policy.standby_a:
        if session.idle_since is not None:
            draft.session(session.id, idle_since=None)
    elif _is_done(draft, outlet, session, reading):
        if session.idle_since is None:
            draft.session(session.id, idle_since=draft.now)
        elif draft.now - session.idle_since >= policy.standby_s:
            stop(draft, session, End.FULL)


def _is_done(draft: Draft, outlet: Outlet, session: SessionState, reading: Reading) -> bool:
    """Tell whether a load that draws next to nothing could draw, has had time to begin, and has drawn before."""
    if not draft.outlets[outlet.id].limit_a or session.on_since is None or draft.now - session.on_since <= OBEY_S:
        return False
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
            # A reading from before the stop may be from before the current as well.
            off = draft.read_at(outlet) >= (s.stopping_since or 0.0)
        late = s.stopping_since is not None and draft.now - s.stopping_since > FINAL_WAIT_S
        if off or late:
            _end(draft, s, complete=off)


def _end(draft: Draft, session: SessionState, *, complete: bool) -> None:
    outlet = draft.site.outlet.get(session.outlet)
    last = None if outlet is None else draft.last(outlet)
    register = None if last is None else last.energy_wh
    meter = Meter(session.base_wh, session.booked_wh)
    draft.drop_session(session)
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
