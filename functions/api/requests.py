"""What a request says: who is calling, and its JSON."""

import json
from datetime import datetime
from typing import Any

from chalice.app import Request

from epspot.control.state import Wishes
from epspot.errors import InvalidRequest, NotSignedIn

MAX_TEXT = 256


def user_of(request: Request) -> str:
    """Name the user whose id token the gateway has verified. Raises NotSignedIn."""
    claims = (request.context.get("authorizer") or {}).get("claims") or {}
    if claims.get("token_use") != "id" or not claims.get("sub"):
        raise NotSignedIn(
            "Sign in, and send the id token in the Authorization header.",
            "Logga in, och skicka id-token i huvudet Authorization.",
        )
    return str(claims["sub"])


def json_of(request: Request) -> dict[str, Any]:
    """Read the request's JSON object. Raises InvalidRequest."""
    try:
        body = json.loads(request.raw_body)
    except (ValueError, RecursionError):
        raise InvalidRequest("The body must be JSON.") from None
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return body


def text_of(body: dict[str, Any], name: str) -> str:
    """Read a text from a JSON object. Raises InvalidRequest."""
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        raise InvalidRequest(f"{name} must be a text of 1 to {MAX_TEXT} characters.")
    return value


_WISHES = ("start_at", "ready_by", "needs_wh", "until_wh", "until", "cheapest", "heats_engine")


def wishes_of(body: dict[str, Any], also: tuple[str, ...] = ()) -> Wishes:
    """Read what is wanted of a session; ``also`` names what else the body may hold. Raises InvalidRequest.

    ``start_at``, ``ready_by`` and ``until`` are times with a time zone, ``needs_wh`` (with ready_by; left out = full) and
    ``until_wh`` whole Wh, ``cheapest`` and ``heats_engine`` true or false.
    """
    if unknown := sorted(body.keys() - {*_WISHES, *also}):
        raise InvalidRequest(f"{', '.join(unknown)} is not known; known are {', '.join((*also, *_WISHES))}.")
    return Wishes(
        start_at=_time_of(body, "start_at"),
        ready_by=_time_of(body, "ready_by"),
        needs_wh=_whole_of(body, "needs_wh"),
        until_wh=_whole_of(body, "until_wh"),
        until_at=_time_of(body, "until"),
        cheapest=_flag_of(body, "cheapest"),
        heats_engine=_flag_of(body, "heats_engine"),
    )


def _time_of(body: dict[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.timestamp()
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidRequest(f"{name} must be a time with its time zone, such as 2026-01-05T08:00:00+01:00.")


def _whole_of(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise InvalidRequest(f"{name} must be a whole number.")


def _flag_of(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false.")
    return value
