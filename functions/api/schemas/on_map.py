"""Outlets on a map."""

from functions.api.schemas.common import AMPERE, FLAG, ID, listed, maybe, ref, told

_NAMED = {"id": ID, "name": {"type": "string"}}
_OUTLET = {
    "id": ID,
    "number": {"type": "string"},
    "kind": {"enum": ["car", "motor_heater", "camping", "marina", "other"]},
    "site": told(_NAMED | {"address": {"type": "string"}}),
    "station": maybe(told(_NAMED)),
    "latitude": {"type": "number"},
    "longitude": {"type": "number"},
    "state": {"enum": ["free", "plugged", "in_use", "offline"]},
    "max_a": AMPERE,
    "phases": {"enum": [1, 3]},
    "tariff": {"type": ["string", "null"], "description": "The id of its tariff, of its own or of its nearest group"},
    "price": maybe(ref("PriceNow")),
    "distance_m": {"type": "integer", "description": "Where a distance was asked for"},
}

SCHEMAS = {
    "OutletOnMap": told(_OUTLET, optional=("distance_m",)),
    "OutletOnMyMap": told(_OUTLET | {"may_use": FLAG}, optional=("distance_m",)),
    "OutletsOnMap": listed("OutletOnMap"),
    "OutletsOnMyMap": listed("OutletOnMyMap"),
}
