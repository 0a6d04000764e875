"""What guests see of the deployed system: the map, and charging points as open data."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import urllib3

from infra.local.drivers import address_of
from tests.system.stage import Stage, outlet, wait_for

BOX = "west=10.39&south=63.39&east=10.41&north=63.41"


def test_guests_find_an_outlet_and_see_it_taken(stage: Stage) -> None:
    """A public outlet is found by box and by distance, the same until its state is another; a private one is not."""
    name = "map"
    place = stage.place(
        name, outlet(name, 1), outlet(name, 2, public=False), owner="map-owner", latitude=63.4, longitude=10.4
    ).start()
    pool = urllib3.PoolManager(retries=False, timeout=30)
    address = f"{address_of(place.cloud.account, place.cloud.outputs)}/v1/public"

    def get(path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        return pool.request("GET", f"{address}/{path}", headers=headers)

    found = get(f"outlets?{BOX}")
    assert found.headers["Cache-Control"] == "public, max-age=15"
    assert [(o["id"], o["state"], o["price"]) for o in found.json()["items"]] == [("map-1", "free", None)]
    near = get("outlets?latitude=63.4&longitude=10.401&distance_m=200&limit=1").json()
    assert [(o["id"], o["distance_m"]) for o in near["items"]] == [("map-1", 50)]
    assert get(f"outlets?{BOX}", **{"If-None-Match": found.headers["ETag"]}).status == 304
    anna = place.user("anna")
    anna.start(place.outlet(1))
    again = get(f"outlets?{BOX}", **{"If-None-Match": found.headers["ETag"]})
    assert [o["state"] for o in again.json()["items"]] == ["in_use"]
    mine = anna.call("GET", f"/v1/outlets?{BOX}")["items"]
    assert [(o["id"], o["may_use"]) for o in mine] == [("map-1", True)]

    told = get("ocpi/2.2.1/locations/map").json()["data"]
    assert [(e["uid"], e["status"]) for e in told["evses"]] == [("map-1", "CHARGING")]
    listed = get("ocpi/2.2.1/locations?limit=1")
    assert int(listed.headers["X-Total-Count"]) >= 1
    assert len(listed.json()["data"]) == 1
    status = get("datex2/energy-infrastructure-status.xml")
    assert status.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert "charging" in [e.text for e in ET.fromstring(status.data).iter()]  # noqa: S314 - it is our own

    place.change(outlets=tuple(replace(o, public=False) for o in place.site.outlets))
    wait_for("the outlet is on no map", lambda: get(f"outlets?{BOX}").json()["items"] == [])
    assert get("ocpi/2.2.1/locations/map").status == 404
