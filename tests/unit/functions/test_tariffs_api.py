"""Tariffs as owners keep them, and as drivers meet them: on the map, at their sessions and as open data."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from epspot.access import Role
from epspot.control.events import OutlookReceived
from epspot.registry.kinds import Put
from epspot.registry.records import OWNED_SITE, OWNER, OwnedSite, Owner
from epspot.services.advance import advance
from epspot.services.change_site import edit_site
from epspot.services.keep_tariffs import MOST
from epspot.site import Group
from functions.api.calls import validator
from functions.api.schemas.public_data import DAYS
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import grant
from tests.unit.services.house import OFF, House

ALL = "/v1/owners/owner1/tariffs"
OCPI = "/v1/public/ocpi/2.2.1"
TOWN = "west=18&south=59.3&east=18.1&north=59.4"
DAY, NIGHT = {"start_min": 360, "end_min": 1320}, {"start_min": 1320, "end_min": 360}
PLAIN = {"name": "Garden", "start": [{"ore": 500}], "hour": [{"ore": 120}], "energy": [{"ore": 250.5}]}
BY_DAY = {"name": "Day and night", "energy": [{"ore": 300, "windows": [DAY]}, {"ore": 100, "windows": [NIGHT]}]}
SPOT = {"name": "Spot", "energy": [{"ore": 30, "market": {"otherwise_ore": 300}}]}
AN_HOUR = {"begin": "2026-06-03T08:00:00+02:00", "end": "2026-06-03T09:00:00+02:00", "energy_wh": 2000}


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as the owner's administrator."""
    return ask.as_("olga")


def make(olga: Asker, form: Mapping[str, Any] = PLAIN) -> str:
    """Make a tariff, and return its id."""
    made = olga("POST", ALL, form)
    assert made.status == 201, made
    return str(made.body["id"])


def give(house: House, tariff: str, *, public: bool = True, **fields: Any) -> None:
    """Let the first outlet of the site have a tariff."""

    def edited(present: Any) -> Any:
        first, *rest = present.outlets
        return replace(present, outlets=(replace(first, tariff=tariff, public=public), *rest), **fields), ()

    edit_site(house.controller, house.clock, "s", edited)


# ------------------------------------------------------------------ keeping


def test_a_tariff_is_made_and_read(olga: Asker) -> None:
    """It is told whole, what was left out too, with its version, its time and its currency."""
    made = olga("POST", ALL, PLAIN)
    assert (made.status, made.etag) == (201, '"1"')
    assert made.body == PLAIN | {
        "id": made.body["id"],
        "version": 1,
        "valid_from": "2027-01-15T08:00:00.000+00:00",
        "currency": "SEK",
        "idle": [],
        "hour_free_s": 0,
        "idle_grace_s": 0,
        "least_ore": 0,
        "most_ore": None,
        "vat": 0.25,
    }
    validator("Tariff")(made.body)
    assert olga("GET", made.headers["Location"]).body == made.body
    assert olga("GET", ALL).body == {"items": [made.body], "next": None}


def test_a_tariff_is_made_once(olga: Asker) -> None:
    """The same request again finds the tariff that the first has made."""
    first, again = (olga("POST", ALL, PLAIN, key="k") for _ in range(2))
    assert first.body == again.body
    assert len(olga("GET", ALL).body["items"]) == 1


def test_a_change_makes_a_version(olga: Asker) -> None:
    """The old version stays as it was; a change of what stands no more is refused; no change makes no version."""
    one = f"{ALL}/{make(olga)}"
    olga.house.clock.at += 60
    changed = olga("PUT", one, BY_DAY, if_match='"1"')
    assert (changed.status, changed.etag, changed.body["name"]) == (200, '"2"', "Day and night")
    assert changed.body["valid_from"] == "2027-01-15T08:01:00.000+00:00"
    assert olga("PUT", one, PLAIN, if_match='"1"').refused(412, "version_changed")
    assert olga("PUT", one, BY_DAY, if_match='"2"').etag == '"2"'
    told = olga("GET", f"{one}/versions").body["items"]
    assert [(v["version"], v["name"]) for v in told] == [(2, "Day and night"), (1, "Garden")]
    assert olga("GET", f"{one}/versions?limit=1").body["next"] is not None
    lines = olga("GET", "/v1/owners/owner1/audit").body["items"]
    assert [line["what"] for line in lines] == ["tariff.changed", "tariff.created"]


def test_an_unsound_tariff_is_refused_with_every_reason(olga: Asker) -> None:
    """Gaps and bounds are told by name, and nothing is written."""
    wrong = PLAIN | {"energy": [{"ore": 1, "windows": [DAY]}], "least_ore": 5, "most_ore": 4}
    told = olga("POST", ALL, wrong)
    assert told.refused(422, "invalid_tariff")
    assert [p.partition(":")[0] for p in told.body["problems"]] == ["most_ore", "energy"]
    one = f"{ALL}/{make(olga)}"
    assert olga("PUT", one, wrong, if_match="*").refused(422, "invalid_tariff")
    assert olga("GET", one).etag == '"1"'


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"colour": 1},
        {"energy": [{}]},
        {"energy": [{"ore": "1"}]},
        {"energy": [{"ore": 1e400}]},
        {"energy": [{"ore": 1, "windows": []}]},
        {"hour": [{"ore": 1, "windows": [{"start_min": 1440}]}]},
        {"vat": 25},
        {"start": [{"ore": 1}] * 25},
    ],
)
def test_the_form_is_bounded(olga: Asker, wrong: dict[str, Any]) -> None:
    """What is no tariff by its form does not come further."""
    assert olga("POST", ALL, PLAIN | wrong).refused(400, "invalid_request")


def test_an_owner_has_so_many_tariffs_at_most(olga: Asker) -> None:
    """One more is refused; the list comes in pages."""
    for _ in range(MOST):
        make(olga)
    assert olga("POST", ALL, PLAIN).refused(400, "invalid_request")
    first = olga("GET", f"{ALL}?limit=60").body
    rest = olga("GET", f"{ALL}?limit=60&cursor={first['next']}").body
    assert len({t["id"] for t in first["items"] + rest["items"]}) == MOST
    assert rest["next"] is None


def test_others_know_nothing_of_it(ask: Asker, olga: Asker) -> None:
    """Whoever has no right there learns nothing; who may view may not change; another owner's tariff is none."""
    one = f"{ALL}/{make(olga)}"
    ask.house.registry.commit([Put(OWNER, None, Owner("owner2", "Harbour"))])
    grant(ask.house, "user:otto", Role.OWNER_ADMIN, "owner/owner2", "owner2")
    grant(ask.house, "user:fia", Role.FINANCE, "owner/owner1")
    for asker in (ask, ask.as_("otto")):
        assert asker("GET", one).refused(404, "not_found")
        assert asker("POST", ALL, PLAIN).refused(404, "not_found")
    fia, otto = ask.as_("fia"), ask.as_("otto")
    assert fia("GET", one).status == 200
    assert fia("PUT", one, PLAIN, if_match="*").refused(403, "not_allowed")
    foreign = one.replace("owner1", "owner2")
    for told in (
        otto("GET", foreign),
        otto("PUT", foreign, BY_DAY, if_match="*"),
        otto("DELETE", foreign, if_match="*"),
        otto("GET", f"{foreign}/versions"),
        otto(
            "POST", "/v1/owners/owner2/tariffs/preview", {"tariff_id": one.rpartition("/")[2], "stretches": [AN_HOUR]}
        ),
    ):
        assert told.refused(404, "not_found")


def test_a_tariff_in_use_stays(olga: Asker) -> None:
    """While an outlet or a group has it, it can't be taken away, and the refusal says where; its versions stay anyway."""
    tariff = make(olga)
    one = f"{ALL}/{tariff}"
    olga.house.registry.commit([Put(OWNED_SITE, None, OwnedSite("s", "owner1", "Garden"))])
    give(olga.house, tariff)
    told = olga("DELETE", one, if_match='"1"')
    assert told.refused(409, "tariff_in_use")
    assert "Outlet 1 of Garden" in told.body["detail"]
    give(olga.house, "", groups=(Group("g", "Pier", tariff=tariff),))
    assert "Group Pier of Garden" in olga("DELETE", one, if_match='"1"').body["detail"]
    give(olga.house, "", groups=())
    assert olga("DELETE", one, if_match='"2"').refused(412, "version_changed")
    assert olga("DELETE", one, if_match='"1"').status == 204
    assert olga("GET", one).refused(404, "not_found")
    again = olga("POST", f"{ALL}/preview", {"tariff_id": tariff, "version": 1, "stretches": [AN_HOUR]})
    assert again.body["total_ore"] == 500 + 120 + 501


# ------------------------------------------------------------------ sites


def test_a_site_has_only_tariffs_of_its_owner(olga: Asker) -> None:
    """A document that names others is refused with each place; what stood there before does no harm."""
    told = olga("GET", "/v1/sites/s")
    tariff, document = make(olga), told.body
    document["outlets"][1]["tariff"] = "nowhere"
    document["groups"] = [{"id": "g", "name": "Pier", "tariff": "nothing"}]
    refused = olga("PUT", "/v1/sites/s", document, if_match=told.etag)
    assert refused.refused(422, "invalid_site")
    assert refused.body["problems"] == [
        "outlets[1]: tariff nowhere is none of the owner's tariffs",
        "groups[0].tariff: nothing is none of the owner's tariffs",
    ]
    assert olga("POST", "/v1/owners/owner1/sites", document).refused(422, "invalid_site")
    document["outlets"][1]["tariff"] = document["groups"][0]["tariff"] = tariff
    assert olga("PUT", "/v1/sites/s", document, if_match=told.etag).status == 200
    give(olga.house, "from before")
    told = olga("GET", "/v1/sites/s")
    assert olga("PUT", "/v1/sites/s", told.body | {"name": "Yard"}, if_match=told.etag).status == 200


def test_one_outlet_is_refused_too(olga: Asker) -> None:
    """The same holds where a single outlet is changed."""
    one = olga("GET", "/v1/sites/s/outlets/s-1")
    told = olga("PUT", "/v1/sites/s/outlets/s-1", one.body | {"tariff": "nowhere"}, if_match=one.etag)
    assert told.refused(422, "invalid_site")
    assert told.body["problems"] == ["the outlet: tariff nowhere is none of the owner's tariffs"]


# ------------------------------------------------------------------ previews


def preview(olga: Asker, **body: Any) -> Answer:
    """Ask what a session would have cost."""
    return olga("POST", f"{ALL}/preview", body)


def test_a_preview_has_the_lines_of_the_receipt(olga: Asker) -> None:
    """Each fee has its line, and nothing is written."""
    before = dict(olga.house.registry.records)
    told = preview(olga, tariff=PLAIN, stretches=[AN_HOUR])
    assert told.status == 200
    validator("TariffPrice")(told.body)
    assert told.body == {
        "total_ore": 1121,
        "vat_ore": 224,
        "lines": [
            {"what": "start", "rate": 0, "quantity": 1, "unit": "", "unit_ore": 500, "amount_ore": 500},
            {"what": "hour", "rate": 0, "quantity": 1, "unit": "h", "unit_ore": 120, "amount_ore": 120},
            {"what": "energy", "rate": 0, "quantity": 2, "unit": "kWh", "unit_ore": 250.5, "amount_ore": 501},
        ],
        "estimate": False,
        "assumed": False,
    }
    assert olga.house.registry.records == before


def test_a_preview_by_the_market(olga: Asker) -> None:
    """Spot prices are told with it; where there are none it says that it assumes one."""
    spot = [{"from": "2026-06-03T08:00:00+02:00", "ore_per_kwh": 40}]
    known, unknown = (preview(olga, tariff=SPOT, stretches=[AN_HOUR], **more) for more in ({"spot": spot}, {}))
    assert (known.body["total_ore"], known.body["assumed"]) == (2 * (50 + 30), False)
    assert (unknown.body["total_ore"], unknown.body["assumed"]) == (600, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tariff": PLAIN},
        {"stretches": [AN_HOUR]},
        {"tariff": PLAIN, "tariff_id": "x", "stretches": [AN_HOUR]},
        {"tariff": PLAIN, "version": 1, "stretches": [AN_HOUR]},
        {"tariff": PLAIN, "session": "x", "stretches": [AN_HOUR]},
        {"tariff": PLAIN, "session": "x", "spot": []},
        {"tariff": PLAIN, "stretches": []},
        {"tariff": PLAIN, "stretches": [AN_HOUR, AN_HOUR]},
        {"tariff": PLAIN, "stretches": [AN_HOUR | {"end": "2026-06-03T07:00:00+02:00"}]},
        {"tariff": PLAIN, "stretches": [AN_HOUR | {"end": "2026-08-03T07:00:00+02:00"}]},
        {"tariff": PLAIN, "stretches": [AN_HOUR | {"end": "2026-06-03T09:00:00"}]},
        {"tariff": PLAIN, "stretches": [AN_HOUR | {"begin": "9999-12-31T23:00:00Z", "end": "9999-12-31T23:59:59Z"}]},
        {"tariff": SPOT, "stretches": [AN_HOUR], "spot": [{"from": AN_HOUR["begin"], "ore_per_kwh": 1}] * 2},
    ],
)
def test_previews_that_make_no_sense_are_refused(olga: Asker, body: dict[str, Any]) -> None:
    """One tariff and one session, in the order of time."""
    assert preview(olga, **body).refused(400, "invalid_request")


def test_a_preview_of_an_unsound_tariff(olga: Asker) -> None:
    """It is refused as a tariff is that is to be kept."""
    told = preview(olga, tariff=PLAIN | {"energy": [{"ore": 1, "windows": [DAY]}]}, stretches=[AN_HOUR])
    assert told.refused(422, "invalid_tariff")


def test_a_preview_of_a_session(ask: Asker, olga: Asker) -> None:
    """A session that has ended is priced from when it got current; one that runs, or is another's, is not."""
    begun = ask("POST", "/v1/sessions", {"outlet": "s-1"}).body["id"]
    ask.house.note()
    assert preview(olga, tariff=PLAIN, session=begun).refused(400, "invalid_request")
    run_for_an_hour(ask, begun)
    told = preview(olga, tariff=PLAIN, session=begun).body
    assert [(line["what"], line["amount_ore"]) for line in told["lines"]] == [
        ("start", 500),
        ("hour", 120),
        ("energy", 752),
    ]
    assert (told["total_ore"], told["estimate"]) == (1372, True)
    assert preview(olga, tariff=PLAIN, session="x").refused(404, "session_unknown")
    ask.house.registry.commit([Put(OWNER, None, Owner("owner2", "Harbour"))])
    grant(ask.house, "user:otto", Role.OWNER_ADMIN, "owner/owner2", "owner2")
    body = {"tariff": PLAIN, "session": begun}
    assert ask.as_("otto")("POST", "/v1/owners/owner2/tariffs/preview", body).refused(404, "session_unknown")


def run_for_an_hour(ask: Asker, session: str) -> None:
    """Let a session draw 3 kWh in an hour, and end."""
    house = ask.house
    house.clock.at += 3600
    house.take(house.frame(M1=OFF._replace(relay=True, limit_a=12.0, current_a=(12.0, 0.0, 0.0), energy_wh=4000)))
    ask("POST", f"/v1/sessions/{session}/stop")
    house.take(house.frame(M1=OFF._replace(energy_wh=4000)))
    house.note()


# ------------------------------------------------------------------ what drivers see


def test_prices_on_the_map_and_in_the_list(ask: Asker, olga: Asker) -> None:
    """Guests and users see what is asked for now: at half past nine at night what holds then."""
    tariff = make(olga, BY_DAY)
    give(ask.house, tariff)
    price = {
        "tariff": tariff,
        "version": 1,
        "name": "Day and night",
        "currency": "SEK",
        "start_ore": None,
        "hour_ore": None,
        "kwh_ore": 300,
        "idle_ore": None,
        "assumed": False,
    }
    validator("PriceNow")(price)
    assert ask.as_(None)("GET", f"/v1/public/outlets?{TOWN}").body["items"][0]["price"] == price
    assert [o["price"] for o in ask("GET", f"/v1/outlets?{TOWN}").body["items"]] == [price, None, None]
    ask.house.clock.at += 14 * 3600
    states = ask("GET", "/v1/sites/s/outlet-states").body["items"]
    assert [o["price"] for o in states] == [price | {"kwh_ore": 100}, None, None]


def test_the_nearest_group_has_the_say(ask: Asker, olga: Asker) -> None:
    """An outlet without a tariff of its own has that of the innermost group that has one."""
    near, far = make(olga), make(olga, BY_DAY)
    outer, inner = Group("a", "Harbour", tariff=far), Group("b", "Pier", "a", tariff=near)

    def edited(present: Any) -> Any:
        one, two, three = present.outlets
        outlets = (replace(one, group="b"), replace(two, group="a"), replace(three, tariff=far, group="b"))
        return replace(present, outlets=outlets, groups=(outer, inner)), ()

    edit_site(ask.house.controller, ask.house.clock, "s", edited)
    states = ask("GET", "/v1/sites/s/outlet-states").body["items"]
    assert [o["price"]["tariff"] for o in states] == [near, far, far]


def test_a_session_keeps_the_version_it_began_with(ask: Asker, olga: Asker) -> None:
    """Its cost so far is by the version in force at its start, whatever the owner changes; the end is the same."""
    tariff = make(olga)
    give(ask.house, tariff)
    begun = ask("POST", "/v1/sessions", {"outlet": "s-1"}).body
    assert (begun["tariff"], begun["cost_ore"]) == (f"{tariff}/1", 0)
    ask.house.note()
    olga("PUT", f"{ALL}/{tariff}", BY_DAY, if_match="*")
    path = f"/v1/sessions/{begun['id']}"
    assert ask("GET", path).body["cost_ore"] == 500
    run_for_an_hour(ask, begun["id"])
    ended = ask("GET", path).body
    assert (ended["state"], ended["tariff"], ended["cost_ore"]) == ("ended", f"{tariff}/1", 500 + 120 + 752)
    assert ended["cost_is_estimate"] is True


def test_without_a_spot_price_no_cost_is_told(ask: Asker, olga: Asker) -> None:
    """A cost that would rest on a price in the market's place is not told; on the map it is told as assumed."""
    give(ask.house, make(olga, SPOT))
    begun = ask("POST", "/v1/sessions", {"outlet": "s-1"}).body
    ask.house.note()
    run_for_an_hour(ask, begun["id"])
    assert ask("GET", f"/v1/sessions/{begun['id']}").body["cost_ore"] is None
    told = ask("GET", "/v1/sites/s/outlet-states").body["items"][0]["price"]
    assert (told["kwh_ore"], told["assumed"]) == (300, True)


def test_known_spot_prices_are_used(ask: Asker, olga: Asker) -> None:
    """Where the site has been told what the market asks for, maps and sessions go by that."""
    give(ask.house, make(olga, SPOT))
    now = ask.house.clock.at
    prices = tuple((int(now) + n * 3600, 40.0 + 40 * n) for n in range(3))
    advance(ask.house.controller, "s", OutlookReceived(now, prices=prices))
    begun = ask("POST", "/v1/sessions", {"outlet": "s-1"}).body
    ask.house.note()
    seen = ask.as_(None)("GET", f"/v1/public/outlets?{TOWN}").body["items"][0]["price"]
    assert (seen["kwh_ore"], seen["assumed"]) == (40 * 1.25 + 30, False)
    run_for_an_hour(ask, begun["id"])
    assert ask("GET", f"/v1/sessions/{begun['id']}").body["cost_ore"] == 3 * (40 * 1.25 + 30)


# ------------------------------------------------------------------ open data


def test_tariffs_as_open_data(ask: Asker, olga: Asker) -> None:
    """Tariffs of public points are listed in kronor without VAT, and their connectors name them."""
    give(ask.house, tariff := make(olga, PLAIN | {"least_ore": 1000}))
    told = ask.as_(None)("GET", f"{OCPI}/tariffs")
    validator("OcpiTariffs")(told.body)
    assert told.body["data"] == [
        {
            "country_code": "SE",
            "party_id": "EPS",
            "id": tariff,
            "currency": "SEK",
            "tariff_alt_text": [{"language": "sv", "text": "Garden."}],
            "min_price": {"excl_vat": 8.0, "incl_vat": 10.0},
            "elements": [
                {"price_components": [{"type": kind, "price": price, "vat": 25.0, "step_size": 1}]}
                for kind, price in (("FLAT", 4.0), ("ENERGY", 2.004), ("TIME", 0.96), ("PARKING_TIME", 0.96))
            ],
            "last_updated": "2027-01-15T08:00:00Z",
        }
    ]
    assert told.headers["X-Total-Count"] == "1"
    point = ask.as_(None)("GET", f"{OCPI}/locations/s/s-1/1")
    validator("OcpiOneConnector")(point.body)
    assert point.body["data"]["tariff_ids"] == [tariff]
    assert ask.as_(None)("GET", f"{OCPI}/tariffs?date_to=2027-01-15T08:00:00Z").body["data"] == []


def elements(ask: Asker) -> list[tuple[str, float, Any]]:
    """Tell the elements of the only tariff that is published."""
    told = ask.as_(None)("GET", f"{OCPI}/tariffs")
    validator("OcpiTariffs")(told.body)
    (one,) = told.body["data"]
    return [
        (e["price_components"][0]["type"], e["price_components"][0]["price"], e.get("restrictions"))
        for e in one["elements"]
    ]


def test_times_as_open_data(ask: Asker, olga: Asker) -> None:
    """A night over midnight is published as it lies in each day, and days alike stand together."""
    workdays, weekend = {"days": [0, 1, 2, 3, 4]}, {"days": [5, 6]}
    energy = [
        {"ore": 100, "windows": [workdays | {"end_min": 360}, weekend]},
        {"ore": 300, "windows": [workdays | {"start_min": 360}]},
    ]
    give(ask.house, make(olga, {"name": "Week", "energy": energy}))
    assert elements(ask) == [
        ("ENERGY", 0.8, {"start_time": "00:00", "end_time": "06:00", "day_of_week": list(DAYS[:5])}),
        ("ENERGY", 2.4, {"start_time": "06:00", "end_time": "00:00", "day_of_week": list(DAYS[:5])}),
        ("ENERGY", 0.8, {"day_of_week": list(DAYS[5:])}),
    ]


def test_free_time_and_idle_fees_as_open_data(ask: Asker, olga: Asker) -> None:
    """The first elements are free of the hour fee; after charging both fees are asked for; the grace is told in words."""
    form = {"name": "Fair", "hour": [{"ore": 125}], "idle": [{"ore": 500}], "hour_free_s": 1800, "idle_grace_s": 900}
    give(ask.house, make(olga, form))
    assert elements(ask) == [
        ("TIME", 0.0, {"max_duration": 1800}),
        ("TIME", 1.0, None),
        ("PARKING_TIME", 4.0, {"max_duration": 1800}),
        ("PARKING_TIME", 5.0, None),
    ]
    (one,) = ask.as_(None)("GET", f"{OCPI}/tariffs").body["data"]
    assert one["tariff_alt_text"][0]["text"] == "Fair. Tomgångsavgiften tas ut efter 15 minuter."


def test_months_as_open_data(ask: Asker, olga: Asker) -> None:
    """What differs between months is published for the present one, and ends with it."""
    winter, rest = {"months": [1, 2, 12]}, {"months": [3, 4, 5, 6, 7, 8, 9, 10, 11]}
    form = {"name": "Year", "energy": [{"ore": 250, "windows": [winter]}, {"ore": 125, "windows": [rest]}]}
    give(ask.house, make(olga, form))
    assert elements(ask) == [("ENERGY", 2.0, None)]
    ask.house.clock.at += 60 * 86_400
    assert elements(ask) == [("ENERGY", 1.0, None)]
    (one,) = ask.as_(None)("GET", f"{OCPI}/tariffs").body["data"]
    assert (one["last_updated"], one["end_date_time"]) == ("2027-02-28T23:00:00Z", "2027-03-31T22:00:00Z")


def test_what_open_data_leaves_out(ask: Asker, olga: Asker) -> None:
    """OCPI has no form for the market; a tariff of private outlets is nobody's business; a free one is told as free."""
    give(ask.house, make(olga, SPOT))
    guest = ask.as_(None)
    assert guest("GET", f"{OCPI}/tariffs").body["data"] == []
    assert "tariff_ids" not in guest("GET", f"{OCPI}/locations/s/s-1/1").body["data"]
    give(ask.house, make(olga, {"name": "Free"}))
    assert elements(ask) == [("FLAT", 0.0, None)]
    give(ask.house, make(olga), public=False)
    assert guest("GET", f"{OCPI}/tariffs").body["data"] == []
