"""Sessions and outlets as their users see them."""

from functions.api.schemas.common import AMPERE, FLAG, ID, TIME, Schema, form, listed, maybe, ref, told

_ENERGY: Schema = {"type": "integer", "description": "Wh"}
_WISHES = {
    "start_at": maybe(TIME),
    "ready_by": maybe(TIME),
    "needs_wh": maybe(_ENERGY),
    "until_wh": maybe(_ENERGY),
    "until": maybe(TIME),
    "cheapest": FLAG,
    "heats_engine": FLAG,
}
_REFERENCE = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "description": "What the system that starts the session calls it; the webhooks tell it",
}
_RECORD = {
    "id": ID,
    "outlet": ID,
    "number": {"type": "string"},
    "state": {"enum": ["planned", "queued", "active", "paused", "stopping", "ended"]},
    "requested_at": TIME,
    "ended_at": maybe(TIME),
    "reason": {"type": ["string", "null"]},
    "energy_wh": {"type": "integer"},
    "start_wh": {"type": ["integer", "null"]},
    "end_wh": {"type": ["integer", "null"]},
    "cut_short": FLAG,
    "reference": maybe(_REFERENCE),
}

SCHEMAS = {
    "Wishes": form({}, _WISHES),
    "SessionForm": form({"outlet": ID}, _WISHES | {"reference": _REFERENCE}),
    "SessionRecord": told(_RECORD),
    "Session": told(
        _RECORD
        | {
            "allowance_a": AMPERE,
            "current_a": {"type": "array", "items": {"type": "number"}},
            "power_w": {"type": "number"},
            "position": {"type": ["integer", "null"]},
            "limited_by": {"type": ["string", "null"]},
            "measured_at": maybe(TIME),
            "expected_at": maybe(TIME),
            "expected_latest_at": maybe(TIME),
            "begins_at": maybe(TIME),
            "wishes": told(_WISHES),
            "tariff": {"type": ["string", "null"], "description": "Its tariff and which version: `<id>/<version>`"},
            "cost_ore": {
                "type": ["integer", "null"],
                "description": "So far, VAT included; null: it has no tariff, or a spot price is not known any more",
            },
            "cost_is_estimate": {**FLAG, "description": "Its energy is taken to be even over its time"},
        }
    ),
    "Sessions": listed("SessionRecord"),
    "OutletState": told(
        {
            "id": ID,
            "number": {"type": "string"},
            "site": told({"id": ID, "name": {"type": "string"}}),
            "state": {"enum": ["free", "plugged", "in_use", "offline"]},
            "max_a": AMPERE,
            "phases": {"enum": [1, 3]},
            "price": maybe(ref("PriceNow")),
        }
    ),
    "OutletStates": listed("OutletState"),
}
