"""Owners, sites and what stands there: as they are set, and as they are now."""

from typing import Any

from epspot.registry.outlet_table import COLUMNS
from epspot.site import KINDS, PHASES, Principle
from functions.api.schemas.common import AMPERE, EMAIL, FLAG, ID, NAME, TIME, form, listed, maybe, ref, told
from functions.api.schemas.sessions import SCHEMAS as SESSIONS

_NAMED = {
    "type": "string",
    "pattern": "^[a-z0-9][a-z0-9_-]{0,31}$",
    "description": "A name of your own within the site",
}
_FUSE = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$", "description": "As `main` or `g1`"}
_BRIDGE = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$"}
_MODULE = {"type": "string", "pattern": "^[A-Za-z0-9]{1,12}$"}
_NUMBER = {"type": "string", "minLength": 1, "maxLength": 64, "description": "What is printed at the outlet"}
_TEXT = {"type": "string", "maxLength": 200}
_LATITUDE = {"type": "number", "minimum": -90, "maximum": 90}
_LONGITUDE = {"type": "number", "minimum": -180, "maximum": 180}
_SECONDS = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
_SMALL = {"type": "number", "minimum": 0, "maximum": 1000}
_REVISION = {"type": "integer", "minimum": 1}
_AMPERES = {"type": "array", "items": AMPERE, "minItems": 3, "maxItems": 3, "description": "On L1, L2 and L3"}
_LOADS = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3, "description": "On L1, L2 and L3"}
_PRINCIPLE = {"enum": [p.value for p in Principle], "type": "string"}


def _list(items: Any, most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


_WINDOW = form(
    {},
    {
        "days": _list({"type": "integer", "minimum": 0, "maximum": 6}, 7) | {"description": "0 = Monday"},
        "months": _list({"type": "integer", "minimum": 1, "maximum": 12}, 12),
        "start_min": {"type": "integer", "minimum": 0, "maximum": 1439, "description": "Minute of the site's own day"},
        "end_min": {"type": "integer", "minimum": 1, "maximum": 1440},
    },
)
_WINDOWS = _list(ref("Window"), 50)
_PEAK = form(
    {},
    {
        "count": {"type": "integer", "minimum": 1, "maximum": 100},
        "interval_s": {"enum": [900, 3600]},
        "one_a_day": FLAG,
        "windows": _WINDOWS,
        "night": _WINDOWS,
        "night_factor": {"type": "number", "minimum": 0, "maximum": 1},
        "least_w": {"type": "number", "minimum": 0, "maximum": 1e8},
    },
)
_CAP = form(
    {"name": _NAMED},
    {
        "limit_a": maybe(AMPERE),
        "fuse": maybe(_FUSE),
        "windows": _WINDOWS,
        "above_ore": maybe({"type": "number", "minimum": -1e6, "maximum": 1e6}),
        "peak": maybe(ref("PeakTariff")),
    },
)
_POLICY = form(
    {},
    {
        "principle": _PRINCIPLE,
        "standby_a": _SMALL,
        "weights": {
            "type": "object",
            "maxProperties": 200,
            "propertyNames": {"maxLength": 64},
            "additionalProperties": _SMALL,
            "description": "By user group or business model, for the principle `priority`",
        },
        "max_imbalance_a": maybe(AMPERE),
        "unused_margin_a": _SMALL,
        "trips_before_alarm": _SECONDS,
    }
    | dict.fromkeys(
        (
            "turn_s",
            "min_on_s",
            "standby_s",
            "full_s",
            "plug_wait_s",
            "lease_s",
            "interval_s",
            "fast_interval_s",
            "unused_s",
            "wake_s",
            "cool_down_s",
        ),
        _SECONDS,
    ),
)
_GRID = {
    "rating_a": _AMPERES,
    "planning_factor": {"type": "number", "minimum": 0, "maximum": 1},
    "other_a": _AMPERES,
}
_FUSE_REST = {
    "parent": maybe(_FUSE),
    "max_sessions": maybe({"type": "integer", "minimum": 0, "maximum": 1000}),
    "planning_factor": _GRID["planning_factor"],
    "other_a": _AMPERES,
    "principle": maybe(_PRINCIPLE),
}
_GROUP = form({"id": _NAMED, "name": NAME}, {"parent": maybe(_NAMED), "public": FLAG, "tariff": maybe(ID)})
_STATION = form({"id": _NAMED, "name": NAME}, {"latitude": maybe(_LATITUDE), "longitude": maybe(_LONGITUDE)})
_GUARD = form({}, dict.fromkeys(("instant", "seconds", "seconds_a", "seconds_s", "mean"), _SMALL))
_INSTALLED = {"number": _NUMBER, "fuse": _FUSE, "phases": _list({"enum": list(PHASES)}, 3), "max_a": AMPERE}
_INSTALLED_REST = {
    "min_a": AMPERE,
    "modulated": FLAG,
    "kind": {"enum": list(KINDS)},
    "group": maybe(_NAMED),
    "station": maybe(_NAMED),
    "latitude": maybe(_LATITUDE),
    "longitude": maybe(_LONGITUDE),
}
_OUTLET_REST = _INSTALLED_REST | {
    "id": ID,
    "bridge": maybe(_BRIDGE),
    "module": maybe(_MODULE),
    "fallback_a": AMPERE,
    "autostart": FLAG,
    "paid_by": {"enum": ["user", "outlet"]},
    "guard": ref("PowerGuard"),
    "public": FLAG,
    "tariff": maybe(ID),
}
_SITE = {
    "address": _TEXT,
    "latitude": _LATITUDE,
    "longitude": _LONGITUDE,
    "time_zone": {"type": "string", "minLength": 1, "maxLength": 64},
    "price_area": {"type": "string", "minLength": 1, "maxLength": 16},
    "meter_bridge": maybe(_BRIDGE),
    "outline": _list(
        {"type": "array", "items": {"type": "number", "minimum": -180, "maximum": 180}, "minItems": 2, "maxItems": 2},
        200,
    ),
    "policy": ref("Policy"),
    "caps": _list(ref("Cap"), 20),
    "groups": _list(ref("OutletGroup"), 500),
    "stations": _list(ref("Station"), 1000),
    "outlets": _list(ref("Outlet"), 1000),
    "bridges": _list(_BRIDGE, 200),
    "id": {**ID, "description": "Told by us"},
    "owner": {**ID, "description": "Told by us"},
    "revision": _REVISION | {"description": "Told by us"},
}
_FUSES = _list(ref("Fuse"), 500)

_OWNER = {"name": NAME, "organisation_number": {"type": "string", "maxLength": 32}, "email": EMAIL}
_SESSION_OF = {
    "id": ID,
    "phase": {"type": "string"},
    "since": TIME,
    "user": {"type": ["string", "null"], "description": "For those who may know, if asked for with `users`"},
}
_OUTLET_NOW = {
    "id": ID,
    "number": _NUMBER,
    "state": {"enum": ["free", "plugged", "in_use", "offline"]},
    "allowance_a": {"type": "number"},
    "limited_by": {"type": ["string", "null"]},
    "current_a": {"type": ["array", "null"], "items": {"type": "number"}},
    "power_w": {"type": ["number", "null"]},
    "energy_wh": {"type": ["integer", "null"], "description": "The module's register"},
    "temperature_c": {"type": ["number", "null"]},
    "session": {"anyOf": [told(_SESSION_OF), {"type": "null"}]},
}
_CHANGE = {"number": {"type": "string"}, "line": {"type": "integer"}}

_ON_REVOKE = {
    "enum": ["let_finish", "stop"],
    "description": "What becomes of a running session whose user loses the right to it; left out: it may finish",
}

SCHEMAS: dict[str, Any] = {
    # ---------------------------------------------------------------- owners
    "OwnerForm": form(
        {"name": NAME},
        {"organisation_number": _OWNER["organisation_number"], "email": EMAIL, "on_revoke": _ON_REVOKE},
    ),
    "Owner": told({"id": ID} | _OWNER | {"email": {"type": "string"}, "on_revoke": _ON_REVOKE, "made_at": TIME}),
    "OwnerName": told({"id": ID, "name": {"type": "string"}}),
    "OwnerNames": listed("OwnerName"),
    "AuditLine": told(
        {
            "id": ID,
            "at": TIME,
            "by": {"type": "string", "description": "`user:<id>`, `token:<id>` or `system`"},
            "what": {"type": "string"},
            "scope": {"type": "string"},
            "about": {"type": "string"},
            "before": {"type": ["object", "null"]},
            "after": {"type": ["object", "null"]},
        }
    ),
    "AuditLines": listed("AuditLine"),
    # ---------------------------------------------------------------- what is set
    "Window": _WINDOW,
    "PeakTariff": _PEAK,
    "Cap": _CAP,
    "Policy": _POLICY,
    "Fuse": form({"id": _FUSE, "rating_a": _AMPERES}, _FUSE_REST),
    "OutletGroup": _GROUP,
    "Station": _STATION,
    "PowerGuard": _GUARD,
    "Outlet": form(_INSTALLED, _OUTLET_REST),
    "OutletBindingForm": form(_INSTALLED | {"bridge": _BRIDGE, "module": _MODULE}, _INSTALLED_REST),
    "ModuleForm": form({"bridge": _BRIDGE, "module": _MODULE}),
    "GridConnection": form({"rating_a": _AMPERES}, {n: _GRID[n] for n in ("planning_factor", "other_a")}),
    "Site": form({"name": NAME, "fuses": _FUSES}, _SITE),
    "NewSiteForm": form(
        {"name": NAME, "latitude": _LATITUDE, "longitude": _LONGITUDE},
        {n: v for n, v in _SITE.items() if n not in ("latitude", "longitude")}
        | {"fuses": _FUSES, "grid_connection": ref("GridConnection")},
    ),
    "SiteName": told({"id": ID, "owner": ID, "name": {"type": "string"}}),
    "SiteNames": listed("SiteName"),
    "SiteRevision": told(
        {
            "revision": _REVISION,
            "at": maybe(TIME),
            "by": {"type": ["string", "null"]},
            "what": {"type": ["string", "null"]},
        }
    ),
    "SiteRevisions": listed("SiteRevision"),
    # ---------------------------------------------------------------- tables
    "OutletTable": {
        "type": "string",
        "maxLength": 1_000_000,
        "description": f"CSV in UTF-8 with the columns {', '.join(COLUMNS)}; separated by commas, semicolons or tabs",
    },
    "OutletTableChange": told(
        {
            "added": _list(told(_CHANGE), 1000),
            "changed": _list(told({"id": ID} | _CHANGE | {"fields": _list({"type": "string"}, 100)}), 1000),
            "removed": _list(told({"id": ID, "number": {"type": "string"}}), 1000),
            "problems": {"type": "array", "items": {"type": "string"}, "description": "Each by its line"},
        }
    ),
    # ---------------------------------------------------------------- installation
    "BridgeInvitation": told(
        {
            "id": ID,
            "code": {"type": ["string", "null"], "description": "Told once: a repeated request gets null"},
            "invited_until": maybe(TIME),
        }
    ),
    "Bridge": told(
        {
            "id": ID,
            "state": {"enum": ["invited", "claimed", "heard", "silent"]},
            "heard_at": maybe(TIME),
            "outlets": _list(ID, 1000),
            "found": _list(_MODULE, 1000) | {"description": "Modules that answer and stand in no configuration"},
            "serial": {"type": ["string", "null"]},
            "invited_until": maybe(TIME),
        }
    ),
    "Bridges": listed("Bridge"),
    # ---------------------------------------------------------------- what is
    "OutletNow": told(_OUTLET_NOW),
    "FuseNow": told({"id": ID, "parent": maybe(ID), "rating_a": _AMPERES, "measured_a": _LOADS, "planned_a": _LOADS}),
    "AlarmNow": told(
        {
            "code": {"type": "string"},
            "about": {"type": "string"},
            "label": {"type": "string", "description": "What people call what it is about, such as an outlet's number"},
            "since": TIME,
            "severity": {"enum": ["info", "warning", "serious", "danger"]},
            "title": {"type": "string"},
            "text": {"type": "string", "description": "What it is and what to do, in the caller's language"},
        }
    ),
    "AlarmsNow": listed("AlarmNow"),
    "SiteSession": told(SESSIONS["SessionRecord"]["properties"] | {"user": _SESSION_OF["user"]}),
    "SiteSessions": listed("SiteSession"),
    "SiteNow": told(
        {
            "id": ID,
            "name": {"type": "string"},
            "at": TIME,
            "outlets": _list(ref("OutletNow"), 1000),
            "fuses": _list(ref("FuseNow"), 500),
            "alarms": {"type": "array", "items": ref("AlarmNow")},
            "bridges": {"type": "array", "items": ref("Bridge")},
        }
    ),
}
