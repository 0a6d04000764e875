"""Sites as documents."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epspot.errors import InvalidSite
from epspot.registry.differences import MOST, differences
from epspot.registry.site_document import document_of, named, new_document, outlet_document, site_in
from epspot.site import (
    KINDS,
    Cap,
    Fuse,
    Group,
    GuardLimits,
    Outlet,
    PeakTariff,
    Policy,
    Principle,
    Site,
    Station,
    Window,
    is_planned,
    planned_at,
)
from functions.api.calls import validator
from tests.unit.services.house import site_of


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"new{next(numbers)}"


# ------------------------------------------------------------------ any site

names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,5}", fullmatch=True)
bridges = st.sampled_from(("b1", "b2", "b3"))
amperes = st.one_of(st.integers(1, 400).map(float), st.floats(0.5, 400))
three = st.tuples(amperes, amperes, amperes)
places = st.one_of(st.none(), st.floats(-90, 90))
texts = st.text(max_size=20)
called = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=9)
"""What people call something: one line."""
windows = st.lists(
    st.builds(
        Window,
        days=st.lists(st.integers(0, 6), min_size=1, max_size=7).map(tuple),
        months=st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple),
        start_min=st.integers(0, 1439),
        end_min=st.integers(1, 1440),
    ),
    max_size=2,
).map(tuple)
peaks = st.builds(
    PeakTariff,
    count=st.integers(1, 5),
    interval_s=st.sampled_from((900, 3600)),
    one_a_day=st.booleans(),
    windows=windows,
    night=windows,
    night_factor=st.floats(0, 1),
    least_w=st.floats(0, 1e5),
)
caps = st.builds(
    Cap,
    name=names,
    limit_a=st.one_of(st.none(), amperes),
    fuse=st.one_of(st.none(), names),
    windows=windows,
    above_ore=st.one_of(st.none(), st.floats(-1000, 1000)),
    peak=st.one_of(st.none(), peaks),
)
principles = st.one_of(st.none(), st.sampled_from([p.value for p in Principle]))
fuses = st.builds(
    Fuse,
    id=names,
    parent=st.one_of(st.none(), names),
    rating_a=three,
    max_sessions=st.one_of(st.none(), st.integers(0, 50)),
    planning_factor=st.floats(0.1, 1),
    other_a=three,
    principle=principles,
)
guards = st.builds(
    GuardLimits,
    instant=st.floats(1.05, 3),
    seconds=st.floats(1, 2),
    seconds_a=st.floats(0, 5),
    seconds_s=st.floats(1, 60),
    mean=st.floats(1, 2),
)
outlets = st.builds(
    Outlet,
    id=names,
    number=st.text(min_size=1, max_size=5),
    fuse=names,
    phases=st.sampled_from(((0,), (1,), (2,), (0, 1, 2), (2, 0, 1))),
    max_a=amperes,
    bridge=bridges,
    module=st.from_regex(r"[A-Z0-9]{1,4}", fullmatch=True),
    min_a=amperes,
    modulated=st.booleans(),
    fallback_a=amperes,
    autostart=st.booleans(),
    paid_by=st.sampled_from(("user", "outlet")),
    guard=guards,
    kind=st.sampled_from(KINDS),
    public=st.booleans(),
    group=st.one_of(st.none(), names),
    station=st.one_of(st.none(), names),
    tariff=st.one_of(st.none(), names),
    latitude=places,
    longitude=places,
)
policies = st.builds(
    Policy,
    principle=st.sampled_from([p.value for p in Principle]),
    turn_s=st.integers(1, 86_400),
    standby_a=st.floats(0, 10),
    weights=st.dictionaries(names, st.floats(0.1, 100), max_size=3),
    max_imbalance_a=st.one_of(st.none(), amperes),
    unused_margin_a=st.floats(0.5, 10),
    lease_s=st.integers(240, 900),
)
sites = st.builds(
    Site,
    id=names,
    name=called,
    fuses=st.lists(fuses, max_size=3).map(tuple),
    outlets=st.lists(outlets, max_size=4, unique_by=lambda o: o.id).map(tuple),
    policy=policies,
    revision=st.integers(1, 1000),
    meter_bridge=st.one_of(st.none(), bridges),
    caps=st.lists(caps, max_size=2).map(tuple),
    time_zone=st.sampled_from(("Europe/Stockholm", "UTC")),
    price_area=st.sampled_from(("SE1", "SE4")),
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    owner=names,
    address=texts,
    outline=st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=3).map(tuple),
    groups=st.lists(
        st.builds(Group, names, called, st.one_of(st.none(), names), st.booleans(), names),
        max_size=2,
    ).map(tuple),
    stations=st.lists(st.builds(Station, names, called, places, places), max_size=2).map(tuple),
    bridges=st.lists(bridges, unique=True).map(tuple),
)


@given(sites)
def test_a_document_and_its_site_say_the_same(site: Site) -> None:
    """A site is read from its document as it was, also over JSON, and the document of what was read is the same again."""
    told = json.loads(json.dumps(document_of(site)))
    validator("Site")(told)
    read = site_in(told, site, ids()).site
    assert read == site
    assert json.dumps(document_of(read)) == json.dumps(document_of(site))


def test_everything_that_can_be_set_stands_in_the_form() -> None:
    """The API's forms of a site and its parts have the fields that the parts have, and no others."""
    site = replace(
        site_of(),
        caps=(Cap("peak", peak=PeakTariff()),),
        groups=(Group("g", "G"),),
        stations=(Station("s", "S"),),
    )
    told = document_of(site)
    validator("Site")(told)
    told["outlets"][0]["colour"] = "red"
    with pytest.raises(ValueError, match="colour"):
        validator("Site")(told)


# ------------------------------------------------------------------ outlets


def problems(told: dict[str, Any], present: Site | None = None) -> list[str]:
    with pytest.raises(InvalidSite) as refused:
        site_in(told, present or site_of(), ids())
    return list(refused.value.problems)


def test_outlets_are_told_apart_by_id() -> None:
    """What has an id is that outlet, whatever else it says; what has none is new, with an id of ours and no module."""
    told = document_of(site_of())
    del told["outlets"][1]
    told["outlets"][0]["number"] = "77"
    told["outlets"].append({"number": "9", "fuse": "main", "phases": ["L2"], "max_a": 16})
    site, places = site_in(told, site_of(), ids())
    assert [(o.id, o.number) for o in site.outlets] == [("s-1", "77"), ("s-3", "3"), ("new1", "9")]
    assert (site.outlet["new1"].bridge, site.outlet["new1"].module) == planned_at("s", "new1")
    assert site.outlet["new1"].phases == (1,)
    assert places["new1"] == "outlets[2]"
    assert outlet_document(site, site.outlet["new1"])["bridge"] is None


def test_what_is_not_this_site_s_is_refused_with_every_reason() -> None:
    """An unknown outlet, another site's document, a bridge that was not claimed: each is told by its path."""
    told = document_of(site_of()) | {"id": "t", "owner": "other", "bridges": ["b9"]}
    told["outlets"][0]["id"] = "t-1"
    told["outlets"][1]["bridge"] = "t-b1"
    told["outlets"][2]["module"] = None
    paths = [p.partition(":")[0] for p in problems(told)]
    assert paths == ["id", "owner", "bridges[0]", "outlets[0].id", "outlets[1].bridge", "outlets[2]"]


def test_a_bridge_that_serves_outlets_stays() -> None:
    """A claimed bridge can be left out when nothing is bound to it."""
    present = replace(site_of(), bridges=("s-b1", "s-b2", "spare"))
    told = document_of(present)
    assert site_in(told | {"bridges": ["s-b1", "s-b2"]}, present, ids()).site.bridges == ("s-b1", "s-b2")
    (problem,) = problems(told | {"bridges": ["s-b1", "spare"]}, present)
    assert problem == "bridges: s-b2 can't be left out, since 1 outlets are there"


def test_what_is_left_out_of_a_binding_stays() -> None:
    """Without bridge and module an outlet keeps its own; with null it has none as yet."""
    told = document_of(site_of())
    del told["outlets"][0]["bridge"], told["outlets"][0]["module"]
    told["outlets"][1] |= {"bridge": None, "module": None}
    site = site_in(told, site_of(), ids()).site
    assert (site.outlet["s-1"].bridge, site.outlet["s-1"].module) == ("s-b1", "M1")
    assert is_planned(site.outlet["s-2"].bridge)
    assert site.checked() is site


def test_a_planned_bridge_can_t_be_named() -> None:
    """Nobody binds a module to what only stands for a bridge."""
    told = document_of(site_of())
    told["outlets"][0] |= dict(zip(("bridge", "module"), planned_at("s", "s-1"), strict=True))
    planned = site_in(document_of(site_of()) | {"outlets": told["outlets"][1:]}, site_of(), ids()).site
    assert problems(told, planned) != []


def test_a_thousand_outlets_can_be_planned() -> None:
    """As many as a site holds fit the bridges that stand for those to come."""
    blank = Site("x" * 26, "Plan", (), (), owner="o")
    told = {
        "name": "Plan",
        "grid_connection": {"rating_a": [63, 63, 63]},
        "outlets": [{"number": str(n), "fuse": "main", "phases": ["L1"], "max_a": 16} for n in range(1000)],
    }
    site = site_in(new_document(told), blank, ids()).site
    assert len(site.checked().outlets) == 1000


def test_a_document_makes_a_new_site() -> None:
    """Of another site's document everything is taken but ids, bridges, modules and the meter."""
    old = replace(site_of(), bridges=("s-b1",), meter_bridge="s-b1", revision=7)
    blank = Site("t", "T", (), (), owner="other")
    site = site_in(new_document(document_of(old)), blank, ids()).site
    assert (site.id, site.owner, site.revision, site.bridges, site.meter_bridge) == ("t", "other", 1, (), None)
    assert [o.number for o in site.checked().outlets] == ["1", "2", "3"]
    assert all(is_planned(o.bridge) for o in site.outlets)
    assert {o.id for o in site.outlets}.isdisjoint(old.outlet)


def test_a_new_site_has_one_grid_connection() -> None:
    """It is said as a connection or as fuses, not both."""
    grid = {"rating_a": [63, 63, 63], "planning_factor": 0.8, "other_a": [5, 5, 5]}
    assert new_document({"name": "A", "grid_connection": grid})["fuses"] == [grid | {"id": "main", "parent": None}]
    for told in ({"name": "A"}, {"name": "A", "grid_connection": grid, "fuses": []}):
        with pytest.raises(InvalidSite):
            new_document(told)


def test_problems_name_new_outlets_by_their_place() -> None:
    """Where an outlet has no id that its owner could know, its place is said instead."""
    said = named(["outlet new1: min_a 6 must be above 0", "outlet s-1 stands twice"], {"new1": "outlets[3]"})
    assert said == ["outlets[3]: min_a 6 must be above 0", "outlet s-1 stands twice"]


# ------------------------------------------------------------------ differences


def test_only_what_differs_is_told() -> None:
    """Paths go through things by their ids, whatever their order."""
    before, after = document_of(site_of()), document_of(site_of())
    after["outlets"].reverse()
    after["outlets"][0]["max_a"] = 10.0
    after["policy"]["turn_s"] = 60
    assert differences(before, after) == (
        {"policy.turn_s": 900, "outlets[s-3].max_a": 16.0},
        {"policy.turn_s": 60, "outlets[s-3].max_a": 10.0},
    )
    del after["outlets"][0]
    was, is_ = differences(before, after)
    assert (was["outlets[s-3]"]["number"], is_["outlets[s-3]"]) == ("3", None)
    assert differences(before, before) == ({}, {})


def test_what_was_not_there_is_told_thing_by_thing() -> None:
    """A whole new document is told by its things too, so that no line of the audit log is as long as a site."""
    outlets = [{"id": f"o{i}", "max_a": 16.0} for i in range(MOST + 1)]
    was, is_ = differences({}, {"name": "Garden", "outlets": outlets})
    assert (is_["name"], is_["outlets[o0]"], is_["more"]) == ("Garden", outlets[0], 2)
    assert was == dict.fromkeys(was)


def test_many_differences_are_counted() -> None:
    """Of more than fifty the rest is a number."""
    was, is_ = differences({}, {f"n{i}": i for i in range(MOST + 7)})
    assert (len(was), is_.pop("more"), len(is_)) == (MOST, 7, MOST)
