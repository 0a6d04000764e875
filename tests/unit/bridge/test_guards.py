"""What the bridge switches off by itself."""

import random
from collections import deque
from typing import Any

import pytest

from iot.bridge.core import BridgeSettings, FuseLimit, ModuleConfig
from iot.bridge.guard import Compliance, FuseGuard, PowerGuard, Share
from iot.contract import Event, Fault, GuardLimits, Plug, Setting
from tests.unit.bridge.rig import Rig, charging, on, reading

# ------------------------------------------------------------------ targets


def test_the_relay_opens_at_the_last_paid_watt_hour() -> None:
    """The register value opens the relay at once, and tells so once."""
    rig = charging(until_wh=1100)
    rig.set(energy_wh=1099)
    assert rig.step().apply["M1"].relay
    rig.set(energy_wh=1100)
    assert not rig.step().apply["M1"].relay
    rig.run(5)
    assert rig.events == [("target_reached", "M1", "energy")]
    assert rig.all(Event)[0].reading is not None


def test_more_paid_energy_closes_the_relay_again() -> None:
    """A newer revision with a later target takes the relay back."""
    rig = charging(until_wh=1100)
    rig.set(energy_wh=1100)
    rig.step()
    rig.order(rev=2, modules=on(until_wh=1200))
    assert rig.step().apply["M1"].relay


def test_the_same_target_again_opens_again() -> None:
    """A newer revision does not give more energy by itself."""
    rig = charging(until_wh=1100)
    rig.set(energy_wh=1100)
    rig.step()
    rig.order(rev=2, modules=on(until_wh=1100))
    assert not rig.step().apply["M1"].relay


def test_time_is_counted_from_the_answered_message() -> None:
    """The paid time ends on the bridge's own clock, with a gentle opening."""
    rig = Rig()
    rig.step()
    rig.now += 5
    rig.order(rev=1, modules=on(until_s=20))
    rig.draws["M1"] = 9
    assert rig.run(14).apply["M1"].limit_a == 10
    assert rig.step().apply["M1"].limit_a == 0
    assert ("target_reached", "M1", "time") in rig.events


def test_time_runs_out_at_the_first_sample_that_is_late_enough() -> None:
    """Not one sample later, however finely it is sampled, and with the connection lost too."""
    rig = Rig()
    rig.step()
    rig.now += 5
    rig.order(rev=1, modules=on(until_s=20))
    rig.draws["M1"] = 9
    rig.bridge.disconnected(rig.now)
    assert rig.run(14.75, dt=0.25).apply["M1"].limit_a == 10
    assert rig.step(0.25).apply["M1"].limit_a == 0
    assert not rig.run(7).apply["M1"].relay


def test_a_renewal_counts_the_time_from_the_message_that_it_answers() -> None:
    """However late the renewal comes: neither more nor less time than is paid for."""
    rig = charging(until_s=300)
    rig.order(modules=on(until_s=300), full=True, rev=2)
    rig.run(10)
    sent_at = rig.bridge._lease._sent_at[rig.bridge.seq]
    rig.run(7)
    assert rig.order(modules=on(until_s=30), seq=rig.bridge.seq)
    while rig.step().apply["M1"].limit_a:
        assert rig.now < sent_at + 30
    assert rig.now == sent_at + 30


def test_the_last_paid_watt_hour_binds_without_a_connection() -> None:
    """The fallback goes on to the same register value."""
    rig = charging(until_wh=1100, fallback_a=6)
    rig.bridge.disconnected(rig.now)
    rig.run(80_000, dt=1000)
    rig.draws["M1"] = 6
    assert rig.run(5).apply["M1"].limit_a == 6
    rig.set(energy_wh=1099)
    assert rig.step().apply["M1"].relay
    rig.set(energy_wh=1101)
    assert not rig.step().apply["M1"].relay


@pytest.mark.parametrize("changes", [{"relay": False}, {"until_s": 30}])
def test_a_gentle_opening_ends_at_the_last_paid_watt_hour(changes: dict[str, Any]) -> None:
    """A load that is let go gently is given nothing more either."""
    rig = charging(until_wh=1100)
    rig.order(rev=2, ttl_s=80_000, modules=on(until_wh=1100, **changes))
    while (told := rig.step().apply["M1"]).limit_a:
        assert rig.now < 1100
    assert told.relay
    rig.set(energy_wh=1099)
    assert rig.step().apply["M1"].relay
    rig.set(energy_wh=1100)
    assert not rig.step().apply["M1"].relay


def test_the_last_paid_watt_hour_binds_a_restart_that_opens() -> None:
    """A bridge that has no fallback to give opens at once when the energy is used up."""
    rig = Rig(known={"M1": ModuleConfig(16, 0, until_wh=1010)})
    rig.obeys = False
    rig.readings["M1"] = reading(9, relay=True, limit_a=10, wh=1009)
    assert rig.step().apply["M1"].relay
    rig.set(energy_wh=1010)
    assert not rig.step().apply["M1"].relay


def test_a_target_that_is_reached_closes_nothing() -> None:
    """A start whose energy is used up already is told, and no current flows."""
    rig = Rig()
    rig.step()
    rig.order(rev=1, modules=on(until_wh=1000))
    assert not rig.step().apply["M1"].relay
    assert rig.run(3) is not None
    assert rig.events == [("target_reached", "M1", "energy")]


# ------------------------------------------------------------------ power guard


def test_above_150_percent_trips_at_once() -> None:
    """A short circuit's smaller brother does not wait."""
    rig = charging(limit_a=16)
    rig.set(current_a=(0, 24.1, 0))
    assert not rig.step().apply["M1"].relay
    assert rig.events == [("over_current", "M1", "instant")]


def test_above_110_percent_trips_after_seven_seconds() -> None:
    """An inrush of less than 7 s is let through."""
    rig = charging(limit_a=16)
    rig.draws["M1"] = 18.3
    rig.run(7)
    assert rig.events == []
    rig.run(2)
    assert rig.events == [("over_current", "M1", "seconds")]
    event = rig.all(Event)[0]
    assert event.reading is not None
    assert event.reading.current_a[0] == 18.3


def test_a_quarter_hour_above_105_percent_trips() -> None:
    """The mean of 15 minutes catches what is little but long."""
    guard = PowerGuard()
    tripped = [t for t in range(1000) if guard.check(float(t), (17.0, 0, 0), 16) == "mean"]
    assert tripped
    assert 880 <= tripped[0] <= 910


@pytest.mark.parametrize("current_a", [16.0, 16.7])
def test_a_load_within_105_percent_never_trips(current_a: float) -> None:
    """The guard's tolerance is its own, not the meter's."""
    guard = PowerGuard()
    assert not any(guard.check(float(t), (current_a, current_a, current_a), 16) for t in range(4000))


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_is_that_of_the_last_quarter_hour(seed: int) -> None:
    """Whatever came before, to the last bucket."""
    rng, guard = random.Random(seed), PowerGuard()
    last: deque[tuple[float, ...]] = deque(maxlen=900)
    guard._mean_a(0, (0, 0, 0))
    for t in range(1, 3001):
        current_a = (rng.uniform(0, 32), rng.uniform(0, 32), rng.choice([0, 16]))
        last.append(current_a)
        mean_a = guard._mean_a(t, current_a)
        if t % 10 == 0:
            assert mean_a == pytest.approx(max(sum(a[p] for a in last) for p in range(3)) / 900)


LAX = GuardLimits(instant=2, seconds=1.5, seconds_a=0, seconds_s=20, mean=1.2)


@pytest.mark.parametrize(
    ("current_a", "limits", "rule", "after_s"),
    [
        (25, GuardLimits(), "instant", 0),
        (31, LAX, "seconds", 20),
        (25, LAX, "seconds", 20),
        (33, LAX, "instant", 0),
        (19, GuardLimits(), "seconds", 7),
        (20, LAX, "mean", 870),
        (17, GuardLimits(instant=1.05), "instant", 0),
    ],
)
def test_an_outlet_has_its_own_tolerances(current_a: float, limits: GuardLimits, rule: str, after_s: float) -> None:
    """A motor that starts heavily is given what a charger is not."""
    guard = PowerGuard()
    found = [(t, r) for t in range(1000) if (r := guard.check(t, (current_a, 0, 0), 16, limits))]
    assert found[0][1] == rule
    assert found[0][0] == pytest.approx(after_s, abs=15 if rule == "mean" else 0)


def test_tolerances_bind_without_the_cloud() -> None:
    """They are remembered with the module, over a restart."""
    rig = Rig(known={"M1": ModuleConfig(16, 6, guard=LAX)})
    rig.readings["M1"] = reading(25, relay=True, limit_a=6)
    rig.obeys = False
    rig.run(5)
    assert rig.events == []
    rig.set(current_a=(33, 0, 0))
    rig.step()
    assert rig.events == [("over_current", "M1", "instant")]


def test_a_command_brings_tolerances_and_takes_them_back() -> None:
    """Absent means the usual ones."""
    rig = charging(limit_a=16, guard=LAX)
    assert rig.bridge.known["M1"].guard == LAX
    rig.draws["M1"] = 23.5
    rig.run(15)
    assert rig.events == []
    rig.order(rev=2, ttl_s=80_000, modules=on(16))
    rig.run(9)
    assert rig.bridge.known["M1"].guard == GuardLimits()
    assert rig.events == [("over_current", "M1", "seconds")]


# ------------------------------------------------------------------ compliance


def test_a_load_that_does_not_follow_is_switched_off() -> None:
    """A decrease that is not followed within 6 s opens the relay, and has its own code."""
    rig = charging(limit_a=14, draws=13)
    rig.order(rev=2, modules=on(8))
    rig.run(6)
    assert rig.events == []
    assert not rig.run(2).apply["M1"].relay
    assert rig.events == [("limit_breach", "M1", None)]
    rig.run(30)
    assert rig.events == [("limit_breach", "M1", None)]


def test_a_load_that_follows_in_five_seconds_is_left_alone() -> None:
    """A car has 5 s by IEC 61851-1."""
    rig = charging(limit_a=14, draws=13)
    rig.order(rev=2, modules=on(8))
    rig.run(5)
    rig.draws["M1"] = 8.4
    rig.run(20)
    assert rig.events == []


def test_each_decrease_gives_its_own_time() -> None:
    """A car that is still following one decrease when the next comes has done nothing wrong."""
    watch = Compliance(6)
    watch.limit(0, 16)
    watch.limit(10, 10)
    for t, a in ((10, 16), (13, 13), (14, 11), (15, 10)):
        assert not watch.breached(t, (a, a, a))
    watch.limit(14, 6)
    for t, a in ((16, 10), (17, 10), (18, 8), (19, 6)):
        assert not watch.breached(t, (a, a, a))


def test_many_decreases_don_t_excuse_a_load_that_follows_none() -> None:
    """The time is counted from the first limit that was exceeded."""
    watch = Compliance(6)
    watch.limit(0, 16)
    breached = []
    for t in range(10, 30):
        watch.limit(t, {10: 14, 14: 12, 18: 10, 22: 8}.get(t, watch._limits[-1][1]))
        if watch.breached(t, (16, 16, 16)):
            breached.append(t)
    assert breached[0] == 16


# ------------------------------------------------------------------ relay


def test_a_relay_opens_gently() -> None:
    """0 A is signalled first, and the relay opens when the current has fallen."""
    rig = charging()
    rig.order(rev=2, modules={})
    step = rig.step()
    assert (step.apply["M1"].limit_a, step.apply["M1"].relay) == (0, True)
    rig.draws["M1"] = 0.2
    rig.run(2)
    assert not rig.step().apply["M1"].relay
    assert rig.events == []


def test_a_gentle_opening_ends_after_six_seconds() -> None:
    """Whatever the load does."""
    rig = charging()
    rig.order(rev=2, modules={})
    assert rig.run(6).apply["M1"].relay
    assert not rig.step().apply["M1"].relay


def test_a_gentle_opening_does_not_depend_on_the_bridge() -> None:
    """The module is given the time that is left, so that it opens by itself should the bridge die."""
    rig = Rig()
    rig.step()
    rig.order(rev=1, ttl_s=10, modules=on(10, fallback_a=0))
    rig.draws["M1"] = 9
    rig.run(9)
    assert rig.step().apply["M1"].lease_s == 6


def test_a_welded_relay_is_told_once() -> None:
    """Current through a relay that should be open is the highest alarm."""
    rig = charging()
    rig.order(rev=2, modules={})
    rig.obeys = False
    rig.set(current_a=(9, 9, 9), relay=False)
    rig.run(70)
    assert rig.events == [("fault", "M1", None)]
    reading = rig.all(Event)[0].reading
    assert reading is not None
    assert reading.faults == Fault.WELDED_RELAY
    shown = rig.frames[-1].modules["M1"]
    assert shown is not None
    assert shown.faults == Fault.WELDED_RELAY


def test_a_relay_that_moves_by_itself_is_told() -> None:
    """A contact that is not where it was told to be for 2 s is an event, once."""
    rig = charging()
    rig.obeys = False
    rig.set(relay=False, current_a=(0, 0, 0))
    rig.run(10)
    assert rig.events == [("relay", "M1", None)]


# ------------------------------------------------------------------ plug, faults, silence


def test_unplugging_opens_the_relay_at_once() -> None:
    """No socket is live without a plug; the relay stays open when a plug returns."""
    rig = charging()
    rig.set(plug=Plug.NONE)
    assert not rig.step().apply["M1"].relay
    rig.set(plug=Plug.ASKING)
    assert not rig.run(5).apply["M1"].relay
    assert rig.events == [("unplugged", "M1", None), ("plugged", "M1", None)]


def test_a_new_fault_is_told_once() -> None:
    """And another one again."""
    rig = charging()
    rig.set(faults=Fault.VOLTAGE)
    rig.run(3)
    rig.set(faults=Fault.VOLTAGE | Fault.INTERNAL)
    rig.run(3)
    assert rig.events == [("fault", "M1", None)] * 2


def test_a_module_is_lost_after_three_seconds() -> None:
    """A lost sample is nothing; silence is told, shown as null, and found again."""
    rig = charging()
    kept = rig.readings["M1"]
    rig.readings["M1"] = None
    rig.run(3)
    assert rig.events == []
    rig.step()
    assert rig.events == [("module_lost", "M1", None)]
    rig.run(70)
    assert rig.frames[-1].modules == {"M1": None}
    rig.readings["M1"] = kept
    rig.step()
    assert rig.events[1:] == [("module_found", "M1", None)]


# ------------------------------------------------------------------ conductors


def on_one_conductor(lease_s: int = 10_000) -> Rig:
    """Make a rig whose module may use its first conductor only, and does."""
    rig = Rig()
    rig.step()
    rig.order(rev=1, ttl_s=lease_s, modules=on(10, conductors=(0,)))
    rig.step()
    rig.obeys = False
    rig.set(current_a=(9, 0.4, 0), relay=True, limit_a=10)
    rig.run(5)
    rig.sent.clear()
    return rig


def test_current_on_a_conductor_that_is_given_away_opens_the_relay() -> None:
    """Half an ampere is current, and a second is enough: somebody else may have it already."""
    rig = on_one_conductor()
    rig.set(current_a=(9, 0.5, 0))
    assert rig.step().apply["M1"].relay
    assert rig.step(0.9).apply["M1"].relay
    assert not rig.step(0.1).apply["M1"].relay
    assert rig.events == [("limit_breach", "M1", "phase")]


def test_a_moment_of_current_on_another_conductor_is_forgiven() -> None:
    """The second is counted anew after each sample without."""
    rig = on_one_conductor()
    for _ in range(5):
        rig.set(current_a=(9, 2, 0))
        rig.step(0.9)
        rig.set(current_a=(9, 0, 0))
        rig.step(0.9)
    assert rig.events == []


def test_any_newer_revision_plans_the_conductors_anew() -> None:
    """The cloud has heard of the breach or not: what it says next is what holds."""
    rig = on_one_conductor()
    rig.set(current_a=(9, 9, 9))
    rig.run(3)
    rig.order(modules=on(10, conductors=(0,)), ttl_s=10_000, full=True)
    rig.run(3)
    rig.order(modules=on(10, conductors=(0,)), ttl_s=10_000)
    assert not rig.step().apply["M1"].relay
    rig.order(rev=2, ttl_s=10_000, modules=on(10))
    assert rig.run(5).apply["M1"].relay
    assert [e for e in rig.events if e[0] == "limit_breach"] == [("limit_breach", "M1", "phase")]


def test_conductors_bind_no_longer_than_the_lease() -> None:
    """The fallback is planned for on all of them."""
    rig = on_one_conductor(lease_s=20)
    rig.set(current_a=(6, 0, 0))
    rig.run(30)
    rig.set(current_a=(6, 6, 6))
    assert rig.run(30).apply["M1"].relay
    assert rig.events == []


def test_conductors_say_nothing_of_a_relay_that_is_opening() -> None:
    """A load that is let go gently may end as it likes."""
    rig = on_one_conductor()
    rig.order(rev=2, ttl_s=10_000, modules={"M1": Setting(0, relay=False, max_a=16, conductors=(0,))})
    rig.set(current_a=(9, 9, 9))
    rig.run(5)
    assert rig.events == []


# ------------------------------------------------------------------ the main fuse


def main_rig() -> Rig:
    rig = Rig(BridgeSettings("b1", main_rating_a=(40, 40, 40)), modules=("M1", "M2"))
    rig.meter = (10, 10, 10)
    rig.step()
    rig.order(rev=1, ttl_s=10_000, modules={**on(16), "M2": on(16)["M1"]})
    rig.draws |= {"M1": 9, "M2": 12}
    rig.run(5)
    rig.sent.clear()
    return rig


def test_the_main_fuse_is_defended_without_the_cloud() -> None:
    """Over the rating for 5 s, the smallest load that is enough is shed, and then the next."""
    rig = main_rig()
    rig.bridge.disconnected(rig.now)
    rig.meter = (10, 41, 10)
    assert rig.run(5).apply["M1"].relay
    assert rig.step().apply["M1"].relay is False
    assert rig.run(4).apply["M2"].relay
    assert rig.step().apply["M2"].relay is False
    rig.bridge.connected(rig.now)
    rig.step()
    assert [e for e in rig.events if e[0] == "shed"] == [("shed", "M1", "main"), ("shed", "M2", "main")]


def test_far_above_the_main_fuse_goes_faster() -> None:
    """Above 130 % it takes one second; the larger is shed, since the smaller is not enough."""
    rig = main_rig()
    rig.meter = (10, 53, 10)
    rig.step()
    assert not rig.step().apply["M2"].relay


def test_wiring_tells_whose_phase_it_is() -> None:
    """A single-phase module counts on the feeder phase that it is wired to."""
    settings = BridgeSettings("b1", main_rating_a=(40, 40, 40), wiring={"M1": (1,), "M2": (0,)})
    rig = Rig(settings, modules=("M1", "M2"))
    rig.meter = (10, 10, 10)
    rig.step()
    rig.order(rev=1, ttl_s=10_000, modules={**on(16), "M2": on(16)["M1"]})
    rig.draws |= {"M1": 9, "M2": 12}
    rig.run(5)
    rig.meter = (10, 45, 10)
    step = rig.run(6)
    assert (step.apply["M1"].relay, step.apply["M2"].relay) == (False, True)


@pytest.mark.parametrize(("lowered_s", "shed"), [(1, "M2"), (5, "M1")])
def test_who_breaks_a_limit_goes_first(lowered_s: float, shed: str) -> None:
    """However small it is, once its time to follow is over: the others have done nothing wrong."""
    rig = main_rig()
    rig.order(rev=2, ttl_s=10_000, modules={**on(6), "M2": on(16)["M1"]})
    rig.run(lowered_s)
    rig.meter = (10, 55, 10)
    rig.run(2)
    assert rig.events == [("shed", shed, "main")]


def test_a_module_that_does_not_hear_is_not_asked_to_go() -> None:
    """What can't be told to it would help nobody."""
    rig = main_rig()
    rig.meter = (10, 45, 10)
    rig.run(5)
    rig.readings["M1"] = None
    assert not rig.step().apply["M2"].relay
    assert ("shed", "M2", "main") in rig.events


def test_an_old_value_of_the_main_meter_is_one_value() -> None:
    """A meter with a value every 10 s sheds at the second that is over, and once for each."""
    rig = main_rig()
    rig.meter, rig.meter_at = (10, 60, 10), rig.now
    rig.run(9)
    assert rig.events == []
    rig.meter_at = rig.now + 1
    assert not rig.step().apply["M2"].relay
    rig.run(9)
    assert rig.events == [("shed", "M2", "main")]
    rig.meter_at = rig.now + 1
    rig.step()
    assert rig.events == [("shed", "M2", "main"), ("shed", "M1", "main")]


def test_an_old_value_that_a_new_one_denies_sheds_nothing() -> None:
    """A motor that starts is over in the next telegram."""
    rig = main_rig()
    for meter in ((10.0, 60.0, 10.0), (10.0, 30.0, 10.0)) * 5:
        rig.meter, rig.meter_at = meter, rig.now
        rig.run(10)
    assert rig.events == []


# ------------------------------------------------------------------ any fuse

MAIN = FuseLimit("main", (40, 40, 40), ())


def drawing(**current_a: float) -> dict[str, Share]:
    return {m: Share((0.0, a, 0.0)) for m, a in current_a.items()}


def test_a_silent_main_meter_sheds_nothing() -> None:
    """Nor does it forgive what it showed."""
    guard = FuseGuard(MAIN, 5, 1)
    loads = drawing(M1=9)
    assert guard.check(0, (0, 45, 0), loads) is None
    assert guard.check(6, None, loads) is None
    assert guard.check(7, (0, 45, 0), loads) == "M1"


def test_nothing_is_shed_for_a_load_that_is_not_ours() -> None:
    """A building that is over its fuse by itself is told by the meter only."""
    assert FuseGuard(MAIN, 0, 0).check(0, (45, 0, 0), drawing(M1=9)) is None


@pytest.mark.parametrize(
    ("over_a", "shed"),
    [(1, "M3"), (4, "M3"), (5, "M1"), (9, "M1"), (9.1, "M2"), (12, "M2"), (13, "M2"), (100, "M2")],
)
def test_the_smallest_that_is_enough_goes_else_the_largest(over_a: float, shed: str) -> None:
    """As few as possible, and of those the one that loses least."""
    guard = FuseGuard(MAIN, 0, 0)
    assert guard.check(0, (0, 40 + over_a, 0), drawing(M1=9, M2=12, M3=4, M4=0.3)) == shed


def test_of_those_that_break_their_limits_the_largest_goes() -> None:
    """It is the likeliest to be enough."""
    unruly = {"M1": Share((0, 7, 0), unruly=True), "M2": Share((0, 8, 0), unruly=True)}
    assert FuseGuard(MAIN, 0, 0).check(0, (0, 41, 0), {**drawing(M3=4, M4=20), **unruly}) == "M2"


def test_each_phase_waits_for_what_was_shed_on_it() -> None:
    """What was shed on one phase helps no other."""
    guard = FuseGuard(MAIN, 5, 1)
    loads = {"M1": Share((9, 0, 0)), "M2": Share((0, 9, 0))}
    guard.check(0, (45, 44, 0), loads)
    assert guard.check(5, (45, 44, 0), loads) == "M1"
    guard.relieved(5, loads.pop("M1").current_a)
    assert guard.check(6, (45, 44, 0), loads) == "M2"


def fuse_rig(*fuses: FuseLimit, **settings: Any) -> Rig:
    rig = Rig(BridgeSettings("b1", fuses=fuses, **settings), modules=("M1", "M2", "M3"))
    rig.step()
    rig.order(rev=1, ttl_s=10_000, modules={m: on(16)["M1"] for m in ("M1", "M2", "M3")})
    rig.draws |= {"M1": 9, "M2": 12, "M3": 14}
    rig.run(3)
    return rig


def test_a_fuse_is_defended_by_what_its_own_modules_measure() -> None:
    """It needs no main meter; a module that is not below it is left alone."""
    rig = fuse_rig(FuseLimit("row-1", (20, 20, 20), ("M1", "M2")))
    step = rig.run(4)
    assert [step.apply[m].relay for m in ("M1", "M2", "M3")] == [False, True, True]
    rig.run(30)
    assert rig.events == [("shed", "M1", "row-1")]


def test_a_fuse_carries_what_a_module_draws_that_can_t_be_shed() -> None:
    """Current through a relay that was told to open flows all the same."""
    rig = fuse_rig(FuseLimit("row-1", (22, 22, 22), ("M1", "M2")))
    rig.order(rev=2, ttl_s=10_000, modules={"M2": on(16)["M1"]})
    rig.obeys = False
    rig.set("M1", current_a=(11, 11, 11), relay=True)
    rig.set("M2", current_a=(12, 12, 12), relay=True)
    rig.run(14)
    assert ("shed", "M2", "row-1") in rig.events


def test_a_lost_module_no_longer_counts() -> None:
    """What it drew when it was last seen is not measured now."""
    rig = fuse_rig(FuseLimit("row-1", (20, 20, 20), ("M1", "M2")))
    rig.draws["M1"] = 5
    rig.run(2)
    rig.readings["M1"] = None
    rig.run(4)
    rig.draws["M2"] = 16.2
    rig.run(20)
    assert rig.events == [("module_lost", "M1", None)]


def test_what_a_fuse_sheds_relieves_those_above() -> None:
    """One module for two fuses that are over by the same load."""
    rows = FuseLimit("row-1", (20, 20, 20), ("M1", "M2")), FuseLimit("house", (34, 34, 34), ("M1", "M2", "M3"))
    rig = fuse_rig(*rows, main_rating_a=(34, 34, 34))
    rig.meter = (35, 35, 35)
    rig.run(3)
    rig.meter = (26, 26, 26)
    rig.run(20)
    assert rig.events == [("shed", "M1", "row-1")]


@pytest.mark.parametrize("fuse", ["", "x" * 65])
def test_a_fuse_has_a_name_that_an_event_can_tell(fuse: str) -> None:
    """Of 1 to 64 characters."""
    with pytest.raises(ValueError, match="1 to 64"):
        FuseLimit(fuse, (1, 1, 1), ())
