"""What a load leaves unused, on which conductors it charges, and what wakes one that sleeps."""

from typing import Any

import pytest

from epspot.control.events import EdgeReceived
from epspot.control.state import Phase, Plug
from epspot.site import Cap, Policy
from tests.unit.domain.street import Car, Street
from tests.unit.domain.world import NOW, fuse, outlet, site

HOUR_S = 3600


def pair(*, rating_a: float = 25, a: Car | None = None, b: Car | None = None, **policy: object) -> Street:
    """Make two single-phase outlets on one phase, both with a session."""
    street = Street(
        site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=rating_a)], policy=Policy(**policy)),  # type: ignore[arg-type]
        a=a or Car(),
        b=b or Car(),
    )
    street.start("a")
    street.start("b")
    return street


# ------------------------------------------------------------------ unused share


def test_what_is_not_used_is_left_where_nobody_lacks_it() -> None:
    """With room for all, a load that draws 7 A of 16 A keeps its allowance."""
    street = pair(rating_a=32, a=Car(wants_a=7))
    street.run(600, every=10)
    assert street.limits_a() == {"a": 16, "b": 16}
    assert street.session("a").appetite.wants_a is None


def test_what_is_not_used_is_given_away_once_it_is_seen_to_be_free() -> None:
    """Under a full fuse the lower limit comes first; the other's rise waits until a frame shows that it is obeyed."""
    street = pair(rating_a=22, a=Car(wants_a=7))
    street.run(50, every=10)
    assert street.limits_a() == {"a": 11, "b": 11}
    steps: list[dict[str, float]] = []
    for _ in range(12):
        street.run(10, every=10)
        if not steps or steps[-1] != street.limits_a():
            steps.append(street.limits_a())
    assert [round(s["b"], 1) for s in steps] == [11, 11, pytest.approx(22 - steps[-1]["a"])]
    assert 7.5 <= steps[-1]["a"] <= 9  # measured, and a margin
    assert steps[1]["a"] == steps[2]["a"]
    assert street.reason("a") == "wants"


def test_a_share_is_not_lowered_for_a_moment_s_rest() -> None:
    """A load that draws little for less than the set time keeps its share."""
    street = pair(rating_a=22, a=Car(wants_a=7), unused_s=60)
    street.run(40, every=10)
    street.cars["a"].wants_a = 16
    street.run(30, every=10)
    street.cars["a"].wants_a = 7
    street.run(50, every=10)
    assert street.limits_a() == {"a": 11, "b": 11}


def test_who_wants_more_again_has_its_share_again() -> None:
    """Drawing nearly all of a lowered limit means more, and the equal share comes back."""
    street = pair(rating_a=22, a=Car(wants_a=7))
    street.run(300, every=10)
    assert street.limits_a()["b"] > 12
    street.cars["a"].wants_a = 16
    street.run(60, every=10)
    assert street.limits_a() == {"a": 11, "b": 11}


def test_what_is_lowered_is_given_back_when_nobody_lacks_it() -> None:
    """When the other leaves, there is room for all, and the load may draw what its outlet can."""
    street = pair(rating_a=22, a=Car(wants_a=7))
    street.run(300, every=10)
    street.stop("s-b")
    street.run(60, every=10)
    assert street.limits_a() == {"a": 16}
    street.cars["a"].wants_a = 16
    street.run(60, every=10)
    street.start("b", "again")
    street.run(40, every=10)
    assert street.limits_a() == {"a": 11, "b": 11}  # what it drew long ago is not held against it


@pytest.mark.parametrize("steady_a", [6.0, 9.3, 14.0, 19.5, 24.0, 29.0])
def test_a_steady_load_is_left_alone(steady_a: float) -> None:
    """Whatever a load draws steadily, its limit settles: a few revisions in the first minutes, none in the hours after."""
    street = Street(
        site(outlet("a", max_a=32.0), outlet("b", max_a=32.0), fuses=[fuse(rating_a=48)]),
        a=Car(wants_a=steady_a),
        b=Car(wants_a=32),
    )
    street.start("a")
    street.start("b")
    street.run(600, every=10)
    assert street.revisions() <= 8
    settled = street.revisions()
    street.run(4 * HOUR_S, every=60)
    assert street.revisions() == settled


def test_a_load_that_varies_a_little_is_left_alone() -> None:
    """Half an ampere up and down is within the margin."""
    street = pair(rating_a=22, a=Car(wants_a=7))
    street.run(300, every=10)
    settled = street.revisions()
    for n in range(120):
        street.cars["a"].wants_a = 7.0 + 0.5 * (n % 3 - 1)
        street.run(60, every=60)
    assert street.revisions() == settled


def test_what_is_not_used_under_a_cap_is_given_away_too() -> None:
    """A cap is as full as a fuse: what one leaves below it, the other gets."""
    street = Street(
        site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=63)], caps=[Cap("rent", 22)]), a=Car(wants_a=7), b=Car()
    )
    street.start("a")
    street.start("b")
    street.run(300, every=10)
    assert street.limits_a()["b"] > 12


def test_a_minimum_is_nobody_else_s() -> None:
    """A load that draws less than its outlet's least keeps that: what waits for it goes on waiting."""
    street = Street(site(outlet("a"), outlet("b", min_a=10.0), fuses=[fuse(rating_a=15)]), a=Car(wants_a=3))
    street.start("a")
    street.start("b")
    street.run(600, every=10)
    assert street.limits_a() == {"a": 6}
    assert street.session("b").phase is Phase.QUEUED


# ------------------------------------------------------------------ conductors


def three_phase(*cars: Car, rating_a: float = 16) -> Street:
    """Make three-phase outlets, one for each car, all under one fuse."""
    names = "abcdef"[: len(cars)]
    street = Street(
        site(*(outlet(o, phase=None) for o in names), fuses=[fuse(rating_a=rating_a)]),
        **dict(zip(names, cars, strict=True)),
    )
    for o in names:
        street.start(o)
    return street


def test_a_car_on_one_phase_gives_the_others_away() -> None:
    """Beside a car that charges on L1 only, one that uses all three has all that its wiring can have."""
    street = three_phase(Car(draws_on=(0,)), Car(draws_on=(1, 2)))
    street.run(50, every=10)
    assert street.limits_a() == {"a": 8, "b": 8}
    street.run(250, every=10)
    assert street.limits_a() == {"a": 16, "b": 16}
    assert (street.at("a").conductors, street.at("b").conductors) == ((0,), (1, 2))
    command = street.commands[-1].modules
    assert (command["A"].conductors, command["B"].conductors) == ((0,), (1, 2))


def test_conductors_are_kept_until_the_bridge_has_them_back() -> None:
    """While the command that takes conductors back is not seen to be obeyed, their current is not given to another."""
    street = three_phase(Car(draws_on=(0,)), Car(draws_on=(1, 2)))
    street.run(50, every=10)
    street.bridges["b1"].obeys = False
    street.run(200, every=10)  # the invariants, which count held conductors, are checked at each step
    assert street.limits_a() == {"a": 8, "b": 8}
    street.bridges["b1"].obeys = True
    street.apply(street.commands[-1])
    street.run(30, every=10)
    assert street.limits_a() == {"a": 16, "b": 16}


def test_conductors_are_not_taken_where_nobody_lacks_them() -> None:
    """With room for all, a car on one phase may use all of its conductors."""
    street = three_phase(Car(draws_on=(0,)), Car(), rating_a=32)
    street.run(600, every=10)
    assert street.at("a").conductors is None


def strays(street: Street) -> None:
    """Let the car at a begin on all its conductors: the bridge opens its relay and says so."""
    street.cars["a"].draws_on = (0, 1, 2)
    street.cars["a"].limit_a = 0.0
    b = street.bridges["b1"]
    b.seq += 1
    street.do(
        EdgeReceived(street.now, "b1", b.boot, b.seq, b.rev, "limit_breach", "A", street.loads["a"].reading(3), "phase")
    )


def test_a_car_that_wants_its_conductors_back_gets_them() -> None:
    """When current comes on a released conductor, the session survives: off first, then its share on all of them."""
    street = three_phase(Car(draws_on=(0,)), Car(draws_on=(1, 2)))
    street.run(300, every=10)
    strays(street)
    assert street.session("a").phase is Phase.ACTIVE
    assert "a" not in street.limits_a()
    street.run(60, every=10)
    assert street.at("a").conductors is None
    assert street.limits_a() == {"a": 8, "b": 8}
    assert street.session("a").phase is Phase.ACTIVE
    street.run(600, every=10)
    assert street.limits_a() == {"a": 8, "b": 8}  # and they stay its own
    assert street.told("session.stopping") == []


def test_the_next_session_has_all_conductors() -> None:
    """What a car left unused is not withheld from the next one at the same outlet."""
    street = three_phase(Car(draws_on=(0,)), Car(draws_on=(1, 2)))
    street.run(300, every=10)
    street.stop("s-a")
    street.run(30, every=10)
    street.start("a", "next")
    street.run(30, every=10)
    assert street.at("a").conductors is None


def test_a_car_that_begins_on_more_phases_before_any_is_taken_is_known_to_use_them() -> None:
    """Elsewhere at the site somebody lacks current: a car with all that it may have loses nothing, and may change."""
    street = Street(
        site(
            outlet("a", phase=None),
            outlet("b", on="row"),
            outlet("c", on="row"),
            fuses=[fuse(rating_a=63), fuse("row", 16, "main")],
        ),
        a=Car(draws_on=(0,)),
    )
    for o in "abc":
        street.start(o)
    street.run(300, every=10)
    assert street.at("a").conductors is None
    street.cars["a"].draws_on = (0, 1, 2)
    street.run(60, every=10)
    assert street.session("a").appetite.conductors in (None, (0, 1, 2))
    street.cars["a"].wants_a = 8
    street.run(300, every=10)
    assert street.limits_a()["a"] == 16  # nobody could use what it leaves


# ------------------------------------------------------------------ waking


def test_a_sleeping_car_is_woken_by_its_voltage() -> None:
    """A car that does not begin has its voltage switched off and on once; then it charges, and that is remembered."""
    street = Street(site(outlet("a")), a=Car(asleep=True))
    street.start("a")
    street.run(300, every=10)
    assert street.cars["a"].pulses == 1
    assert street.limits_a() == {"a": 16}
    assert street.session("a").phase is Phase.ACTIVE
    assert [(f.about, f.detail["wakes_by"]) for f in street.told("session.learned")] == [("s-a", "relay")]


def test_a_car_that_can_not_be_woken_is_left_alone() -> None:
    """After two pulses nothing more is tried, for hours."""
    street = Street(site(outlet("a")), a=Car(asleep=True, wakes_after=99))
    street.start("a")
    street.run(6 * HOUR_S, every=30)
    assert street.cars["a"].pulses == 2
    assert street.session("a").phase is Phase.ACTIVE


def test_who_is_known_to_need_its_voltage_switched_is_woken_sooner() -> None:
    """A car that is known to wake by its relay waits a third of the time."""
    waits = []
    for known in ("", "relay"):
        street = Street(site(outlet("a"), policy=Policy(wake_s=60)), a=Car(asleep=True))
        street.start("a", wakes_by=known)
        while not street.cars["a"].pulses:
            street.run(5, every=5)
        waits.append(street.now - NOW)
    assert waits == [pytest.approx(65, abs=5), pytest.approx(25, abs=5)]


def test_a_car_that_has_drawn_and_is_done_is_not_woken() -> None:
    """A car that has charged in this turn and stops is full, not asleep."""
    street = Street(site(outlet("a")), a=Car())
    street.start("a")
    street.run(300, every=10)
    street.cars["a"].wants_a = 0
    street.run(600, every=10)
    assert street.cars["a"].pulses == 0


def slept_in_a_later_turn(**car: Any) -> Street:
    """Make a car that has charged at 16 A lose its turn, and get another beside somebody, at 11 A."""
    street = Street(
        site(outlet("a"), outlet("b"), outlet("c"), fuses=[fuse(rating_a=22)], policy=Policy(min_on_s=0)), a=Car()
    )
    street.start("a")
    street.run(100, every=10)
    street.pause("s-a")
    street.run(20, every=10)
    street.start("b")
    street.run(20, every=10)
    street.cars["a"].__dict__.update(car)
    street.resume("s-a")
    return street


def test_the_allowance_that_a_car_needs_is_learned() -> None:
    """A car that charged at 16 A and sleeps at 11 A is offered 2 A more, charges, and its least is told and kept."""
    street = slept_in_a_later_turn(sleeps_below_a=12)
    street.run(1200, every=10)
    assert street.session("a").appetite.least_a == pytest.approx(13)
    assert street.limits_a() == {"a": pytest.approx(13), "b": pytest.approx(9)}
    assert street.cars["a"].pulses == 1  # the pause
    assert [f.detail["least_a"] for f in street.told("session.learned") if f.about == "s-a"] == [pytest.approx(13)]


def test_a_car_that_is_full_has_taught_nothing() -> None:
    """A full car is offered more in vain, and woken in vain: nothing is learned of it, and it ends ``full``."""
    street = slept_in_a_later_turn(wants_a=0)
    street.run(HOUR_S, every=10)
    assert street.told("session.learned") == []
    assert [f.detail["reason"] for f in street.told("session.ended")] == ["full"]


def test_an_offer_costs_nobody_a_turn_that_has_begun() -> None:
    """What is offered to see whether a car charges comes from what the others have beyond their minimum."""
    street = slept_in_a_later_turn(sleeps_below_a=99)
    street.start("c")
    street.run(600, every=10)
    assert {o: street.session(o).phase for o in "bc"} == dict.fromkeys("bc", Phase.ACTIVE)
    assert street.told("session.waiting") == []


def test_what_is_known_of_a_vehicle_is_its_minimum() -> None:
    """A session whose vehicle does not charge below 9 A is let in with 9 A, or waits."""
    street = Street(site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=14)]))
    street.start("a", least_a=9.0)
    street.start("b")
    street.run(30, every=10)
    assert street.session("b").phase is Phase.QUEUED
    assert street.limits_a() == {"a": 14}


@pytest.mark.parametrize("turn_s", [900, 3600])
def test_who_never_asks_is_ended_where_others_wait(turn_s: int) -> None:
    """A plugged car that nothing wakes keeps its place from others only until it is given up: ``not_asking``."""
    street = pair(rating_a=8, a=Car(asleep=True, wakes_after=99), turn_s=turn_s)
    street.run(2 * HOUR_S, every=30)
    ended = [(f.about, f.detail["reason"]) for f in street.told("session.ended")]
    assert ended == [("s-a", "not_asking")]
    assert street.limits_a() == {"b": 8}


def test_who_never_asks_may_stay_where_nobody_waits() -> None:
    """Alone, a session that draws nothing is nobody's loss."""
    street = Street(site(outlet("a")), a=Car(plug=Plug.PLUGGED))
    street.start("a")
    street.run(3 * HOUR_S, every=60)
    assert street.told("session.ended") == []
