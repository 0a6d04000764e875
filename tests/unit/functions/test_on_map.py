"""Outlets on the map, for guests and for those who are signed in."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from epspot.access import Role
from epspot.control.events import StartRequested
from epspot.control.state import Live
from epspot.registry.kinds import Page, Put
from epspot.registry.pins import MAP_PIN, OWN_PIN, PUBLIC_PIN, pins_of
from epspot.registry.records import TOKEN, Token
from epspot.services import find_outlets
from epspot.services.advance import advance
from epspot.services.change_site import edit_site
from epspot.services.register_site import register_site
from epspot.services.show_token import secret_hash, token_text
from epspot.site import Group, Outlet, Site, Station
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import grant
from tests.unit.services.house import House, site_of

TOWN = "west=18&south=59.3&east=18.1&north=59.4"
"""A box round where sites of the house stand."""


def place(house: House, name: str, *, public: bool = True, owner: str = "owner2", **fields: Any) -> Site:
    """Take in a site whose outlets are all public, or none."""
    site = site_of(name, owner=owner)
    outlets = tuple(replace(o, public=public) for o in site.outlets)
    site = replace(site, **{"outlets": outlets} | fields)
    register_site(house.lives, house.clock, site, house.journal)
    return site


def pages(ask: Asker, path: str) -> Iterator[list[dict[str, Any]]]:
    """Read a list to its end."""
    cursor = ""
    for _ in range(200):
        told = ask("GET", path + cursor)
        assert told.status == 200, told
        yield told.body["items"]
        if told.body["next"] is None:
            return
        cursor = f"&cursor={told.body['next']}"
    raise AssertionError("the list has no end")


def ids(ask: Asker, path: str) -> list[str]:
    """List the ids of all outlets of all pages, none of them told twice."""
    found = [o["id"] for page in pages(ask, path) for o in page]
    assert len(found) == len(set(found))
    return found


def change(house: House, site: str, **fields: Any) -> None:
    """Configure a site otherwise."""
    edit_site(house.controller, house.clock, site, lambda present: (replace(present, **fields), ()))


# ------------------------------------------------------------------ guests


def test_guests_see_what_is_public(ask: Asker) -> None:
    """A guest is told of public outlets with their state; a tariff that is nobody's has no price."""
    site = site_of("t")
    one = replace(site.outlets[0], public=True, station="post", tariff="night", kind="marina")
    two = replace(site.outlets[1], group="inner", latitude=59.35, longitude=18.05)
    place(
        ask.house,
        "t",
        outlets=(one, two, site.outlets[2]),
        groups=(Group("outer", "Outer", public=True, tariff="day"), Group("inner", "Inner", "outer")),
        stations=(Station("post", "Post 1", 59.34, 18.06),),
        address="Kajen 1",
    )
    told = ask.as_(None)("GET", f"/v1/public/outlets?{TOWN}")
    assert told.body == {
        "items": [
            {
                "id": "t-1",
                "number": "1",
                "kind": "marina",
                "site": {"id": "t", "name": "Garden", "address": "Kajen 1"},
                "station": {"id": "post", "name": "Post 1"},
                "latitude": 59.34,
                "longitude": 18.06,
                "state": "offline",
                "max_a": 16.0,
                "phases": 1,
                "tariff": "night",
                "price": None,
            },
            {
                "id": "t-2",
                "number": "2",
                "kind": "car",
                "site": {"id": "t", "name": "Garden", "address": "Kajen 1"},
                "station": None,
                "latitude": 59.35,
                "longitude": 18.05,
                "state": "offline",
                "max_a": 16.0,
                "phases": 1,
                "tariff": "day",
                "price": None,
            },
        ],
        "next": None,
    }


def test_the_state_is_the_present_one(ask: Asker) -> None:
    """An outlet that somebody uses is told to be in use."""
    change(ask.house, "s", outlets=tuple(replace(o, public=True) for o in site_of().outlets))
    advance(ask.house.controller, "s", StartRequested(ask.house.clock.at, "x", "s-2"))
    told = ask.as_(None)("GET", f"/v1/public/outlets?{TOWN}")
    assert [o["state"] for o in told.body["items"]] == ["plugged", "in_use", "plugged"]


def test_what_is_not_public_is_not_on_the_guests_map(ask: Asker) -> None:
    """A site without anything public leaves no trace in a guest's answer."""
    assert ask.as_(None)("GET", f"/v1/public/outlets?{TOWN}").body == {"items": [], "next": None}


def test_guests_answers_are_kept_for_a_moment(ask: Asker) -> None:
    """Everybody's answer may be kept for 15 s, and is not sent again to who has it; a new state is another answer."""
    place(ask.house, "t")
    guest, path = ask.as_(None), f"/v1/public/outlets?{TOWN}"
    told = guest("GET", path)
    assert told.headers["Cache-Control"] == "public, max-age=15"
    again = guest("GET", path, headers={"If-None-Match": f'"other", W/{told.etag}'})
    assert (again.status, again.body, again.etag) == (304, "", told.etag)
    change(ask.house, "t", name="Harbour")
    later = guest("GET", path, headers={"If-None-Match": told.etag})
    assert (later.status, later.body["items"][0]["site"]["name"]) == (200, "Harbour")
    assert later.etag != told.etag


def test_only_what_lies_in_the_box(ask: Asker) -> None:
    """Outlets of one site are told apart by where each stands."""
    site = site_of("t")
    spread = [replace(o, public=True, latitude=59.30 + n / 10, longitude=18.07) for n, o in enumerate(site.outlets)]
    place(ask.house, "t", outlets=tuple(spread))
    guest = ask.as_(None)
    assert ids(guest, f"/v1/public/outlets?{TOWN}") == ["t-1", "t-2"]
    assert ids(guest, "/v1/public/outlets?west=18&south=59.45&east=18.1&north=59.6") == ["t-3"]
    assert ids(guest, "/v1/public/outlets?west=11&south=55&east=24&north=69") == ["t-1", "t-2", "t-3"]
    assert ids(guest, "/v1/public/outlets?west=18.08&south=59.2&east=18.1&north=59.6") == []


@pytest.mark.parametrize("limit", [1, 2, 4, 100])
def test_pages_of_any_size_tell_everything_once(ask: Asker, limit: int) -> None:
    """However a list is divided, every outlet is told once, also of sites that lie in several cells."""
    names = [f"t{n}" for n in range(5)]
    for n, name in enumerate(names):
        outlets = [
            replace(o, public=True, latitude=59.31 + k * 0.04, longitude=18.01 + n * 0.02)
            for k, o in enumerate(site_of(name).outlets)
        ]
        place(ask.house, name, outlets=tuple(outlets))
    for area in (TOWN, "latitude=59.35&longitude=18.05&distance_m=20000"):
        assert sorted(ids(ask.as_(None), f"/v1/public/outlets?{area}&limit={limit}")) == sorted(
            f"{name}-{k}" for name in names for k in (1, 2, 3)
        )


def test_many_sites_come_in_pages_and_are_read_once(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """One answer reads the state of 20 sites at most."""
    for n in range(45):
        place(ask.house, f"t{n:02}")
    read: list[str] = []
    load = ask.house.lives.load

    def count(site: str) -> tuple[Site, Live]:
        read.append(site)
        return load(site)

    monkeypatch.setattr(ask.house.lives, "load", count)
    sizes = [len(page) for page in pages(ask.as_(None), f"/v1/public/outlets?{TOWN}")]
    assert sizes == [60, 60, 15]
    assert len(read) == len(set(read)) == 45


def test_foreign_sites_cost_a_bounded_look(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pins that lead nowhere are passed over some at a time, so that a page may be empty without being the last."""
    monkeypatch.setattr(find_outlets, "MOST_PINS", 4)
    for n in range(9):
        place(ask.house, f"t{n}", latitude=59.31, longitude=18.0)
    place(ask.house, "u", latitude=59.31, longitude=18.01)
    read = [*pages(ask.as_(None), "/v1/public/outlets?west=18.005&south=59.305&east=18.02&north=59.315")]
    assert [len(page) for page in read] == [0, 0, 3]


def test_the_nearest_first(ask: Asker) -> None:
    """About a place, outlets come by their distance, which is told in whole metres."""
    for n, name in enumerate(["far", "near", "mid"]):
        place(ask.house, name, latitude=59.33, longitude=18.07 + (0.02, 0.001, 0.01)[n])
    place(ask.house, "away", latitude=59.33, longitude=18.5)
    told = ask.as_(None)("GET", "/v1/public/outlets?latitude=59.33&longitude=18.07&distance_m=5000")
    assert [(o["site"]["id"], o["distance_m"]) for o in told.body["items"][::3]] == [
        ("near", 57),
        ("mid", 567),
        ("far", 1134),
    ]
    assert ids(ask.as_(None), "/v1/public/outlets?latitude=59.33&longitude=18.07&distance_m=5000&limit=4") == [
        f"{name}-{n}" for name in ("near", "mid", "far") for n in (1, 2, 3)
    ]


def test_too_many_about_a_place(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more sites than can be put in order, a smaller distance is asked for."""
    monkeypatch.setattr(find_outlets, "MOST_NEAR", 2)
    for n in range(3):
        place(ask.house, f"t{n}")
    told = ask.as_(None)("GET", "/v1/public/outlets?latitude=59.33&longitude=18.07&distance_m=500", language="sv")
    assert told.refused(400, "invalid_request")
    assert "Zooma" in told.body["detail"]


@pytest.mark.parametrize(
    "area",
    [
        "",
        "west=18&south=59&east=19",
        "west=18&south=60&east=19&north=59",
        "west=-10&south=36&east=40&north=70",
        "latitude=59&longitude=18",
        "latitude=59&longitude=18&distance_m=500&west=18",
        "latitude=nan&longitude=18&distance_m=500",
        "latitude=59&longitude=181&distance_m=500",
        "latitude=59&longitude=18&distance_m=inf",
        f"{TOWN}&cursor=x",
        f"{TOWN}&cursor=T1dORVIjb3duZXIxCnMKMA==",
        f"{TOWN}&limit=0",
    ],
)
def test_what_makes_no_sense_is_refused(ask: Asker, area: str) -> None:
    """An area that is none, or too large, and a cursor of one's own making (here of an owner) are refused."""
    assert ask.as_(None)("GET", f"/v1/public/outlets?{area}").refused(400, "invalid_request")


# ------------------------------------------------------------------ people with rights


def test_people_see_theirs_beside_what_is_public(ask: Asker) -> None:
    """Who has a grant sees those outlets too, each told once; another does not."""
    place(ask.house, "t")
    both = [f"{site}-{n}" for site in "st" for n in (1, 2, 3)]
    for limit in (1, 4, 100):
        assert ids(ask, f"/v1/outlets?{TOWN}&limit={limit}") == both
    assert ids(ask.as_("eva"), f"/v1/outlets?{TOWN}") == both[3:]
    assert ask.as_(None)("GET", f"/v1/outlets?{TOWN}").refused(401, "not_signed_in")


def test_people_are_told_what_they_may_use(ask: Asker) -> None:
    """A public outlet may be used by everyone; of a site only that which is granted is shown."""
    grant(ask.house, "user:eva", Role.USER, "outlet/s-2")
    place(ask.house, "t", owner="owner1")
    told = ask.as_("eva")("GET", f"/v1/outlets?{TOWN}").body["items"]
    assert [(o["id"], o["may_use"]) for o in told] == [("s-2", True), ("t-1", True), ("t-2", True), ("t-3", True)]


def test_who_only_maintains_sees_no_private_outlets_here(ask: Asker) -> None:
    """A right to view is none to use: the map shows what can be used."""
    grant(ask.house, "user:eva", Role.MAINTENANCE, "site/s")
    assert ids(ask.as_("eva"), f"/v1/outlets?{TOWN}") == []


def test_a_token_sees_what_its_owner_lets_it_use(ask: Asker) -> None:
    """A token may use what its scope holds, and public outlets of others only as a guest sees them."""
    place(ask.house, "t")
    token = Token("tok", "owner1", "Parking", secret_hash("secret"), ("use",), "site/s")
    ask.house.registry.commit([Put(TOKEN, None, token)])
    told = ask.as_(token_text("tok", "secret"))("GET", f"/v1/outlets?{TOWN}").body["items"]
    assert [(o["id"], o["may_use"]) for o in told] == [
        *((f"s-{n}", True) for n in (1, 2, 3)),
        *((f"t-{n}", False) for n in (1, 2, 3)),
    ]


# ------------------------------------------------------------------ pins


def test_pins_move_with_the_outlets(ask: Asker) -> None:
    """What becomes public, moves, or is public no more is found where it is now, and nowhere else."""
    guest, elsewhere = ask.as_(None), "west=11.9&south=57.6&east=12.1&north=57.8"
    public = tuple(replace(o, public=True) for o in site_of().outlets)
    change(ask.house, "s", outlets=public)
    assert len(ids(guest, f"/v1/public/outlets?{TOWN}")) == 3
    change(ask.house, "s", latitude=57.7, longitude=12.0)
    assert ids(guest, f"/v1/public/outlets?{TOWN}") == []
    assert len(ids(guest, f"/v1/public/outlets?{elsewhere}")) == 3
    assert len(ids(ask, f"/v1/outlets?{elsewhere}")) == 3
    change(ask.house, "s", outlets=(replace(public[0], public=False), *public[1:]))
    assert ids(guest, f"/v1/public/outlets?{elsewhere}") == ["s-2", "s-3"]
    change(ask.house, "s", outlets=site_of().outlets)
    kinds = [kind for kind, _ in ask.house.registry.records.values() if kind in (MAP_PIN, OWN_PIN, PUBLIC_PIN)]
    assert kinds == [OWN_PIN]


def test_a_change_of_something_else_leaves_the_pins_alone(ask: Asker) -> None:
    """Pins are read and written only when they change."""
    place(ask.house, "t")
    before = dict(ask.house.registry.records)
    change(ask.house, "t", name="Harbour")
    assert ask.house.registry.records == before


def test_a_site_never_has_pins_without_end() -> None:
    """However outlets are strewn, few cells lead to a site: those with the most outlets."""
    outlets = tuple(
        Outlet(f"o{n}", str(n), "main", (0,), 16.0, "b", f"M{n}", public=True, latitude=50.0, longitude=n // 2 * 6.0)
        for n in range(40)
    )
    pins = [pin for kind, pin in pins_of(replace(site_of(), outlets=outlets)) if kind is MAP_PIN]
    assert len(pins) == 32
    assert len({pin.cell for pin in pins}) == 32


def test_the_map_is_found_by_cells_alone(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a guest's look costs does not grow with owners or with sites elsewhere."""
    for n in range(30):
        place(ask.house, f"t{n}", owner=f"o{n}", latitude=50.0 + n / 10)
    asked: list[Page[Any]] = []
    under = ask.house.registry.under

    def count(*key: Any) -> Page[Any]:
        asked.append(under(*key))
        return asked[-1]

    monkeypatch.setattr(ask.house.registry, "under", count)
    ask.as_(None)("GET", f"/v1/public/outlets?{TOWN}")
    assert len(asked) == 6
    assert [page.items for page in asked if page.items] == []
