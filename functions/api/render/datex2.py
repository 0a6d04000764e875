"""Charging points as DATEX II version 3 (EnergyInfrastructure) has them: what stands where, and what it is doing.

A site is an EnergyInfrastructureSite, its stations are its EnergyInfrastructureStations (outlets without one stand
together), and an outlet is an ElectricChargingPoint. The order of elements is that of the schema, version 3.5.
"""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from epspot.services.publish_sites import Published
from epspot.site import Outlet
from functions.api.render.ocpi import evse_id, power_w, time

_LANGUAGE, _COUNTRY = "sv", "se"
_MODEL, _TABLE_VERSION = "3", "1"
_SCHEMAS = "http://datex2.eu/schema/3"
_NAMES = {
    "d2": f"{_SCHEMAS}/d2Payload",
    "com": f"{_SCHEMAS}/common",
    "egi": f"{_SCHEMAS}/energyInfrastructure",
    "fac": f"{_SCHEMAS}/facilities",
    "loc": f"{_SCHEMAS}/locationReferencing",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_STATUS = {"free": "available", "plugged": "blocked", "in_use": "charging", "offline": "unknown"}
_TYPE = f"{{{_NAMES['xsi']}}}type"

for _prefix, _name in _NAMES.items():
    ET.register_namespace(_prefix, _name)


def table(sites: Sequence[Published], party: str, now: float) -> str:
    """Render what stands where."""
    payload = _payload("EnergyInfrastructureTablePublication", party, now)
    tables = _add(payload, "egi:energyInfrastructureTable", id=party, version=_TABLE_VERSION)
    for p in sites:
        _site(tables, p, party)
    return _text(payload)


def status(sites: Sequence[Published], party: str, now: float) -> str:
    """Render what the points are doing."""
    payload = _payload("EnergyInfrastructureStatusPublication", party, now)
    of_table = {"targetClass": "egi:EnergyInfrastructureTable"}
    _add(payload, "egi:tableReference", id=party, version=_TABLE_VERSION, **of_table)
    for p in sites:
        _site_status(payload, p)
    return _text(payload)


# ------------------------------------------------------------------ what stands where


def _site(parent: ET.Element, p: Published, party: str) -> None:
    site = _add(parent, "egi:energyInfrastructureSite", id=p.site.id, version=_version(p))
    _multilingual(_add(site, "fac:name"), p.site.name)
    _add(site, "fac:lastUpdated", time(p.changed_at))
    _point(site, p.site.latitude, p.site.longitude)
    if p.operator:
        owner = _add(site, "fac:operator", id=p.site.owner, version="1")
        owner.set(_TYPE, "fac:OrganisationSpecification")
        _multilingual(_add(owner, "fac:name"), p.operator)
    for name, points in _stations(p).items():
        _station(site, p, name, points, party)


def _station(parent: ET.Element, p: Published, name: str, points: Sequence[Outlet], party: str) -> None:
    station = _add(parent, "egi:energyInfrastructureStation", id=_station_id(p, name), version=_version(p))
    if name:
        _multilingual(_add(station, "fac:name"), p.site.station[name].name)
    _point(station, *p.site.place_of(points[0]))
    _add(station, "egi:totalMaximumPower", str(sum(power_w(o) for o in points)))
    _add(station, "egi:authenticationAndIdentificationMethods", "apps")
    _add(station, "egi:numberOfRefillPoints", str(len(points)))
    for o in points:
        _charging_point(station, p, o, party)


def _charging_point(parent: ET.Element, p: Published, o: Outlet, party: str) -> None:
    point = _add(parent, "egi:refillPoint", id=o.id, version=_version(p))
    point.set(_TYPE, "egi:ElectricChargingPoint")
    _multilingual(_add(point, "fac:name"), o.number)
    _add(point, "fac:externalIdentifier", evse_id(o, party))
    _point(point, *p.site.place_of(o))
    _add(point, "egi:deliveryUnit", "kWh")
    _add(point, "egi:usageType", "electricVehicle")
    _add(point, "egi:numberOfConnectors", "1")
    _add(point, "egi:availableChargingPower", str(power_w(o)))
    connector = _add(point, "egi:connector")
    _add(connector, "egi:connectorType", "iec62196T2")
    if len(o.phases) > 1:
        _add(connector, "egi:chargingMode", "mode3AC3p")
    _add(connector, "egi:connectorFormat", "socket")
    _add(connector, "egi:maxPowerAtSocket", str(power_w(o)))
    _add(connector, "egi:maximumCurrent", f"{o.max_a:g}")


def _stations(p: Published) -> Mapping[str, Sequence[Outlet]]:
    found: dict[str, list[Outlet]] = {}
    for o in p.points:
        found.setdefault(o.station or "", []).append(o)
    return found


# ------------------------------------------------------------------ what it is doing


def _site_status(parent: ET.Element, p: Published) -> None:
    site = _add(parent, "egi:energyInfrastructureSiteStatus")
    _refer(site, p, p.site.id)
    _add(site, "fac:lastUpdated", time(p.changed_at))
    for name, points in _stations(p).items():
        station = _add(site, "egi:energyInfrastructureStationStatus")
        _refer(station, p, _station_id(p, name))
        is_there = any(p.state(o) != "offline" for o in points)
        _add(station, "egi:isAvailable", "true" if is_there else "false")
        for o in points:
            point = _add(station, "egi:refillPointStatus")
            point.set(_TYPE, "egi:ElectricChargingPointStatus")
            _refer(point, p, o.id)
            _add(point, "fac:lastUpdated", time(p.updated_at(o)))
            _add(point, "egi:status", _STATUS[p.state(o)])


def _refer(parent: ET.Element, p: Published, what: str) -> None:
    of_facility = {"targetClass": "fac:FacilityObject"}
    _add(parent, "fac:reference", id=what, version=_version(p), **of_facility)


# ------------------------------------------------------------------ parts


def _payload(kind: str, party: str, now: float) -> ET.Element:
    payload = ET.Element(_qualified("d2:payload"), {"lang": _LANGUAGE, "modelBaseVersion": _MODEL})
    payload.set(_TYPE, f"egi:{kind}")
    _add(payload, "com:publicationTime", time(now))
    creator = _add(payload, "com:publicationCreator")
    _add(creator, "com:country", _COUNTRY)
    _add(creator, "com:nationalIdentifier", party)
    return payload


def _point(parent: ET.Element, latitude: float, longitude: float) -> None:
    place = _add(parent, "fac:locationReference")
    place.set(_TYPE, "loc:PointLocation")
    point = _add(_add(place, "loc:pointByCoordinates"), "loc:pointCoordinates")
    _add(point, "loc:latitude", f"{latitude:.6f}")
    _add(point, "loc:longitude", f"{longitude:.6f}")


def _multilingual(parent: ET.Element, text: str) -> None:
    _add(_add(parent, "com:values"), "com:value", text, lang=_LANGUAGE)


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    added = ET.SubElement(parent, _qualified(name), attributes)
    if text is not None:
        added.text = "".join(c for c in text if c.isprintable())  # XML has no place for the others
    return added


def _qualified(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{_NAMES[prefix]}}}{local}"


def _station_id(p: Published, name: str) -> str:
    return f"{p.site.id}/{name or '-'}"


def _version(p: Published) -> str:
    return str(p.site.revision)


def _text(payload: ET.Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(payload, encoding="unicode")
