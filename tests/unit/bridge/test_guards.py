"""What the bridge switches off by itself."""

import pytest

from iot.bridge.core import BridgeSettings
from iot.bridge.guard import Compliance, MainGuard, PowerGuard
from iot.contract import Event, Fault, Plug
from tests.unit.bridge.rig import Rig, charging, on

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
    """Over the rating for 5 s, the largest load is shed, and then the next."""
    rig = main_rig()
    rig.bridge.disconnected(rig.now)
    rig.meter = (10, 41, 10)
    rig.run(5)
    assert rig.step().apply["M2"].relay is False
    assert rig.run(4).apply["M1"].relay
    assert rig.step().apply["M1"].relay is False
    rig.bridge.connected(rig.now)
    rig.step()
    assert [e for e in rig.events if e[0] == "shed"] == [("shed", "M2", None), ("shed", "M1", None)]


def test_far_above_the_main_fuse_goes_faster() -> None:
    """Above 130 % it takes one second."""
    rig = main_rig()
    rig.meter = (10, 53, 10)
    rig.step()
    assert not rig.step().apply["M2"].relay


def test_a_silent_main_meter_sheds_nothing() -> None:
    """Nor does it forgive what it showed."""
    guard = MainGuard((40, 40, 40), 5, 1)
    loads = {"M1": (9.0, 0.0, 0.0)}
    assert guard.check(0, (45, 0, 0), loads) is None
    assert guard.check(6, None, loads) is None
    assert guard.check(7, (45, 0, 0), loads) == "M1"


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


def test_nothing_is_shed_for_a_load_that_is_not_ours() -> None:
    """A building that is over its fuse by itself is told by the meter only."""
    assert MainGuard((40, 40, 40), 0, 0).check(0, (45, 0, 0), {"M1": (0.0, 9.0, 9.0)}) is None
