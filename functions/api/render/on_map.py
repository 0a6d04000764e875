"""How outlets look on a map."""

from typing import Any

from epspot.services.find_outlets import Found
from epspot.services.tell_prices import Offer
from functions.api.render import tariffs as render


def outlet(f: Found, offer: Offer | None) -> dict[str, Any]:
    """Render an outlet with what it asks for."""
    o, site = f.outlet, f.site
    latitude, longitude = f.place
    station = None if o.station is None else site.station[o.station]
    told = {
        "id": o.id,
        "number": o.number,
        "kind": o.kind,
        "site": {"id": site.id, "name": site.name, "address": site.address},
        "station": None if station is None else {"id": station.id, "name": station.name},
        "latitude": latitude,
        "longitude": longitude,
        "state": f.state,
        "max_a": o.max_a,
        "phases": len(o.phases),
        "tariff": site.tariff_of(o),
        "price": render.offer(offer),
    }
    return told if f.distance_m is None else told | {"distance_m": round(f.distance_m)}


def outlet_for(f: Found, offer: Offer | None) -> dict[str, Any]:
    """Render an outlet for somebody who is signed in."""
    return outlet(f, offer) | {"may_use": f.may_use}
