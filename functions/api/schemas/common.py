"""What all areas of the API have in common, and the words that schemas are made of."""

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

TIME: Schema = {"type": "string", "format": "date-time", "maxLength": 40}
"""With its time zone."""
NAME: Schema = {"type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f]{1,120}$"}
"""Without control characters: it may stand in a mail or in a line of a list."""
ID: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
_AT_WORD = "[^@\\s\\u0000-\\u001f\\u007f]"
EMAIL: Schema = {"type": "string", "pattern": f"^{_AT_WORD}+@{_AT_WORD}+\\.{_AT_WORD}+$", "maxLength": 254}
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
AMPERE: Schema = {"type": "number", "minimum": 0, "maximum": 10_000}


def ref(name: str) -> Schema:
    """Refer to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: Schema) -> Schema:
    """Let null stand for nothing."""
    kind = schema.get("type")
    if kind is None:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [kind, "null"]} | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def form(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> Schema:
    """Make an object of a body: what is not named here is refused."""
    found: Schema = {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }
    return found


def told(properties: Mapping[str, Any], optional: Sequence[str] = ()) -> Schema:
    """Make an object of an answer: everything is there but what is optional; more may come with later versions."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
    }


def listed(name: str) -> Schema:
    """Make a page of things."""
    cursor = {"type": ["string", "null"], "description": "`cursor` of the next page; null: this is the last"}
    return told({"items": {"type": "array", "items": ref(name)}, "next": cursor})


VALIDITY = {"begins_at": maybe(TIME), "ends_at": maybe(TIME)}
SCOPE: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "description": "`owner/<id>`, `site/<id>`, `group/<site>/<group>` or `outlet/<id>`",
}

SCHEMAS: Mapping[str, Schema] = {
    "Problem": told(
        {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "Stable, for programs"},
            "detail": {"type": "string", "description": "What is wrong and what to do, in the caller's language"},
            "request_id": {"type": ["string", "null"]},
            "problems": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Every reason, where there are several",
            },
        },
        optional=("problems",),
    ),
    "Anything": {"type": "object"},
    "Health": told({"status": {"type": "string"}}),
}
