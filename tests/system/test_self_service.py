"""A stranger becomes an owner and reaches a first session by the API alone, with a bridge that claims itself."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.local.bridge import power_on
from infra.local.drivers import Api, enrol
from iot.simulator.loads import Car
from tests.system.stage import Cloud, refused, wait_for

SITE = {
    "name": "Brf Eken",
    "address": "Storgatan 1, Umeå",
    "latitude": 63.83,
    "longitude": 20.26,
    "grid_connection": {"rating_a": [35, 35, 35]},
    "policy": {"interval_s": 2, "fast_interval_s": 1},
}


@pytest.fixture
def stop() -> Iterator[ExitStack]:
    """Stop what a test has started."""
    with ExitStack() as stack:
        yield stack


def stranger(cloud: Cloud, name: str) -> Api:
    """Enrol somebody of whom nobody has heard, and sign in."""
    email = f"{name}.{uuid4().hex[:8]}@example.com"
    return cloud.anyone().sign_in(email, enrol(cloud.account, cloud.outputs, email))


def make(api: Api, path: str, body: Any = None) -> dict[str, Any]:
    """Make something."""
    made: dict[str, Any] = api.call("POST", path, body, {"Idempotency-Key": str(uuid4())})
    return made


def test_from_nothing_to_a_first_session(cloud: Cloud, stop: ExitStack, tmp_path: Path) -> None:
    """Owner, site, invitation, bridge, found module, outlet, session, energy: each by a call of the API."""
    cloud.run("provisioning")
    eva = stranger(cloud, "eva")
    owner = make(eva, "/v1/owners", {"name": "Brf Eken"})["id"]
    site = make(eva, f"/v1/owners/{owner}/sites", SITE)["id"]
    path = f"/v1/sites/{site}"
    invited = make(eva, f"{path}/bridges")

    bridge, runner = power_on(cloud.account, cloud.outputs, tmp_path / "device", invited["code"], "X1")
    assert bridge == invited["id"]
    runner.start()
    stop.callback(runner.stop)

    def found() -> Any:
        (seen,) = eva.call("GET", f"{path}/bridges")["items"]
        return seen["found"]

    assert wait_for("its module is found", found) == ["X1"]
    binding = {"number": "1", "fuse": "main", "phases": ["L2"], "max_a": 16, "bridge": bridge, "module": "X1"}
    outlet = make(eva, f"{path}/outlets", binding)["id"]
    assert found() == []

    runner.plug("X1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))

    def plugged() -> bool:
        (seen,) = eva.call("GET", f"{path}/state")["outlets"]
        return bool(seen["state"] == "plugged")

    wait_for("the car is seen", plugged)
    session = eva.start(outlet)["id"]
    energy = wait_for("energy flows", lambda: eva.session(session)["energy_wh"])
    assert energy > 0
    state = eva.call("GET", f"{path}/state?users=true")
    (seen,) = state["outlets"]
    assert (seen["session"]["id"], seen["state"], state["alarms"]) == (session, "in_use", [])
    (main,) = state["fuses"]
    assert main["measured_a"][1] > 0 == main["measured_a"][0]
    assert main["planned_a"][1] <= 35 * 0.9

    eva.stop(session)
    wait_for("it is over", lambda: eva.session(session)["state"] == "ended")
    (kept,) = eva.call("GET", f"{path}/sessions?users=true")["items"]
    assert (kept["id"], bool(kept["user"])) == (session, True)
    told = [line["what"] for line in eva.call("GET", f"/v1/owners/{owner}/audit")["items"]]
    assert told == ["outlet.created", "bridge.claimed", "bridge.invited", "site.created", "owner.created"]

    other = stranger(cloud, "mallory")
    for foreign in (path, f"{path}/state", f"{path}/bridges", f"/v1/owners/{owner}/audit"):
        assert refused(other.call, "GET", foreign) == (404, "not_found")


def test_a_site_moves_by_its_documents(cloud: Cloud) -> None:
    """A table fills a site, its export makes another, and a stale change is refused: on the real tables."""
    eva = stranger(cloud, "eva")
    owner = make(eva, "/v1/owners", {"name": "Camping"})["id"]
    site = f"/v1/sites/{make(eva, f'/v1/owners/{owner}/sites', SITE)['id']}"
    rows = [f"{n};main;L{n % 3 + 1};10;camping" for n in range(1, 61)]
    table = "\r\n".join(["number;fuse;phases;max_a;kind", *rows])
    headers = {"Content-Type": "text/csv", "If-Match": "*"}
    eva.call("PUT", f"{site}/outlets.csv", ("\ufeff" + table).encode(), headers)
    exported = eva.call("GET", site)
    assert [o["number"] for o in exported["outlets"]] == [str(n) for n in range(1, 61)]
    copy = make(eva, f"/v1/owners/{owner}/sites", exported | {"name": "Copy"})
    assert [o["kind"] for o in copy["outlets"]] == ["camping"] * 60
    assert {o["id"] for o in copy["outlets"]}.isdisjoint(o["id"] for o in exported["outlets"])
    assert sorted(s["name"] for s in eva.call("GET", "/v1/sites")["items"]) == ["Brf Eken", "Copy"]
    assert refused(eva.call, "PUT", site, exported, {"If-Match": '"1"'}) == (412, "version_changed")
    assert [r["revision"] for r in eva.call("GET", f"{site}/revisions")["items"]] == [2, 1]
