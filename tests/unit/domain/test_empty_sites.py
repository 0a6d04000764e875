"""A site on its first day: a main fuse, a bridge that has claimed itself, and no outlets yet."""

from dataclasses import replace

import pytest

from epspot.control.draft import decision_equals
from epspot.control.due import due_at
from epspot.control.events import PresenceChanged, SiteChanged
from epspot.control.state import Plug, Reading
from epspot.control.step import step
from epspot.control.worth import readings_to_write
from epspot.site import Fuse, Site
from tests.unit.domain.world import Yard, outlet

NEW = Reading(Plug.NONE, False, (0.0,) * 3, (230.0,) * 3, 0.0, 7, 20.0, 0.0, 0, 90)


def empty(*bridges: str, meter: str | None = None) -> Site:
    fuses = (Fuse("main", None, (63.0,) * 3, planning_factor=1.0),)
    return Site("s", "s", fuses, (), bridges=bridges, meter_bridge=meter).checked()


@pytest.fixture
def yard() -> Yard:
    """Register a site without a bridge, and let a bridge claim itself."""
    made = Yard(empty())
    made.tick()
    claim(made, "b1")
    return made


def claim(yard: Yard, *bridges: str) -> None:
    """Let the site have bridges from now on."""
    yard.site = replace(yard.site, bridges=bridges, revision=yard.site.revision + 1).checked()
    yard.bridges = {b: yard.bridges.get(b) or Yard(empty(b), heard=False).bridges[b] for b in bridges}
    yard.do(SiteChanged(yard.now))


def test_a_site_without_bridges_is_at_peace() -> None:
    """It is taken in, and nothing is told or looked for."""
    yard = Yard(empty())
    yard.tick()
    before = yard.live
    yard.after(86_400).tick()
    assert decision_equals(before, yard.live)
    assert (yard.facts, yard.commands, due_at(yard.site, yard.live)) == ([], [], None)


def test_the_first_frame_is_answered_with_an_empty_command(yard: Yard) -> None:
    """The bridge learns its pace and that no module is its; then it is left alone."""
    yard.frame()
    (command,) = yard.commands
    assert (command.bridge, dict(command.modules), command.interval_s) == ("b1", {}, 60)
    for _ in range(30):
        yard.after(60).frame()
    assert len(yard.commands) == 1


def test_a_repeated_frame_is_worth_no_write(yard: Yard) -> None:
    """Only a full frame's number is noted, as everywhere; one that builds on it changes nothing."""
    yard.frame()
    full = yard.live.readings["b1"].base
    for _ in range(9):
        before = yard.live
        done = yard.do(replace(yard.after(60).next_frame(), base=full))
        assert decision_equals(before, done.live)
        assert readings_to_write(before, done.live, told=False) == {}
    assert yard.facts == []


def test_a_new_module_is_found_once(yard: Yard) -> None:
    """It is told with the first frame that has it, stays known, and is forgotten when a full frame lacks it."""
    frame = yard.next_frame(also={"M1": NEW})
    yard.do(frame)
    yard.do(replace(yard.after(60).next_frame(also={"M1": NEW}), base=frame.seq))
    assert yard.live.found == ("b1/M1",)
    assert [f.about for f in yard.told("module.found")] == ["b1/M1"]
    done = yard.after(60).frame()
    assert done.live.found == ()


def test_nothing_is_wrong_with_it(yard: Yard) -> None:
    """A bridge that hears no module, since it has none, is not said to hear nobody."""
    yard.run(86_400, every=600)
    assert yard.live.alarms == {}
    assert yard.facts == []


def test_a_bridge_that_is_never_heard_is_told(yard: Yard) -> None:
    """Whoever claims a bridge and switches it off is told, and it is over with its first frame."""
    codes = set()
    for _ in range(30):
        yard.after(60).tick()
        codes |= {a.code for a in yard.live.alarms.values()}
    assert codes == {"bridge_never_heard"}
    yard.run(3600)
    assert yard.live.alarms == {}


def test_it_falls_silent_and_comes_back(yard: Yard) -> None:
    """A bridge without outlets is missed as any other."""
    yard.frame()
    due = due_at(yard.site, yard.live)
    assert due is not None
    yard.do(PresenceChanged(yard.now, "b1", connected=False, version=1))
    yard.after(200).tick()
    assert [f.about for f in yard.told("bridge.silent")] == ["b1"]
    yard.after(60).frame()
    assert [f.about for f in yard.told("bridge.back")] == ["b1"]


def test_its_meter_is_read(yard: Yard) -> None:
    """The building's load is known before the first outlet is."""
    yard.site = replace(yard.site, meter_bridge="b1", revision=yard.site.revision + 1).checked()
    yard.do(SiteChanged(yard.now))
    yard.frame(meter_a=(10.0, 20.0, 5.0))
    assert yard.live.other_a == (10.0, 20.0, 5.0)


def test_the_first_outlet_makes_it_a_site_as_any_other(yard: Yard) -> None:
    """The module that was found becomes an outlet, unknown until the next frames, and a session gets current."""
    yard.do(yard.next_frame(also={"M1": NEW}))
    first = replace(outlet("o"), bridge="b1", module="M1")
    yard.site = replace(yard.site, outlets=(first,), revision=yard.site.revision + 1).checked()
    yard.loads = Yard(yard.site, heard=False).loads
    yard.do(SiteChanged(yard.now))
    assert yard.at("o").reason == "unknown"
    for _ in range(2):
        yard.after(60).frame()
    assert (yard.at("o").counted_a, yard.live.found) == (0.0, ())
    yard.start("o")
    assert yard.at("o").limit_a == 16.0


def test_a_bridge_that_leaves_is_forgotten(yard: Yard) -> None:
    """Its frames mean nothing any more, and what is left is as before."""
    yard.frame()
    frame = yard.after(60).next_frame()
    claim(yard)
    assert yard.live.bridges == {}
    done = step(yard.site, yard.live, frame)
    assert (done.commands, done.facts, decision_equals(yard.live, done.live)) == ((), (), True)
