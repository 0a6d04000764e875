"""What stands in an outlet, and what else the building draws."""

import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, Protocol

from iot.contract import Currents

NOMINAL_V = 230.0
OFF: Currents = (0.0, 0.0, 0.0)
_HOUR_S = 3600.0


class Load(Protocol):
    """Something that draws current when it is given voltage."""

    phases: int
    """Conductors that it uses: 1 or 3."""

    @property
    def asks(self) -> bool:
        """Tell whether it asks for current over the cable (state C of IEC 61851-1)."""
        ...

    def advance(self, dt: float, voltage_v: float, limit_a: float) -> Currents:
        """Live for ``dt`` seconds under a limit; returns what each phase draws, A. 0 V: the relay is open."""
        ...


def _phases(current_a: float, phases: int) -> Currents:
    return (current_a, current_a, current_a) if phases > 1 else (current_a, 0.0, 0.0)


@dataclass(slots=True)
class Car:
    """An electric vehicle that obeys its limit as IEC 61851-1 wants: within 5 s.

    It hears a new limit after ``reaction_s`` and then ramps; below ``min_a`` it does not charge. Over the
    last 15 % of the battery the current falls linearly to ``min_a``. When it is full it goes on asking for
    ``done_after_s``. When it is refused current for ``sleep_after_s`` it falls asleep, and wakes by its own
    method: when the limit is raised, or only when the voltage is switched off and on.
    """

    needs_wh: float
    battery_wh: float = 60_000.0
    phases: int = 3
    max_a: float = 16.0
    min_a: float = 6.0
    reaction_s: float = 2.0
    ramp_s: float = 2.0
    done_after_s: float = 30.0
    sleep_after_s: float = 1800.0
    wakes_by: Literal["limit", "relay"] = "limit"
    efficiency: float = 0.9
    changes_after_s: float = math.inf
    """When it goes over to ``phases_then``, as some do in the midst of charging; seconds since it was plugged in."""
    phases_then: int = 3
    current_a: float = 0.0
    asleep: bool = False
    _age_s: float = 0.0
    _live: bool = False
    _heard_a: float = 0.0
    _told_a: float = 0.0
    _signals: deque[tuple[float, float]] = field(default_factory=deque)
    _refused_s: float = 0.0
    _full_s: float = 0.0

    @property
    def asks(self) -> bool:
        """Tell whether it asks for current."""
        return not self.asleep and self._full_s < self.done_after_s

    def advance(self, dt: float, voltage_v: float, limit_a: float) -> Currents:
        """Charge for ``dt`` seconds."""
        self._age_s += dt
        if self._age_s >= self.changes_after_s:
            self._change_phases()
        self._listen(voltage_v > 0, limit_a)
        self._rest(dt)
        if not self._live:
            self.current_a = 0.0
            return OFF
        step_a = self.max_a * dt / self.ramp_s
        goal_a = self._goal_a()
        self.current_a += max(-step_a, min(step_a, goal_a - self.current_a))
        watts = self.current_a * voltage_v * (3 if self.phases > 1 else 1)
        self.needs_wh = max(0.0, self.needs_wh - watts * self.efficiency * dt / _HOUR_S)
        return _phases(self.current_a, self.phases)

    def _change_phases(self) -> None:
        """Stop, and begin again on as many conductors as it changes to."""
        self.phases, self.changes_after_s, self.current_a = self.phases_then, math.inf, 0.0

    def _listen(self, live: bool, limit_a: float) -> None:  # noqa: FBT001
        if live != self._live:
            # A car that loses its voltage begins from nothing when it returns.
            self._live, self._told_a, self._heard_a = live, 0.0, 0.0
            self._signals.clear()
            if live:
                self._wake()
        if live and limit_a != self._told_a:
            if self._told_a < self.min_a <= limit_a and self.wakes_by == "limit":
                self._wake()
            self._told_a = limit_a
            self._signals.append((self._age_s + self.reaction_s, limit_a))
        while self._signals and self._signals[0][0] <= self._age_s:
            self._heard_a = self._signals.popleft()[1]

    def _wake(self) -> None:
        self.asleep, self._refused_s = False, 0.0

    def _rest(self, dt: float) -> None:
        full = self.needs_wh <= 0
        self._full_s = self._full_s + dt if full else 0.0
        refused = not full and not (self._live and self._heard_a >= self.min_a)
        self._refused_s = self._refused_s + dt if refused else 0.0
        self.asleep |= self._refused_s >= self.sleep_after_s

    def _goal_a(self) -> float:
        if self.asleep or self.needs_wh <= 0 or self._heard_a < self.min_a:
            return 0.0
        taper = min(1.0, self.needs_wh / (0.15 * self.battery_wh))
        return min(self._heard_a, self.min_a + taper * (self.max_a - self.min_a))


@dataclass(slots=True)
class Heater:
    """A motor heater: a resistance on one phase that knows no limit, with or without a thermostat."""

    power_w: float = 1000.0
    on_s: float = math.inf
    off_s: float = 0.0
    phases: int = 1
    _age_s: float = 0.0

    @property
    def asks(self) -> bool:
        """Tell nothing: a plain plug carries no signal."""
        return False

    def advance(self, dt: float, voltage_v: float, limit_a: float) -> Currents:  # noqa: ARG002
        """Heat for ``dt`` seconds."""
        if voltage_v <= 0:
            self._age_s = 0.0
            return OFF
        self._age_s += dt
        heating = self._age_s <= self.on_s or self._age_s % (self.on_s + self.off_s) < self.on_s
        return _phases(self.power_w / NOMINAL_V * voltage_v / NOMINAL_V if heating else 0.0, self.phases)


@dataclass(slots=True)
class Overdraw:
    """A load that ramps up to what it wants, whatever it may."""

    top_a: float = 40.0
    start_a: float = 6.0
    rise_a_s: float = 1.0
    phases: int = 3
    current_a: float = 0.0

    @property
    def asks(self) -> bool:
        """Tell that it always asks."""
        return True

    def advance(self, dt: float, voltage_v: float, limit_a: float) -> Currents:  # noqa: ARG002
        """Draw for ``dt`` seconds."""
        if voltage_v <= 0:
            self.current_a = 0.0
            return OFF
        self.current_a = min(self.top_a, max(self.start_a, self.current_a + self.rise_a_s * dt))
        return _phases(self.current_a, self.phases)


@dataclass(slots=True)
class Building:
    """What the rest of the building draws: a base, a morning and an evening peak, and noise that repeats."""

    base_a: Currents = (4.0, 4.0, 4.0)
    morning_a: float = 4.0
    evening_a: float = 8.0
    noise_a: float = 1.0
    clock_s: float = 0.0
    """Seconds since midnight, local."""
    extra_a: Currents = OFF
    """A load on order, for instance a sauna."""
    seed: int = 0
    _noise: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def advance(self, dt: float) -> Currents:
        """Live for ``dt`` seconds; returns what each feeder phase draws, A."""
        self.clock_s = (self.clock_s + dt) % 86_400
        hour = self.clock_s / _HOUR_S
        peaks_a = self.morning_a * _bump(hour, 7.5, 1.5) + self.evening_a * _bump(hour, 18.5, 2.5)
        # An Ornstein-Uhlenbeck process with a memory of a minute: its spread does not depend on dt.
        keep = math.exp(-dt / 60.0)
        spread = self.noise_a * math.sqrt(1 - keep * keep)
        self._noise = [n * keep + self._random.gauss(0.0, spread) for n in self._noise]
        a, b, c = (
            max(0.0, base + extra + peaks_a + noise)
            for base, extra, noise in zip(self.base_a, self.extra_a, self._noise, strict=True)
        )
        return a, b, c


def _bump(hour: float, middle: float, width: float) -> float:
    return math.exp(-(((hour - middle) / width) ** 2))
