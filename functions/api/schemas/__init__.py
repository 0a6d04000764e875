"""The forms of bodies and answers, as JSON Schemas by name: what comes in is checked against them, and they document it."""

from collections.abc import Mapping
from typing import Any

from functions.api.schemas import (
    access,
    common,
    live,
    on_map,
    public_data,
    scim,
    sessions,
    sites,
    tariffs,
    tokens,
    users,
    webhooks,
)

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    **access.SCHEMAS,
    **common.SCHEMAS,
    **live.SCHEMAS,
    **on_map.SCHEMAS,
    **public_data.SCHEMAS,
    **scim.SCHEMAS,
    **sessions.SCHEMAS,
    **sites.SCHEMAS,
    **tariffs.SCHEMAS,
    **tokens.SCHEMAS,
    **users.SCHEMAS,
    **webhooks.SCHEMAS,
}
