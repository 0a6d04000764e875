"""Energy from registers: what is certain is kept, the rest is put aside.

Energy is the difference of the module's own register, never a sum of powers. A register that falls (reset, replaced
module), leaps further than physics allows or shows a placeholder 0 never bills: counting goes on from the new value.
"""

from dataclasses import dataclass
from enum import StrEnum

SLACK_S = 120.0
"""A frame may have been under way for 60 s, and be one interval younger than the one before it."""

_HIGHEST_V = 253.0  # EN 50160: 230 V + 10 %
_GUARD_FACTOR = 1.5  # the power guard lets no more through
_ONE_STEP_WH = 1  # the register counts whole Wh


class Doubt(StrEnum):
    """Why a register value can't be billed as it stands."""

    ZERO = "register_zero"
    FELL = "register_fell"
    LEAPT = "register_leapt"


@dataclass(frozen=True, slots=True)
class Meter:
    """The metering of one session.

    ``energy_wh`` = ``booked_wh`` + newest register - ``base_wh``.
    """

    base_wh: int | None
    booked_wh: int = 0


def most_wh(max_a: float, phases: int, seconds: float) -> float:
    """Tell the most energy that an outlet can have delivered in a time."""
    return max_a * _GUARD_FACTOR * phases * _HIGHEST_V * (max(seconds, 0.0) + SLACK_S) / 3600 + _ONE_STEP_WH


def doubt(last_wh: int, new_wh: int, most: float) -> Doubt | None:
    """Say what is wrong with a register value that follows ``last_wh``, if anything."""
    if new_wh == 0 and last_wh > 0:
        return Doubt.ZERO
    if new_wh < last_wh:
        return Doubt.FELL
    if new_wh - last_wh > most:
        return Doubt.LEAPT
    return None


def rebased(meter: Meter, last_wh: int, new_wh: int) -> Meter:
    """Book what was certain up to ``last_wh`` and count on from ``new_wh``."""
    if meter.base_wh is None:
        return Meter(new_wh, meter.booked_wh)
    return Meter(new_wh, meter.booked_wh + last_wh - meter.base_wh)


def energy_wh(meter: Meter, register_wh: int | None) -> int:
    """Tell the energy of a session up to a register value."""
    if meter.base_wh is None or register_wh is None:
        return meter.booked_wh
    return meter.booked_wh + max(0, register_wh - meter.base_wh)
