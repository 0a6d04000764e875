"""Integration tokens: how other systems are let in."""

from epspot.access import Capability
from functions.api.schemas.common import ID, NAME, SCOPE, TIME, form, listed, maybe, told

_CAPABILITIES = {
    "type": "array",
    "items": {"enum": [c.value for c in Capability]},
    "minItems": 1,
    "maxItems": len(Capability),
    "uniqueItems": True,
}
_PER_MINUTE = {"type": "integer", "minimum": 1, "maximum": 6000}

_KNOWN = {
    "id": ID,
    "name": NAME,
    "capabilities": _CAPABILITIES,
    "scope": SCOPE,
    "state": {"enum": ["active", "over", "revoked"]},
    "made_at": TIME,
    "ends_at": maybe(TIME),
    "revoked_at": maybe(TIME),
    "used_at": {**maybe(TIME), "description": "When it was last used, to the hour"},
    "per_minute": _PER_MINUTE,
}

SCHEMAS = {
    "TokenForm": form(
        {"name": NAME, "capabilities": _CAPABILITIES},
        {"scope": SCOPE, "ends_at": maybe(TIME), "per_minute": _PER_MINUTE},
    ),
    "Token": told(_KNOWN),
    "NewToken": told(
        _KNOWN
        | {"token": {"type": ["string", "null"], "description": "Shown this once; null when the request is repeated"}}
    ),
    "Tokens": listed("Token"),
}
