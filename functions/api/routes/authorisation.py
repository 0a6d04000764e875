"""The call that asks an owner's own system before somebody starts a session."""

from typing import Any

from epspot.access import Capability
from epspot.errors import NotFound
from epspot.registry.authorisation import Authorisation
from epspot.services.change_authorisation import Asked, find_authorisation, remove_authorisation, set_authorisation
from functions.api.calls import Answer, Call
from functions.api.operations import operation
from functions.api.render import time

_PATH = "/v1/owners/{owner}/authorisation"
_TAG = "Authorisation"
_USUAL_TIMEOUT_MS = 1500


@operation(
    "GET",
    _PATH,
    "Show whether the owner's system is asked before sessions start",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    answer="Authorisation",
)
def show_authorisation(call: Call) -> Any:
    """Show where the owner's system is asked; version 0: nowhere."""
    found = find_authorisation(call.world.hooking, call.here.owner)
    return Answer(_render(found), version=0 if found is None else found.version)


@operation(
    "PUT",
    _PATH,
    "Have the owner's system asked before sessions start",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="AuthorisationForm",
    answer="Authorisation",
    changes=True,
)
def put_authorisation(call: Call) -> Any:
    """Set where the owner's system is asked; the secret is told when it is made."""
    owner, body = call.here.owner, call.body
    before = find_authorisation(call.world.hooking, owner)
    call.check_version(0 if before is None else before.version)
    asked = Asked(body["url"], body.get("timeout_ms", _USUAL_TIMEOUT_MS), body["on_silence"])
    after = set_authorisation(call.world.hooking, call.actor, owner, before, asked)
    secret = {"secret": after.secret} if before is None else {}
    return Answer(_render(after) | secret, version=after.version)


@operation(
    "DELETE",
    _PATH,
    "Ask the owner's system no more",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    status=204,
    changes=True,
)
def delete_authorisation(call: Call) -> Any:
    """Ask no more; the secret is forgotten."""
    before = find_authorisation(call.world.hooking, call.here.owner)
    if before is None:
        raise NotFound("The owner's system is not asked.", "Ägarens system tillfrågas inte.")
    call.check_version(before.version)
    remove_authorisation(call.world.hooking, call.actor, before)


def _render(a: Authorisation | None) -> dict[str, Any]:
    return {
        "url": None if a is None else a.url,
        "timeout_ms": None if a is None else a.timeout_ms,
        "on_silence": None if a is None else a.on_silence,
        "made_at": None if a is None else time(a.made_at),
    }
