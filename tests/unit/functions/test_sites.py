"""Sites, bridges and outlets by API, from nothing to a whole installation."""

from dataclasses import replace
from typing import Any

import pytest

from epspot.access import Role
from epspot.adapters.ids import RandomIds
from epspot.errors import Conflict
from epspot.registry.outlet_table import table_of
from epspot.services.change_site import change_site
from epspot.services.claim_bridge import take_claim
from epspot.services.start_session import start_session
from functions.api.calls import validator
from iot.contract import Fault
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import OWNER_ID, grant
from tests.unit.services.house import OFF

NEW = {
    "name": "Yard",
    "address": "Storgatan 1",
    "latitude": 59,
    "longitude": 18.5,
    "time_zone": "Europe/Stockholm",
    "grid_connection": {"rating_a": [63, 63, 63], "planning_factor": 0.8, "other_a": [5, 5, 5]},
}
SITES = f"/v1/owners/{OWNER_ID}/sites"
AUDIT = f"/v1/owners/{OWNER_ID}/audit"


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as who administers the owner."""
    return ask.as_("olga")


@pytest.fixture
def maja(ask: Asker) -> Asker:
    """Ask as who maintains the site ``s``."""
    grant(ask.house, "user:maja", Role.MAINTENANCE, "site/s")
    return ask.as_("maja")


def edited(told: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return told | changes


def audit(asker: Asker, what: str) -> dict[str, Any]:
    """Find the newest line of a kind."""
    return next(a for a in asker("GET", AUDIT).body["items"] if a["what"] == what)


# ------------------------------------------------------------------ new sites


def test_a_site_is_made_of_its_grid_connection(olga: Asker) -> None:
    """A name, a place and a grid connection are enough; ids are ours, and the document can be read."""
    made = olga("POST", SITES, NEW)
    assert (made.status, made.etag) == (201, '"1"')
    validator("Site")(made.body)
    assert made.headers["Location"] == f"/v1/sites/{made.body['id']}"
    assert made.body["owner"] == OWNER_ID
    assert (
        made.body["fuses"][0] | {"id": "main", "rating_a": [63, 63, 63], "planning_factor": 0.8}
        == made.body["fuses"][0]
    )
    seen = olga("GET", made.headers["Location"])
    assert (seen.body, seen.etag) == (made.body, made.etag)
    assert olga("GET", SITES).body["items"] == [{"id": made.body["id"], "owner": OWNER_ID, "name": "Yard"}]
    line = audit(olga, "site.created")
    assert (line["about"], line["before"], line["after"]["name"]) == (made.body["id"], None, "Yard")


def test_a_site_is_made_once(olga: Asker) -> None:
    """The same request again shows the site that the first has made, as it is now."""
    first, again = (olga("POST", SITES, NEW, key="k") for _ in range(2))
    assert first.body == again.body
    assert len(olga("GET", SITES).body["items"]) == 1


def test_an_export_makes_another_site(olga: Asker) -> None:
    """What is exported from one site is taken for a new one: its outlets are new ones without modules."""
    old = olga("GET", "/v1/sites/s").body
    made = olga("POST", SITES, old)
    assert made.status == 201
    assert made.body["id"] != "s"
    assert [o["number"] for o in made.body["outlets"]] == ["1", "2", "3"]
    assert {o["bridge"] for o in made.body["outlets"]} == {None}
    assert {o["id"] for o in made.body["outlets"]}.isdisjoint(o["id"] for o in old["outlets"])
    assert made.body["policy"] == old["policy"]
    assert olga("GET", f"/v1/sites/{made.body['id']}/alarms").body["items"] == []


def test_a_new_site_is_refused_with_every_reason(olga: Asker) -> None:
    """Outlets are named by their place in the document, and nothing is made."""
    outlet = {"number": "1", "fuse": "main", "phases": ["L1"], "max_a": 16}
    told = olga(
        "POST", SITES, NEW | {"outlets": [outlet, outlet | {"max_a": 500}, outlet | {"number": "3", "phases": []}]}
    )
    assert told.refused(422, "invalid_site")
    assert told.body["problems"] == ["outlets[2] must be wired to one phase or to three different ones of L1, L2, L3"]
    told = olga("POST", SITES, NEW | {"outlets": [outlet, outlet | {"max_a": 500}]})
    assert told.body["problems"] == [
        "outlets[1]: max_a 500 is above 400, the most that a command can say",
        "outlet number 1 stands twice",
    ]
    assert olga("POST", SITES, NEW | {"fuses": []}).refused(422, "invalid_site")
    assert olga("GET", SITES).body["items"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"latitude": 91},
        {"latitude": 1e400},
        {"grid_connection": {"rating_a": [63, 63]}},
        {"policy": {"colour": 1}},
        {"caps": [{"name": "a b"}]},
        {"outlets": [{}] * 1001},
        {"groups": [{"id": "../x", "name": "x"}]},
    ],
)
def test_the_form_is_bounded(olga: Asker, wrong: dict[str, Any]) -> None:
    """What is no site's document by its form does not come further."""
    assert olga("POST", SITES, NEW | wrong).refused(400, "invalid_request")


def test_only_administrators_make_sites(ask: Asker, maja: Asker) -> None:
    """Whoever else asks learns nothing of the owner, or that it takes more."""
    grant(ask.house, "user:fia", Role.FINANCE, f"owner/{OWNER_ID}")
    assert ask.as_("fia")("POST", SITES, NEW).refused(403, "not_allowed")
    for asker in (ask, maja):
        assert asker("POST", SITES, NEW).refused(404, "not_found")


# ------------------------------------------------------------------ changes


def test_a_site_is_changed_by_its_document(olga: Asker) -> None:
    """A document with another fuse, a cap and a new outlet is taken whole, under the next revision."""
    before = olga("GET", "/v1/sites/s")
    told = before.body
    told["fuses"][0]["rating_a"] = [40, 40, 40]
    told["caps"] = [{"name": "rent", "limit_a": 30, "windows": [{"days": [5, 6], "start_min": 60}]}]
    told["outlets"].append({"number": "4", "fuse": "main", "phases": ["L2"], "max_a": 16})
    changed = olga("PUT", "/v1/sites/s", told, if_match=before.etag)
    assert (changed.status, changed.etag, changed.body["revision"]) == (200, '"2"', 2)
    assert changed.body["caps"][0]["windows"][0]["end_min"] == 1440
    assert changed.body["outlets"][3]["id"] not in {"s-1", "s-2", "s-3"}
    assert olga("GET", "/v1/sites/s").body == changed.body
    line = audit(olga, "site.changed")
    assert line["after"]["fuses[main].rating_a"] == [40.0, 40.0, 40.0]
    assert line["before"]["fuses[main].rating_a"] == [12.0, 12.0, 12.0]
    assert "policy" not in str(line["after"])


def test_what_was_exported_is_imported_unchanged(olga: Asker) -> None:
    """A document that is sent back as it came changes nothing but the revision."""
    before = olga("GET", "/v1/sites/s")
    after = olga("PUT", "/v1/sites/s", before.body, if_match=before.etag)
    assert after.body == before.body | {"revision": 2}


def test_a_change_is_of_the_version_that_stands(olga: Asker) -> None:
    """Of two who have read the same, one is told to read again; a change without a version is refused."""
    before = olga("GET", "/v1/sites/s")
    assert olga("PUT", "/v1/sites/s", before.body).refused(428, "version_missing")
    assert olga("PUT", "/v1/sites/s", edited(before.body, name="A"), if_match=before.etag).status == 200
    late = olga("PUT", "/v1/sites/s", edited(before.body, name="B"), if_match=before.etag)
    assert late.refused(412, "version_changed")
    assert olga("GET", "/v1/sites/s").body["name"] == "A"


def test_the_version_is_checked_in_every_try(olga: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who loses a race against another change is not let through by the retry."""
    house, commit = olga.house, olga.house.lives.commit
    lost: list[int] = []
    before = olga("GET", "/v1/sites/s")

    def losing(*args: Any, **more: Any) -> None:
        if not lost:
            lost.append(1)
            present, _ = house.lives.load("s")
            change_site(house.controller, house.clock, replace(present, name="Faster"))
            raise Conflict("s")
        commit(*args, **more)

    monkeypatch.setattr(house.lives, "commit", losing)
    told = olga("PUT", "/v1/sites/s", edited(before.body, name="Slower"), if_match=before.etag)
    assert told.refused(412, "version_changed")
    assert olga("GET", "/v1/sites/s").body["name"] == "Faster"


def test_a_change_is_refused_with_every_reason(olga: Asker) -> None:
    """Foreign outlets, bridges that nobody claimed, and unsound fuses are told; nothing is changed."""
    before = olga("GET", "/v1/sites/s")
    told = before.body | {"bridges": ["mine"]}
    told["outlets"][0]["id"] = "t-1"
    refused = olga("PUT", "/v1/sites/s", told, if_match=before.etag)
    assert refused.refused(422, "invalid_site")
    assert [p.partition(":")[0] for p in refused.body["problems"]] == ["bridges[0]", "outlets[0].id"]
    told = olga("GET", "/v1/sites/s").body
    told["fuses"] = [{"id": "main", "rating_a": [0, 0, 0]}, {"id": "g", "parent": "g", "rating_a": [6, 6, 6]}]
    assert len(olga("PUT", "/v1/sites/s", told, if_match="*").body["problems"]) == 2
    assert olga("GET", "/v1/sites/s").etag == before.etag


def test_an_outlet_in_use_is_not_taken_away(olga: Asker) -> None:
    """Neither by the document nor by itself, while it has a session."""
    start_session(olga.house.starting, "anna", "s-1", "key")
    before = olga("GET", "/v1/sites/s")
    told = before.body | {"outlets": before.body["outlets"][1:]}
    refused = olga("PUT", "/v1/sites/s", told, if_match=before.etag)
    assert refused.body["problems"] == ["outlet s-1 has a session: stop it before the outlet is moved or taken away"]
    assert olga("DELETE", "/v1/sites/s/outlets/s-1", if_match=before.etag).refused(422, "invalid_site")
    assert olga("DELETE", "/v1/sites/s/outlets/s-3", if_match=before.etag).status == 204


def test_a_renamed_site_is_listed_by_its_name(olga: Asker) -> None:
    """The list of sites follows, also of a site that was not in it."""
    for path in ("/v1/sites/s", olga("POST", SITES, NEW).headers["Location"]):
        told = olga("GET", path)
        assert olga("PUT", path, edited(told.body, name="Renamed"), if_match=told.etag).status == 200
    assert [s["name"] for s in olga("GET", SITES).body["items"]] == ["Renamed", "Renamed"]


def test_maintenance_changes_no_document(maja: Asker) -> None:
    """Maintenance reads a site's document, and is told what it would take to change it."""
    seen = maja("GET", "/v1/sites/s")
    assert maja("PUT", "/v1/sites/s", seen.body, if_match=seen.etag).refused(403, "not_allowed")
    assert maja("PUT", "/v1/sites/s/outlets/s-1", seen.body["outlets"][0], if_match="*").refused(403, "not_allowed")
    assert maja("DELETE", "/v1/sites/s/outlets/s-1", if_match="*").refused(403, "not_allowed")


# ------------------------------------------------------------------ revisions


def test_earlier_revisions_are_kept(olga: Asker) -> None:
    """Who made which revision is listed, the newest first, and each can be read as it was."""
    for name in ("A", "B", "C"):
        told = olga("GET", "/v1/sites/s")
        olga("PUT", "/v1/sites/s", edited(told.body, name=name), if_match=told.etag)
    first = olga("GET", "/v1/sites/s/revisions?limit=3").body
    assert [(r["revision"], r["by"]) for r in first["items"]] == [(n, "user:olga") for n in (4, 3, 2)]
    rest = olga("GET", f"/v1/sites/s/revisions?limit=3&cursor={first['next']}").body
    assert rest == {"items": [{"revision": 1, "at": None, "by": None, "what": None}], "next": None}
    names = [olga("GET", f"/v1/sites/s/revisions/{n}").body["name"] for n in (1, 2, 3, 4)]
    assert names == ["Garden", "A", "B", "C"]
    for wrong in ("0", "5", "-1", "x", "00001", "9" * 50):
        assert olga("GET", f"/v1/sites/s/revisions/{wrong}").refused(404, "not_found")


# ------------------------------------------------------------------ tables


def put_table(asker: Asker, text: str, query: str = "", if_match: str = "*") -> Answer:
    return asker("PUT", f"/v1/sites/s/outlets.csv{query}", text, media="text/csv", if_match=if_match)


def test_a_table_goes_out_and_comes_in(olga: Asker) -> None:
    """What is exported, changed in a spreadsheet and imported again changes just that."""
    out = olga("GET", "/v1/sites/s/outlets.csv")
    assert out.headers["Content-Type"].startswith("text/csv")
    assert out.body == table_of(olga.house.lives.load("s")[0])
    rows = out.body.splitlines()
    text = "\n".join([rows[0], rows[1].replace(",16,", ",10,"), rows[2], "4,main,L2,16,,,,,,,"])
    preview = put_table(olga, text, "?preview=true", out.etag)
    validator("OutletTableChange")(preview.body)
    assert preview.body == {
        "added": [{"number": "4", "line": 4}],
        "changed": [{"id": "s-1", "number": "1", "line": 2, "fields": ["max_a"]}],
        "removed": [{"id": "s-3", "number": "3"}],
        "problems": [],
    }
    assert olga("GET", "/v1/sites/s").etag == out.etag
    done = put_table(olga, text, "", out.etag)
    assert (done.status, done.body, done.etag) == (200, preview.body, '"2"')
    assert [(o["number"], o["max_a"]) for o in olga("GET", "/v1/sites/s").body["outlets"]] == [
        ("1", 10),
        ("2", 16),
        ("4", 16),
    ]
    assert audit(olga, "outlets.imported")["after"]["outlets[s-1].max_a"] == 10
    assert put_table(olga, text, "", out.etag).refused(412, "version_changed")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("9,main,L7,16", "line 3: phases 'L7' are not such as L1 or L1 L2 L3"),
        ("9,nowhere,L1,16", "line 3 hangs under fuse nowhere, which does not exist"),
        ("9,main,L1 L2,16", "line 3 must be wired to one phase or to three different ones of L1, L2, L3"),
    ],
)
def test_a_table_is_refused_by_its_lines(olga: Asker, row: str, problem: str) -> None:
    """The preview tells what the import is refused for, and nothing is changed."""
    text = f"number,fuse,phases,max_a\n1,main,L1,16\n{row}\n"
    assert put_table(olga, text, "?preview=true").body["problems"] == [problem]
    refused = put_table(olga, text)
    assert refused.refused(422, "invalid_site")
    assert refused.body["problems"] == [problem]
    assert olga("GET", "/v1/sites/s").etag == '"1"'


def test_a_table_tells_of_outlets_in_use_and_of_bridges(olga: Asker) -> None:
    """A preview knows that an outlet is used, and whose bridges are whose."""
    start_session(olga.house.starting, "anna", "s-1", "key")
    (problem,) = put_table(olga, "number,fuse,phases,max_a\n2,main,L1,16\n", "?preview=true").body["problems"]
    assert problem.startswith("outlet s-1 has a session")
    text = "number,fuse,phases,max_a,bridge,module\n1,main,L1,16,t-b1,M1\n"
    (problem,) = put_table(olga, text, "?preview=true").body["problems"]
    assert problem.startswith("line 2: bridge: bridge t-b1 is not this site's")


def test_what_is_no_table_is_refused(olga: Asker, maja: Asker) -> None:
    """Another medium, no CSV, no version, no right."""
    assert olga("PUT", "/v1/sites/s/outlets.csv", {}, if_match="*").refused(415, "wrong_media_type")
    assert put_table(olga, "hello").refused(422, "invalid_site")
    assert olga("PUT", "/v1/sites/s/outlets.csv", "x", media="text/csv").refused(428, "version_missing")
    assert put_table(maja, "number,fuse,phases,max_a\n").refused(403, "not_allowed")


# ------------------------------------------------------------------ installation

BOUND = {"number": "4", "fuse": "main", "phases": ["L2"], "max_a": 16, "bridge": "s-b1", "module": "M9"}


def test_an_installation_from_nothing(olga: Asker) -> None:
    """A site, an invitation, a bridge that claims itself, a module that is found and bound: the outlet is free."""
    house = olga.house
    site = olga("POST", SITES, NEW).headers["Location"]
    invited = olga("POST", f"{site}/bridges", key="k")
    validator("BridgeInvitation")(invited.body)
    bridge, code = invited.body["id"], invited.body["code"]
    again = olga("POST", f"{site}/bridges", key="k")
    assert (again.status, again.body["id"], again.body["code"]) == (201, bridge, None)
    listed = olga("GET", f"{site}/bridges").body["items"]
    assert [(b["id"], b["state"]) for b in listed] == [(bridge, "invited")]

    assert take_claim(house.claiming, code, "EP-1") == bridge
    (listed,) = olga("GET", f"{site}/bridges").body["items"]
    assert (listed["state"], listed["serial"]) == ("claimed", "EP-1")
    for _ in range(2):
        house.take(house.frame(bridge, M7=OFF), bridge)
    (listed,) = olga("GET", f"{site}/bridges").body["items"]
    validator("Bridge")(listed)
    assert (listed["state"], listed["found"], listed["outlets"]) == ("heard", ["M7"], [])

    bound = olga("POST", f"{site}/outlets", BOUND | {"bridge": bridge, "module": "M7"}, key="o")
    validator("Outlet")(bound.body)
    assert (bound.status, bound.etag) == (201, '"3"')
    assert olga("POST", f"{site}/outlets", BOUND | {"bridge": bridge, "module": "M7"}, key="o").body == bound.body
    (listed,) = olga("GET", f"{site}/bridges").body["items"]
    assert (listed["found"], listed["outlets"]) == ([], [bound.body["id"]])
    for _ in range(2):
        house.take(house.frame(bridge), bridge)
    (outlet,) = olga("GET", f"{site}/state").body["outlets"]
    assert (outlet["id"], outlet["state"]) == (bound.body["id"], "plugged")
    assert olga("GET", bound.headers["Location"]).body == bound.body


def test_maintenance_binds_what_is_its_site_s(maja: Asker, ask: Asker) -> None:
    """Maintenance binds modules of its own site's bridges, once each, and sets nothing that is the owner's to decide."""
    made = maja("POST", "/v1/sites/s/outlets", BOUND)
    assert made.status == 201
    again = maja("POST", "/v1/sites/s/outlets", BOUND | {"number": "5"})
    assert again.body["problems"] == ["the outlet: module M9 of bridge s-b1 stands at another outlet already"]
    foreign = maja("POST", "/v1/sites/s/outlets", BOUND | {"bridge": "t-b1", "number": "5"})
    assert foreign.body["problems"][0].startswith("bridge: bridge t-b1 is not this site's")
    assert maja("POST", "/v1/sites/s/outlets", BOUND | {"public": True}).refused(400, "invalid_request")
    assert maja("POST", "/v1/sites/s/bridges").status == 201
    for path, body in (("outlets", BOUND), ("bridges", None)):
        assert ask("POST", f"/v1/sites/s/{path}", body).refused(404, "not_found")


def test_the_same_request_twice_at_once_binds_one_outlet(maja: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that loses the race shows what the other has made, and is not told that its module is taken."""
    commit, won = maja.house.lives.commit, list[Answer]()

    def racing(*args: Any, **more: Any) -> None:
        if not won:
            monkeypatch.setattr(maja.house.lives, "commit", commit)
            won.append(maja("POST", "/v1/sites/s/outlets", BOUND, key="same"))
        commit(*args, **more)

    monkeypatch.setattr(maja.house.lives, "commit", racing)
    lost = maja("POST", "/v1/sites/s/outlets", BOUND, key="same")
    assert (lost.status, lost.body) == (201, won[0].body)
    assert len(maja("GET", "/v1/sites/s").body["outlets"]) == 4


def test_an_outlet_is_changed_by_its_document(olga: Asker) -> None:
    """It keeps its place in the list; the version is that of its site."""
    before = olga("GET", "/v1/sites/s/outlets/s-2")
    told = before.body | {"public": True, "max_a": 10}
    changed = olga("PUT", "/v1/sites/s/outlets/s-2", told, if_match=before.etag)
    assert (changed.status, changed.body["public"], changed.etag) == (200, True, '"2"')
    assert [o["id"] for o in olga("GET", "/v1/sites/s").body["outlets"]] == ["s-1", "s-2", "s-3"]
    assert olga("PUT", "/v1/sites/s/outlets/s-2", told, if_match=before.etag).refused(412, "version_changed")
    assert olga("PUT", "/v1/sites/s/outlets/s-3", told, if_match="*").refused(422, "invalid_site")
    assert olga("PUT", "/v1/sites/s/outlets/none", BOUND, if_match="*").refused(404, "outlet_unknown")
    wrong = olga("PUT", "/v1/sites/s/outlets/s-2", told | {"fuse": "g9"}, if_match="*")
    assert wrong.body["problems"] == ["the outlet hangs under fuse g9, which does not exist"]
    assert audit(olga, "outlet.changed")["after"] == {
        "outlets[s-2].max_a": 10,
        "outlets[s-2].public": True,
        "revision": 2,
    }


def test_an_outlet_is_taken_away(olga: Asker) -> None:
    """It is gone for all, and was there before."""
    assert olga("DELETE", "/v1/sites/s/outlets/s-3").refused(428, "version_missing")
    gone = olga("DELETE", "/v1/sites/s/outlets/s-3", if_match='"1"')
    assert (gone.status, gone.body, gone.etag) == (204, "", '"2"')
    assert olga("GET", "/v1/sites/s/outlets/s-3").refused(404, "not_found")
    assert olga("DELETE", "/v1/sites/s/outlets/s-3", if_match="*").refused(404, "outlet_unknown")
    assert len(olga("GET", "/v1/sites/s/revisions/1").body["outlets"]) == 3


def test_a_module_is_replaced(maja: Asker, olga: Asker) -> None:
    """The outlet keeps its id; the log tells the old module and the new one; not while somebody uses it."""
    path = "/v1/sites/s/outlets/s-1/module"
    start_session(maja.house.starting, "anna", "s-1", "key")
    told = maja("PUT", path, {"bridge": "s-b2", "module": "X1"})
    assert told.refused(409, "outlet_occupied")
    other = "/v1/sites/s/outlets/s-3/module"
    done = maja("PUT", other, {"bridge": "s-b1", "module": "X1"})
    assert (done.status, done.body["id"], done.body["module"]) == (200, "s-3", "X1")
    line = audit(olga, "module.replaced")
    assert (line["about"], line["before"]["outlets[s-3].module"], line["after"]["outlets[s-3].module"]) == (
        "s-3",
        "M3",
        "X1",
    )
    assert maja("PUT", other, {"bridge": "s-b1", "module": "M2"}).refused(422, "invalid_site")
    assert maja("PUT", other, {"bridge": "other", "module": "M2"}).refused(422, "invalid_site")
    assert maja("PUT", "/v1/sites/t/outlets/s-3/module", {"bridge": "s-b1", "module": "X2"}).refused(404, "not_found")


def test_a_planned_outlet_is_bound(olga: Asker) -> None:
    """An outlet that was planned gets its module at once, since nothing was ever given to it."""
    told = olga("GET", "/v1/sites/s").body
    told["outlets"].append({"number": "4", "fuse": "main", "phases": ["L2"], "max_a": 16})
    planned = olga("PUT", "/v1/sites/s", told, if_match="*").body["outlets"][3]
    assert (planned["bridge"], planned["module"]) == (None, None)
    assert len(olga("GET", "/v1/sites/s/bridges").body["items"]) == 2
    bound = olga("PUT", f"/v1/sites/s/outlets/{planned['id']}/module", {"bridge": "s-b1", "module": "M4"})
    assert (bound.status, bound.body["id"], bound.body["module"]) == (200, planned["id"], "M4")


# ------------------------------------------------------------------ as it is now


def test_the_whole_state_for_a_dashboard(maja: Asker) -> None:
    """Outlets, fuses, bridges and alarms as they are now."""
    house = maja.house
    session = start_session(house.starting, "anna", "s-1", "key").record.id
    house.clock.at += 10
    drawing = OFF._replace(relay=True, current_a=(5.0, 0.0, 0.0), limit_a=12.0, power_w=1150.0)
    house.take(house.frame("s-b1", M1=drawing), "s-b1")
    told = maja("GET", "/v1/sites/s/state")
    validator("SiteNow")(told.body)
    one, two, _ = told.body["outlets"]
    assert (one["state"], one["allowance_a"], one["current_a"], one["power_w"]) == ("in_use", 12.0, [5.0], 1150.0)
    assert (one["session"]["id"], one["session"]["user"]) == (session, None)
    assert (two["state"], two["session"]) == ("plugged", None)
    (main,) = told.body["fuses"]
    assert (main["measured_a"], main["planned_a"]) == ([5.0, 0.0, 0.0], [12.0, 0.0, 0.0])
    assert [(b["id"], b["state"]) for b in told.body["bridges"]] == [("s-b1", "heard"), ("s-b2", "heard")]


def test_who_may_know_whose_a_session_is(maja: Asker, olga: Asker) -> None:
    """Administrators and finance are told the user if they ask; maintenance is not."""
    start_session(maja.house.starting, "anna", "s-1", "key")
    grant(maja.house, "user:fia", Role.FINANCE, "site/s")
    for asker, user in ((olga, "anna"), (olga.as_("fia"), "anna"), (maja, None)):
        assert asker("GET", "/v1/sites/s/state?users=true").body["outlets"][0]["session"]["user"] == user
        assert asker("GET", "/v1/sites/s/state").body["outlets"][0]["session"]["user"] is None
    assert olga("GET", "/v1/sites/s/state?users=maybe").refused(400, "invalid_request")


def test_the_history_of_a_site(maja: Asker, olga: Asker) -> None:
    """Sessions are listed, the newest first, by pages; whose they were is told to who may know, and asks."""
    house = maja.house
    begun = []
    for n, user in enumerate(("anna", "bo", "cia"), 1):
        house.clock.at += 10
        begun.append(start_session(house.starting, user, f"s-{n}", "key").record.id)
    path = "/v1/sites/s/sessions"
    first = maja("GET", f"{path}?limit=2").body
    for seen in first["items"]:
        validator("SiteSession")(seen)
    rest = maja("GET", f"{path}?limit=2&cursor={first['next']}").body
    assert [s["id"] for s in first["items"] + rest["items"]] == begun[::-1]
    assert rest["next"] is None
    assert {s["user"] for s in maja("GET", f"{path}?users=true").body["items"]} == {None}
    assert [s["user"] for s in olga("GET", f"{path}?users=true").body["items"]] == ["cia", "bo", "anna"]
    assert {s["user"] for s in olga("GET", path).body["items"]} == {None}


def test_alarms_speak_the_caller_s_language(maja: Asker) -> None:
    """An alarm says what is wrong and what to do, of an outlet by its number; one that was not raised is not told."""
    house = maja.house
    house.take(house.frame("s-b1", M2=OFF._replace(faults=Fault.WELDED_RELAY)), "s-b1")
    (alarm,) = maja("GET", "/v1/sites/s/alarms", language="sv").body["items"]
    validator("AlarmNow")(alarm)
    assert (alarm["code"], alarm["label"], alarm["severity"]) == ("relay_welded", "2", "danger")
    assert alarm["title"] == "Uttag 2: reläet har svetsat fast"
    assert maja("GET", "/v1/sites/s/alarms").body["items"][0]["title"] == "Outlet 2: the relay is welded"
    assert maja("GET", "/v1/sites/s/state").body["alarms"] == maja("GET", "/v1/sites/s/alarms").body["items"]


def test_ids_are_not_guessed(olga: Asker) -> None:
    """With real chance, no two sites and outlets share a beginning."""
    olga.house.ids = RandomIds()  # type: ignore[assignment]  # as deployed
    outlet = {"number": "1", "fuse": "main", "phases": ["L1"], "max_a": 16}
    made = [olga("POST", SITES, NEW | {"outlets": [outlet]}).body for _ in range(3)]
    ids = [m["id"] for m in made] + [m["outlets"][0]["id"] for m in made]
    assert {len(i) for i in ids} == {26}
    assert len({i[:8] for i in ids}) == 6


@pytest.mark.parametrize(
    "path", ["", "/state", "/alarms", "/sessions", "/bridges", "/outlets.csv", "/revisions", "/outlets/s-1"]
)
def test_a_foreign_site_is_not_there(ask: Asker, path: str) -> None:
    """Who only uses outlets, or administers another owner, sees nothing of a site."""
    grant(ask.house, "user:mallory", Role.OWNER_ADMIN, "owner/other", owner="other")
    for who in ("anna", "mallory"):
        assert ask.as_(who)("GET", f"/v1/sites/s{path}").refused(404, "not_found")
