"""Keep the history of sessions from what happens to them."""

from dataclasses import dataclass, replace

from epspot.control.state import Phase
from epspot.errors import Conflict
from epspot.ports import SessionFact, SessionRecord, Sessions, Vehicle, Vehicles

MAX_TRIES = 5

_PHASES: dict[str, Phase | None] = {
    "session.begun": Phase.QUEUED,
    "session.planned": Phase.PLANNED,
    "session.queued": Phase.QUEUED,
    "session.moved": Phase.QUEUED,
    "session.waiting": Phase.QUEUED,
    "session.active": Phase.ACTIVE,
    "session.paused": Phase.PAUSED,
    "session.resumed": Phase.QUEUED,
    "session.changed": None,
    "session.short": None,
    "session.learned": None,
    "session.stopping": Phase.STOPPING,
    "session.ended": Phase.ENDED,
}
"""What a session is after each fact; None: as before."""


@dataclass(frozen=True, slots=True)
class Noting:
    """What it takes to keep the history."""

    sessions: Sessions
    vehicles: Vehicles


def note_session(world: Noting, fact: SessionFact) -> None:
    """Bring a session's record up to date; a fact that is not newer than the newest noted changes nothing.

    Facts may come twice, late and out of order. One of a session that began by itself may come before it is known that
    it did: then it must come again. Raises Conflict for that, and when others never stop writing.
    """
    if fact.kind not in _PHASES:
        return
    for attempt in range(MAX_TRIES):
        before = world.sessions.get(fact.session)
        if before is None and fact.kind != "session.begun":
            raise Conflict(f"{fact.session} is not known yet")
        if before is not None and fact.position <= before.position:
            return
        # First, so that a crash in between lets the fact come again.
        _remember_vehicle(world.vehicles, before, fact)
        try:
            if before is None:
                world.sessions.add(_begun(fact))
            else:
                world.sessions.replace(before, _after(before, fact))
        except Conflict:
            if attempt == MAX_TRIES - 1:
                raise
        else:
            return


def _begun(fact: SessionFact) -> SessionRecord:
    """Make the record of a session that began by itself: its outlet's own account has it."""
    told = fact.detail
    return SessionRecord(
        id=fact.session,
        user=user_of_outlet(told["outlet"]),
        site=fact.site,
        outlet=told["outlet"],
        number=told["number"],
        requested_at=told["at"],
        state=Phase.QUEUED.value,
        position=fact.position,
    )


def user_of_outlet(outlet: str) -> str:
    """Name an outlet's own account, among users."""
    return f"outlet:{outlet}"


def _after(record: SessionRecord, fact: SessionFact) -> SessionRecord:
    phase, told = _PHASES[fact.kind], fact.detail
    record = replace(record, position=fact.position, cut_short=record.cut_short or fact.kind == "session.short")
    if phase is None:
        return record
    record = replace(record, state=phase.value, reason=told.get("reason"))
    if phase is Phase.ACTIVE and record.begun_at is None:
        record = replace(record, begun_at=fact.at)
    if phase is not Phase.ENDED:
        return record
    return replace(
        record,
        energy_wh=told["energy_wh"],
        start_wh=told["start_wh"],
        end_wh=told["end_wh"],
        ended_at=fact.at,
    )


def _remember_vehicle(vehicles: Vehicles, record: SessionRecord | None, fact: SessionFact) -> None:
    if record is not None and fact.kind == "session.learned":
        vehicles.put(record.user, Vehicle(fact.detail["least_a"], fact.detail["wakes_by"] or ""))
