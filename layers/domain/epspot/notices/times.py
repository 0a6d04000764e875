"""How times are written wherever others read them: the API, live updates, webhooks."""

from datetime import UTC, datetime
from typing import overload


@overload
def time_text(at: float) -> str: ...


@overload
def time_text(at: float | None) -> str | None: ...


def time_text(at: float | None) -> str | None:
    """Write a time as ISO 8601 in UTC; None stays None."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
