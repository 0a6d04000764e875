"""What requests say: times, and what is wanted of a session."""

from datetime import UTC, datetime
from typing import Any

from epspot.control.state import Wishes
from epspot.errors import InvalidRequest

_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
"""Later times can't be told in every time zone."""


def wishes_of(body: dict[str, Any]) -> Wishes:
    """Read what is wanted of a session from a body of the form ``Wishes``. Raises InvalidRequest."""
    return Wishes(
        start_at=time_of(body, "start_at"),
        ready_by=time_of(body, "ready_by"),
        needs_wh=_whole_of(body, "needs_wh"),
        until_wh=_whole_of(body, "until_wh"),
        until_at=time_of(body, "until"),
        cheapest=body.get("cheapest", False),
        heats_engine=body.get("heats_engine", False),
    )


def time_of(body: dict[str, Any], name: str) -> float | None:
    """Read a time, in epoch seconds. Raises InvalidRequest."""
    value = body.get(name)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None and 0 <= at.timestamp() < _LATEST:
            return at.timestamp()
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidRequest(f"{name} must be a time from 1970 on with its time zone, such as 2026-01-05T08:00:00+01:00.")


def _whole_of(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    return None if value is None else int(value)
