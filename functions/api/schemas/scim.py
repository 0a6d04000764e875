"""SCIM 2.0 (RFC 7643): what directories send, which is more than we keep; what is not kept is not refused."""

from functions.api.schemas.common import told

_URNS = {"type": "array", "items": {"type": "string"}}
_RESOURCE = {"type": "object", "additionalProperties": True}

SCHEMAS = {
    "ScimUserForm": {**_RESOURCE, "properties": {"userName": {"type": "string", "minLength": 1, "maxLength": 254}}},
    "ScimGroupForm": {**_RESOURCE, "properties": {"displayName": {"type": "string", "minLength": 1, "maxLength": 120}}},
    "ScimPatch": {
        **_RESOURCE,
        "properties": {"Operations": {"type": "array", "items": _RESOURCE, "minItems": 1, "maxItems": 1000}},
        "required": ["Operations"],
    },
    "ScimResource": {**told({"schemas": _URNS}), "additionalProperties": True},
    "ScimError": told(
        {"schemas": _URNS, "status": {"type": "string"}, "scimType": {"type": "string"}, "detail": {"type": "string"}},
        optional=("scimType",),
    ),
    "ScimList": told(
        {
            "schemas": _URNS,
            "totalResults": {"type": "integer"},
            "startIndex": {"type": "integer"},
            "itemsPerPage": {"type": "integer"},
            "Resources": {"type": "array", "items": _RESOURCE},
        }
    ),
}
