"""List what a user has had."""

from collections.abc import Sequence

from epspot.ports import SessionRecord, Sessions

MOST = 100


def list_sessions(sessions: Sessions, user: str) -> Sequence[SessionRecord]:
    """List a user's sessions, the newest first, at most a hundred."""
    return sessions.of_user(user, MOST)
