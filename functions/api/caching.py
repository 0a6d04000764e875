"""Answers that everybody gets alike: kept for a moment on the way, and not sent again to who has them."""

import hashlib
import json
from typing import Any

from functions.api.calls import Answer, Call

MAX_AGE_S = 15


def cached(call: Call, body: Any, max_age_s: int = MAX_AGE_S, headers: dict[str, str] | None = None) -> Answer:
    """Answer what may be kept for some seconds; who shows by If-None-Match that they have it gets only a 304."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    tag = hashlib.sha256(text.encode()).hexdigest()[:32]
    kept = (headers or {}) | {"Cache-Control": f"public, max-age={max_age_s}"}
    shown = call.request.headers.get("if-none-match", "")
    if tag in {one.strip().removeprefix("W/").strip('"') for one in shown.split(",")}:
        return Answer(None, 304, tag, kept)
    return Answer(text, version=tag, headers=kept)
