"""Who may do what: grants, user groups, members and access codes."""

from epspot.access import Role
from functions.api.schemas.common import (
    EMAIL,
    FLAG,
    ID,
    NAME,
    SCOPE,
    TEXT,
    TIME,
    VALIDITY,
    form,
    listed,
    maybe,
    ref,
    told,
)

MOST_MEMBERS = 1000
_ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
_EXTERNAL = {
    "type": "string",
    "pattern": "^[^\\u0000-\\u001f#]{1,120}$",
    "description": "The id that the system has which knows the member",
}
_IDS = {"type": "array", "items": _ID, "maxItems": 50, "uniqueItems": True}
_TEXTS = {"type": "array", "items": TEXT}

_MEMBER = {
    "name": {"type": "string", "maxLength": 120},
    "groups": {**_IDS, "description": "Ids of user groups"},
    "active": FLAG,
    **VALIDITY,
}
_MEMBER_TOLD = {
    "id": ID,
    "external_id": maybe(TEXT),
    "email": TEXT,
    "name": TEXT,
    "groups": _TEXTS,
    "active": FLAG,
    **VALIDITY,
    "made_at": TIME,
}
_GIVEN_BY_CODE = [role.value for role in Role if role is not Role.OWNER_ADMIN]
_DAYS = {"type": "integer", "minimum": 1, "maximum": 3660}

SCHEMAS = {
    # ------------------------------------------------------------ grants
    "GrantSubject": {
        **form({}, {"user": _ID, "email": EMAIL, "group": _ID}),
        "minProperties": 1,
        "maxProperties": 1,
        "description": "A user's id, whoever proves to have an address, or the id of a user group",
    },
    "GrantForm": form(
        {"subject": ref("GrantSubject"), "role": {"enum": [role.value for role in Role]}, "scope": SCOPE}, VALIDITY
    ),
    "Grant": told(
        {
            "id": TEXT,
            "subject": {
                "type": "object",
                "properties": {"user": TEXT, "email": TEXT, "email_hash": TEXT, "group": TEXT},
                "description": "One of these; `email_hash` where the address is not known any more",
            },
            "role": TEXT,
            "scope": TEXT,
            **VALIDITY,
            "source": {"type": "string", "description": "`dashboard`, `code:<id>` or `api:<token>`: what gave it"},
            "made_at": TIME,
        }
    ),
    "Grants": listed("Grant"),
    # ------------------------------------------------------------ user groups
    "UserGroupForm": form({"name": NAME}, {"external_id": maybe(_EXTERNAL)}),
    "UserGroup": told({"id": ID, "name": TEXT, "external_id": maybe(TEXT)}),
    "UserGroups": listed("UserGroup"),
    # ------------------------------------------------------------ members
    "MemberForm": form({"email": EMAIL}, _MEMBER),
    "MemberInList": form({"external_id": _EXTERNAL, "email": EMAIL}, _MEMBER),
    "Member": told(_MEMBER_TOLD),
    "MemberPut": told({**_MEMBER_TOLD, "changed": {**_TEXTS, "description": "What is different now"}}),
    "Members": listed("Member"),
    "MembersForm": form(
        {"members": {"type": "array", "items": ref("MemberInList"), "maxItems": MOST_MEMBERS}},
        {"remove_others": {**FLAG, "description": "Take those away that are not in the list"}},
    ),
    "MembersPut": told(
        {
            "preview": {**FLAG, "description": "Nothing was changed"},
            "added": {**_TEXTS, "description": "External ids; our own id of who has none"},
            "changed": _TEXTS,
            "removed": _TEXTS,
            "unchanged": _TEXTS,
            "left": {**_TEXTS, "description": "What is still to be done: send the same again"},
            "done": {**FLAG, "description": "The members stand as they were sent"},
        }
    ),
    # ------------------------------------------------------------ access codes
    "AccessCodeForm": form(
        {"scope": SCOPE, "uses": {"type": "integer", "minimum": 1, "maximum": 100_000}, "ends_at": TIME},
        {
            "role": {"enum": _GIVEN_BY_CODE},
            "begins_at": maybe(TIME),
            "grant_days": maybe({**_DAYS, "description": "How long the right lasts that it gives"}),
        },
    ),
    "AccessCode": told(
        {
            "id": ID,
            "code": {"type": "string", "description": "As it is printed; case and hyphens don't matter"},
            "scope": TEXT,
            "role": TEXT,
            "uses": {"type": "integer"},
            "used": {"type": "integer"},
            **VALIDITY,
            "grant_days": {"type": ["integer", "null"]},
            "state": {"enum": ["open", "early", "used_up", "over", "ended"]},
            "made_at": TIME,
        }
    ),
    "AccessCodes": listed("AccessCode"),
    "RedeemForm": form({"code": {"type": "string", "minLength": 1, "maxLength": 64}}),
}
