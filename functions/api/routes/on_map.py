"""Outlets on a map: within a box, or within a distance of a place."""

from collections.abc import Mapping
from typing import Any

from epspot.errors import InvalidRequest
from epspot.services.find_outlets import Area, find_outlets
from epspot.services.keep_tariffs import Newest
from epspot.services.tell_prices import Offers
from epspot.site.cells import Box, Circle
from functions.api.caching import cached
from functions.api.calls import Call, page
from functions.api.operations import Query, operation
from functions.api.render import on_map as render

_TAG = "Map"
_LATITUDE = {"type": "number", "minimum": -90, "maximum": 90}
_LONGITUDE = {"type": "number", "minimum": -180, "maximum": 180}
_BOX = ("west", "south", "east", "north")
_CIRCLE = ("latitude", "longitude", "distance_m")
_AREA = (
    Query("west", "The box: its western edge in degrees", _LONGITUDE),
    Query("south", "Its southern edge", _LATITUDE),
    Query("east", "Its eastern edge; less than west if the box goes over the 180th meridian", _LONGITUDE),
    Query("north", "Its northern edge", _LATITUDE),
    Query("latitude", "Or the place to look around, in degrees", _LATITUDE),
    Query("longitude", "Likewise", _LONGITUDE),
    Query("distance_m", "How far around it", {"type": "number", "minimum": 1, "maximum": 500_000}),
)


@operation(
    "GET",
    "/v1/public/outlets",
    "List the public outlets in a part of the map; a page may hold fewer than it could, or none, and yet not be the last",
    tag=_TAG,
    guests=True,
    answer="OutletsOnMap",
    query=_AREA,
    paged=True,
    also=(304,),
)
def list_public_outlets(call: Call) -> Any:
    """List outlets for guests."""
    found, next_ = find_outlets(call.world.gate, _area(call.query), call.limit, call.cursor)
    offers = Offers(Newest(call.world.registry), call.actor.at)
    return cached(call, page([render.outlet(f, offers.of(f.site, f.outlet, f.spot)) for f in found], next_))


@operation(
    "GET",
    "/v1/outlets",
    "List the outlets in a part of the map that are public or that one may use; pages are as for guests",
    tag=_TAG,
    answer="OutletsOnMyMap",
    query=_AREA,
    paged=True,
)
def list_outlets_on_map(call: Call) -> Any:
    """List outlets for somebody who is signed in."""
    found, next_ = find_outlets(call.world.gate, _area(call.query), call.limit, call.cursor, call.caller)
    offers = Offers(Newest(call.world.registry), call.actor.at)
    return page([render.outlet_for(f, offers.of(f.site, f.outlet, f.spot)) for f in found], next_)


def _area(query: Mapping[str, Any]) -> Area:
    """Read which part of the map is meant. Raises InvalidRequest."""
    told = {name for name in (*_BOX, *_CIRCLE) if name in query}
    if told == {*_CIRCLE}:
        return Circle(*(query[name] for name in _CIRCLE))
    if told == {*_BOX} and query["south"] <= query["north"]:
        return Box(*(query[name] for name in _BOX))
    raise InvalidRequest(
        "Tell either a box (west, south, east, north, with south below north) or a place to look around "
        "(latitude, longitude, distance_m)."
    )
