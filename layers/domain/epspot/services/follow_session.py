"""Show a session to its user."""

from dataclasses import dataclass, replace

from epspot.control.draft import Draft
from epspot.control.events import Watched
from epspot.control.plans import wanted
from epspot.control.queueing import NEVER, Expectation, expectation
from epspot.control.state import NO_WISHES, Live, Phase, Reading, SessionState, Wishes
from epspot.control.step import WATCH_S
from epspot.errors import SessionUnknown
from epspot.ports import Clock, SessionRecord, Sessions
from epspot.services.advance import Controller, advance
from epspot.sessions.metering import Meter, energy_wh
from epspot.site import Site


@dataclass(frozen=True, slots=True)
class View:
    """A session as its user sees it now."""

    record: SessionRecord
    state: str
    allowance_a: float
    current_a: tuple[float, ...]
    """Per conductor, as measured last."""
    power_w: float
    energy_wh: int
    position: int | None
    """1 = next; None: it does not wait."""
    limited_by: str | None
    measured_at: float | None
    expected: Expectation = NEVER
    """When one that waits may expect its turn."""
    begins_at: float | None = None
    """Of one that is planned: when it next wants current."""
    wishes: Wishes = NO_WISHES
    cut_short: bool = False
    """What it needs can't be had in time, as things stand."""


@dataclass(frozen=True, slots=True)
class Following:
    """What it takes to follow sessions."""

    controller: Controller
    sessions: Sessions
    clock: Clock


def follow_session(world: Following, user: str, session: str) -> View:
    """Show a session; while somebody looks, its site is asked for fresh figures.

    Raises SessionUnknown, also for the session of another.
    """
    record = own_session(world.sessions, user, session)
    if record.state == Phase.ENDED:
        return over(record)
    site, live = world.controller.lives.load(record.site)
    now = world.clock.now()
    if session in live.sessions and live.watched_until - now < WATCH_S / 2:
        live = advance(world.controller, record.site, Watched(now)).live
    return view(record, site, live, now)


def own_session(sessions: Sessions, user: str, session: str) -> SessionRecord:
    """Find a session of this user. Raises SessionUnknown."""
    record = sessions.get(session)
    if record is None or record.user != user:
        raise SessionUnknown(
            "You have no session with this id. The list of sessions has yours.",
            "Du har ingen session med detta id. Dina finns i listan över sessioner.",
        )
    return record


def over(record: SessionRecord) -> View:
    """Show a session from its record alone."""
    return View(
        record=record,
        state=record.state,
        allowance_a=0.0,
        current_a=(),
        power_w=0.0,
        energy_wh=record.energy_wh,
        position=None,
        limited_by=record.reason,
        measured_at=record.ended_at,
        cut_short=record.cut_short,
    )


def view(record: SessionRecord, site: Site, live: Live, now: float | None = None) -> View:
    """Show a session from its record and the site's state; as of ``now``, or of what happened last."""
    now = live.at if now is None else now
    session = live.sessions.get(record.id)
    if session is None:
        # It has just ended; its record follows within a moment.
        return over(record if record.state == Phase.ENDED else replace(record, state=Phase.STOPPING.value))
    outlet = site.outlet[session.outlet]
    state = live.outlets[outlet.id]
    told = live.readings.get(outlet.bridge)
    reading = None if told is None else told.modules.get(outlet.module)
    draft = Draft(site, live, now)
    return View(
        record=record,
        state=session.phase.value,
        allowance_a=state.limit_a,
        current_a=_currents(reading, len(outlet.phases)),
        power_w=0.0 if reading is None else reading.power_w,
        energy_wh=energy_wh(Meter(session.base_wh, session.booked_wh), None if reading is None else reading.energy_wh),
        position=session.position,
        limited_by=session.end.value if session.end else state.reason or None,
        measured_at=None if told is None else told.at,
        expected=expectation(draft, session),
        begins_at=_begins_at(draft, session),
        wishes=session.wishes,
        cut_short=session.cut_short,
    )


def _begins_at(draft: Draft, session: SessionState) -> float | None:
    if session.phase is not Phase.PLANNED:
        return None
    return next((begin for begin, _ in wanted(draft, session)), None)


def _currents(reading: Reading | None, conductors: int) -> tuple[float, ...]:
    return () if reading is None else reading.current_a[:conductors]
