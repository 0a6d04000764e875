"""Energy from registers: never invented, never negative, never lost where it is certain."""

from hypothesis import given
from hypothesis import strategies as st

from epspot.sessions.metering import Doubt, Meter, doubt, energy_wh, most_wh, rebased

registers = st.integers(0, 10_000_000)
MOST = 5000


def test_energy_is_a_difference() -> None:
    """What a session has had is its register now less its register at the start."""
    assert energy_wh(Meter(1000), 1530) == 530


def test_no_register_is_no_energy() -> None:
    """Before the first register, and without one now, only what is booked counts."""
    assert energy_wh(Meter(None), 1530) == 0
    assert energy_wh(Meter(1000, 70), None) == 70


def test_what_can_be_wrong_with_a_register() -> None:
    """A 0 after something, a fall and a leap each have a name; a rise within physics and a first 0 have none."""
    assert doubt(1000, 0, MOST) is Doubt.ZERO
    assert doubt(1000, 999, MOST) is Doubt.FELL
    assert doubt(1000, 6001, MOST) is Doubt.LEAPT
    assert doubt(1000, 6000, MOST) is None
    assert doubt(1000, 1000, MOST) is None
    assert doubt(0, 0, MOST) is None


def test_most_energy_is_bounded_by_guard_voltage_and_time() -> None:
    """16 A at 150 % on three phases of 253 V for an hour and the slack come to 18.8 kWh; a clock gone back adds none."""
    assert round(most_wh(16, 3, 3600)) == 18824
    assert most_wh(16, 1, -500) == most_wh(16, 1, 0) > 0


@given(registers, registers, registers)
def test_a_rebased_meter_counts_on(base: int, rise: int, new: int) -> None:
    """At the moment of rebasing nothing is gained and nothing lost; from then on the new register counts."""
    last = base + rise
    meter = rebased(Meter(base), last, new)
    assert energy_wh(meter, new) == rise
    assert energy_wh(meter, new + 10) == rise + 10


def test_a_meter_without_base_takes_the_new_one() -> None:
    """Where counting had not begun, it begins with the new register and books nothing."""
    assert rebased(Meter(None, 5), 700, 900) == Meter(900, 5)


@given(registers, st.lists(registers, max_size=20))
def test_energy_is_never_negative_and_never_beyond_physics(start: int, told: list[int]) -> None:
    """Whatever a register shows, the energy is not negative and at most what physics allows between its values."""
    meter, last = Meter(start), start
    for new in told:
        wrong = doubt(last, new, MOST)
        if wrong is Doubt.ZERO:
            continue
        if wrong is not None:
            meter = rebased(meter, last, new)
        last = new
        assert 0 <= energy_wh(meter, last) <= MOST * len(told)
