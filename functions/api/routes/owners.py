"""Owners: whoever signs in can become one."""

from typing import Any

from epspot.access import Capability
from epspot.services.register_owner import change_owner, find_owner, owners_of, register_owner
from functions.api.calls import Answer, Call, page
from functions.api.operations import operation
from functions.api.render import sites as render

_TAG = "Owners"


@operation(
    "POST",
    "/v1/owners",
    "Become an owner, and its administrator",
    tag=_TAG,
    body="OwnerForm",
    status=201,
    answer="Owner",
    creates=True,
    refusals=(403, 429),
)
def create_owner(call: Call) -> Any:
    """Make an owner."""
    if call.made:
        made = find_owner(call.world.gate, call.made)
    else:
        made = register_owner(call.world.owning, call.actor, call.caller, call.body)
    return Answer(render.owner(made), version=made.version, headers={"Location": f"/v1/owners/{made.id}"})


@operation(
    "GET", "/v1/owners", "List the owners for whom one does more than use outlets", tag=_TAG, answer="OwnerNames"
)
def list_owners(call: Call) -> Any:
    """List the caller's owners."""
    return page([{"id": o.id, "name": o.name} for o in owners_of(call.world.gate, call.caller)], None)


@operation("GET", "/v1/owners/{owner}", "Show an owner", tag=_TAG, needs=Capability.VIEW, on="owner", answer="Owner")
def show_owner(call: Call) -> Any:
    """Show an owner."""
    found = find_owner(call.world.gate, call.here.owner)
    return Answer(render.owner(found), version=found.version)


@operation(
    "PUT",
    "/v1/owners/{owner}",
    "Change what is said of an owner",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="OwnerForm",
    answer="Owner",
    changes=True,
)
def put_owner(call: Call) -> Any:
    """Change an owner."""
    before = find_owner(call.world.gate, call.here.owner)
    call.check_version(before.version)
    after = change_owner(call.world.changing, call.actor, before, call.body)
    return Answer(render.owner(after), version=after.version)
