"""Cars, heaters and buildings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot.simulator.loads import Building, Car, Heater, Load, Overdraw


def live(load: Load, seconds: float, limit_a: float, voltage_v: float = 230, dt: float = 0.5) -> float:
    current_a = 0.0
    for _ in range(round(seconds / dt)):
        current_a = max(load.advance(dt, voltage_v, limit_a))
    return current_a


@given(st.floats(6, 16), st.floats(0, 16), st.floats(0.05, 0.5))
def test_a_car_follows_a_new_limit_within_five_seconds(before_a: float, after_a: float, dt: float) -> None:
    """As IEC 61851-1 wants; below its least current it does not charge."""
    car = Car(needs_wh=40_000)
    assert live(car, 10, before_a, dt=dt) == pytest.approx(before_a)
    expected = after_a if after_a >= 6 else 0
    assert live(car, 5, after_a, dt=dt) == pytest.approx(expected, abs=0.01)


def test_a_car_does_not_react_at_once() -> None:
    """It hears the limit after a while and then ramps."""
    car = Car(needs_wh=40_000)
    live(car, 10, 16)
    assert live(car, 1.5, 6) == 16
    assert 6 < live(car, 1.5, 6) < 16


def test_a_nearly_full_car_tapers_and_then_stops_asking() -> None:
    """The current falls to the least, then to nothing; the asking ends later."""
    car = Car(needs_wh=400, battery_wh=20_000)
    assert 6 < live(car, 10, 16) < 8
    live(car, 400, 16)
    assert (car.current_a, car.asks) == (0, False)


def test_a_car_takes_what_it_needs() -> None:
    """Energy in the battery is current times voltage times its efficiency."""
    car = Car(needs_wh=10_000, phases=1, battery_wh=20_000)
    live(car, 3600, 10)
    assert 10_000 - car.needs_wh == pytest.approx(230 * 10 * 0.9, rel=0.01)


def test_a_refused_car_falls_asleep_and_wakes_by_its_limit() -> None:
    """Most cars wake when current is offered."""
    car = Car(needs_wh=10_000, sleep_after_s=60)
    live(car, 70, 0)
    assert not car.asks
    assert live(car, 10, 10) == pytest.approx(10)
    assert car.asks


def test_some_cars_wake_only_by_the_relay() -> None:
    """An offer is not enough for them: the voltage has to go and come."""
    car = Car(needs_wh=10_000, sleep_after_s=60, wakes_by="relay")
    live(car, 70, 0)
    assert live(car, 10, 10) == 0
    live(car, 3, 10, voltage_v=0)
    assert live(car, 10, 10) == pytest.approx(10)


def test_some_cars_go_over_to_other_phases() -> None:
    """They stop for a moment and begin again, as the charger on board switches over."""
    car = Car(needs_wh=10_000, phases=1, changes_after_s=60)
    live(car, 59, 16)
    assert car.advance(0.5, 230, 16) == (16, 0, 0)
    assert car.advance(0.5, 230, 16) == pytest.approx((4, 4, 4))
    assert live(car, 5, 16) == 16


def test_a_car_without_voltage_draws_nothing() -> None:
    """And begins from nothing when the voltage returns."""
    car = Car(needs_wh=10_000)
    live(car, 10, 16)
    assert live(car, 0.5, 16, voltage_v=0) == 0
    assert live(car, 1, 16) == 0
    assert live(car, 5, 16) == 16


def test_a_heater_is_a_resistance() -> None:
    """It ignores limits, uses one phase, and draws less at lower voltage."""
    heater = Heater(1000)
    assert heater.advance(1, 230, 0) == pytest.approx((1000 / 230, 0, 0))
    assert heater.advance(1, 207, 0)[0] == pytest.approx(0.9 * 1000 / 230)
    assert heater.advance(1, 0, 16) == (0, 0, 0)
    assert not heater.asks


def test_a_thermostat_switches_the_heater() -> None:
    """On and off in its own rhythm."""
    heater = Heater(1000, on_s=60, off_s=30)
    drawn = [heater.advance(1, 230, 0)[0] > 0 for _ in range(180)]
    assert drawn.count(False) == pytest.approx(60, abs=2)


def test_an_overdrawing_load_ignores_its_limit() -> None:
    """It ramps to what it wants, from the start each time."""
    load = Overdraw(top_a=20)
    assert live(load, 60, 6) == 20
    assert live(load, 1, 6, voltage_v=0) == 0
    assert live(load, 1, 6) == pytest.approx(6, abs=1)
    assert load.asks


def test_a_building_repeats_itself_from_its_seed() -> None:
    """It has a base, peaks and noise, and never feeds in."""
    a, b = (Building(seed=7, clock_s=17 * 3600) for _ in range(2))
    course = [a.advance(10) for _ in range(600)]
    assert course == [b.advance(10) for _ in range(600)]
    assert min(min(c) for c in course) >= 0
    assert max(c[0] for c in course) > 10


def test_a_load_can_be_added_to_a_building() -> None:
    """A sauna is switched on."""
    building = Building(noise_a=0, clock_s=3 * 3600)
    before = building.advance(1)
    building.extra_a = (10, 10, 0)
    after = building.advance(1)
    assert [round(x - y) for x, y in zip(after, before, strict=True)] == [10, 10, 0]
