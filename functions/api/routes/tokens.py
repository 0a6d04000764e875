"""Integration tokens of an owner: how other systems are let in."""

from typing import Any

from epspot.access import Capability
from epspot.registry.records import Token
from epspot.services.issue_token import Wanted, issue_token, revoke_token, token_of, tokens_of
from functions.api.calls import Answer, Call, page
from functions.api.operations import operation
from functions.api.render import time
from functions.api.requests import time_of

_TAG = "Tokens"
_PER_MINUTE = 600


@operation(
    "POST",
    "/v1/owners/{owner}/tokens",
    "Make a token for another system; it is shown once",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="TokenForm",
    status=201,
    answer="NewToken",
    creates=True,
)
def make_token(call: Call) -> Any:
    """Make a token; who repeats the request finds the token, but not its text."""
    owner, text = call.params["owner"], None
    if call.made:
        token = token_of(call.world.issuing, owner, call.made)
    else:
        token, text = issue_token(call.world.issuing, call.actor, call.caller, owner, _wanted(call))
    return Answer(
        _render(token, call.actor.at) | {"token": text}, headers={"Location": f"/v1/owners/{owner}/tokens/{token.id}"}
    )


def _wanted(call: Call) -> Wanted:
    said = call.body
    return Wanted(
        name=said["name"],
        capabilities=[Capability(c) for c in said["capabilities"]],
        scope=said.get("scope") or f"owner/{call.params['owner']}",
        ends_at=time_of(said, "ends_at"),
        per_minute=said.get("per_minute", _PER_MINUTE),
    )


@operation(
    "GET",
    "/v1/owners/{owner}/tokens",
    "List the tokens, those that are over or revoked included",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    answer="Tokens",
    paged=True,
)
def list_tokens(call: Call) -> Any:
    """List the owner's tokens; one that was made a moment ago may be missing."""
    found = tokens_of(call.world.issuing, call.params["owner"], call.limit, call.cursor)
    return page([_render(t, call.actor.at) for t in found.items], found.next)


@operation(
    "GET",
    "/v1/owners/{owner}/tokens/{token}",
    "Show a token, without its text",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    answer="Token",
)
def show_token(call: Call) -> Any:
    """Show a token."""
    return _render(token_of(call.world.issuing, call.params["owner"], call.params["token"]), call.actor.at)


@operation(
    "DELETE",
    "/v1/owners/{owner}/tokens/{token}",
    "Revoke a token, at once and for good",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    status=204,
)
def revoke(call: Call) -> Any:
    """Revoke a token; whichever version it has, since a token that has leaked must not wait."""
    revoke_token(call.world.issuing, call.actor, call.params["owner"], call.params["token"])
    return Answer(None)


def _render(t: Token, now: float) -> dict[str, Any]:
    return {
        "id": t.id,
        "name": t.name,
        "capabilities": list(t.capabilities),
        "scope": t.scope,
        "state": _state(t, now),
        "made_at": time(t.made_at),
        "ends_at": time(t.ends_at),
        "revoked_at": time(t.revoked_at),
        "used_at": time(t.used_at),
        "per_minute": t.per_minute,
    }


def _state(t: Token, now: float) -> str:
    if t.revoked_at is not None:
        return "revoked"
    return "over" if t.ends_at is not None and t.ends_at <= now else "active"
