"""Tell what a site's past would have been with other fuses, outlets, principles or caps.

The visits of the past happen once more on the same core that controls the site, as ``playing`` describes. What a visit
needs is what it then got, and it leaves when it then left: whoever would have taken more, or stayed longer, is not
known. The basis for decisions to extend a site.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epspot.control.appetite import DRAWS_A
from epspot.control.journal import Entry
from epspot.control.state import Reading
from epspot.errors import InvalidRequest
from epspot.ports import SessionRecord
from epspot.services.playing import Course, Served, Visit, Watch, play
from epspot.site import PHASES, Amperes, Outlet, Site

__all__ = ["Figures", "Served", "Visit", "WhatIf", "check", "visits_of", "visits_of_journal", "what_if"]

_HOUR_S = 3600.0
_MOST_WH = 1_000_000.0
_CURRENT = Reading._fields.index("current_a")


@dataclass(frozen=True, slots=True)
class Figures:
    """How well a site has served its visits."""

    sessions: int
    needed_wh: float
    delivered_wh: float
    unmet_wh: float
    delivered_share: float
    first_wait_p50_s: float
    first_wait_p95_s: float
    """From the arrival to the first current; one that never got any has waited for as long as it stayed."""
    waited_p50_s: float
    waited_p95_s: float
    """In all: without current while energy was still needed."""
    jain: float
    """How even the shares are that all got of their needs: 1 when all are alike, 1/n when one has everything."""
    peak_a: Amperes
    """On each phase of the main fuse, of the outlets alone."""
    peak_w: float
    turns: int
    """How often a session got current after it had none."""
    at_limit_h: Mapping[str, float]
    """How long each fuse-phase carried 99 % of what may be planned or more; those that never did are left out."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One way a site could be, and what would have become of its visits."""

    figures: Figures
    served: tuple[Served, ...]
    """In order of arrival."""
    steps: int
    """That the core has made for it."""


def what_if(
    site: Site, visits: Sequence[Visit], prices: tuple[tuple[int, float], ...] = (), watch: Watch | None = None
) -> WhatIf:
    """Let visits happen at a site as it is given; ``prices`` as in ``OutlookReceived``, for caps that go by them.

    Raises InvalidRequest if the visits can't be.
    """
    if problem := next(check(site, visits), None):
        raise InvalidRequest(problem[1])
    course = play(site, visits, prices, watch)
    return WhatIf(_figures(course), course.served, course.steps)


def _figures(course: Course) -> Figures:
    served = course.served
    needed = math.fsum(s.visit.needs_wh for s in served)
    delivered = math.fsum(s.delivered_wh for s in served)
    first_waits, waits = [s.first_wait_s for s in served], [s.waited_s for s in served]
    return Figures(
        sessions=len(served),
        needed_wh=needed,
        delivered_wh=delivered,
        unmet_wh=math.fsum(s.visit.needs_wh - s.delivered_wh for s in served),
        delivered_share=delivered / needed if needed else 1.0,
        first_wait_p50_s=percentile(first_waits, 0.5),
        first_wait_p95_s=percentile(first_waits, 0.95),
        waited_p50_s=percentile(waits, 0.5),
        waited_p95_s=percentile(waits, 0.95),
        jain=jain_index([s.delivered_wh / s.visit.needs_wh for s in served]),
        peak_a=course.peak_a,
        peak_w=course.peak_w,
        turns=course.turns,
        at_limit_h={line: s / _HOUR_S for line, s in course.at_limit_s.items()},
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Find the smallest value that this share of all values is at or below; 0 if there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def jain_index(values: Sequence[float]) -> float:
    """Tell how even values are: 1 when all are alike, 1/n when one has everything."""
    squares = math.fsum(v * v for v in values)
    return math.fsum(values) ** 2 / (len(values) * squares) if squares else 1.0


# ------------------------------------------------------------------ which visits can be


def check(site: Site, visits: Sequence[Visit]) -> Iterator[tuple[int, str]]:
    """List what is wrong with visits, each with the number of the visit in the sequence."""
    for n, v in enumerate(visits):
        outlet = site.outlet.get(v.outlet)
        if outlet is None:
            yield n, f"outlet {v.outlet} does not exist"
        elif problem := next(_problems(outlet, v), None):
            yield n, f"outlet {v.outlet}: {problem}"
    yield from _overlaps(visits)


def _problems(outlet: Outlet, v: Visit) -> Iterator[str]:
    if not math.isfinite(v.plugged_at) or not v.plugged_at < v.leaves_at < math.inf:
        yield "a visit must end after it begins"
    if not 0 < v.needs_wh <= _MOST_WH:
        yield f"needs_wh is {v.needs_wh:g}; it must be above 0 and at most {_MOST_WH:g}"
    if not v.max_a > 0:
        yield f"max_a is {v.max_a:g}; it must be above 0"
    own = range(len(outlet.phases))
    if v.conductors is not None and (not v.conductors or not {*v.conductors} <= {*own}):
        yield f"it has {len(own)} of {len(PHASES)} conductors, and the visit uses others"


def _overlaps(visits: Sequence[Visit]) -> Iterator[tuple[int, str]]:
    free_at: dict[str, float] = {}
    for n, v in sorted(enumerate(visits), key=lambda nv: (nv[1].plugged_at, nv[1].leaves_at)):
        if v.plugged_at < free_at.get(v.outlet, -math.inf):
            yield n, f"outlet {v.outlet}: a visit begins before the one before it has ended"
        free_at[v.outlet] = max(v.leaves_at, free_at.get(v.outlet, -math.inf))


# ------------------------------------------------------------------ the past


def visits_of(records: Iterable[SessionRecord]) -> list[Visit]:
    """Take ended sessions that had energy for visits, from their request to their end, in order of time."""
    visits = [
        Visit(r.outlet, r.requested_at, r.ended_at, r.energy_wh)
        for r in records
        if r.ended_at is not None and r.energy_wh > 0 and r.ended_at > r.requested_at
    ]
    return sorted(visits, key=lambda v: (v.plugged_at, v.outlet))


def visits_of_journal(site: Site, entries: Iterable[Entry]) -> list[Visit]:
    """Take the sessions of a site's journal for visits: those whose start and end are both in it, in order of time.

    Unlike records, a journal also shows which conductors a load has used.
    """
    past = _Past(site)
    for entry in sorted((e for e in entries if e.site == site.id and e.committed), key=lambda e: e.at):
        past.take(entry)
    return sorted(past.visits, key=lambda v: (v.plugged_at, v.outlet))


@dataclass(slots=True)
class _Begun:
    """A session on its way through the journal."""

    at: float
    group: str
    conductors: set[int]
    stopped_at: float | None = None


class _Past:
    """What a journal tells of sessions, entry by entry."""

    def __init__(self, site: Site) -> None:
        self.visits: list[Visit] = []
        self._site = site
        self._begun: dict[str, _Begun] = {}
        self._at_outlet: dict[str, str] = {}

    def take(self, entry: Entry) -> None:
        kind, told = entry.event
        if kind == "StartRequested":
            self._begin(entry.at, told["session"], told["outlet"], told.get("wishes", {}).get("group", ""))
        elif kind == "FrameReceived":
            self._read(told)
        for fact in entry.facts:
            detail = fact.get("detail", {})
            if fact["kind"] == "session.begun":
                self._begin(entry.at, fact["about"], detail["outlet"], "")
            elif fact["kind"] == "session.stopping" and fact["about"] in self._begun:
                self._begun[fact["about"]].stopped_at = entry.at
            elif fact["kind"] == "session.ended":
                self._end(entry.at, fact["about"], detail)

    def _begin(self, at: float, session: str, outlet: str, group: str) -> None:
        self._begun.setdefault(session, _Begun(at, group, set()))
        self._at_outlet[outlet] = session

    def _read(self, frame: Mapping[str, Any]) -> None:
        """Note on which conductors current flows."""
        own = self._site.of_bridge.get(frame["bridge"], {})
        for module, reading in frame["modules"].items():
            session = self._at_outlet.get(own[module].id) if module in own else None
            if reading is not None and session in self._begun:
                self._begun[session].conductors |= {k for k, a in enumerate(reading[_CURRENT]) if a >= DRAWS_A}

    def _end(self, at: float, session: str, detail: Mapping[str, Any]) -> None:
        """Make a visit of a session; its last register may have come some time after it stopped."""
        begun = self._begun.pop(session, None)
        outlet = self._site.outlet.get(detail["outlet"])
        if begun is None or outlet is None:
            return
        leaves_at = at if begun.stopped_at is None else begun.stopped_at
        used = tuple(sorted(begun.conductors & {*range(len(outlet.phases))})) or None
        visit = Visit(outlet.id, begun.at, leaves_at, detail["energy_wh"], conductors=used, group=begun.group)
        if visit.needs_wh > 0 and visit.plugged_at < visit.leaves_at:
            self.visits.append(visit)
