"""SCIM 2.0 (RFC 7644): directories and benefit portals keep members and user groups without code.

What goes wrong here is told in SCIM's own form; who is not let in at all is told as everywhere.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeAlias

from epspot.access import Capability, Level, Scope
from epspot.access.scim import BadScim, Filter, Resource, equalities, matches, parse_filter, patched
from epspot.errors import InvalidRequest, NameTaken, NotAllowed, NotFound, Refusal
from epspot.registry.names import Naming
from epspot.registry.records import MEMBER, USER_GROUP, Member, UserGroup, of_owner
from epspot.services.keep_groups import add_group, change_group, group_of, remove_group, set_members
from epspot.services.keep_members import (
    add_member,
    change_member,
    member_by,
    member_of,
    members_with,
    remove_member,
)
from epspot.services.listing import everything
from epspot.services.retrying import until_written
from functions.api import errors
from functions.api.calls import Answer, Call
from functions.api.operations import Query, operation
from functions.api.render import scim as render

_BASE = "/v1/scim/v2"
_MEDIA = "application/scim+json"
_TAG = "SCIM"
_TEXT = {"type": "string", "maxLength": 2000}
_FILTER = Query("filter", 'Such as `userName eq "anna@example.com"`', _TEXT)
_START = Query("startIndex", "Where to begin, from 1", {"type": "integer"})
_COUNT = Query("count", "How many at most", {"type": "integer"})
_ATTRIBUTES = Query("attributes", "What to answer of each", _TEXT)
_EXCLUDED = Query("excludedAttributes", "What to leave out", _TEXT)
_SHOW = (_ATTRIBUTES, _EXCLUDED)
_LONGEST_ID = 64
_LIST = (_FILTER, _START, _COUNT, *_SHOW)

_View: TypeAlias = Callable[[Call, str], Any]


def _for_owner(view: _View) -> Callable[[Call], Any]:
    """Let the token's owner be what a view is about, and tell refusals as SCIM does."""

    @wraps(view)
    def told(call: Call) -> Any:
        try:
            return view(call, _owner(call))
        except Refusal as error:
            return _refused(call, error)

    return told


def _owner(call: Call) -> str:
    if call.caller.token is None:
        raise NotAllowed(
            "SCIM is for other systems: send an integration token of the owner's.",
            "SCIM är för andra system: skicka en integrationsnyckel från ägaren.",
        )
    owner = call.caller.token.owner
    call.require(Capability.ADMINISTER, Scope(Level.OWNER, owner))
    return owner


def _refused(call: Call, error: Refusal) -> Answer:
    status, kind = errors.status_of(error), None
    if isinstance(error, BadScim):
        kind = error.scim_type
    elif isinstance(error, NameTaken):
        kind = "uniqueness"
    elif isinstance(error, InvalidRequest):
        kind = "invalidValue"
    detail = error.swedish if call.language == "sv" else str(error)
    return Answer(render.error(status, detail, kind), status=status)


# ------------------------------------------------------------------ what there is


@operation(
    "GET",
    f"{_BASE}/ServiceProviderConfig",
    "Tell what of SCIM is supported",
    tag=_TAG,
    answer="ScimResource",
    media=_MEDIA,
)
@_for_owner
def scim_config(call: Call, _: str) -> Any:
    """Tell what is supported."""
    return render.provider_config(_base(call))


@operation("GET", f"{_BASE}/ResourceTypes", "List the kinds of resources", tag=_TAG, answer="ScimList", media=_MEDIA)
@_for_owner
def scim_resource_types(call: Call, _: str) -> Any:
    """List the kinds of resources."""
    return render.listed(render.resource_types(_base(call)), 1, render.MOST)


@operation(
    "GET",
    f"{_BASE}/ResourceTypes/{{id}}",
    "Show a kind of resource",
    tag=_TAG,
    answer="ScimResource",
    media=_MEDIA,
    refusals=(404,),
)
@_for_owner
def scim_resource_type(call: Call, _: str) -> Any:
    """Show a kind of resource."""
    return _with_id(render.resource_types(_base(call)), call.params["id"])


@operation("GET", f"{_BASE}/Schemas", "List what is kept of each resource", tag=_TAG, answer="ScimList", media=_MEDIA)
@_for_owner
def scim_schemas(call: Call, _: str) -> Any:
    """List the schemas."""
    return render.listed(render.schemas(_base(call)), 1, render.MOST)


@operation(
    "GET",
    f"{_BASE}/Schemas/{{id}}",
    "Show what is kept of a resource",
    tag=_TAG,
    answer="ScimResource",
    media=_MEDIA,
    refusals=(404,),
)
@_for_owner
def scim_schema(call: Call, _: str) -> Any:
    """Show a schema."""
    return _with_id(render.schemas(_base(call)), call.params["id"])


def _with_id(things: Iterable[dict[str, Any]], id_: str) -> dict[str, Any]:
    for thing in things:
        if thing["id"] == id_:
            return thing
    raise NotFound(f"There is no {id_[:80]} here.")


# ------------------------------------------------------------------ users


@operation(
    "POST",
    f"{_BASE}/Users",
    "Make a user",
    tag=_TAG,
    body="ScimUserForm",
    status=201,
    answer="ScimResource",
    media=_MEDIA,
    takes=_MEDIA,
    refusals=(409,),
)
@_for_owner
def scim_create_user(call: Call, owner: str) -> Any:
    """Make a member; its names are its own, so that a repeated request makes no second one."""
    return _user(call, add_member(call.world.granting, call.actor, owner, render.wish(call.body)), status=201)


@operation("GET", f"{_BASE}/Users", "List users", tag=_TAG, answer="ScimList", media=_MEDIA, query=_LIST)
@_for_owner
def scim_list_users(call: Call, owner: str) -> Any:
    """List members; those with a name or an address are looked up."""
    groups, filter_ = _group_names(call, owner), _filter(call)
    users = (render.user(m, groups, _base(call)) for m in _members(call, owner, filter_))
    return _page(call, [u for u in users if filter_ is None or matches(filter_, u)])


@operation(
    "GET",
    f"{_BASE}/Users/{{id}}",
    "Show a user",
    tag=_TAG,
    answer="ScimResource",
    media=_MEDIA,
    query=_SHOW,
    refusals=(404,),
)
@_for_owner
def scim_show_user(call: Call, owner: str) -> Any:
    """Show a member."""
    return _user(call, member_of(call.world.registry, owner, call.params["id"]))


@operation(
    "PUT",
    f"{_BASE}/Users/{{id}}",
    "Let a user be so; what is not told stays",
    tag=_TAG,
    body="ScimUserForm",
    answer="ScimResource",
    media=_MEDIA,
    takes=_MEDIA,
    refusals=(404, 409, 412),
)
@_for_owner
def scim_replace_user(call: Call, owner: str) -> Any:
    """Put a member."""
    return _changed(call, owner, lambda before: {**_lower(render.editable(before)), **_lower(call.body)})


@operation(
    "PATCH",
    f"{_BASE}/Users/{{id}}",
    "Change parts of a user",
    tag=_TAG,
    body="ScimPatch",
    answer="ScimResource",
    media=_MEDIA,
    takes=_MEDIA,
    refusals=(404, 409, 412),
)
@_for_owner
def scim_patch_user(call: Call, owner: str) -> Any:
    """Change parts of a member."""
    return _changed(call, owner, lambda before: patched(render.editable(before), call.body["Operations"]))


@operation(
    "DELETE", f"{_BASE}/Users/{{id}}", "Take a user away", tag=_TAG, status=204, media=_MEDIA, refusals=(404, 412)
)
@_for_owner
def scim_delete_user(call: Call, owner: str) -> Any:
    """Take a member away."""
    _check(call, member_of(call.world.registry, owner, call.params["id"]))
    remove_member(call.world.granting, call.actor, owner, call.params["id"])
    return Answer(None)


def _changed(call: Call, owner: str, edit: Callable[[Member], Resource]) -> Answer:
    def wish(before: Member) -> Any:
        _check(call, before)
        return render.wish(edit(before), before)

    return _user(call, change_member(call.world.granting, call.actor, owner, call.params["id"], wish))


def _check(call: Call, member: Member) -> None:
    """Refuse a change of another version, if one is told. Raises VersionChanged."""
    if call.request.headers.get("if-match"):
        call.check_version(member.version)


def _user(call: Call, member: Member, status: int = 200) -> Answer:
    told = render.user(member, _group_names(call, member.owner), _base(call))
    headers = {"ETag": render.etag(member), "Location": told["meta"]["location"]}
    return Answer(_only(call, told), status=status, headers=headers)


def _members(call: Call, owner: str, filter_: Filter | None) -> Iterable[Member]:
    """Find the members that a filter may select, by what it says of their names if it does."""
    registry, equal = call.world.registry, {} if filter_ is None else equalities(filter_)
    if "id" in equal:
        # No id is longer, and no key may be much longer.
        found: Member | None = registry.get(MEMBER, of_owner(owner), equal["id"][:_LONGEST_ID])
    elif "username" in equal:
        found = member_by(registry, owner, Naming.USER_NAME, equal["username"].casefold())
        if found is None:
            # Perhaps one that no directory has named: it goes by its other id, or by its address.
            other = member_by(registry, owner, Naming.MEMBER, equal["username"])
            return [*members_with(registry, owner, equal["username"]), *([] if other is None else [other])]
    elif "externalid" in equal:
        found = member_by(registry, owner, Naming.MEMBER, equal["externalid"])
    elif (email := equal.get("emails.value", equal.get("emails"))) is not None:
        return members_with(registry, owner, email)
    else:
        return everything(registry, MEMBER, of_owner(owner))
    return [] if found is None else [found]


# ------------------------------------------------------------------ groups


@operation(
    "POST",
    f"{_BASE}/Groups",
    "Make a group",
    tag=_TAG,
    body="ScimGroupForm",
    status=201,
    answer="ScimResource",
    media=_MEDIA,
    takes=_MEDIA,
    refusals=(409,),
)
@_for_owner
def scim_create_group(call: Call, owner: str) -> Any:
    """Make a user group, perhaps with members."""
    wanted = render.member_ids(call.body)
    group = add_group(call.world.granting, call.actor, owner, *render.group_names(call.body))
    if wanted:
        set_members(call.world.granting, call.actor, group, lambda _: wanted)
    return _group(call, group, status=201)


@operation("GET", f"{_BASE}/Groups", "List groups", tag=_TAG, answer="ScimList", media=_MEDIA, query=_LIST)
@_for_owner
def scim_list_groups(call: Call, owner: str) -> Any:
    """List user groups."""
    filter_ = _filter(call)
    inside = _by_group(call, owner, asked="members" in call.query.get("filter", "").lower())
    groups = everything(call.world.registry, USER_GROUP, of_owner(owner))
    told = [render.group(g, inside(g), _base(call)) for g in groups]
    return _page(call, [g for g in told if filter_ is None or matches(filter_, g)])


@operation(
    "GET",
    f"{_BASE}/Groups/{{id}}",
    "Show a group",
    tag=_TAG,
    answer="ScimResource",
    media=_MEDIA,
    query=_SHOW,
    refusals=(404,),
)
@_for_owner
def scim_show_group(call: Call, owner: str) -> Any:
    """Show a user group."""
    return _group(call, group_of(call.world.registry, owner, call.params["id"]))


@operation(
    "PUT",
    f"{_BASE}/Groups/{{id}}",
    "Let a group be so; what is not told stays",
    tag=_TAG,
    body="ScimGroupForm",
    answer="ScimResource",
    media=_MEDIA,
    takes=_MEDIA,
    refusals=(404, 409),
)
@_for_owner
def scim_replace_group(call: Call, owner: str) -> Any:
    """Put a user group."""
    return _group(call, _group_changed(call, owner, lambda before: {**_lower(before), **_lower(call.body)}))


@operation(
    "PATCH",
    f"{_BASE}/Groups/{{id}}",
    "Change parts of a group: its members, or what it is called",
    tag=_TAG,
    body="ScimPatch",
    status=204,
    media=_MEDIA,
    takes=_MEDIA,
    refusals=(404, 409),
)
@_for_owner
def scim_patch_group(call: Call, owner: str) -> Any:
    """Change parts of a user group; who wants to see it asks for it, since it may be large."""
    _group_changed(call, owner, lambda before: patched(before, call.body["Operations"]))
    return Answer(None)


@operation("DELETE", f"{_BASE}/Groups/{{id}}", "Take a group away", tag=_TAG, status=204, media=_MEDIA, refusals=(404,))
@_for_owner
def scim_delete_group(call: Call, owner: str) -> Any:
    """Take a user group away; its members stay."""
    remove_group(call.world.granting, call.actor, group_of(call.world.registry, owner, call.params["id"]))
    return Answer(None)


def _group_changed(call: Call, owner: str, edit: Callable[[Resource], Resource]) -> UserGroup:
    world, registry, id_ = call.world.granting, call.world.registry, call.params["id"]
    group = group_of(registry, owner, id_)
    after: Resource = {}

    def inside(has: frozenset[str]) -> frozenset[str]:
        nonlocal after
        members = [{"value": i} for i in sorted(has)]
        after = edit({"displayName": group.name, "externalId": group.external_id, "members": members})
        render.group_names(after)
        return render.member_ids(after)

    set_members(world, call.actor, group, inside)
    called = render.group_names(after)
    return until_written(lambda: change_group(world, call.actor, group_of(registry, owner, id_), *called))


def _group(call: Call, group: UserGroup, status: int = 200) -> Answer:
    told = render.group(group, _by_group(call, group.owner)(group), _base(call))
    return Answer(_only(call, told), status=status, headers={"Location": told["meta"]["location"]})


def _by_group(call: Call, owner: str, *, asked: bool = False) -> Callable[[UserGroup], list[Member] | None]:
    """Read all members once, unless they are not asked for."""
    if not asked and render.leaves_out("members", *_shown(call)):
        return lambda _: None
    members = list(everything(call.world.registry, MEMBER, of_owner(owner)))
    return lambda g: [m for m in members if g.id in m.groups]


# ------------------------------------------------------------------ what both need


def _base(call: Call) -> str:
    """Tell where SCIM is, as the caller reaches it."""
    context = call.request.context
    host, path = context.get("domainName") or call.request.headers.get("host"), str(context.get("path") or "")
    before = path.partition(_BASE)[0] if _BASE in path else ""
    return f"https://{host}{before}{_BASE}" if host else _BASE


def _filter(call: Call) -> Filter | None:
    text = call.query.get("filter")
    return parse_filter(text) if text else None


def _page(call: Call, found: list[dict[str, Any]]) -> dict[str, Any]:
    start = max(1, call.query.get("startIndex", 1))
    count = min(max(0, call.query.get("count", render.MOST)), render.MOST)
    return render.listed([_only(call, r) for r in found], start, count)


def _shown(call: Call) -> tuple[str, str]:
    return call.query.get("attributes", ""), call.query.get("excludedAttributes", "")


def _only(call: Call, told: dict[str, Any]) -> dict[str, Any]:
    return render.only(told, *_shown(call))


def _group_names(call: Call, owner: str) -> Mapping[str, str]:
    return {g.id: g.name for g in everything(call.world.registry, USER_GROUP, of_owner(owner))}


def _lower(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Write attributes in one case, so that what is told takes the place of what was."""
    return {name.lower(): value for name, value in resource.items()}
