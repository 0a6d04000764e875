"""When people come, how long they stay and what they need: as the days fall, or as recorded in Trondheim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import itemgetter
from random import Random
from typing import Protocol

from infra.local.trondheim import Visit, read

_HOUR_S = 3600
_DAY_S = 86_400
_SAMPLE = 300
_EFFICIENCY = 0.9
"""Of what was metered this much has reached a battery."""
_SHARED_BY = 3
"""Neighbours at one outlet: whoever comes home first has it."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A visit to come."""

    in_s: float
    stay_s: float
    needs_wh: float
    """If it is a car's."""


class Habits(Protocol):
    """What is usual at a site."""

    def next(self, random: Random, now: float) -> Coming:
        """Draw who comes next to an outlet that is free now."""
        ...


class Restless:
    """Visits one upon another at any time of the day, of minutes or of hours."""

    def next(self, random: Random, now: float) -> Coming:  # noqa: ARG002
        """Draw a visit."""
        stay_s = random.choice((0.1, 0.5, 1, 2, 4, 8)) * _HOUR_S * random.uniform(0.5, 1.5)
        return Coming(random.expovariate(1 / (2 * _HOUR_S)), stay_s, random.uniform(500, 30_000))


class Recorded:
    """Visits as they were recorded: each comes at its time of the day."""

    def __init__(self, visits: Sequence[Visit]) -> None:
        self._visits = visits

    def next(self, random: Random, now: float) -> Coming:
        """Draw a visit."""
        coming = [
            ((_second_of_day(v.plugged_at) - now) % _DAY_S, v) for v in random.choices(self._visits, k=_SHARED_BY)
        ]
        in_s, visit = min(coming, key=itemgetter(0))
        stay_s = (visit.unplugged_at - visit.plugged_at).total_seconds()
        return Coming(in_s, stay_s, visit.energy_wh * _EFFICIENCY)


def random_habits(random: Random) -> Habits:
    """Draw what is usual at a site; in half of them a sample of what was recorded."""
    if random.random() < 0.5:
        return Restless()
    return Recorded(random.sample(_recorded(), _SAMPLE))


@cache
def _recorded() -> tuple[Visit, ...]:
    return read().visits


def _second_of_day(at: datetime) -> int:
    return (at.hour * 60 + at.minute) * 60 + at.second
