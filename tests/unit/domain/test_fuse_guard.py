"""Outlets whose power guard has tripped, and fuses that carry more than their rating."""

from dataclasses import replace
from typing import Any

import pytest

from epspot.control.due import due_at
from epspot.control.state import Phase
from epspot.errors import OutletOccupied
from epspot.site import Policy
from tests.unit.domain.street import Car, Street
from tests.unit.domain.world import Load, Yard, fuse, outlet, site


def ended(yard: Yard) -> list[tuple[str, str]]:
    return [(f.about, f.detail["reason"]) for f in yard.told("session.ended")]


# ------------------------------------------------------------------ trips


def tripped(**policy: Any) -> Yard:
    """Make an outlet whose power guard has just ended a session."""
    yard = Yard(site(outlet("a"), policy=Policy(**policy)))
    yard.start("a")
    yard.after(10).frame()
    yard.edge("over_current", "a")
    yard.loads["a"].limit_a = 0
    yard.after(5).frame()
    return yard


def test_a_trip_ends_the_session_and_is_counted_once() -> None:
    """Whether the edge is doubled, or a frame shows the current as well, one trip is one."""
    yard = Yard(site(outlet("a")))
    yard.start("a")
    yard.after(10).frame()
    yard.edge("over_current", "a")
    yard.edge("over_current", "a")
    yard.loads["a"].current_a = 25
    yard.after(5).frame()
    yard.loads["a"].current_a = None
    yard.after(5).frame()
    assert ended(yard) == [("s-a", "power_guard")]
    assert len(yard.at("a").trips) == 1
    assert len(yard.told("guard.tripped")) == 1


def test_current_far_above_the_maximum_in_a_frame_is_a_trip() -> None:
    """Above one and a half of 16 A the cloud itself ends the session, should the edge be lost."""
    yard = Yard(site(outlet("a")))
    yard.start("a")
    yard.loads["a"].current_a = 24.0
    yard.after(10).frame()
    assert yard.session("a").phase is Phase.ACTIVE
    yard.loads["a"].current_a = 24.1
    yard.after(10).frame()
    assert yard.session("a").phase is Phase.STOPPING
    assert [f.detail["rule"] for f in yard.told("guard.tripped")] == ["instant"]


def test_the_outlet_s_own_tolerance_counts() -> None:
    """An outlet with a wider instant limit is not tripped below it."""
    wide = outlet("a")
    yard = Yard(site(replace(wide, guard=wide.guard._replace(instant=2.0))))
    yard.start("a")
    yard.loads["a"].current_a = 30.0
    yard.after(10).frame()
    assert yard.told("guard.tripped") == []


def test_an_outlet_rests_after_a_trip() -> None:
    """The next user's session waits for the time to cool down, by that reason; then it begins by the clock alone."""
    yard = tripped(cool_down_s=300)
    begun = yard.at("a").trips[-1]
    yard.after(5).start("a", "next")
    assert (yard.limits_a(), yard.reason("a"), yard.session("a").phase) == ({}, "cool-down", Phase.QUEUED)
    assert due_at(yard.site, yard.live) == begun + 300 + (-(begun + 300)) % 60
    yard.now = begun + 299
    yard.tick()
    assert yard.limits_a() == {}
    yard.now = begun + 300
    yard.tick()
    assert yard.limits_a() == {"a": 16}


def test_who_comes_after_the_rest_notices_nothing() -> None:
    """When the time to cool down is over, a start is a start."""
    yard = tripped(cool_down_s=300)
    yard.run(300)
    yard.start("a", "next")
    assert yard.limits_a() == {"a": 16}


def test_a_resting_outlet_has_one_session_too() -> None:
    """Who waits there for the rest to be over has the outlet."""
    yard = tripped()
    yard.start("a", "next")
    with pytest.raises(OutletOccupied):
        yard.start("a", "third")


def test_a_rest_keeps_no_place() -> None:
    """While one outlet rests its current is the others'."""
    yard = Yard(site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=16)]))
    yard.start("a")
    yard.start("b")
    yard.after(10).frame()
    yard.edge("over_current", "a")
    yard.after(10).frame()
    yard.start("a", "next")
    yard.after(10).frame()
    assert yard.limits_a() == {"b": 16}
    assert yard.session("a").position is None


def test_trips_are_of_the_last_day() -> None:
    """A trip of yesterday is forgotten at the next."""
    yard = tripped()
    yard.run(1000)
    first = yard.at("a").trips
    yard.now += 86_400
    yard.frame()
    yard.frame()
    yard.start("a", "next")
    yard.after(10).frame()
    yard.edge("over_current", "a")
    assert len(yard.at("a").trips) == 1
    assert yard.at("a").trips != first


# ------------------------------------------------------------------ fuses


def over(*, weights: dict[str, float] | None = None, groups: str = "   ") -> Yard:
    """Make three on one phase of 32 A that draw 10 A each as they may; a load nobody controls can be laid on them."""
    yard = Yard(
        site(
            *(outlet(o, bridge=f"b{n + 1}") for n, o in enumerate("abc")),
            fuses=[fuse(rating_a=30)],
            policy=Policy(weights=weights or {}),
        )
    )
    for o, group in zip("abc", groups, strict=True):
        yard.start(o, group=group.strip())
    for _ in range(2):
        yard.after(1)
        for b in yard.bridges:
            yard.frame(b)
    assert yard.limits_a() == {"a": 10, "b": 10, "c": 10}
    return yard


def measure(yard: Yard, **currents_a: float) -> None:
    for o, a in currents_a.items():
        yard.loads[o] = Load(current_a=a, limit_a=yard.loads[o].limit_a)


def hear(yard: Yard, seconds: float, *bridges: str) -> None:
    yard.after(seconds)
    for b in bridges or ("b1", "b2", "b3"):
        yard.frame(b)


def shed(yard: Yard) -> list[str]:
    return [f.about for f in yard.told("guard.shed")]


def test_a_fuse_sheds_after_eight_seconds_and_not_before() -> None:
    """More than the rating is borne for eight seconds; then one session is ended, and its user knows why."""
    yard = over()
    measure(yard, a=10.4, b=10.4, c=10.4)  # 31.2 A of 30
    hear(yard, 10)
    hear(yard, 7.9)
    assert shed(yard) == []
    hear(yard, 0.2)
    assert len(shed(yard)) == 1
    detail = yard.told("guard.shed")[0].detail
    assert (detail["line"], detail["over_a"]) == ("main/L1", pytest.approx(1.2))
    assert [f.detail["reason"] for f in yard.told("session.stopping")] == ["shed"]


def test_a_meter_s_noise_sheds_nobody() -> None:
    """Up to three hundredths above the rating is a meter's error."""
    yard = over()
    measure(yard, a=10.3, b=10.3, c=10.3)
    for _ in range(6):
        hear(yard, 10)
    assert shed(yard) == []


def test_a_moment_below_the_rating_begins_the_count_anew() -> None:
    """What is over and under by turns, each for less than eight seconds, is borne."""
    yard = over()
    for _ in range(4):
        measure(yard, a=11, b=11, c=11)
        hear(yard, 1)
        hear(yard, 6)
        measure(yard, a=9, b=9, c=9)
        hear(yard, 1)
    assert shed(yard) == []


def test_who_takes_more_than_it_may_is_shed_first() -> None:
    """The one above its allowance is the cause, whatever its group counts."""
    yard = over(weights={"x": 5.0}, groups="  x")
    measure(yard, a=10, b=10, c=12)
    hear(yard, 10)
    hear(yard, 10)
    assert shed(yard) == ["c"]


def test_then_the_one_that_counts_least() -> None:
    """Among those who obey, the group with the least weight is shed."""
    yard = over(weights={"x": 5.0, "y": 3.0}, groups="xxy")
    measure(yard, a=10.4, b=10.4, c=10.4)
    hear(yard, 10)
    hear(yard, 10)
    assert shed(yard) == ["c"]


def test_then_the_smallest_that_is_enough() -> None:
    """Nobody is ended whose current would not be enough, where one other's is; and no more than needed."""
    street = _mixed(6, 8, 10, building_a=12)
    assert shed(street) == ["b"]  # 36 A of 29: 6 A are not enough, 8 A are


def test_if_no_single_one_is_enough_the_largest_goes_first() -> None:
    """It takes two then, one after the other, eight seconds apart."""
    street = _mixed(6, 8, 10, building_a=24)
    assert shed(street) == ["c"]


def metered(yard: Yard, building_a: float, times: int) -> None:
    """Tell frames whose meter shows what all outlets draw, and on L1 the building."""
    for _ in range(times):
        yard.after(10)
        meter = [building_a, 0.0, 0.0]
        for o in yard.site.outlets:
            for conductor, phase in enumerate(o.phases):
                meter[phase] += yard.loads[o.id].reading(len(o.phases)).current_a[conductor]
        yard.frame(meter_a=(meter[0], meter[1], meter[2]))


def _mixed(*currents_a: float, building_a: float) -> Yard:
    """Make three that draw as they may, beside a building whose load has risen on a metered main fuse of 29 A."""
    yard = Yard(site(*(outlet(o) for o in "abc"), fuses=[fuse(rating_a=29)], meter="b1"))
    metered(yard, 0, 1)
    for o, a in zip("abc", currents_a, strict=True):
        yard.loads[o] = Load(wants_a=a)
        yard.start(o)
    metered(yard, 0, 4)
    yard.bridges["b1"].obeys = False  # what is lowered for it does not help in time
    metered(yard, building_a, 2)
    return yard


def test_who_draws_nothing_on_the_phase_is_no_help() -> None:
    """A car on another phase of its three is not ended for a phase that it leaves alone."""
    street = Street(
        site(outlet("a", phase=None), outlet("b"), outlet("c"), fuses=[fuse(rating_a=29)], meter="b1"),
        a=Car(draws_on=(1,), wants_a=9),
        b=Car(wants_a=9),
        c=Car(wants_a=9.5),
    )
    metered(street, 0, 1)
    for o in "abc":
        street.start(o)
    metered(street, 0, 4)
    street.bridges["b1"].obeys = False
    metered(street, 18, 2)  # 36.5 A on L1, and 9 A on L2
    assert shed(street) == ["b"]


def test_old_readings_shed_nobody() -> None:
    """What was measured on another bridge more than half a minute ago says nothing of now."""
    yard = over()
    measure(yard, a=12, b=12, c=12)
    hear(yard, 1, "b3")
    for _ in range(8):
        hear(yard, 40, "b1")
        hear(yard, 40, "b2")
    assert shed(yard) == []


def test_one_that_is_already_stopping_is_not_shed_again() -> None:
    """While the fuse is still over, the next to go is another one, and not within eight seconds."""
    yard = over()
    for b in yard.bridges.values():
        b.obeys = False
    measure(yard, a=10.4, b=10.4, c=10.4)
    hear(yard, 10)
    hear(yard, 10)
    hear(yard, 1)
    hear(yard, 5)
    assert len(shed(yard)) == 1
    hear(yard, 5)
    assert len(shed(yard)) == len(set(shed(yard))) == 2


def test_nobody_is_shed_for_what_has_been_shed() -> None:
    """The last reading of one that was shed is from before; another that obeys is not stopped for it."""
    here = site(outlet("a"), outlet("b", bridge="b2"), outlet("c"), fuses=[fuse(rating_a=40)])
    yard = Yard(here)
    for o in ("a", "b", "c"):
        yard.start(o)
    for _ in range(3):
        yard.after(10).frame("b1")
        yard.frame("b2")
    yard.loads["b"].current_a = 18.0
    yard.after(5).frame("b2")
    for _ in range(3):
        yard.after(9).frame("b1")
    assert [f.about for f in yard.told("guard.shed")] == ["b"]
