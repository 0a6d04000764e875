"""Ask the owner's own system whether somebody may start a session, where the owner wants to be asked."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from epspot.errors import NotAuthorised, OwnerSilent, Unanswered
from epspot.notices.signature import signed
from epspot.notices.times import time_text
from epspot.ports import Ids, Posting, Sessions
from epspot.registry.authorisation import ALLOW, AUTHORISATION, Authorisation
from epspot.registry.records import MEMBER, of_owner
from epspot.services.authorize import Caller, Gate, Place, memberships_of
from epspot.services.start_session import session_id

MOST_REASON = 200
_OK = 200
_REFERENCE = 26


@dataclass(frozen=True, slots=True)
class Asking:
    """What it takes to ask owners."""

    gate: Gate
    sessions: Sessions
    posting: Posting
    ids: Ids


def ask_owner(world: Asking, caller: Caller, place: Place, key: str) -> None:
    """Let a user who may use an outlet start there if the owner's system says so; nothing has been written yet.

    Other systems have the owner's word already, and a repeated start has been asked about. Raises NotAuthorised, or
    OwnerSilent where the owner wants nothing to start without an answer.
    """
    if caller.token is not None:
        return
    asked = world.gate.registry.get(AUTHORISATION, of_owner(place.owner), "")
    if asked is None or world.sessions.get(session_id(caller.user, key)) is not None:
        return
    answer = _answer(world, asked, caller, place)
    if answer is None:
        if asked.on_silence == ALLOW:
            return
        raise OwnerSilent(
            "The system of the outlet's owner does not answer, and without it nothing starts here. Try again soon.",
            "Uttagsägarens system svarar inte, och utan dess svar går det inte att starta här. Försök igen om en stund.",
        )
    if not answer["allow"]:
        raise _refusal(answer.get("reason"))


def _answer(world: Asking, asked: Authorisation, caller: Caller, place: Place) -> dict[str, Any] | None:
    """Ask; None: silence, which is also what can't be understood."""
    now = world.gate.clock.now()
    body = json.dumps(_question(world, caller, place, now), ensure_ascii=False).encode()
    headers = signed([asked.secret], world.ids.new(), now, body)
    try:
        told = world.posting.post(asked.url, body, headers, asked.timeout_ms / 1000)
        answer = json.loads(told.body) if told.status == _OK else None
    except (Unanswered, ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("allow"), bool) else None


def _question(world: Asking, caller: Caller, place: Place, now: float) -> dict[str, Any]:
    if place.site is None or place.outlet is None:
        raise LookupError(place.scope)
    return {
        "type": "session.authorise",
        "at": time_text(now),
        "user": _reference(world, caller, place.owner, now),
        "site": place.site.id,
        "outlet": place.outlet.id,
        "number": place.outlet.number,
    }


def _reference(world: Asking, caller: Caller, owner: str, now: float) -> dict[str, str]:
    """Name a user as the owner knows them, or else by an id that no other owner sees."""
    external = _external_id(world, caller, owner, now)
    if external:
        return {"external_id": external}
    mac = hmac.digest(owner.encode(), caller.user.encode(), hashlib.sha256).hex()
    return {"id": mac[:_REFERENCE]}


def _external_id(world: Asking, caller: Caller, owner: str, now: float) -> str:
    registry = world.gate.registry
    for m in memberships_of(registry, caller):
        if m.owner == owner and m.holds(now):
            member = registry.get(MEMBER, of_owner(owner), m.member)
            if member is not None and member.external_id:
                return member.external_id
    return ""


def _refusal(reason: Any) -> NotAuthorised:
    said = " ".join(reason.split())[:MOST_REASON] if isinstance(reason, str) else ""
    said = "".join(c for c in said if c.isprintable())
    if not said:
        return NotAuthorised(
            "The outlet's owner does not allow you to start here. Ask the owner why.",
            "Uttagets ägare tillåter inte att du startar här. Fråga ägaren varför.",
        )
    return NotAuthorised(
        f"The outlet's owner does not allow this: {said}", f"Uttagets ägare tillåter inte detta: {said}"
    )
