"""Alarms are raised once, cleared by themselves, and never flap."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.control import alarms
from epspot.control.events import StartRequested, StopRequested
from epspot.control.state import Alarm, Plug
from epspot.notices.alarms import CATALOGUE, DAY_S
from epspot.site import Cap, Site
from tests.unit.domain.ills import ILLS, Ground, Ill, back, metered, mixed, silent, two_bridges, two_rows
from tests.unit.domain.world import outlet, site

MOMENTARY = tuple(c for c, entry in CATALOGUE.items() if entry.momentary)
STEP_S = 20
LATE_S = 900
"""Silence is known only after twelve frames."""


def ids(ill: Ill) -> str:
    return f"{ill.code}-{ill.about}-{ill.certainty}"


def told(yard: Ground, code: str) -> list[str]:
    """List what was told of one code."""
    return [kind for kind, c, _ in yard.alarms_told() if c == code]


def low_voltage() -> Ground:
    """Make a site with a wrong voltage that is seen but not told yet."""
    yard = Ground(site(outlet("a"), outlet("b")))
    yard.ills["a"].volts = (190.0, 0.0, 0.0)
    yard.run(60)
    return yard


# -------------------------------------------------------------------- raised and cleared


@pytest.mark.parametrize("ill", ILLS, ids=ids)
def test_each_alarm_is_raised_once_and_clears_itself(ill: Ill) -> None:
    """Whatever goes wrong is told once when it has lasted, and once more when it has been mended for long enough."""
    entry = CATALOGUE[ill.code]
    yard = Ground(ill.site(), before=ill.before)
    ill.begin(yard)
    yard.run(LATE_S + entry.raise_after_s, every=max(60, entry.raise_after_s / 60))
    raised = ("alarm.raised", ill.code, ill.about)
    assert [t for t in yard.alarms_told() if t[1] not in ill.with_it] == [raised]
    ill.end(yard)
    yard.run(LATE_S + entry.clear_after_s, every=60)
    assert [t for t in yard.alarms_told() if t[1] not in ill.with_it] == [raised, ("alarm.cleared", *raised[1:])]
    assert yard.live.alarms == {}


@pytest.mark.parametrize("code", MOMENTARY)
def test_what_happens_once_is_told_at_once_and_is_over_by_itself(code: str) -> None:
    """A momentary alarm is raised when it is noted, and cleared by time alone."""
    yard = Ground(site(outlet("a"), outlet("b")))
    draft = yard.draft()
    alarms.note(draft, code, "a", rule="x")
    yard.finish(draft)
    assert yard.alarms_told() == [("alarm.raised", code, "a")]
    yard.run(CATALOGUE[code].clear_after_s - 60, every=3600)
    assert told(yard, code) == ["alarm.raised"]
    yard.run(61)
    assert told(yard, code) == ["alarm.raised", "alarm.cleared"]
    assert yard.live.alarms == {}


def test_what_happens_again_tells_nothing_and_lasts_longer() -> None:
    """A repeat of a momentary alarm is not told again; it is over when the last is long ago."""
    yard = Ground(site(outlet("a")))
    for _ in range(3):
        draft = yard.draft()
        alarms.note(draft, "limit_breach", "a")
        yard.finish(draft)
        yard.run(3000, every=600)
    assert told(yard, "limit_breach") == ["alarm.raised"]
    yard.run(700)
    assert told(yard, "limit_breach") == ["alarm.raised", "alarm.cleared"]


def test_a_cap_that_is_not_met_is_told_after_its_time() -> None:
    """A cap is told when it has not been met for as long as its code asks, and is over when it has left the site."""
    yard = Ground(site(outlet("a")))
    yard.site = replace(yard.site, caps=(_cap("night"),))
    for _ in range(2):
        draft = yard.draft()
        draft.unmet_caps = {"night"}
        yard.finish(draft)
        yard.now += 300
    assert yard.alarms_told() == [("alarm.raised", "cap_unmet", "night")]
    yard.site = replace(yard.site, caps=())
    yard.finish(yard.draft())
    assert yard.alarms_told()[1:] == [("alarm.cleared", "cap_unmet", "night")]


def _cap(name: str) -> Cap:
    return Cap(name, limit_a=6.0)


# -------------------------------------------------------------------- no flapping


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 44)), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_fault_that_comes_and_goes_is_told_once(runs: list[tuple[int, int]]) -> None:
    """Whatever the pattern, a condition that is never away for its time is raised at most once."""
    yard = Ground(site(outlet("a")))
    for on, off in runs:  # voltage: told after 300 s, over after 900 s
        yard.ills["a"].volts = (190.0, 0.0, 0.0)
        yard.run(on * STEP_S, every=STEP_S)
        yard.ills["a"].volts = (230.0, 0.0, 0.0)
        yard.run(off * STEP_S, every=STEP_S)
    assert told(yard, "voltage") in ([], ["alarm.raised"])
    yard.run(1000, every=STEP_S)
    assert told(yard, "voltage") in ([], ["alarm.raised", "alarm.cleared"])
    assert yard.live.alarms == {}


@given(st.lists(st.tuples(st.integers(1, 15), st.integers(1, 60)), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_fault_that_never_lasts_is_never_told(runs: list[tuple[int, int]]) -> None:
    """However often a condition comes, if it never lasts for its time nothing is told."""
    yard = Ground(site(outlet("a")))
    for on, off in runs:
        yard.ills["a"].volts = (190.0, 0.0, 0.0)
        yard.run(on * STEP_S, every=STEP_S)
        yard.ills["a"].volts = (230.0, 0.0, 0.0)
        yard.run(off * STEP_S, every=STEP_S)
    assert yard.alarms_told() == []
    assert yard.live.alarms == {}


@given(
    st.lists(st.tuples(st.sampled_from(("a0", "a1", "a2", "b0", "b1")), st.integers(1, 40)), min_size=1, max_size=15)
)
@settings(max_examples=25, deadline=None)
def test_raised_and_cleared_alternate(changes: list[tuple[str, int]]) -> None:
    """Whatever modules come and go, each alarm is told by turns as raised and as cleared, and all end when all is well."""
    yard = Ground(two_rows())
    for o, steps in changes:
        yard.ills[o].answers ^= True
        yard.run(steps * STEP_S, every=STEP_S)
    back(*yard.ills)(yard)
    yard.run(1000, every=STEP_S)
    assert yard.live.alarms == {}
    of_each: dict[tuple[str, str], list[str]] = {}
    for kind, code, about in yard.alarms_told():
        of_each.setdefault((code, about), []).append(kind)
    for kinds in of_each.values():
        assert kinds == ["alarm.raised", "alarm.cleared"] * (len(kinds) // 2)


def test_an_alarm_is_written_when_something_changes_and_not_while_it_lasts() -> None:
    """While a fault lasts, frames that show it change nothing of the alarms."""
    yard = low_voltage()
    seen = yard.live.alarms
    yard.run(180)
    assert yard.live.alarms == seen
    yard.run(120)
    raised = yard.live.alarms
    assert raised["voltage/a"].raised
    yard.ills["a"].volts = (195.0, 0.0, 0.0)
    yard.run(3600)
    assert yard.live.alarms == raised


# -------------------------------------------------------------------- what is not known


def test_a_silent_module_neither_raises_nor_clears_what_it_read() -> None:
    """What only a reading can tell stays as it was while there is none."""
    yard = low_voltage()
    silent("a")(yard)
    yard.run(3600)
    assert told(yard, "voltage") == []
    back("a")(yard)
    yard.run(60)
    assert told(yard, "voltage") == ["alarm.raised"]
    silent("a")(yard)
    yard.ills["a"].volts = (230.0, 0.0, 0.0)
    yard.run(3600)
    assert told(yard, "voltage") == ["alarm.raised"]
    back("a")(yard)
    yard.run(1000)
    assert told(yard, "voltage") == ["alarm.raised", "alarm.cleared"]


def test_a_silent_bridge_neither_raises_nor_clears_what_it_told() -> None:
    """An alarm of a module stays while its bridge is not heard, and ends when it is heard to be over."""
    yard = Ground(two_bridges())
    silent("c")(yard)
    yard.run(600)
    yard.mute.add("b2")
    back("c")(yard)
    yard.run(3600)
    assert yard.alarms_told() == [
        ("alarm.raised", "rcbo_or_module", "c"),
        ("alarm.raised", "bridge_silent", "b2"),
    ]
    yard.mute.clear()
    yard.run(300)
    assert yard.alarms_told()[2:] == [
        ("alarm.cleared", "rcbo_or_module", "c"),
        ("alarm.cleared", "bridge_silent", "b2"),
    ]


def test_a_blown_fuse_is_not_over_because_the_rest_falls_silent_too() -> None:
    """While nothing below the fuse is heard, it is not told to be back."""
    yard = Ground(two_rows())
    silent("a0", "a1", "a2")(yard)
    yard.run(600)
    silent("b0", "b1", "b2")(yard)
    yard.run(3600)
    assert ("alarm.cleared", "fuse_out", "row1") not in yard.alarms_told()
    back(*yard.ills)(yard)
    yard.run(600)
    assert told(yard, "fuse_out") == ["alarm.raised", "alarm.cleared"]


def test_a_lost_phase_is_not_over_because_who_showed_it_falls_silent() -> None:
    """A phase is back when a module shows voltage on it, and not before."""
    yard = Ground(mixed())
    for o in ("x", "y"):
        yard.ills[o].volts = (0.0, 230.0, 230.0)
    silent("a")(yard)
    yard.run(600)
    silent("x", "y")(yard)
    yard.run(3600)
    assert told(yard, "phase_lost") == ["alarm.raised"]
    for ill in yard.ills.values():
        ill.volts = (230.0, 230.0, 230.0)
    back("a")(yard)
    yard.run(600)
    assert told(yard, "phase_lost") == ["alarm.raised", "alarm.cleared"]


# -------------------------------------------------------------------- what has left


def test_what_leaves_the_configuration_takes_its_alarms_with_it() -> None:
    """An outlet's and a bridge's alarms are over at once when they stand in the configuration no more."""
    yard = Ground(two_bridges())
    yard.mute.add("b2")
    silent("a")(yard)
    yard.run(1800)
    assert [t[1] for t in yard.alarms_told()] == ["rcbo_or_module", "bridge_silent"]
    yard.forget()
    yard.site = replace(yard.site, outlets=(yard.site.outlet["b"],), revision=2)
    del yard.bridges["b2"]
    yard.tick()
    assert yard.alarms_told() == [("alarm.cleared", "rcbo_or_module", "a"), ("alarm.cleared", "bridge_silent", "b2")]
    assert yard.live.alarms == {}


def test_a_code_that_this_version_does_not_know_is_cleared() -> None:
    """An alarm that another version has raised does not stay for ever."""
    yard = Ground(site(outlet("a")))
    yard.live = replace(yard.live, alarms={"odd/a": Alarm("odd", "a", yard.now, raised=True)})
    yard.tick()
    assert yard.alarms_told() == [("alarm.cleared", "odd", "a")]
    assert yard.live.alarms == {}


# -------------------------------------------------------------------- what is told


def test_an_alarm_says_what_how_grave_how_sure_and_since_when() -> None:
    """The fact holds all that a notice needs, in what JSON can hold."""
    yard = Ground(site(outlet("a"), outlet("b")))
    silent("a")(yard)
    yard.run(600)
    fact = yard.told("alarm.raised")[0]
    assert (fact.about, dict(fact.detail)) == (
        "a",
        {
            "code": "rcbo_or_module",
            "severity": "warning",
            "certainty": "probable",
            "since": yard.now - 540,
            "session": None,
            "detail": {"certainty": "probable"},
        },
    )


def test_what_a_user_is_told_names_the_session() -> None:
    """An alarm for whoever uses an outlet carries the session, by which its user is found."""
    yard = Ground(site(outlet("a")))
    yard.ills["a"].plug = Plug.PLUGGED
    yard.do(StartRequested(yard.now, "session-1", "a"))
    yard.run(900)
    assert [f.detail["session"] for f in yard.told("alarm.raised")] == ["session-1"]


def test_a_vehicle_s_alarm_is_over_with_its_session_though_its_module_is_silent() -> None:
    """Nobody is left to ask when the session has ended."""
    yard = Ground(site(outlet("a"), outlet("b")))
    yard.ills["a"].plug = Plug.PLUGGED
    yard.start("a", "session-1")
    yard.run(900)
    silent("a")(yard)
    yard.do(StopRequested(yard.now, "session-1"))
    yard.run(2000)
    assert told(yard, "vehicle_not_asking") == ["alarm.raised", "alarm.cleared"]


# -------------------------------------------------------------------- when to look


def test_nothing_is_to_be_looked_at_where_nothing_is_wrong() -> None:
    """Without alarms, and with one that has been told and lasts, time alone changes nothing."""
    yard = low_voltage()
    assert alarms.next_at(yard.site, replace(yard.live, alarms={})) == inf
    yard.run(600)
    assert yard.live.alarms["voltage/a"].raised
    assert alarms.next_at(yard.site, yard.live) == inf


def test_a_look_when_due_raises_and_clears() -> None:
    """Until the time that is told nothing changes; at it, it does."""
    yard = Ground(two_bridges())
    yard.mute.update(("b1", "b2"))
    yard.after(721).tick()  # twelve frames were missed
    due = alarms.next_at(yard.site, yard.live)
    assert due == yard.now + 180
    yard.now = due - 1
    yard.tick()
    assert yard.alarms_told() == []
    yard.now = due
    yard.tick()
    assert {t[:2] for t in yard.alarms_told()} == {("alarm.raised", "bridge_silent")}
    yard.mute.clear()
    yard.run(1)
    due = alarms.next_at(yard.site, yard.live)
    assert due == yard.now + 120
    yard.now = due
    yard.tick()
    assert [t[0] for t in yard.alarms_told()] == ["alarm.raised"] * 2 + ["alarm.cleared"] * 2


def test_time_alone_changes_nothing_of_what_is_not_known() -> None:
    """An alarm that waits for a reading is no reason to look."""
    yard = low_voltage()
    assert alarms.next_at(yard.site, yard.live) == yard.now + 300
    silent("a")(yard)
    yard.run(400)  # the silence itself is told by now
    assert yard.live.alarms.keys() == {"voltage/a", "rcbo_or_module/a"}
    assert alarms.next_at(yard.site, yard.live) == inf


# -------------------------------------------------------------------- a site that is well


@pytest.mark.parametrize("make", [two_bridges, two_rows, metered])
def test_nothing_is_told_of_a_site_that_is_well(make: Callable[[], Site]) -> None:
    """Over a day of frames with vehicles that come and go, no alarm is told, nor even begun."""
    yard = Ground(make())
    outlets = list(yard.ills)
    began: set[str] = set()
    for hour in range(24):
        o = outlets[hour % len(outlets)]
        yard.start(o, f"session-{hour}")
        for _ in range(50):
            yard.run(60)
            yard.ills[o].energy_wh += 50
            began |= yard.live.alarms.keys()
        yard.stop(f"session-{hour}")
        yard.run(600)
    assert yard.alarms_told() == []
    assert began == set()
    assert len(yard.told("session.ended")) == 24
    assert DAY_S <= yard.now - yard.live.bridges["b1"].epoch_at < DAY_S + 120
