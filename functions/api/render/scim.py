"""How members and user groups look in SCIM 2.0, and what a SCIM resource wants of them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from epspot.access.scim import BadScim, Resource, truth, value_of
from epspot.registry.records import Member, UserGroup
from epspot.services.keep_members import Wish
from functions.api.render import time
from functions.api.schemas.common import EMAIL

CORE = "urn:ietf:params:scim:schemas:core:2.0"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
USER, GROUP = f"{CORE}:User", f"{CORE}:Group"
MOST = 200
_LONGEST = 120
_EMAIL = re.compile(EMAIL["pattern"])


# ------------------------------------------------------------------ members as users


def user(m: Member, groups: Mapping[str, str], base: str) -> dict[str, Any]:
    """Render a member; ``groups`` has the names of the owner's user groups."""
    meta = {
        "resourceType": "User",
        "created": time(m.made_at),
        "location": f"{base}/Users/{m.id}",
        "version": etag(m),
    }
    own = [
        {"value": g, "display": groups[g], "$ref": f"{base}/Groups/{g}", "type": "direct"}
        for g in m.groups
        if g in groups
    ]
    return {"schemas": [USER], "id": m.id, **editable(m), "groups": own, "meta": meta}


def editable(m: Member) -> dict[str, Any]:
    """Render of a member what a directory may change."""
    named = {"displayName": m.name, "name": {"formatted": m.name}} if m.name else {}
    known = {"externalId": m.external_id} if m.external_id else {}
    # Who was not made by a directory has no name there: the other system's id, or else the address, tells them apart.
    name = m.user_name or m.external_id or m.email
    email = {"value": m.email, "type": "work", "primary": True}
    return {"userName": name, **known, **named, "active": m.active, "emails": [email]}


def etag(m: Member) -> str:
    """Tell a member's version as SCIM does."""
    return f'W/"{m.version}"'


def wish(told: Resource, before: Member | None = None) -> Wish:
    """Read what a resource wants of a member; its groups and its time are not a directory's. Raises BadScim."""
    user_name = _text(told, "userName")
    if not user_name:
        raise BadScim("userName is missing.")
    if before is not None and not before.user_name and user_name == editable(before)["userName"]:
        user_name = ""
    return Wish(
        email=_email(told, user_name, before),
        external_id=_text(told, "externalId"),
        user_name=user_name,
        name=_name(told, "" if before is None else before.name),
        groups=() if before is None else before.groups,
        active=_active(told, before),
        begins_at=None if before is None else before.begins_at,
        ends_at=None if before is None else before.ends_at,
    )


def _active(told: Resource, before: Member | None) -> bool:
    """Read whether somebody is active; what is not told changes nothing, so that nobody comes back by accident."""
    active = value_of(told, "active")
    if active is None:
        return True if before is None else before.active
    return truth(active)


def _text(told: Any, name: str) -> str:
    value = value_of(told, name)
    if value is not None and not isinstance(value, str):
        raise BadScim(f"{name} must be a text.")
    return (value or "").strip()


def _email(told: Resource, user_name: str, before: Member | None) -> str:
    """Choose the address by which somebody proves to be the member: the primary one, else that of work, else the first."""
    emails = value_of(told, "emails") or []
    if not isinstance(emails, list | tuple) or len(emails) > MOST:
        raise BadScim("emails must be a list.")
    ranked = sorted(emails, key=lambda e: (value_of(e, "primary") is not True, value_of(e, "type") != "work"))
    chosen = next((text for e in ranked if (text := _text(e, "value"))), "")
    was = None if before is None else before.email
    if (
        before is not None
        and chosen.lower() == was == before.user_name.lower() != user_name.lower()
        and _EMAIL.match(user_name)
    ):
        # The address was taken from the name, as it is below, and moves with it.
        chosen = user_name
    chosen = chosen or user_name
    if not _EMAIL.match(chosen):
        raise BadScim("An e-mail address is needed, in emails or as userName: it is what members prove.")
    return chosen


def _name(told: Resource, before: str) -> str:
    """Choose what is new among the ways to tell a name; one name is kept."""
    name = value_of(told, "name")
    display, formatted = _text(told, "displayName"), _text(name, "formatted")
    given, family = _text(name, "givenName"), _text(name, "familyName")
    parts = f"{given} {family}" if given and family else ""
    return next((n for n in (display, formatted, parts) if n and n != before), display or formatted)


# ------------------------------------------------------------------ user groups as groups


def group(g: UserGroup, members: Sequence[Member] | None, base: str) -> dict[str, Any]:
    """Render a user group, with its members unless they were not asked for (None)."""
    known = {"externalId": g.external_id} if g.external_id else {}
    inside = (
        [] if members is None else [{"value": m.id, "$ref": f"{base}/Users/{m.id}", "type": "User"} for m in members]
    )
    told = {"schemas": [GROUP], "id": g.id, **known, "displayName": g.name}
    meta = {"resourceType": "Group", "location": f"{base}/Groups/{g.id}"}
    return told | ({} if members is None else {"members": inside}) | {"meta": meta}


def group_names(told: Resource) -> tuple[str, str]:
    """Read what a group is to be called, and the directory's id of it. Raises BadScim."""
    name = _text(told, "displayName")
    if not name:
        raise BadScim("displayName is missing.")
    external_id = _text(told, "externalId")
    if max(len(name), len(external_id)) > _LONGEST or not (name + external_id).isprintable():
        raise BadScim(f"displayName and externalId must be texts of at most {_LONGEST} printable characters.")
    return name, external_id


def member_ids(told: Resource) -> frozenset[str]:
    """Read who is to be in a group. Raises BadScim."""
    members = value_of(told, "members") or []
    ids = [value_of(m, "value") for m in members] if isinstance(members, list | tuple) else [None]
    known = frozenset(i for i in ids if isinstance(i, str))
    if not all(isinstance(i, str) for i in ids):
        raise BadScim("members must be a list of {value: id of a user}.")
    return known


# ------------------------------------------------------------------ answers


def listed(found: Sequence[Any], start: int, count: int) -> dict[str, Any]:
    """Render some of what was found, from the ``start``-th on."""
    some = list(found[start - 1 : start - 1 + count])
    return {
        "schemas": [f"{MESSAGES}:ListResponse"],
        "totalResults": len(found),
        "startIndex": start,
        "itemsPerPage": len(some),
        "Resources": some,
    }


def only(resource: dict[str, Any], attributes: str, excluded: str) -> dict[str, Any]:
    """Leave out what was not asked for."""
    wanted, unwanted = _names(attributes), _names(excluded)
    always = {"schemas", "id"}
    return {
        n: v
        for n, v in resource.items()
        if n in always or (n.lower() not in unwanted and (not wanted or n.lower() in wanted))
    }


def _names(text: str) -> set[str]:
    return {name.strip().rpartition(":")[2].partition(".")[0].lower() for name in text.split(",") if name.strip()}


def leaves_out(name: str, attributes: str, excluded: str) -> bool:
    """Tell whether an attribute was not asked for."""
    wanted = _names(attributes)
    return name in _names(excluded) or bool(wanted and name not in wanted)


def error(status: int, detail: str, scim_type: str | None) -> dict[str, Any]:
    """Render a refusal in SCIM's own form."""
    kind = {} if scim_type is None else {"scimType": scim_type}
    return {"schemas": [f"{MESSAGES}:Error"], "status": str(status), **kind, "detail": detail}


# ------------------------------------------------------------------ what there is


def provider_config(base: str) -> dict[str, Any]:
    """Tell what is supported."""
    yes, no = {"supported": True}, {"supported": False}
    return {
        "schemas": [f"{CORE}:ServiceProviderConfig"],
        "patch": yes,
        "bulk": no | {"maxOperations": 0, "maxPayloadSize": 0},
        "filter": yes | {"maxResults": MOST},
        "changePassword": no,
        "sort": no,
        "etag": yes,
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Integration token",
                "description": "A token of the owner's in the Authorization header, as Bearer",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> list[dict[str, Any]]:
    """Tell which resources there are."""
    return [
        {
            "schemas": [f"{CORE}:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }
        for name, schema in (("User", USER), ("Group", GROUP))
    ]


def _attribute(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    usual = {
        "multiValued": False,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }
    return {"name": name, "type": kind, **usual, **more}


_REFERENCES = [
    _attribute("value", mutability="immutable"),
    _attribute("$ref", "reference", mutability="immutable"),
    _attribute("type", mutability="immutable"),
]
_READ_ONLY = {"multiValued": True, "mutability": "readOnly"}
_EMAILS = [_attribute("value"), _attribute("type"), _attribute("primary", "boolean")]
_ATTRIBUTES = {
    USER: [
        _attribute("userName", required=True, uniqueness="server"),
        _attribute("externalId", caseExact=True, uniqueness="server"),
        _attribute("displayName"),
        _attribute("name", "complex", subAttributes=[_attribute("formatted")]),
        _attribute("active", "boolean"),
        _attribute("emails", "complex", multiValued=True, subAttributes=_EMAILS),
        _attribute("groups", "complex", **_READ_ONLY, subAttributes=_REFERENCES),
    ],
    GROUP: [
        _attribute("displayName", required=True, uniqueness="server"),
        _attribute("externalId", caseExact=True, uniqueness="server"),
        _attribute("members", "complex", multiValued=True, subAttributes=_REFERENCES),
    ],
}


def schemas(base: str) -> list[dict[str, Any]]:
    """Tell what is kept of each resource."""
    return [
        {
            "schemas": [f"{CORE}:Schema"],
            "id": schema,
            "name": schema.rpartition(":")[2],
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{schema}"},
        }
        for schema, attributes in _ATTRIBUTES.items()
    ]
