"""User groups, and the members that an owner, or a system of the owner's, knows by its own ids."""

from typing import Any

from epspot.access import Capability
from epspot.registry.names import Naming
from epspot.registry.records import MEMBER, USER_GROUP, Member, of_owner
from epspot.services.keep_groups import add_group, change_group, group_of, remove_group
from epspot.services.keep_members import Wish, member_by, no_member, put_member, put_members, remove_member
from functions.api.calls import Answer, Call, page
from functions.api.operations import Query, operation
from functions.api.render import access as render
from functions.api.requests import time_of

_GROUPS = "/v1/owners/{owner}/user-groups"
_GROUP = f"{_GROUPS}/{{user_group}}"
_MEMBERS = "/v1/owners/{owner}/members"
_MEMBER = f"{_MEMBERS}/{{external_id}}"
_TAG = "Members"
_PREVIEW = Query("preview", "Only tell what would change", {"type": "boolean"})


# ------------------------------------------------------------------ user groups


@operation(
    "POST",
    _GROUPS,
    "Make a user group",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="UserGroupForm",
    status=201,
    answer="UserGroup",
    creates=True,
    refusals=(409,),
)
def create_user_group(call: Call) -> Any:
    """Make a user group."""
    owner, said = call.here.owner, call.body
    if call.made:
        group = group_of(call.world.registry, owner, call.made)
    else:
        group = add_group(call.world.granting, call.actor, owner, said["name"], said.get("external_id") or "")
    where = f"/v1/owners/{owner}/user-groups/{group.id}"
    return Answer(render.group(group), version=group.version, headers={"Location": where})


@operation(
    "GET",
    _GROUPS,
    "List the user groups",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    answer="UserGroups",
    paged=True,
)
def list_user_groups(call: Call) -> Any:
    """List the user groups."""
    found = call.world.registry.under(USER_GROUP, of_owner(call.here.owner), call.limit, call.cursor)
    return page([render.group(g) for g in found.items], found.next)


@operation("GET", _GROUP, "Show a user group", tag=_TAG, needs=Capability.ADMINISTER, on="owner", answer="UserGroup")
def show_user_group(call: Call) -> Any:
    """Show a user group."""
    group = group_of(call.world.registry, call.here.owner, call.params["user_group"])
    return Answer(render.group(group), version=group.version)


@operation(
    "PUT",
    _GROUP,
    "Let a user group be called otherwise",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="UserGroupForm",
    answer="UserGroup",
    changes=True,
    refusals=(409,),
)
def change_user_group(call: Call) -> Any:
    """Change a user group."""
    before, said = group_of(call.world.registry, call.here.owner, call.params["user_group"]), call.body
    call.check_version(before.version)
    group = change_group(call.world.granting, call.actor, before, said["name"], said.get("external_id") or "")
    return Answer(render.group(group), version=group.version)


@operation(
    "DELETE",
    _GROUP,
    "Take a user group away, with what it has been granted",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    status=204,
    changes=True,
)
def delete_user_group(call: Call) -> Any:
    """Take a user group away; its members stay, without it."""
    group = group_of(call.world.registry, call.here.owner, call.params["user_group"])
    call.check_version(group.version)
    remove_group(call.world.granting, call.actor, group)
    return Answer(None)


# ------------------------------------------------------------------ members


@operation(
    "PUT",
    _MEMBERS,
    "Let the members be as a list has them, up to 1000 at once",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="MembersForm",
    answer="MembersPut",
    query=(_PREVIEW,),
)
def put_all_members(call: Call) -> Any:
    """Put a whole list of members, or only tell what that would change."""
    wishes, preview = [_wish(m, m["external_id"]) for m in call.body["members"]], call.query.get("preview", False)
    others = call.body.get("remove_others", False)
    done = put_members(call.world.granting, call.actor, call.here.owner, wishes, remove_others=others, preview=preview)
    return render.outcome(done, preview=preview)


@operation(
    "GET", _MEMBERS, "List the members", tag=_TAG, needs=Capability.ADMINISTER, on="owner", answer="Members", paged=True
)
def list_members(call: Call) -> Any:
    """List the members."""
    found = call.world.registry.under(MEMBER, of_owner(call.here.owner), call.limit, call.cursor)
    return page([render.member(m) for m in found.items], found.next)


@operation("GET", _MEMBER, "Show a member", tag=_TAG, needs=Capability.ADMINISTER, on="owner", answer="Member")
def show_member(call: Call) -> Any:
    """Show a member."""
    member = _found(call)
    return Answer(render.member(member), version=member.version)


@operation(
    "PUT",
    _MEMBER,
    "Let a member be so, whether there is one yet or not",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="MemberForm",
    answer="MemberPut",
    also=(201,),
)
def put_one_member(call: Call) -> Any:
    """Put a member; the answer says what is different."""
    wish = _wish(call.body, call.params["external_id"])
    kept = put_member(call.world.granting, call.actor, call.here.owner, wish)
    body = render.member(kept.member) | {"changed": list(kept.changed)}
    return Answer(body, status=201 if kept.created else 200, version=kept.member.version)


@operation("DELETE", _MEMBER, "Take a member away", tag=_TAG, needs=Capability.ADMINISTER, on="owner", status=204)
def delete_member(call: Call) -> Any:
    """Take a member away; what it had through its groups ends at once."""
    remove_member(call.world.granting, call.actor, call.here.owner, _found(call).id)
    return Answer(None)


def _found(call: Call) -> Member:
    member = member_by(call.world.registry, call.here.owner, Naming.MEMBER, call.params["external_id"])
    if member is None:
        raise no_member(call.params["external_id"])
    return member


def _wish(said: dict[str, Any], external_id: str) -> Wish:
    return Wish(
        email=said["email"],
        external_id=external_id,
        name=said.get("name", ""),
        groups=tuple(said.get("groups", ())),
        active=said.get("active", True),
        begins_at=time_of(said, "begins_at"),
        ends_at=time_of(said, "ends_at"),
    )
