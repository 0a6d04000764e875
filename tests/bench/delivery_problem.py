"""What share of the energy that is needed is delivered: the problem, the same for EpSpot and its peers, and the score.

The problem is the four weeks of the Trondheim record with the most energy, at the cooperative's outlets. Arrivals and
departures are moved to whole periods, so that a method that decides once a period loses nothing by that. What a
vehicle needs is at most what its outlet can give while it stays: with fuses that limit nobody, all of it can be
delivered. Every garage fuse carries the most that its garage then draws; the main fuse carries a share of what they
draw together.

Currents are in ampere per phase, times in seconds from the start of the first week.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from epspot.site import PHASES, Amperes, Outlet
from infra.local import cooperative, trondheim

WEEKS = 4
PERIOD_S = 300.0
VOLTAGE_V = 230.0
_WEEK = timedelta(days=7)
_SLOT_S = 8 * 86_400.0
"""A week and a day: who comes on its last evening can stay overnight."""
_LEAST_FUSE_A = 16.0
_ZONE = ZoneInfo("Europe/Oslo")
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A fuse: what it may carry on each phase. The one without parent is the main fuse."""

    id: str
    parent: str | None
    rating_a: Amperes


@dataclass(frozen=True, slots=True)
class Place:
    """An outlet: the fuse above it, its wiring, and the most that it may carry."""

    id: str
    fuse: str
    phases: tuple[int, ...]
    max_a: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """A vehicle that stays at an outlet and draws alike on each of ``phases``: ``min_a`` to ``max_a``, or nothing."""

    at_s: float
    leaves_s: float
    outlet: str
    needs_wh: float
    max_a: float
    phases: tuple[int, ...]
    min_a: float = 6.0

    @property
    def wh_per_a_s(self) -> float:
        """The energy that one ampere brings in a second."""
        return VOLTAGE_V * len(self.phases) / _HOUR_S

    @property
    def most_wh(self) -> float:
        """The energy that its largest current brings while it stays."""
        return self.max_a * self.wh_per_a_s * (self.leaves_s - self.at_s)


@dataclass(frozen=True, slots=True)
class Problem:
    """A fuse tree, its outlets, and who comes when, in order of arrival."""

    fuses: tuple[Limit, ...]
    outlets: tuple[Place, ...]
    arrivals: tuple[Arrival, ...]
    period_s: float = PERIOD_S

    @property
    def needed_wh(self) -> float:
        """What all need together."""
        return sum(a.needs_wh for a in self.arrivals)

    def above(self) -> dict[str, tuple[str, ...]]:
        """Name the fuses above each outlet, the nearest first."""
        parent = {f.id: f.parent for f in self.fuses}
        return {o.id: tuple(_upwards(o.fuse, parent)) for o in self.outlets}

    def under(self) -> dict[tuple[str, int], list[int]]:
        """List the arrivals, by number, that load each fuse and phase."""
        above = self.above()
        found: dict[tuple[str, int], list[int]] = {(f.id, p): [] for f in self.fuses for p in range(3)}
        for n, a in enumerate(self.arrivals):
            for f in above[a.outlet]:
                for p in a.phases:
                    found[f, p].append(n)
        return found

    def as_json(self) -> dict[str, Any]:
        """Render it."""
        return asdict(self)


def from_json(body: Mapping[str, Any]) -> Problem:
    """Read what ``as_json`` has rendered."""
    return Problem(
        fuses=tuple(Limit(f["id"], f["parent"], _amperes(f["rating_a"])) for f in body["fuses"]),
        outlets=tuple(Place(**(o | {"phases": tuple(o["phases"])})) for o in body["outlets"]),
        arrivals=tuple(Arrival(**(a | {"phases": tuple(a["phases"])})) for a in body["arrivals"]),
        period_s=body["period_s"],
    )


def _upwards(fuse: str, parent: Mapping[str, str | None]) -> Iterator[str]:
    at: str | None = fuse
    while at is not None:
        yield at
        at = parent[at]


def _amperes(values: Sequence[float]) -> Amperes:
    one, two, three = values
    return (one, two, three)


# ------------------------------------------------------------------ the score


@dataclass(frozen=True, slots=True)
class Served:
    """What became of one arrival. One that never got current has waited for as long as it stayed."""

    needed_wh: float
    delivered_wh: float
    wait_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How well a method has done: share of the energy, 95th percentile of the waits, Jain's index of fairness."""

    delivered_share: float
    wait_p95_s: float
    jain: float

    @classmethod
    def of(cls, served: Sequence[Served]) -> "Outcome":
        """Add up what became of everybody."""
        needed = sum(s.needed_wh for s in served)
        return cls(
            delivered_share=sum(s.delivered_wh for s in served) / needed,
            wait_p95_s=percentile([s.wait_s for s in served], 0.95),
            jain=jain_index([s.delivered_wh / s.needed_wh for s in served]),
        )


def percentile(values: Iterable[float], share: float) -> float:
    """Find the smallest value that this share of all values is at or below."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def jain_index(values: Sequence[float]) -> float:
    """Tell how even values are: 1 when all are alike, 1/n when one has everything."""
    squares = sum(v * v for v in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


# ------------------------------------------------------------------ the record


def trondheim_problem(main_share: float, weeks: int = WEEKS) -> Problem:
    """Make the problem with a main fuse that carries this share of what would be drawn without limits."""
    record = trondheim.read()
    site = cooperative.site_of(record, 1.0)
    by_number = {o.number: o for o in site.outlets}
    arrivals = sorted(
        (
            arrival
            for slot, monday in enumerate(_weeks(record, weeks))
            for arrival in _arrivals(record, by_number, monday, slot * _SLOT_S)
        ),
        key=lambda a: (a.at_s, a.outlet),
    )
    outlets = tuple(Place(o.id, o.fuse, o.phases, o.max_a) for o in site.outlets)
    tree = tuple(Limit(f.id, f.parent, (math.inf,) * 3) for f in site.fuses)
    free = Problem(tree, outlets, tuple(arrivals))
    peaks = peaks_a(free)
    return replace(free, fuses=tuple(_rated(f, peaks, main_share if f.parent is None else 1.0) for f in tree))


def _weeks(record: trondheim.Record, count: int) -> list[datetime]:
    """Find the weeks with the most energy by plug-in, in order of time; each begins on Monday at midnight."""
    energy_wh: Counter[date] = Counter()
    for v in record.visits:
        day = v.plugged_at.date()
        energy_wh[day - timedelta(days=day.weekday())] += v.energy_wh
    return sorted(datetime.combine(monday, time(), _ZONE) for monday, _ in energy_wh.most_common(count))


def _arrivals(
    record: trondheim.Record, by_number: Mapping[str, Outlet], monday: datetime, begin_s: float
) -> Iterator[Arrival]:
    """Make the arrivals of a week, in whole periods; who stays for less than one is left out."""
    for v in record.visits:
        if not monday <= v.plugged_at < monday + _WEEK:
            continue
        outlet = by_number[v.outlet]
        at_s = _floor(v.plugged_at.timestamp() - monday.timestamp())
        leaves_s = min(_SLOT_S, _floor(v.unplugged_at.timestamp() - monday.timestamp()))
        if leaves_s > at_s:
            stay = Arrival(begin_s + at_s, begin_s + leaves_s, outlet.id, v.energy_wh, outlet.max_a, outlet.phases)
            yield replace(stay, needs_wh=min(stay.needs_wh, stay.most_wh))


def _floor(seconds: float) -> float:
    return seconds // PERIOD_S * PERIOD_S


def _rated(fuse: Limit, peaks: Mapping[tuple[str, int], float], share: float) -> Limit:
    """Rate a fuse by its largest phase, alike on all three as real ones are."""
    rating = max(_LEAST_FUSE_A, share * max(peaks[fuse.id, p] for p in range(len(PHASES))))
    return replace(fuse, rating_a=(rating,) * 3)


def peaks_a(problem: Problem) -> dict[tuple[str, int], float]:
    """Find the most that each fuse and phase carries when everybody draws the most from arrival until done."""
    return {place: _peak_a([problem.arrivals[n] for n in numbers]) for place, numbers in problem.under().items()}


def _peak_a(arrivals: Iterable[Arrival]) -> float:
    changes: defaultdict[float, float] = defaultdict(float)
    for a in arrivals:
        changes[a.at_s] += a.max_a
        changes[round(a.at_s + a.needs_wh / (a.max_a * a.wh_per_a_s), 3)] -= a.max_a
    peak = now = 0.0
    for at_s in sorted(changes):
        now += changes[at_s]
        peak = max(peak, now)
    return peak
