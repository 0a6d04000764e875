"""A site that is configured otherwise while it lives: what a bridge may still have counts until it is told."""

from dataclasses import replace
from typing import Any

from epspot.control.events import SiteChanged
from epspot.control.leases import span_s
from epspot.site import Policy
from tests.unit.domain.world import NOW, Yard, fuse, outlet, site


def change(
    yard: Yard, *, moved: tuple[str, ...] = (), fallbacks: tuple[tuple[str, float], ...] = (), **to: Any
) -> None:
    """Let the yard's site be otherwise."""
    yard.site = replace(yard.site, revision=yard.site.revision + 1, **to).checked()
    yard.do(SiteChanged(yard.now, moved, fallbacks))


def test_a_fallback_that_was_lowered_counts_until_its_bridge_is_told() -> None:
    """A bridge that was cut off before falls to the fallback that it has; nobody else gets that."""
    yard = Yard(site(outlet("a", fallback_a=10.0), outlet("b", bridge="b2"), fuses=[fuse(rating_a=16)]))
    yard.start("a")
    yard.after(10).frame("b1")
    yard.bridges["b1"].obeys = False
    yard.start("b")
    change(
        yard.after(5),
        outlets=(replace(yard.site.outlet["a"], fallback_a=0.0), yard.site.outlet["b"]),
        fallbacks=(("a", 10.0),),
    )
    for _ in range(20):
        yard.after(60).frame("b2")
    assert yard.at("a").counted_a == 10
    assert yard.at("b").limit_a == 6
    yard.loads["a"].limit_a = 0.0
    yard.bridges["b1"].obeys, yard.bridges["b1"].rev = True, yard.live.bridges["b1"].rev
    yard.after(5).frame("b1")
    assert yard.at("a").earlier_fallback_a == 0


def test_a_lost_command_of_a_change_is_repeated() -> None:
    """The next frame shows that the bridge does not have the new settings."""
    yard = Yard(site(outlet("a")))
    yard.bridges["b1"].obeys = False
    here = yard.site.outlet["a"]
    change(yard, outlets=(replace(here, guard=here.guard._replace(instant=1.2)),))
    assert len(yard.commands[-1:]) == 1
    again = yard.after(60).frame().commands
    assert [c.modules["A"].guard.instant for c in again] == [1.2]


def test_a_lower_maximum_reaches_a_module_that_does_not_answer() -> None:
    """It is told no more than its outlet may give now, whenever it hears it."""
    yard = Yard(site(outlet("a")))
    yard.start("a")
    yard.after(10).frame()
    yard.loads["a"].answers = False
    yard.after(10).frame()
    change(yard, outlets=(replace(yard.site.outlet["a"], max_a=10.0),))
    told = yard.commands[-1].modules["A"]
    assert (told.limit_a, told.max_a) == (10, 10)
    assert yard.at("a").counted_a == 16


def test_a_shorter_lease_keeps_what_was_promised_until_then() -> None:
    """Times still count from the message that was answered, and the shorter lease is renewed in its own half-life."""
    yard = Yard(site(outlet("a"), policy=Policy(lease_s=14_400)))
    yard.start("a", until_at=NOW + 10_000)
    yard.after(10).frame()
    change(yard.after(10), policy=Policy(lease_s=900))
    told = yard.commands[-1]
    answered_at = yard.live.bridges["b1"].answered_at
    assert told.ttl_s == 900
    assert told.modules["A"].until_s == int(NOW + 10_000 - answered_at)
    before = len(yard.commands)
    yard.run(3600)
    assert len(yard.commands) - before >= 3600 // 480


def test_an_outlet_that_was_moved_is_unknown() -> None:
    """Another module counts at its maximum until it is heard of, on the phases that it is wired to now."""
    yard = Yard(site(outlet("a", phase=None), outlet("b", phase=1), fuses=[fuse(rating_a=20)]))
    change(yard, outlets=(replace(yard.site.outlet["a"], phases=(1,)), yard.site.outlet["b"]), moved=("a",))
    assert (yard.at("a").counted_a, yard.at("a").held_until) == (16, yard.now + span_s(yard.site.policy))
    yard.start("b")
    assert yard.at("b").limit_a == 0
    yard.after(10).frame()
    yard.after(10).frame()
    assert (yard.at("a").counted_a, yard.at("b").limit_a) == (0, 16)
