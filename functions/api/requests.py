"""What a request says: who is calling, and its JSON."""

import json
from typing import Any

from chalice.app import Request

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
