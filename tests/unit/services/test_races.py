"""Use cases that others overtake between their load and their commit."""

from dataclasses import replace

import pytest

from epspot.errors import InvalidSite
from epspot.services.change_site import change_site
from epspot.services.start_session import start_session
from tests.unit.services.house import House
from tests.unit.services.test_use_cases import Raced


def test_an_outlet_is_not_taken_from_who_has_just_started() -> None:
    """A session that begins while its outlet is being taken away stands, and the change is refused with the reason."""
    lives = Raced()
    house = House(lives=lives).open()
    site = house.lives.load("s")[0]
    lives.between.append(lambda: start_session(house.starting, "anna", "s-2", "key"))
    with pytest.raises(InvalidSite, match="outlet s-2 has a session"):
        change_site(house.controller, house.clock, replace(site, outlets=(site.outlets[0], site.outlets[2])))
    assert house.lives.load("s")[0] == site
    assert [s.outlet for s in house.live().sessions.values()] == ["s-2"]


def test_a_change_outlives_a_race() -> None:
    """A change that another's start has overtaken is made on what that start has written."""
    lives = Raced()
    house = House(lives=lives).open()
    site = house.lives.load("s")[0]
    lives.between.append(lambda: start_session(house.starting, "anna", "s-2", "key"))
    changed = change_site(house.controller, house.clock, replace(site, name="Yard"))
    assert (changed.revision, changed.name) == (site.revision + 1, "Yard")
    assert house.lives.load("s")[0] == changed
    assert [s.outlet for s in house.live().sessions.values()] == ["s-2"]
