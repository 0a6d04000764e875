"""Configurations that are refused, with the numbers."""

from dataclasses import replace
from typing import Any

import pytest

from epspot.errors import InvalidSite
from epspot.site import MAX_OUTLETS, Fuse, Group, Policy, Site, Station
from tests.unit.domain.world import fuse, outlet, site


def problems(broken: Site) -> str:
    with pytest.raises(InvalidSite) as refusal:
        broken.checked()
    return str(refusal.value)


def test_fallbacks_must_fit_under_every_fuse() -> None:
    """A configuration whose fallbacks and largest other load may overload a fuse is refused, with the sum."""
    sound = site(
        *(outlet(f"o{i}", on="row", fallback_a=6.0) for i in range(3)),
        fuses=[fuse(rating_a=63), fuse("row", 20, "main", other_a=(2.0, 0.0, 0.0))],
    )
    broken = replace(sound, outlets=(*sound.outlets, outlet("o3", on="row", fallback_a=6.0)))
    assert problems(broken) == ("fuse row/L1: fallbacks and other load come to 26 A, but only 20 A may be planned")


def test_the_planning_factor_counts() -> None:
    """What may be planned is the rating times the electrician's factor."""
    assert Fuse("main", None, (25, 25, 20), planning_factor=0.8).planning_a == (20, 20, 16)
    broken = replace(site(), fuses=(replace(fuse(), planning_factor=1.1),))
    assert "planning factor of 1.1" in problems(broken)


@pytest.mark.parametrize("fallback_a", [5.0, 17.0])
def test_a_fallback_is_an_allowance_too(fallback_a: float) -> None:
    """A fallback is 0 or of use: between min and max."""
    broken = replace(site(), outlets=(outlet("a", fallback_a=fallback_a),))
    assert "must be 0, or 6 to 16" in problems(broken)


def test_a_module_stands_at_one_outlet() -> None:
    """Two outlets can't share a module of a bridge; at another bridge the same name is another module."""
    one, two = outlet("a"), replace(outlet("b"), module="A")
    assert "module A of bridge b1 stands at another outlet already" in problems(replace(site(), outlets=(one, two)))
    site(one, replace(two, bridge="b2")).checked()


def test_a_site_has_an_end() -> None:
    """More outlets than one item can hold are refused with the way out."""
    broken = replace(site(), outlets=tuple(outlet(f"o{i}") for i in range(MAX_OUTLETS + 1)))
    assert "at most 1000: divide it by its fuses" in problems(broken)


def test_all_problems_are_told_at_once() -> None:
    """Nobody mends one mistake only to be shown the next."""
    broken = replace(site(), fuses=(fuse(rating_a=0), fuse("x", 9, "nowhere")), outlets=(outlet("a", on="y"),))
    with pytest.raises(InvalidSite) as refusal:
        broken.checked()
    assert len(refusal.value.problems) == 3


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (replace(site(), outlets=(replace(outlet("a"), bridge="B_1"),)), "bridge 'B_1' must be 1 to 32"),
        (replace(site(), outlets=(replace(outlet("a"), module="M-1"),)), "module 'M-1' must be 1 to 12"),
        (replace(site(), meter_bridge="b9"), "bridge b9 serves no outlet"),
        (replace(site(), policy=Policy(principle="luck")), "principle 'luck' is not known"),
        (replace(site(), policy=Policy(turn_s=0, min_on_s=0)), "policy.turn_s is 0"),
        (replace(site(), policy=Policy(min_on_s=901)), "policy.min_on_s is 901; it must be 0 to turn_s (900)"),
        (replace(site(), policy=Policy(interval_s=5)), "policy.interval_s is 5; it must be 10 to 3600"),
        (replace(site(), policy=Policy(lease_s=239)), "policy.lease_s is 239; it must be 240 (four intervals)"),
    ],
)
def test_what_no_bridge_could_obey_is_refused(broken: Site, says: str) -> None:
    """Names that the contract doesn't carry, and times in which no lease can be kept, are refused."""
    assert says in problems(broken)


# ------------------------------------------------------------------ order for people


def placed(**more: Any) -> Site:
    """Make a site whose outlet stands in a group of a group, at a station."""
    groups = (Group("yard", "Yard"), Group("guests", "Guests", parent="yard"))
    made = outlet("a", group="guests", station="post", **more)
    stations = (Station("post", "Post 1", 59.5, 18.1),)
    return replace(site(), groups=groups, stations=stations, outlets=(made,)).checked()


def test_an_outlet_is_public_with_itself_or_any_group_that_it_is_in() -> None:
    """What is said of a group holds for the groups in it."""
    assert not placed().is_public(placed().outlet["a"])
    assert placed(public=True).is_public(placed(public=True).outlet["a"])
    for name in ("yard", "guests"):
        opened = replace(placed(), groups=tuple(replace(g, public=g.id == name) for g in placed().groups))
        assert opened.is_public(opened.outlet["a"])
    assert [g.id for g in placed().groups_above("guests")] == ["yard", "guests"]


def test_an_outlet_is_where_it_or_its_station_or_its_site_is() -> None:
    """The nearest that has a position tells it."""
    here = placed()
    assert here.place_of(here.outlet["a"]) == (59.5, 18.1)
    own = placed(latitude=59.6, longitude=18.2)
    assert own.place_of(own.outlet["a"]) == (59.6, 18.2)
    bare = replace(here, stations=(Station("post", "Post 1"),))
    assert bare.place_of(bare.outlet["a"]) == (bare.latitude, bare.longitude)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"groups": (Group("a", "A", parent="b"), Group("b", "B", parent="a"))}, "group a is in itself"),
        ({"groups": (Group("a", "A", parent="x"),)}, "group a is in x, which does not exist"),
        ({"groups": (Group("a", "A"), Group("a", "B"))}, "group a stands twice"),
        ({"groups": (Group("A b", "A"),)}, "group 'A b': an id is 1 to 32"),
        ({"stations": (Station("p", "P", 59.0, None),)}, "station p: latitude and longitude go together"),
        ({"stations": (Station("p", "P", 91.0, 18.0),)}, "must be on the globe"),
        ({"outline": ((59.0, 181.0),)}, "the outline: latitude"),
        ({"bridges": ("B 1",)}, "bridge 'B 1' must be"),
        ({"outlets": (outlet("a", group="x"),)}, "outlet a is in group x, which does not exist"),
        ({"outlets": (outlet("a", station="x"),)}, "outlet a is at station x, which does not exist"),
        ({"outlets": (outlet("a", kind="boat"),)}, "kind 'boat' is not known; use one of car, "),
        ({"outlets": (outlet("a"), replace(outlet("b"), number="a"))}, "outlet number a stands twice"),
    ],
    ids=str,
)
def test_a_wrong_order_is_refused(changes: dict[str, object], told: str) -> None:
    """Groups, stations, numbers and places must fit together, and each mistake is named."""
    assert told in problems(replace(site(), **changes))  # type: ignore[arg-type]
