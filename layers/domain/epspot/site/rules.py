"""What an owner may set beside the fuses: principles, caps with their times, and the power guard's tolerances.

Times of day, weekdays and months are the site's own local ones, since that is where people and tariffs live.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

DAY_MIN = 24 * 60


class Principle(StrEnum):
    """How what a fuse carries is divided when not everybody can have all (docs/control.md)."""

    EQUAL = "equal"
    """Everybody the same; when not even the least fits for all, by turns."""
    FIRST_COME = "first_come"
    """Whoever came first is served first, and keeps it until done."""
    TURNS = "turns"
    """Few at a time, each with all that it can use; the least served first."""
    PRIORITY = "priority"
    """Like equal, but by the weight of the user's group."""
    READINESS = "readiness"
    """Whoever has the least time to spare before its departure first."""


class GuardLimits(NamedTuple):
    """The power guard's tolerances over an outlet's ``max_a``."""

    instant: float = 1.5
    """Above this factor the relay opens at once."""
    seconds: float = 1.1
    seconds_a: float = 0.5
    seconds_s: float = 7.0
    """Above ``seconds`` times max_a plus ``seconds_a`` it opens after this long."""
    mean: float = 1.05
    """Above this factor as a mean of 15 minutes it opens."""


USUAL_GUARD = GuardLimits()


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the week and of the year; from ``start_min`` to before ``end_min`` of the day, perhaps over midnight."""

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """0 = Monday. A window over midnight belongs to the day on which it begins."""
    months: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    start_min: int = 0
    end_min: int = DAY_MIN

    def holds(self, local: datetime) -> bool:
        """Tell whether a local time lies in it."""
        minute = local.hour * 60 + local.minute
        if self.start_min < self.end_min:
            return self._is_on(local) and self.start_min <= minute < self.end_min
        if minute >= self.start_min:
            return self._is_on(local)
        return minute < self.end_min and self._is_on(local - timedelta(days=1))

    def _is_on(self, day: datetime) -> bool:
        return day.weekday() in self.days and day.month in self.months


ALWAYS = (Window(),)


def window_problems(w: Window) -> Iterator[str]:
    """Tell what is wrong with a window."""
    if not w.days or not {*w.days} <= {*range(7)} or not w.months or not {*w.months} <= {*range(1, 13)}:
        yield "a window has days of 0 (Monday) to 6 and months of 1 to 12"
    if not 0 <= w.start_min < DAY_MIN or not 0 < w.end_min <= DAY_MIN or w.start_min == w.end_min:
        yield f"a window begins at minute 0 to {DAY_MIN - 1} of the day and ends at another one, 1 to {DAY_MIN}"


@dataclass(frozen=True, slots=True)
class PeakTariff:
    """How a grid company charges for power (effekttariff): by the mean of the highest peaks of a month."""

    count: int = 3
    """How many of the highest means are averaged."""
    interval_s: int = 3600
    """What a mean is taken over: an hour, or a quarter."""
    one_a_day: bool = True
    """At most one of them from each day."""
    windows: tuple[Window, ...] = ALWAYS
    """When power counts at all."""
    night: tuple[Window, ...] = ()
    night_factor: float = 1.0
    """In these windows only this part of the power counts."""
    least_w: float = 0.0
    """Peaks below this are not worth avoiding: what the building reaches anyway."""


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit that its owner has chosen, under a name that drivers see; below what the fuse carries.

    ``limit_a`` is in ampere per phase of what EpSpot's outlets draw below ``fuse`` (the main fuse if None). It holds
    always, or in its windows, or while the spot price is above ``above_ore``. With ``peak`` the limit follows from the
    tariff: no new peak is made.
    """

    name: str
    limit_a: float | None = None
    fuse: str | None = None
    windows: tuple[Window, ...] = ALWAYS
    above_ore: float | None = None
    """Öre per kWh, without VAT."""
    peak: PeakTariff | None = None
