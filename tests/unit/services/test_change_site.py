"""A configuration that changes while the site lives."""

from dataclasses import replace
from typing import Any

import pytest

from epspot.control.leases import span_s
from epspot.control.state import Phase
from epspot.errors import InvalidSite, NotFound
from epspot.services.change_site import change_site
from epspot.services.start_session import start_session
from epspot.services.stop_session import stop_session
from epspot.site import Cap, Fuse, Outlet, Policy, Site
from iot.contract import Plug
from tests.unit.services.house import OFF, House


@pytest.fixture
def house() -> House:
    """Open a site of three outlets under 12 A, with a session at the first two and one that waits."""
    house = House().open()
    for n in (1, 2, 3):
        start_session(house.starting, f"user-{n}", f"s-{n}", "key")
    house.clock.at += 10
    for bridge in ("s-b1", "s-b2"):
        house.take(house.frame(bridge), bridge)
    return house


def change(house: House, **fields: Any) -> Site:
    present, _ = house.lives.load("s")
    return change_site(house.controller, house.clock, replace(present, **fields))


def phases(house: House) -> dict[str, Phase]:
    return {s.outlet: s.phase for s in house.live().sessions.values()}


def test_a_change_has_the_next_revision(house: House) -> None:
    """Whatever revision it was made from, the change is the one after the present, and the state is made under it."""
    made = change(house, name="Yard", revision=99)
    assert (made.revision, made.name) == (2, "Yard")
    assert house.live().revision == 2
    assert house.lives.load("s")[0] == made
    assert change(house, name="Garden").revision == 3


def test_a_change_takes_effect_at_once(house: House) -> None:
    """A larger fuse lets in who waited, in the same moment; nobody is dropped."""
    change(house, fuses=(Fuse("main", None, (18.0,) * 3, planning_factor=1.0),))
    assert phases(house) == dict.fromkeys(("s-1", "s-2", "s-3"), Phase.ACTIVE)


def test_a_cap_takes_effect_when_it_is_seen(house: House) -> None:
    """A new cap lowers what is above it, which counts until a frame shows it; who may not stay waits, and knows why."""
    change(house, caps=(Cap("rent", 8.0),))
    assert phases(house) == {"s-1": Phase.ACTIVE, "s-2": Phase.QUEUED, "s-3": Phase.QUEUED}
    assert house.live().outlets["s-2"].reason == "cap:rent"
    assert house.live().outlets["s-2"].counted_a == 6.0
    house.clock.at += 10
    house.take(house.frame())
    assert house.live().outlets["s-2"].counted_a == 0.0


@pytest.mark.parametrize("principle", ["first_come", "priority", "readiness"])
def test_another_principle_drops_nobody_who_may_stay(house: House, principle: str) -> None:
    """Who has current when the principle changes keeps it."""
    before = phases(house)
    change(house, policy=Policy(principle=principle))
    assert phases(house) == before == {"s-1": Phase.ACTIVE, "s-2": Phase.ACTIVE, "s-3": Phase.QUEUED}


def test_turns_give_all_to_the_first(house: House) -> None:
    """Where few are to have all that they can use, the others wait for their turn from now on."""
    change(house, policy=Policy(principle="turns"))
    assert phases(house) == {"s-1": Phase.ACTIVE, "s-2": Phase.QUEUED, "s-3": Phase.QUEUED}
    assert house.live().outlets["s-2"].reason == "turn"


def test_an_outlet_that_is_new_is_unknown(house: House) -> None:
    """It counts at its maximum until it is heard of, so that nobody gets more on its account."""
    present, _ = house.lives.load("s")
    change(house, outlets=(*present.outlets, Outlet("s-4", "4", "main", (1,), 16.0, "s-b2", "M4")))
    assert (house.live().outlets["s-4"].counted_a, house.live().outlets["s-4"].reason) == (16.0, "unknown")
    house.clock.at += 10
    house.take(house.frame("s-b2"), "s-b2")
    house.clock.at += 10
    house.take(house.frame("s-b2"), "s-b2")
    assert house.live().outlets["s-4"].counted_a == 0.0


def test_an_outlet_with_a_session_is_not_taken_away(house: House) -> None:
    """The change is refused whole, naming the outlet; when the session has ended it is made."""
    present, before = house.lives.load("s")
    rest = present.outlets[:2]
    with pytest.raises(InvalidSite, match="outlet s-3 has a session"):
        change(house, outlets=rest)
    assert house.lives.load("s") == (present, before)
    session = house.live().session_at("s-3")
    assert session is not None
    stop_session(house.following, "user-3", session.id)
    change(house, outlets=rest)
    assert house.live().outlets.keys() == {"s-1", "s-2"}


def test_an_unsafe_change_is_refused_whole(house: House) -> None:
    """A site that would not be safe leaves everything as it is, and no command is sent."""
    present, before = house.lives.load("s")
    sent = len(house.commands.sent)
    with pytest.raises(InvalidSite, match="rating of 0 A"):
        change(house, name="Yard", fuses=(Fuse("main", None, (0.0,) * 3),))
    assert house.lives.load("s") == (present, before)
    assert len(house.commands.sent) == sent


def test_a_site_that_does_not_exist_can_not_change(house: House) -> None:
    """Changing is no way of making a site."""
    present, _ = house.lives.load("s")
    with pytest.raises(NotFound):
        change_site(house.controller, house.clock, replace(present, id="nowhere"))


def test_a_longer_lease_is_counted_as_long_as_it_is_held(house: House) -> None:
    """A command with a longer lease answers a message as old as before: the cloud counts it from that one, to its end."""
    change(house, policy=Policy(lease_s=3600))
    live = house.live()
    for command in house.commands.sent[-2:]:
        assert command.ttl_s == 3600
        answered = live.readings[command.bridge]
        assert answered.seq == command.seq
        assert live.bridges[command.bridge].lease_until >= answered.at + span_s(Policy(lease_s=3600))


def test_a_change_keeps_what_is_plugged_in(house: House) -> None:
    """What was measured before is still known after."""
    house.take(house.frame(M1=OFF._replace(plug=Plug.ASKING)))
    before = house.live().readings
    change(house, name="Yard")
    assert house.live().readings == before


def test_an_outlet_in_use_is_not_moved(house: House) -> None:
    """One with a session, or that may still draw, keeps its module, fuse and wiring, and the refusal says why."""
    present, _ = house.lives.load("s")
    rewired = tuple(replace(o, phases=(1,)) if o.id == "s-1" else o for o in present.outlets)
    with pytest.raises(InvalidSite, match=r"outlet s-1 has a session"):
        change(house, outlets=rewired)
    stop_session(house.following, "user-1", next(s.id for s in house.live().sessions.values() if s.outlet == "s-1"))
    for _ in range(3):
        house.clock.at += 10
        house.take(house.frame("s-b1"))
    change(house, outlets=rewired)
    assert house.live().outlets["s-1"].counted_a == 16
