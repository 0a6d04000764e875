"""What all parts of a simulated world share."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from epspot.control.invariants import CHECKS
from tests.simulation.faults import Faults
from tests.simulation.timeline import Timeline

INVARIANTS = (
    *(check.__name__ for check in CHECKS),
    "i1a_really",
    "i1b_back_in_time",
    "i1b_half_the_curve",
    "i2_really",
    "i6_never_negative",
    "i6_no_less_than_delivered",
    "i6_no_more_than_delivered",
    "i8_history",
    "i8_nothing_hangs",
    "i8_once",
    "facts_are_unique",
    "no_tick_fails",
    "no_world_breaks",
    "nothing_is_refused",
    "replay",
)


@dataclass
class Watcher:
    """Who looks at every commit: counts violations, keeps the facts."""

    found: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    steps: int = 0

    def violated(self, name: str, text: str) -> None:
        self.found[name] += 1
        if self.found[name] <= 3:
            self.examples.append(f"{name}: {text}")

    def report(self) -> dict[str, int]:
        """Tell of every invariant how often it was broken."""
        return {name: self.found[name] for name in sorted({*INVARIANTS, *self.found})}


@dataclass
class Scene:
    """Time, what goes wrong in it, and who watches."""

    timeline: Timeline
    level: Faults
    faults: Counter[str] = field(default_factory=Counter)
    """What has gone wrong, by kind."""
    watcher: Watcher = field(default_factory=Watcher)

    def skew(self, random: Random) -> float:
        """Tell how wrong the clock is of whatever machine of the cloud does something now, s."""
        most = self.level.skew_s
        return round(random.uniform(-most, most), 3) if most else 0.0
