"""Charging points as open data: OCPI 2.2.1 and DATEX II."""

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epspot.control.events import StartRequested
from epspot.registry.kinds import Put
from epspot.registry.records import OWNER, Owner
from epspot.services import publish_sites
from epspot.services.advance import advance
from epspot.services.change_site import edit_site
from epspot.services.register_site import register_site
from epspot.site import Site, Station
from functions.api.calls import validator
from functions.api.operations import OPERATIONS
from functions.api.render.addresses import Address, parts_of
from tests.unit.functions.asking import Answer, Asker
from tests.unit.services.house import House, site_of

OCPI = "/v1/public/ocpi/2.2.1"
DATEX = "/v1/public/datex2"
TABLE, STATUS = f"{DATEX}/energy-infrastructure.xml", f"{DATEX}/energy-infrastructure-status.xml"
SPACES = {
    name: f"http://datex2.eu/schema/3/{told}"
    for name, told in {
        "d2": "d2Payload",
        "com": "common",
        "egi": "energyInfrastructure",
        "fac": "facilities",
        "loc": "locationReferencing",
    }.items()
}
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@pytest.fixture
def guest(ask: Asker) -> Asker:
    """Ask as nobody; of the site ``s`` the first outlet is a public charging point, the second a motor heater's."""
    one, two, three = site_of().outlets
    outlets = (replace(one, public=True, station="post"), replace(two, public=True, kind="motor_heater"), three)
    fields = {
        "outlets": outlets,
        "stations": (Station("post", "Post 1", 59.34, 18.06),),
        "address": "Kajen 1, 123 45 Ö",
    }
    change(ask.house, "s", **fields)
    return ask.as_(None)


def change(house: House, site: str, **fields: Any) -> None:
    """Configure a site otherwise."""
    edit_site(house.controller, house.clock, site, lambda present: (replace(present, **fields), ()))


def place(house: House, site_id: str, **fields: Any) -> Site:
    """Take in a site whose outlets are all public."""
    site = site_of(site_id, owner="owner2")
    site = replace(site, **{"outlets": tuple(replace(o, public=True) for o in site.outlets)} | fields)
    register_site(house.lives, house.clock, site, house.journal)
    return site


def get(guest: Asker, path: str) -> Any:
    """Ask for something of OCPI, hold the answer to its schema, and return what it tells."""
    told = guest("GET", path)
    assert told.status == 200, told
    of_path = [op for op in OPERATIONS if len(op.path.split("/")) == len(path.partition("?")[0].split("/"))]
    (op,) = [op for op in of_path if fits(op.path, path.partition("?")[0])]
    assert op.answer is not None
    validator(op.answer)(told.body)
    assert (told.body["status_code"], told.body["timestamp"]) == (1000, "2027-01-15T08:00:00Z")
    return told.body["data"]


def fits(pattern: str, path: str) -> bool:
    """Tell whether a path is one of an operation's."""
    return all(
        a in (b, "{location}", "{evse}", "{connector}")
        for a, b in zip(pattern.split("/"), path.split("/"), strict=True)
    )


# ------------------------------------------------------------------ OCPI


def test_the_way_in_by_versions(guest: Asker) -> None:
    """Whoever knows the address of the versions finds the modules, at addresses of the app's own."""
    guest.house.app_url = "https://app.example"
    (version,) = get(guest, "/v1/public/ocpi/versions")
    assert version == {"version": "2.2.1", "url": f"https://app.example/api{OCPI}"}
    endpoints = get(guest, OCPI)["endpoints"]
    assert [(e["identifier"], e["role"], e["url"].rpartition("/")[2]) for e in endpoints] == [
        ("locations", "SENDER", "locations"),
        ("tariffs", "SENDER", "tariffs"),
    ]


def test_a_location(guest: Asker) -> None:
    """A site is a Location with its public charging points, and nothing else of it."""
    (told,) = get(guest, f"{OCPI}/locations")
    assert told == {
        "country_code": "SE",
        "party_id": "EPS",
        "id": "s",
        "publish": True,
        "name": "Garden",
        "address": "Kajen 1",
        "city": "Ö",
        "postal_code": "123 45",
        "country": "SWE",
        "coordinates": {"latitude": "59.330000", "longitude": "18.070000"},
        "operator": {"name": "Garden"},
        "time_zone": "Europe/Stockholm",
        "last_updated": "2027-01-15T08:00:00Z",
        "evses": [
            {
                "uid": "s-1",
                "evse_id": "SE*EPS*ES*1",
                "status": "BLOCKED",
                "coordinates": {"latitude": "59.340000", "longitude": "18.060000"},
                "physical_reference": "1",
                "last_updated": "2027-01-15T08:00:00Z",
                "connectors": [
                    {
                        "id": "1",
                        "standard": "IEC_62196_T2",
                        "format": "SOCKET",
                        "power_type": "AC_1_PHASE",
                        "max_voltage": 230,
                        "max_amperage": 16,
                        "max_electric_power": 3680,
                        "last_updated": "2027-01-15T08:00:00Z",
                    }
                ],
            }
        ],
    }
    assert get(guest, f"{OCPI}/locations/s") == told
    assert get(guest, f"{OCPI}/locations/s/s-1") == told["evses"][0]
    assert get(guest, f"{OCPI}/locations/s/s-1/1") == told["evses"][0]["connectors"][0]


@pytest.mark.parametrize("path", ["t", "s/s-2", "s/s-3", "s/s-1/2", "s/s-9/1"])
def test_what_is_not_public_is_not_known(guest: Asker, path: str) -> None:
    """What is not there and what is not public sound alike."""
    told = guest("GET", f"{OCPI}/locations/{path}")
    assert told.refused(404, "not_found")
    assert told.body["detail"] == "There is no such public charging point."


def test_a_site_without_anything_public_is_not_published(ask: Asker) -> None:
    """Private sites, and those with public outlets that no car charges at, are in no list."""
    place(ask.house, "t", outlets=tuple(replace(o, public=True, kind="camping") for o in site_of("t").outlets))
    assert get(ask.as_(None), f"{OCPI}/locations") == []
    assert ask.as_(None)("GET", f"{OCPI}/locations/s").status == 404


def test_the_status_is_the_present_one(guest: Asker) -> None:
    """A point in use is charging, one that is out of reach unknown, and without a name of its owner it has no operator."""
    advance(guest.house.controller, "s", StartRequested(guest.house.clock.at, "x", "s-1"))
    place(guest.house, "t")
    used, away = get(guest, f"{OCPI}/locations")
    assert [e["status"] for e in used["evses"]] == ["CHARGING"]
    assert [e["status"] for e in away["evses"]] == ["UNKNOWN"] * 3
    assert "operator" not in away


def test_pages(guest: Asker) -> None:
    """A list tells how long it is, how much comes at once, and where it goes on."""
    guest.house.app_url = "https://app.example"
    for n in range(4):
        place(guest.house, f"t{n}")
    first = guest("GET", f"{OCPI}/locations?limit=2&date_from=2026-01-01T00:00:00%2B01:00")
    assert (first.headers["X-Total-Count"], first.headers["X-Limit"]) == ("5", "50")
    assert first.headers["Link"] == (
        f'<https://app.example/api{OCPI}/locations?date_from=2026-01-01T00:00:00%2B01:00&offset=2&limit=2>; rel="next"'
    )
    assert ids(first) == ["s", "t0"]
    assert ids(guest("GET", f"{OCPI}/locations?limit=2&offset=2")) == ["t1", "t2"]
    last = guest("GET", f"{OCPI}/locations?limit=2&offset=4")
    assert (ids(last), "Link" in last.headers) == (["t3"], False)
    assert ids(guest("GET", f"{OCPI}/locations?offset=9")) == []


def test_a_page_is_never_longer_than_told(guest: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for more than the most gets the most."""
    monkeypatch.setattr("functions.api.routes.public_data.MOST_SITES", 2)
    monkeypatch.setattr(publish_sites, "MOST_SITES", 2)
    for n in range(4):
        place(guest.house, f"t{n}")
    told = guest("GET", f"{OCPI}/locations?limit=1000")
    assert (ids(told), told.headers["X-Limit"]) == (["s", "t0"], "2")
    assert "offset=2&limit=2>" in told.headers["Link"]


def ids(told: Answer) -> list[str]:
    """List the Locations of an answer."""
    return [location["id"] for location in told.body["data"]]


def test_only_what_was_written_in_a_time(guest: Asker) -> None:
    """From a time on and before a time; nothing that has changed since is left out."""
    guest.house.clock.at += 3600
    place(guest.house, "t")
    assert ids(guest("GET", f"{OCPI}/locations?date_from=2027-01-15T08:30:00Z")) == ["t"]
    assert ids(guest("GET", f"{OCPI}/locations?date_to=2027-01-15T08:30:00")) == ["s"]
    assert ids(guest("GET", f"{OCPI}/locations?date_from=2027-01-15T08:00:00Z&date_to=2027-01-15T08:00:01Z")) == ["s"]
    guest.house.take(guest.house.frame())
    assert ids(guest("GET", f"{OCPI}/locations?date_from=2027-01-15T08:30:00Z")) == ["s", "t"]
    assert guest("GET", f"{OCPI}/locations?date_from=yesterday").refused(400, "invalid_request")


def test_there_may_be_no_tariffs(guest: Asker) -> None:
    """Where no charging point has a tariff the list is there, and empty."""
    assert get(guest, f"{OCPI}/tariffs") == []
    assert guest("GET", f"{OCPI}/tariffs").headers["X-Total-Count"] == "0"


def test_open_data_may_be_kept_for_a_moment(guest: Asker) -> None:
    """What everybody gets may be kept for half a minute; what is not known may not."""
    assert guest("GET", f"{OCPI}/locations").headers["Cache-Control"] == "public, max-age=30"
    assert guest("GET", TABLE).headers["Cache-Control"] == "public, max-age=30"
    assert guest("GET", f"{OCPI}/locations/x").headers["Cache-Control"] == "no-store"


def test_long_texts_are_cut_to_what_ocpi_takes(ask: Asker) -> None:
    """Names and addresses of any length fit."""
    long = "Å" * 100
    place(ask.house, "t", name=long, address=f"{long}, 123 45 {long}")
    ask.house.registry.commit([Put(OWNER, None, Owner("owner2", "Ö" * 120))])
    (told,) = get(ask.as_(None), f"{OCPI}/locations")
    assert (len(told["address"]), len(told["city"]), len(told["operator"]["name"])) == (45, 45, 100)


@pytest.mark.parametrize(
    ("text", "street", "postal_code", "city"),
    [
        ("Kajen 1, 123 45 Staden", "Kajen 1", "123 45", "Staden"),
        ("Kajen 1, Hus B, SE-12345 Upplands Väsby", "Kajen 1, Hus B", "123 45", "Upplands Väsby"),
        ("Kajen 1, Staden", "Kajen 1", None, "Staden"),
        ("123 45 Staden", "Garden", "123 45", "Staden"),
        ("Kajen 1", "Kajen 1", None, "Garden"),
        (" , ", "Garden", None, "Garden"),
        ("", "Garden", None, "Garden"),
    ],
)
def test_addresses(text: str, street: str, postal_code: str | None, city: str) -> None:
    """An address in one line has its parts; what is missing is the site's name."""
    assert parts_of(text, "Garden") == Address(street, postal_code, city)


@given(st.text())
def test_every_text_is_some_address(text: str) -> None:
    """Whatever an owner writes, a street and a town come of it."""
    told = parts_of(text, "Garden")
    assert told.street
    assert told.city


# ------------------------------------------------------------------ DATEX II


def read(guest: Asker, path: str) -> ET.Element:
    """Ask for a publication, and read it as XML."""
    told = guest("GET", path)
    assert (told.status, told.headers["Content-Type"]) == (200, "application/xml; charset=utf-8")
    return ET.fromstring(told.body.encode())  # noqa: S314 - it is our own


def order(element: ET.Element) -> list[str]:
    """List the names of the elements within one, each once, in order, with their prefixes."""
    prefixes = {space: prefix for prefix, space in SPACES.items()}
    names = [child.tag[1:].split("}") for child in element]
    return list(dict.fromkeys(f"{prefixes[space]}:{local}" for space, local in names))


def test_the_table_tells_what_stands_where(guest: Asker) -> None:
    """Site, station, point and connector have their elements in the schema's order, with the figures of the outlet."""
    root = read(guest, TABLE)
    assert (root.tag, root.get(TYPE)) == (f"{{{SPACES['d2']}}}payload", "egi:EnergyInfrastructureTablePublication")
    assert (root.get("modelBaseVersion"), root.get("lang")) == ("3", "sv")
    assert order(root) == ["com:publicationTime", "com:publicationCreator", "egi:energyInfrastructureTable"]
    assert root.findtext("com:publicationTime", namespaces=SPACES) == "2027-01-15T08:00:00Z"
    (site,) = root.findall("egi:energyInfrastructureTable/egi:energyInfrastructureSite", SPACES)
    assert (site.get("id"), site.get("version")) == ("s", "2")
    assert order(site) == [
        "fac:name",
        "fac:lastUpdated",
        "fac:locationReference",
        "fac:operator",
        "egi:energyInfrastructureStation",
    ]
    assert site.findtext("fac:operator/fac:name/com:values/com:value", namespaces=SPACES) == "Garden"
    (station,) = site.findall("egi:energyInfrastructureStation", SPACES)
    assert station.get("id") == "s/post"
    assert order(station) == [
        "fac:name",
        "fac:locationReference",
        "egi:totalMaximumPower",
        "egi:authenticationAndIdentificationMethods",
        "egi:numberOfRefillPoints",
        "egi:refillPoint",
    ]
    (point,) = station.findall("egi:refillPoint", SPACES)
    assert (point.get("id"), point.get(TYPE)) == ("s-1", "egi:ElectricChargingPoint")
    assert order(point) == [
        "fac:name",
        "fac:externalIdentifier",
        "fac:locationReference",
        "egi:deliveryUnit",
        "egi:usageType",
        "egi:numberOfConnectors",
        "egi:availableChargingPower",
        "egi:connector",
    ]
    assert point.findtext("fac:externalIdentifier", namespaces=SPACES) == "SE*EPS*ES*1"
    spot = point.find("fac:locationReference/loc:pointByCoordinates/loc:pointCoordinates", SPACES)
    assert spot is not None
    assert [child.text for child in spot] == ["59.340000", "18.060000"]
    (connector,) = point.findall("egi:connector", SPACES)
    assert {child.tag.partition("}")[2]: child.text for child in connector} == {
        "connectorType": "iec62196T2",
        "connectorFormat": "socket",
        "maxPowerAtSocket": "3680",
        "maximumCurrent": "16",
    }


def test_the_status_refers_to_the_table(guest: Asker) -> None:
    """Each status names a thing of the table by id and version, and tells what the point is doing."""
    advance(guest.house.controller, "s", StartRequested(guest.house.clock.at, "x", "s-1"))
    place(guest.house, "t")
    table, root = read(guest, TABLE), read(guest, STATUS)
    assert root.get(TYPE) == "egi:EnergyInfrastructureStatusPublication"
    assert order(root)[2:] == ["egi:tableReference", "egi:energyInfrastructureSiteStatus"]
    known = {(e.get("id"), e.get("version")) for e in table.iter() if e.get("version") is not None}
    referred = [(e.get("id"), e.get("version")) for e in root.iter(f"{{{SPACES['fac']}}}reference")]
    assert set(referred) <= known
    assert len(referred) == 8
    of_points = [
        (e.find("fac:reference", SPACES).get("id"), e.findtext("egi:status", namespaces=SPACES))  # type: ignore[union-attr]
        for e in root.iter(f"{{{SPACES['egi']}}}refillPointStatus")
    ]
    assert of_points == [("s-1", "charging"), *((f"t-{n}", "unknown") for n in (1, 2, 3))]
    there = [e.text for e in root.iter(f"{{{SPACES['egi']}}}isAvailable")]
    assert there == ["true", "false"]


def test_xml_takes_whatever_owners_write(ask: Asker) -> None:
    """Signs that mean something in XML, or nothing in it, do no harm."""
    place(ask.house, "t", name="<Kajen> & \x00\x0bsöner")
    root = read(ask.as_(None), TABLE)
    assert root.findtext(".//egi:energyInfrastructureSite/fac:name//com:value", namespaces=SPACES) == "<Kajen> & söner"


def test_publications_come_in_pages(guest: Asker) -> None:
    """A publication holds so many sites at most, and tells where the next begins."""
    place(guest.house, "t")
    told = guest("GET", f"{TABLE}?limit=1")
    assert told.headers["X-Total-Count"] == "2"
    assert 'offset=1&limit=1>; rel="next"' in told.headers["Link"]
    root = read(guest, f"{TABLE}?offset=1")
    assert [site.get("id") for site in root.iter(f"{{{SPACES['egi']}}}energyInfrastructureSite")] == ["t"]
