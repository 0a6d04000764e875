"""Grants: who may do what, where and when."""

from typing import Any

from epspot.access import Grant, Level, Scope
from epspot.errors import NotFound
from epspot.registry.records import GRANT, of_subject
from epspot.services.authorize import Place
from epspot.services.give_grant import (
    Gift,
    Subject,
    address_of,
    check_gift,
    find_grant,
    give_grant,
    list_grants,
    no_grant,
    own_place,
    text_of,
)
from epspot.services.revoke import revoke_grant
from functions.api.calls import Answer, Call, page
from functions.api.operations import Query, operation
from functions.api.render import access as render
from functions.api.requests import time_of

_ALL = "/v1/owners/{owner}/grants"
_TAG = "Access"
SCOPE = Query(
    "scope",
    "Only what is given on this scope, such as `site/<id>`, which the caller must administer; else the owner",
    {"type": "string", "maxLength": 200},
)


@operation(
    "POST",
    _ALL,
    "Grant somebody a role",
    tag=_TAG,
    body="GrantForm",
    status=201,
    answer="Grant",
    creates=True,
    refusals=(404,),
)
def create_grant(call: Call) -> Any:
    """Grant a role on a scope that the caller administers."""
    place, subject = place_in(call, call.body["scope"]), Subject(**call.body["subject"])
    if call.made:
        grant = _made(call, subject)
    else:
        gift = gift_of(call, call.body["role"])
        check_gift(call.world.gate, call.caller, place, gift, call.actor.at, until=gift.ends_at)
        grant = give_grant(call.world.granting, call.actor, place, subject, gift)
    where = f"/v1/owners/{place.owner}/grants/{grant.id}"
    return Answer(_shown(call, grant), headers={"Location": where})


@operation(
    "GET",
    _ALL,
    "List the grants of an owner, or on one scope",
    tag=_TAG,
    answer="Grants",
    query=(SCOPE,),
    paged=True,
    refusals=(404,),
)
def list_owner_grants(call: Call) -> Any:
    """List grants; one that was made a moment ago may be missing."""
    scope = scope_asked(call)
    found = list_grants(call.world.registry, call.params["owner"], scope, call.limit, call.cursor)
    return page([_shown(call, g) for g in found.items], found.next)


@operation(
    "DELETE",
    f"{_ALL}/{{grant}}",
    "Revoke a grant: at once, and running sessions by the owner's rule",
    tag=_TAG,
    status=204,
    refusals=(404, 409),
)
def delete_grant(call: Call) -> Any:
    """Revoke a grant on a scope that the caller administers."""
    grant = find_grant(call.world.registry, call.params["owner"], call.params["grant"])
    check_administers(call, grant.scope, no_grant(grant.id))
    revoke_grant(call.world.granting, call.actor, grant)
    return Answer(None)


# ------------------------------------------------------------------ what access codes need too


def place_in(call: Call, scope: str) -> Place:
    """Find a scope of the path's owner that the caller administers. Raises a Refusal."""
    return own_place(call.world.gate, call.caller, call.params["owner"], Scope.read(scope))


def scope_asked(call: Call) -> Scope | None:
    """Let the caller pass who administers the scope that is asked for, or all of the owner's. Raises a Refusal."""
    asked = call.query.get("scope")
    place_in(call, asked or f"owner/{call.params['owner']}")
    return None if asked is None else Scope.read(asked)


def check_administers(call: Call, scope: str, unknown: NotFound) -> None:
    """Let the caller pass who administers what a thing is for; others do not learn that it is there. Raises a Refusal."""
    # What it was for may be gone: then it is left to who administers the owner.
    for text in (scope, str(Scope(Level.OWNER, call.params["owner"]))):
        try:
            place_in(call, text)
        except NotFound:
            continue
        return
    raise unknown


def gift_of(call: Call, role: str) -> Gift:
    """Read what is to be given. Raises InvalidRequest."""
    return Gift(role, time_of(call.body, "begins_at"), time_of(call.body, "ends_at"))


# ------------------------------------------------------------------ grants alone


def _made(call: Call, subject: Subject) -> Grant:
    under = of_subject(text_of(subject, call.params["owner"]))
    found: Grant | None = call.world.registry.get(GRANT, under, call.made)
    if found is None:
        raise no_grant(call.made)
    return found


def _shown(call: Call, grant: Grant) -> dict[str, Any]:
    return render.grant(grant, address_of(call.world.registry, grant))
