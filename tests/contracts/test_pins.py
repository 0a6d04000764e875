"""The map over either store: pins stand with a site from its first moment, move with it, and cost little to follow."""

from collections import Counter
from dataclasses import replace

import pytest

from epspot.adapters.dynamodb.registry import DynamoRegistry
from epspot.control.events import Watched
from epspot.errors import Conflict
from epspot.ports import Registry
from epspot.services.advance import Controller
from epspot.services.authorize import Gate
from epspot.services.change_site import edit_site
from epspot.services.find_outlets import find_outlets
from epspot.services.publish_sites import published_sites
from epspot.services.register_site import register_site
from epspot.site import Site
from epspot.site.cells import Box, Circle
from tests.contracts.houses import NOW, House, small_site
from tests.fakes import FakeClock, FakeCommands

TOWN, OTHER_TOWN = Box(18.0, 59.3, 18.1, 59.4), Box(11.9, 57.6, 12.1, 57.8)
CLOCK = FakeClock(NOW)


def registry(house: House) -> Registry:
    """Reach the registry of the same store."""
    if house.memory is not None:
        return house.memory.registry
    assert house.connection is not None
    return DynamoRegistry(house.connection)


def gate(house: House) -> Gate:
    """Make what it takes to look at the map."""
    return Gate(registry(house), house.lives, house.sites, CLOCK)


def public(name: str = "s") -> Site:
    """Make a site of an owner's that is all public."""
    site = small_site(name)
    return replace(site, owner="o", outlets=tuple(replace(o, public=True) for o in site.outlets))


def change(house: House, **fields: object) -> None:
    """Configure the site ``s`` otherwise."""
    world = Controller(house.lives, FakeCommands(), registry=registry(house))
    edit_site(world, CLOCK, "s", lambda present: (replace(present, **fields), ()))  # type: ignore[arg-type]


def ids(house: House, box: Box) -> list[str]:
    """List the public outlets in a box, some at a time."""
    found, cursor = find_outlets(gate(house), box, 2)
    told = [f.outlet.id for f in found]
    while cursor is not None:
        found, cursor = find_outlets(gate(house), box, 2, cursor)
        told += [f.outlet.id for f in found]
    return told


def test_a_site_is_found_where_it_is(house: House) -> None:
    """A new site is on the map at once; what moves is found where it is now, and what is closed nowhere."""
    register_site(house.lives, CLOCK, public())
    register_site(house.lives, CLOCK, public("t"))
    assert sorted(ids(house, TOWN)) == [*(f"s-{n}" for n in (1, 2, 3)), *(f"t-{n}" for n in (1, 2, 3))]
    assert published_sites(gate(house), 0, 10)[1] == 2
    change(house, latitude=57.7, longitude=12.0)
    assert ids(house, TOWN) == [f"t-{n}" for n in (1, 2, 3)]
    assert ids(house, OTHER_TOWN) == [f"s-{n}" for n in (1, 2, 3)]
    found, _ = find_outlets(gate(house), Circle(57.7, 12.0, 100.0), 10)
    assert [(f.outlet.id, f.distance_m) for f in found] == [(f"s-{n}", 0.0) for n in (1, 2, 3)]
    change(house, outlets=small_site().outlets)
    assert ids(house, OTHER_TOWN) == []
    assert published_sites(gate(house), 0, 10)[1] == 1


def test_pins_and_sites_are_written_together(house: House) -> None:
    """A site that can't be taken in leaves no pins."""
    register_site(house.lives, CLOCK, public())
    with pytest.raises(Conflict):
        register_site(house.lives, CLOCK, replace(public(), latitude=57.7, longitude=12.0))
    assert ids(house, OTHER_TOWN) == []


def test_a_site_from_before_there_were_pins(house: House) -> None:
    """A site without pins gets them with its first change of what they hold."""
    house.create(public())
    assert ids(house, TOWN) == []
    change(house, latitude=59.34)
    assert ids(house, TOWN) == [f"s-{n}" for n in (1, 2, 3)]


def test_a_look_at_the_map_only_reads(tables: House) -> None:
    """A look costs one query for each cell, and the state and configuration of the site that is found; nothing scans."""
    register_site(tables.lives, CLOCK, public())
    for n in range(5):
        register_site(tables.lives, CLOCK, replace(public(f"t{n}"), latitude=50.0 + n, owner=f"o{n}"))
    before = len(tables.calls)
    find_outlets(gate(tables), TOWN, 10)
    assert Counter(operation for operation, _ in tables.calls[before:]) == {"Query": 7, "GetItem": 1}


def test_who_listens_is_kept(house: House) -> None:
    """The store keeps until when somebody listens to what."""
    register_site(house.lives, CLOCK, public())
    house.happen(Watched(NOW + 1, "session/x"))
    house.happen(Watched(NOW + 2, "owner"))
    assert house.elsewhere().load("s")[1].listened == {"session": NOW + 91, "owner": NOW + 92}
