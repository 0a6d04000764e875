"""Charging points that everyone may use, as open data: OCPI 2.2.1 (read side) and DATEX II."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import inf
from typing import Any
from urllib.parse import urlencode

from epspot.errors import InvalidRequest, NotFound
from epspot.services.publish_sites import MOST_SITES, Published, published_site, published_sites, published_tariffs
from functions.api.calls import Answer, Call
from functions.api.operations import Query, operation
from functions.api.render import datex2, ocpi, ocpi_tariffs

_TAG = "Public data"
_OCPI = "/v1/public/ocpi"
_DATEX = "/v1/public/datex2"
_XML = "application/xml; charset=utf-8"
_KEPT = {"Cache-Control": "public, max-age=30"}
_TIME: Mapping[str, Any] = {"type": "string", "maxLength": 40}
_OFFSET = Query("offset", "How many are left out", {"type": "integer", "minimum": 0, "maximum": 10_000_000})
_LIMIT = Query("limit", f"How many at most; never more than {MOST_SITES}", {"type": "integer", "minimum": 1})
_FROM = Query("date_from", "Only what was written at or after this time; UTC unless it says otherwise", _TIME)
_TO = Query("date_to", "Only what was written before this time", _TIME)


@operation("GET", f"{_OCPI}/versions", "List the versions of OCPI", tag=_TAG, guests=True, answer="OcpiVersions")
def list_ocpi_versions(call: Call) -> Any:
    """List the one version."""
    return _ocpi(call, [{"version": "2.2.1", "url": _url(call, f"{_OCPI}/2.2.1")}])


@operation("GET", f"{_OCPI}/2.2.1", "List what there is of OCPI 2.2.1", tag=_TAG, guests=True, answer="OcpiVersion")
def show_ocpi_version(call: Call) -> Any:
    """List the modules."""
    modules = [
        {"identifier": name, "role": "SENDER", "url": _url(call, f"{_OCPI}/2.2.1/{name}")}
        for name in ("locations", "tariffs")
    ]
    return _ocpi(call, {"version": "2.2.1", "endpoints": modules})


@operation(
    "GET",
    f"{_OCPI}/2.2.1/locations",
    "List the sites with public charging points; X-Total-Count counts those of all dates",
    tag=_TAG,
    guests=True,
    answer="OcpiLocations",
    query=(_FROM, _TO, _OFFSET, _LIMIT),
)
def list_ocpi_locations(call: Call) -> Any:
    """List Locations; a page has fewer of them than it could where others were written at other times."""
    since, before = _time(call, "date_from", -inf), _time(call, "date_to", inf)
    sites, headers = _page(call)
    told = [ocpi.location(p, call.world.party_id) for p in sites if since <= p.changed_at < before]
    return _ocpi(call, told, headers)


@operation(
    "GET",
    f"{_OCPI}/2.2.1/locations/{{location}}",
    "Show a site with public charging points",
    tag=_TAG,
    guests=True,
    answer="OcpiOneLocation",
)
def show_ocpi_location(call: Call) -> Any:
    """Show a Location."""
    return _found(call, lambda p: ocpi.location(p, call.world.party_id))


@operation(
    "GET",
    f"{_OCPI}/2.2.1/locations/{{location}}/{{evse}}",
    "Show a public charging point",
    tag=_TAG,
    guests=True,
    answer="OcpiOneEvse",
)
def show_ocpi_evse(call: Call) -> Any:
    """Show an EVSE."""
    wanted = call.params["evse"]
    return _found(
        call, lambda p: next((ocpi.evse(p, o, call.world.party_id) for o in p.points if o.id == wanted), None)
    )


@operation(
    "GET",
    f"{_OCPI}/2.2.1/locations/{{location}}/{{evse}}/{{connector}}",
    "Show the connector of a public charging point",
    tag=_TAG,
    guests=True,
    answer="OcpiOneConnector",
)
def show_ocpi_connector(call: Call) -> Any:
    """Show a Connector."""
    evse, wanted = call.params["evse"], call.params["connector"]
    return _found(
        call,
        lambda p: next((ocpi.connector(p, o) for o in p.points if o.id == evse and wanted == ocpi.CONNECTOR), None),
    )


@operation(
    "GET",
    f"{_OCPI}/2.2.1/tariffs",
    "List the tariffs of public charging points",
    tag=_TAG,
    guests=True,
    answer="OcpiTariffs",
    query=(_FROM, _TO, _OFFSET, _LIMIT),
)
def list_ocpi_tariffs(call: Call) -> Any:
    """List Tariffs; a page has fewer of them than it could where OCPI has no form for some."""
    since, before = _time(call, "date_from", -inf), _time(call, "date_to", inf)
    offset, limit = _bounds(call)
    found, total = published_tariffs(call.world.gate, offset, limit)
    now = call.actor.at
    told = [
        ocpi_tariffs.tariff(v, call.world.party_id, now)
        for v in found
        if since <= ocpi_tariffs.updated_at(v, now) < before
    ]
    return _ocpi(call, told, _headers(call, offset, limit, total))


@operation(
    "GET",
    f"{_DATEX}/energy-infrastructure.xml",
    "List the sites with public charging points as DATEX II v3 has them",
    tag=_TAG,
    guests=True,
    media=_XML,
    query=(_OFFSET, _LIMIT),
)
def export_datex2_table(call: Call) -> Any:
    """Tell what stands where."""
    sites, headers = _page(call)
    return Answer(datex2.table(sites, call.world.party_id, call.actor.at), headers=_KEPT | headers)


@operation(
    "GET",
    f"{_DATEX}/energy-infrastructure-status.xml",
    "List what the public charging points are doing as DATEX II v3 has it",
    tag=_TAG,
    guests=True,
    media=_XML,
    query=(_OFFSET, _LIMIT),
)
def export_datex2_status(call: Call) -> Any:
    """Tell what is free."""
    sites, headers = _page(call)
    return Answer(datex2.status(sites, call.world.party_id, call.actor.at), headers=_KEPT | headers)


# ------------------------------------------------------------------ OCPI's own forms


def _ocpi(call: Call, data: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(ocpi.envelope(data, call.actor.at), headers=_KEPT | dict(headers or {}))


def _found(call: Call, render: Callable[[Published], dict[str, Any] | None]) -> Answer:
    """Show something of a site. Raises NotFound."""
    site = published_site(call.world.gate, call.params["location"])
    told = None if site is None else render(site)
    if told is None:
        raise NotFound("There is no such public charging point.", "Det finns ingen sådan publik laddpunkt.")
    return _ocpi(call, told)


def _page(call: Call) -> tuple[list[Published], dict[str, str]]:
    """Read a page of sites, with the headers that tell of all of them."""
    offset, limit = _bounds(call)
    sites, total = published_sites(call.world.gate, offset, limit)
    return sites, _headers(call, offset, limit, total)


def _bounds(call: Call) -> tuple[int, int]:
    return call.query.get("offset", 0), min(call.query.get("limit", MOST_SITES), MOST_SITES)


def _headers(call: Call, offset: int, limit: int, total: int) -> dict[str, str]:
    """Tell of the whole list, and where it goes on."""
    headers = {"X-Total-Count": str(total), "X-Limit": str(MOST_SITES)}
    if offset + limit < total:
        asked = {name: call.query[name] for name in ("date_from", "date_to") if name in call.query}
        query = urlencode(asked | {"offset": offset + limit, "limit": limit}, safe=":")
        headers["Link"] = f'<{_url(call, call.operation.path)}?{query}>; rel="next"'
    return headers


def _url(call: Call, path: str) -> str:
    """Make an address that can be asked for: where the app is the API is too, else as the gateway is called."""
    if call.world.app_url:
        return f"{call.world.app_url}/api{path}"
    context = call.request.context
    host = context.get("domainName") or call.request.headers.get("host", "localhost")
    scheme = call.request.headers.get("x-forwarded-proto", "https")
    return f"{scheme}://{host}/{context.get('stage', 'api')}{path}"


def _time(call: Call, name: str, otherwise: float) -> float:
    """Read a time in epoch seconds; it is UTC unless it tells its time zone. Raises InvalidRequest."""
    if name not in call.query:
        return otherwise
    try:
        at = datetime.fromisoformat(call.query[name].replace(" ", "+"))  # a plus that nobody has escaped
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidRequest(f"{name} must be a time such as 2026-01-05T08:00:00Z.") from None
