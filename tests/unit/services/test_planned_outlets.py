"""Outlets that stand in the configuration before they have a module."""

from dataclasses import replace

from epspot.control.due import due_at
from epspot.services.change_site import change_site
from epspot.services.tick_sites import tick_sites
from epspot.site import Outlet, Site, is_planned, planned_at
from tests.unit.services.house import House, site_of


def planned(n: int, site: str = "s") -> Outlet:
    bridge, module = planned_at(site, f"p{n}")
    return Outlet(f"p{n}", f"P{n}", "main", (0,), 16.0, bridge, module)


def with_planned(site: Site) -> Site:
    return replace(site, outlets=(*site.outlets, *(planned(n) for n in range(6))))


def days(house: House) -> None:
    """Let the clock look whenever it wants to, for two days in which nobody speaks."""
    end = house.clock.at + 2 * 86_400
    while (due := due_at(*house.lives.load("s"))) is not None and due < end:
        house.clock.at = max(house.clock.at, due) + 1
        tick_sites(house.ticking)


def test_what_is_to_come_raises_no_alarm() -> None:
    """Nobody is told of a bridge that was never there; of one that is missing they are."""
    house = House().open()
    change_site(house.controller, house.clock, with_planned(site_of()))
    bare = replace(site_of(), outlets=(*site_of().outlets, Outlet("x", "X", "main", (0,), 16.0, "real", "M1")))
    days(house)
    assert not [a for a in house.live().alarms.values() if is_planned(a.about)]
    other = House().open()
    change_site(other.controller, other.clock, bare)
    days(other)
    assert "bridge_never_heard/real" in other.live().alarms


def test_it_has_a_place_of_its_own() -> None:
    """No two outlets and no two sites share what stands for bridge and module, and it is the same each time."""
    places = {planned_at(site, f"p{n}") for site in ("s", "t") for n in range(500)}
    assert len(places) == 1000
    assert planned_at("s", "p1") == planned_at("s", "p1")
    assert all(is_planned(bridge) for bridge, _ in places)
    assert not is_planned("s-b1")


def test_it_takes_nothing_from_the_others_for_long() -> None:
    """A new outlet counts as unknown for one lease; then all that the fuse carries is the others'."""
    house = House().open()
    change_site(house.controller, house.clock, with_planned(site_of()))
    days(house)
    assert [s.counted_a for o, s in house.live().outlets.items() if o.startswith("p")] == [0.0] * 6
