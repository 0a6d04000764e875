"""Modules with their breakers, and whole sites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot.contract import Fault, Plug, Reading
from iot.simulator.loads import Building, Car, Heater, Overdraw
from iot.simulator.module import Breaker, SimModule
from iot.simulator.site import ModulePlan, SimSite, SitePlan


def on(module: SimModule, limit_a: float = 16, lease_s: float = 1e6) -> None:
    module.apply(limit_a, relay=True, lease_s=lease_s, fallback_a=6)


def run(module: SimModule, seconds: float, dt: float = 0.5) -> None:
    for _ in range(round(seconds / dt)):
        module.advance(dt)


def read(module: SimModule) -> Reading:
    reading = module.sample()
    assert reading is not None
    return reading


def test_the_plug_tells_what_stands_in_the_outlet() -> None:
    """Nothing, a load, or one that asks; a socket that senses no plug says always that one is there."""
    module = SimModule("M1")
    assert read(module).plug is Plug.NONE
    module.plug(Heater())
    assert read(module).plug is Plug.PLUGGED
    module.plug(Car(1000))
    assert read(module).plug is Plug.ASKING
    module.unplug()
    assert read(module).plug is Plug.NONE
    assert read(SimModule("M2", senses_plug=False)).plug is Plug.PLUGGED


def test_energy_is_counted_exactly() -> None:
    """The register is the integral of power, in whole Wh."""
    module = SimModule("M1", phases=1, energy_wh=500)
    module.plug(Heater(2000))
    on(module)
    run(module, 3600)
    reading = read(module)
    assert reading.energy_wh == int(500 + 2000 * (module.voltage_v / 230) ** 2)
    assert reading.power_w == pytest.approx(2000, rel=0.02)
    assert reading.voltage_v[1:] == (0, 0)


def test_a_three_phase_car_uses_the_conductors_that_there_are() -> None:
    """In a single-phase outlet it charges on one."""
    module = SimModule("M1", phases=1)
    module.plug(Car(40_000))
    on(module, 10)
    run(module, 10)
    assert read(module).current_a == (10, 0, 0)


def test_the_lease_ends_by_the_module_s_own_timer() -> None:
    """Without the bridge it falls to its fallback by itself."""
    module = SimModule("M1")
    module.plug(Car(40_000))
    on(module, 16, lease_s=20)
    run(module, 19)
    assert read(module).limit_a == 16
    run(module, 8)
    assert (read(module).limit_a, read(module).relay, read(module).current_a[0]) == (6, True, 6)


def test_the_end_of_a_lease_without_fallback_opens_the_relay() -> None:
    """0 A is off."""
    module = SimModule("M1")
    module.apply(16, relay=True, lease_s=2, fallback_a=0)
    run(module, 3)
    assert (read(module).limit_a, read(module).relay) == (0, False)


def test_without_a_lease_the_fallback_holds_at_once() -> None:
    """The bridge says 0 s when the lease is over."""
    module = SimModule("M1")
    module.apply(16, relay=True, lease_s=0, fallback_a=8)
    assert (read(module).limit_a, read(module).relay) == (8, True)


@pytest.mark.parametrize(
    ("factor", "earliest_s", "latest_s"), [(1.13, None, None), (1.45, 60, 3600), (2.55, 1, 60), (5.1, 0, 0.6)]
)
def test_a_breaker_trips_as_its_standard_says(factor: float, earliest_s: float | None, latest_s: float | None) -> None:
    """EN 60898-1: 1.13 x never, 1.45 x within the hour, 2.55 x within the minute, above 5 x at once."""
    breaker = Breaker(16)
    tripped_s = None
    for i in range(8000):
        breaker.advance(0.5, 16 * factor)
        if breaker.tripped:
            tripped_s = i * 0.5
            break
    if latest_s is None or earliest_s is None:
        assert tripped_s is None
    else:
        assert tripped_s is not None
        assert earliest_s <= tripped_s <= latest_s


def test_a_tripped_breaker_silences_its_module() -> None:
    """Until it is put on again: then the relay is open and the register kept."""
    module = SimModule("M1", rcbo_a=16)
    module.plug(Overdraw(top_a=100, start_a=100))
    on(module)
    run(module, 2)
    assert module.sample() is None
    on(module)
    run(module, 2)
    assert module.current_a == (0, 0, 0)
    module.reset_rcbo()
    run(module, 2)
    assert (read(module).relay, read(module).limit_a) == (False, 0)


def test_a_welded_relay_does_not_open() -> None:
    """Its feedback tells the truth, and the current flows."""
    module = SimModule("M1")
    module.weld()
    assert not read(module).relay
    module.plug(Heater())
    on(module)
    module.weld()
    module.apply(0, relay=False, lease_s=0, fallback_a=0)
    run(module, 2)
    assert read(module).relay
    assert read(module).current_a[0] > 4


def test_faults_come_on_order() -> None:
    """Silence, a lost register, a leap, heat, a bad link."""
    module = SimModule("M1", energy_wh=1000)
    module.go_silent()
    assert module.sample() is None
    on(module)
    module.go_silent(silent=False)
    assert not read(module).relay
    module.leap_register(500)
    assert read(module).energy_wh == 1500
    module.reset_register()
    assert read(module).energy_wh == 0
    module.overheat()
    module.advance(1)
    assert read(module).faults == Fault.OVER_TEMPERATURE
    module.clear_faults()
    assert read(module).faults == Fault(0)
    module.set_link(20, loss=0.5)
    samples = [module.sample() for _ in range(200)]
    assert 50 < samples.count(None) < 150


def test_a_module_repeats_itself_from_its_seed() -> None:
    """Two modules with the same seed lose the same messages."""
    a, b = (SimModule("M1", loss=0.3, seed=5) for _ in range(2))
    assert [a.sample() for _ in range(50)] == [b.sample() for _ in range(50)]


def test_a_hot_outlet_tells_so() -> None:
    """Contacts warm with the square of the current."""
    module = SimModule("M1", rcbo_a=63)
    module.plug(Overdraw(top_a=60))
    on(module)
    run(module, 3600, dt=1)
    assert read(module).faults == Fault.OVER_TEMPERATURE


@given(st.permutations([0, 1, 2]))
def test_the_main_meter_follows_the_wiring(wiring: list[int]) -> None:
    """A conductor counts on the feeder phase that it is wired to."""
    plan = SitePlan(
        modules=[ModulePlan("A", "b1", phases=tuple(wiring)), ModulePlan("B", "b2", phases=(wiring[1],))],
        building=Building(base_a=(1, 2, 3), morning_a=0, evening_a=0, noise_a=0),
    )
    site = SimSite(plan)
    for module in site.modules.values():
        module.plug(Car(40_000, phases=1))
        on(module, 10)
    for _ in range(20):
        site.advance(0.5)
    expected = [1.0, 2.0, 3.0]
    expected[wiring[0]] += 10
    expected[wiring[1]] += 10
    assert site.main_a == pytest.approx(expected)
    assert site.meter.sample() == site.main_a
    site.meter.silent = True
    assert site.meter.sample() is None
    assert site.bridges == ("b1", "b2")
    assert [m.id for m in site.of("b2")] == ["B"]
    assert site.wiring("b1") == {"A": tuple(wiring)}


def test_what_was_delivered_is_known_whatever_the_register_says() -> None:
    """It is what bills are held to."""
    module = SimModule("M1", energy_wh=700)
    module.plug(Car(needs_wh=40_000))
    on(module)
    run(module, 600)
    assert module.energy_wh - 700 == pytest.approx(module.delivered_wh)
    before = module.delivered_wh
    module.reset_register()
    assert (module.energy_wh, module.delivered_wh) == (0, before)
    assert before > 1000


def test_a_cold_module_that_carries_nothing_rests() -> None:
    """Its temperature comes back to that of its surroundings, and its breaker to none."""
    module = SimModule("M1", rcbo_a=16)
    module.plug(Car(needs_wh=40_000))
    on(module)
    run(module, 600)
    module.unplug()
    run(module, 3 * 3600, dt=60)
    assert read(module).temperature_c == pytest.approx(15, abs=0.1)
    assert read(module).voltage_v[0] == 230
