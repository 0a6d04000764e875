"""What webhooks say: which of the house's facts other systems are told of, and in what form. Nothing personal."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from epspot.notices.times import time_text

EVENTS = ("session.started", "session.ended", "session.settled", "alarm.raised", "alarm.cleared")
TEST = "test"
MOST_BYTES = 65_536

OF_FACT: Mapping[str, str] = {
    "session.active": "session.started",
    "session.ended": "session.ended",
    "session.settled": "session.settled",
    "alarm.raised": "alarm.raised",
    "alarm.cleared": "alarm.cleared",
}
"""Event by the kind of the fact that it comes from."""

_LAST_MS = 9_999_999_999_999
_HASHED = 20


def message_id(webhook: str, fact: str, at: float) -> str:
    """Name a message: the same fact has the same name at the same webhook, and newer ones come first in order."""
    told = hashlib.sha256(f"{webhook}\n{fact}".encode()).hexdigest()[:_HASHED]
    return f"{_LAST_MS - round(at * 1000):013d}-{told}"


def body_of(message: str, event: str, at: float, *, owner: str, site: str | None, data: Mapping[str, Any]) -> str:
    """Write a message; what a large one tells in detail is left out."""
    told = {"id": message, "type": event, "at": time_text(at), "owner": owner, "site": site, "data": data}
    text = _json(told)
    if len(text.encode()) > MOST_BYTES:
        text = _json(told | {"data": {**data, "detail": None}})
    return text


def session_data(
    session: str, number: str | None, detail: Mapping[str, Any], record: Mapping[str, Any]
) -> dict[str, Any]:
    """Tell of a session: where, how much, and what the system that started it calls it; not whose it is.

    ``record`` has ``reference``, ``token`` and ``requested_at``.
    """
    told = {
        "session": session,
        "outlet": detail.get("outlet"),
        "number": number,
        "requested_at": record["requested_at"],
        "reference": record["reference"],
        "token": record["token"],
    }
    ended = {name: detail[name] for name in ("energy_wh", "start_wh", "end_wh", "reason") if name in detail}
    return told | ended


def alarm_data(about: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of an alarm: its code in the catalogue, what it is about, and the figures."""
    return {
        "code": detail["code"],
        "about": about,
        "severity": detail["severity"],
        "certainty": detail["certainty"],
        "since": time_text(detail["since"]),
        "detail": dict(detail["detail"]),
    }


def _json(told: Mapping[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
