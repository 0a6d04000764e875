"""Keep the history of sessions from what happens to them."""

from epspot.ports import SessionFact, Sessions


def note_session(sessions: Sessions, fact: SessionFact) -> None:
    """Bring a session's record up to date. May be called twice, late and out of order."""
    sessions.note(fact)
