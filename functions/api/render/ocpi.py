"""Charging points as OCPI 2.2.1 has them: a site is a Location, an outlet an EVSE with one Connector."""

from datetime import UTC, datetime
from typing import Any

from epspot.services.publish_sites import Published
from epspot.site import Outlet
from functions.api.render.addresses import parts_of

COUNTRY, COUNTRY_3 = "SE", "SWE"
CONNECTOR = "1"
_VOLT = 230
_STATUS = {"free": "AVAILABLE", "plugged": "BLOCKED", "in_use": "CHARGING", "offline": "UNKNOWN"}
"""A cable that nobody has started with keeps others away."""


def envelope(data: Any, now: float) -> dict[str, Any]:
    """Put an answer into OCPI's own form; a refusal has that of the rest of the API."""
    return {"data": data, "status_code": 1000, "status_message": "Success", "timestamp": time(now)}


def location(p: Published, party: str) -> dict[str, Any]:
    """Render a site."""
    site = p.site
    address = parts_of(site.address, site.name)
    told = {
        "country_code": COUNTRY,
        "party_id": party,
        "id": site.id,
        "publish": True,
        "name": site.name,
        "address": address.street[:45],
        "city": address.city[:45],
        "country": COUNTRY_3,
        "coordinates": _coordinates(site.latitude, site.longitude),
        "evses": [evse(p, o, party) for o in p.points],
        "time_zone": site.time_zone,
        "last_updated": time(p.changed_at),
    }
    if address.postal_code is not None:
        told["postal_code"] = address.postal_code
    return told | ({"operator": {"name": p.operator[:100]}} if p.operator else {})


def evse(p: Published, o: Outlet, party: str) -> dict[str, Any]:
    """Render an outlet."""
    return {
        "uid": o.id,
        "evse_id": evse_id(o, party),
        "status": _STATUS[p.state(o)],
        "connectors": [connector(p, o)],
        "coordinates": _coordinates(*p.site.place_of(o)),
        "physical_reference": o.number[:16],
        "last_updated": time(p.updated_at(o)),
    }


def connector(p: Published, o: Outlet) -> dict[str, Any]:
    """Render what a car is plugged into: a Type 2 socket, as the directive asks of AC charging points."""
    told = {
        "id": CONNECTOR,
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_1_PHASE" if len(o.phases) == 1 else "AC_3_PHASE",
        "max_voltage": _VOLT,
        "max_amperage": int(o.max_a),
        "max_electric_power": power_w(o),
        "last_updated": time(p.updated_at(o)),
    }
    tariff = p.site.tariff_of(o)
    return told | ({"tariff_ids": [tariff]} if tariff in p.tariffs else {})


def evse_id(o: Outlet, party: str) -> str:
    """Name an outlet as eMI3 has it: letters, digits and stars."""
    name = "".join(c if c.isascii() and c.isalnum() else "*" for c in o.id.upper())
    return f"{COUNTRY}*{party}*E{name}"[:48]


def power_w(o: Outlet) -> int:
    """Tell the most power that an outlet gives."""
    return int(o.max_a * _VOLT * len(o.phases))


def time(at: float) -> str:
    """Render a time as OCPI has it: UTC in whole seconds, rounded down."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def _coordinates(latitude: float, longitude: float) -> dict[str, str]:
    return {"latitude": f"{latitude:.6f}", "longitude": f"{longitude:.6f}"}
