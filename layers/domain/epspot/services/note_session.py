"""Keep the history of sessions from what happens to them."""

from dataclasses import replace

from epspot.control.state import Phase
from epspot.errors import Conflict
from epspot.ports import SessionFact, SessionRecord, Sessions

MAX_TRIES = 5

_PHASES = {
    "session.queued": Phase.QUEUED,
    "session.waiting": Phase.QUEUED,
    "session.active": Phase.ACTIVE,
    "session.stopping": Phase.STOPPING,
    "session.ended": Phase.ENDED,
}


def note_session(sessions: Sessions, fact: SessionFact) -> None:
    """Bring a session's record up to date; a fact that is not newer than the newest noted changes nothing.

    Facts may come twice, late and out of order. Raises Conflict when others never stop writing.
    """
    for attempt in range(MAX_TRIES):
        before = sessions.get(fact.session)
        if before is None or fact.kind not in _PHASES or fact.position <= before.position:
            return
        try:
            sessions.replace(before, _after(before, fact))
        except Conflict:
            if attempt == MAX_TRIES - 1:
                raise
        else:
            return


def _after(record: SessionRecord, fact: SessionFact) -> SessionRecord:
    phase, told = _PHASES[fact.kind], fact.detail
    record = replace(record, state=phase.value, reason=told.get("reason"), position=fact.position)
    if phase is not Phase.ENDED:
        return record
    return replace(
        record,
        energy_wh=told["energy_wh"],
        start_wh=told["start_wh"],
        end_wh=told["end_wh"],
        ended_at=fact.at,
    )
