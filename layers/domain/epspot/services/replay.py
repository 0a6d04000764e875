"""Make the steps of a journal again, and list what this version of the code decides otherwise.

Each step is made from the state that it had loaded then, not from what came of the steps before it, so that one
difference does not make all that follow differ.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from math import inf
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeAlias

from epspot.control.effects import Step
from epspot.control.events import Event
from epspot.control.journal import Entry, decision_after, decision_out, event_in, line_of, live_in, readings_after
from epspot.control.state import Alarm, BridgeState, Live, OutletState, SessionState
from epspot.control.step import step
from epspot.control.worth import readings_to_write
from epspot.control.written import Plain, alike, digest, into, out, usual
from epspot.site import Site

_NOTHING: Mapping[str, Plain] = MappingProxyType({})
Stepper: TypeAlias = Callable[[Site, Live, Event], Step]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that came out otherwise; None: it was not, or is not."""

    what: str
    """``outlet s-1 limit_a``, ``fact session.active s-1``."""
    before: Plain
    now: Plain


@dataclass(frozen=True, slots=True)
class Difference:
    """A step that comes out otherwise."""

    at: float
    version: int
    event: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Steps that could not be made again, and why."""

    since: float
    until: float
    version: int
    """Of the decision that the first of them had loaded."""
    steps: int
    reason: str


@dataclass
class Report:
    """What became of the steps of one site."""

    site: str
    steps: int = 0
    """That were made again."""
    reproduced: int = 0
    doubled: int = 0
    """Entries that were there before."""
    lost_races: int = 0
    """Attempts that came to nothing."""
    differences: list[Difference] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    @property
    def unchecked(self) -> int:
        """How many steps could not be made again."""
        return sum(g.steps for g in self.gaps)


def replay(
    entries: Iterable[Entry], *, since: float = -inf, until: float = inf, make: Stepper = step
) -> dict[str, Report]:
    """Make the steps of every site again, those whose event came from ``since`` to before ``until``.

    Entries may come in any order, and twice. Earlier ones are needed to know the states; they are not reported.
    """
    by_site: dict[str, list[Entry]] = {}
    for entry in entries:
        by_site.setdefault(entry.site, []).append(entry)
    return {s: _replay_site(s, own, since, until, make) for s, own in sorted(by_site.items())}


def _replay_site(site: str, entries: list[Entry], since: float, until: float, make: Stepper) -> Report:
    report = Report(site)
    in_gap = False
    for made in Chain(_once(entries, report)):
        entry = made.entry
        if not since <= entry.at < until:
            continue
        if not made.came_true:
            report.lost_races += 1
        elif made.missing or made.site is None:
            _note_gap(report, entry, made.missing, widen=in_gap)
            in_gap = True
        else:
            in_gap = False
            report.steps += 1
            if changes := tuple(_differences(made, made.site, make)):
                report.differences.append(Difference(entry.at, entry.version, entry.event[0], changes))
            else:
                report.reproduced += 1
    return report


def _once(entries: list[Entry], report: Report) -> list[Entry]:
    """Leave out what came twice; order the rest by the versions that were loaded."""
    seen = {line_of(e): e for e in entries}
    report.doubled = len(entries) - len(seen)
    return sorted(seen.values(), key=attrgetter("version", "at"))


def _note_gap(report: Report, entry: Entry, reason: str, *, widen: bool) -> None:
    """Note a step that can't be made; ``widen``: so could the one before it not."""
    gap = Gap(entry.at, entry.at, entry.version, 1, reason)
    if widen and (last := report.gaps[-1]).reason == reason:
        report.gaps.pop()
        gap = Gap(min(last.since, entry.at), max(last.until, entry.at), last.version, last.steps + 1, reason)
    report.gaps.append(gap)


# ------------------------------------------------------------------ what was loaded


@dataclass(frozen=True, slots=True)
class Made:
    """One entry with the state that its step had loaded, and the decision that it made."""

    entry: Entry
    missing: str = ""
    """What of the state is not known, so that the step can't be made."""
    came_true: bool = True
    """False: an attempt of which nobody has ever seen anything."""
    site: Site | None = None
    decision: Plain = None
    readings: Mapping[str, Plain] = field(default_factory=dict)
    after: Plain = None


class Chain:
    """The entries of one site from version to version, each with the state that it had loaded."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries
        self._sites: dict[int, Site] = {}
        self._readings: dict[str, Plain] = {}
        self._loaded = {(e.version, e.decision) for e in entries}
        for entry in entries:
            self._learn(entry)

    def _learn(self, entry: Entry) -> None:
        """Keep the readings and the configuration that an entry holds; they have their names whoever wrote them."""
        for r in readings_after(entry).values():
            self._readings[digest(r)] = r
        if entry.before is not None:
            # An attempt may have been made under a configuration that never came to be.
            if entry.committed and entry.revision not in self._sites:
                self._sites[entry.revision] = into(Site, entry.before.site)
            for r in entry.before.readings.values():
                self._readings[digest(r)] = r

    def __iter__(self) -> Iterator[Made]:
        known: dict[str, Plain] = {}
        last = -1
        for version, group in groupby(self._entries, attrgetter("version")):
            same = list(group)
            known = known if version == last + 1 else {}
            known |= {e.decision: e.before.decision for e in same if e.before is not None}
            after: dict[str, Plain] = {}
            for entry in same:
                made = self._made(entry, known)
                if entry.decided is not None and made.after is not None:
                    after[digest(made.after)] = made.after
                yield made
            known, last = after, version

    def _made(self, entry: Entry, known: Mapping[str, Plain]) -> Made:
        decision = known.get(entry.decision)
        if decision is None:
            return Made(entry, "what led to its decision is not in the journal", came_true=entry.committed)
        site, missing = self._sites.get(entry.revision), ""
        if site is None:
            missing = f"configuration {entry.revision} is not in the journal"
        elif lacking := sorted(b for b, name in entry.readings.items() if name not in self._readings):
            missing = f"readings of {', '.join(lacking)} are not in the journal"
        after = decision_after(decision, entry)
        return Made(
            entry,
            missing,
            came_true=entry.committed or (entry.version + 1, digest(after)) in self._loaded,
            site=site,
            decision=decision,
            readings={} if missing else {b: self._readings[name] for b, name in entry.readings.items()},
            after=after,
        )


# ------------------------------------------------------------------ what comes out now


def _differences(made: Made, site: Site, make: Stepper) -> Iterator[Change]:
    entry = made.entry
    before = live_in(entry.site, entry.version, made.decision, made.readings)
    try:
        done = make(site, before, event_in(entry.event))
    except Exception as error:  # noqa: BLE001 - whatever it was: then it was none
        yield Change("step", None, repr(error))
        return
    yield from _decisions_differ(made.after, decision_out(done.live))
    written = readings_to_write(before, done.live, told=bool(done.facts))
    yield from _tables_differ("readings", readings_after(entry), {b: out(r) for b, r in written.items()})
    yield from _tables_differ("fact", _facts(entry.facts), _facts(out(done.facts)))
    yield from _commands_differ(entry.commands, out(done.commands))


_ROWS: Mapping[str, tuple[str, type]] = {
    "outlets": ("outlet", OutletState),
    "bridges": ("bridge", BridgeState),
    "sessions": ("session", SessionState),
    "alarms": ("alarm", Alarm),
}


def _decisions_differ(was: Plain, now: Plain) -> Iterator[Change]:
    """Compare field by field, tables row by row; the outlets first, since they are what it is about."""
    names = [*_ROWS, *sorted({*was, *now} - {*_ROWS})]
    for name in names:
        one, other = was.get(name), now.get(name)
        if isinstance(one or other, dict):
            what, kind = _ROWS.get(name, (name, None))
            yield from _tables_differ(what, one or {}, other or {}, {} if kind is None else usual(kind))
        elif not alike(one, other):
            yield Change(name, one, other)


def _tables_differ(
    what: str, was: Mapping[str, Plain], now: Mapping[str, Plain], told: Mapping[str, Plain] = _NOTHING
) -> Iterator[Change]:
    """Compare row by row; ``told`` says what a field holds that a row leaves out."""
    for key in {**was, **now}:
        one, other = was.get(key), now.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            for name in {**one, **other}:
                if not alike(one.get(name), other.get(name)):
                    yield Change(f"{what} {key} {name}", *(side.get(name, told.get(name)) for side in (one, other)))
        elif not alike(one, other):
            yield Change(f"{what} {key}", one, other)


def _facts(facts: Plain) -> dict[str, Plain]:
    """Give each fact a name by which it is found again."""
    named: dict[str, Plain] = {}
    for f in facts:
        name = f"{f['kind']} {f['about']}"
        while name in named:
            name += "'"
        named[name] = f.get("detail", {})
    return named


def _commands_differ(was: Plain, now: Plain) -> Iterator[Change]:
    """Compare commands by their bridges, of which a step commands each once at most, and settings by their modules."""
    one, other = ({c["bridge"]: dict(c) for c in side} for side in (was, now))
    for b in one.keys() & other.keys():
        settings = one[b].pop("modules", {}), other[b].pop("modules", {})
        yield from _tables_differ(f"command {b}", *settings)
    yield from _tables_differ("command", one, other)


# ------------------------------------------------------------------ one session's time


@dataclass(frozen=True, slots=True)
class Moment:
    """What a session had from a time on, and why."""

    at: float
    event: str
    phase: str
    allowance_a: float
    reason: str
    facts: tuple[str, ...] = ()


def explain(entries: Iterable[Entry], session: str) -> list[Moment]:
    """Tell from what was decided then when a session's phase, allowance or reason changed. Empty: it is not there."""
    by_site: dict[str, list[Entry]] = {}
    for entry in entries:
        by_site.setdefault(entry.site, []).append(entry)
    return [m for s, own in by_site.items() for m in _moments(_once(own, Report(s)), session)]


def _moments(entries: list[Entry], session: str) -> Iterator[Moment]:
    last: Any = None
    for made in Chain(entries):
        entry = made.entry
        if made.after is None or not made.came_true or entry.decided is None:
            continue
        facts = tuple(f["kind"] for f in entry.facts if f["about"] == session)
        now = _standing(made.after, session)
        if now is None and last is None and not facts:
            continue
        if now != last or facts:
            phase, allowance_a, reason = now or ("ended", 0.0, _end(entry.facts, session))
            yield Moment(entry.at, entry.event[0], phase, allowance_a, reason, facts)
        last = now


def _standing(decision: Plain, session: str) -> tuple[str, float, str] | None:
    known = decision.get("sessions", {}).get(session)
    if known is None:
        return None
    outlet = decision.get("outlets", {}).get(known["outlet"], {})
    return known.get("phase", "queued"), outlet.get("limit_a", 0.0), outlet.get("reason", "")


def _end(facts: Plain, session: str) -> str:
    """Find why a session ended."""
    told = (f.get("detail", {}) for f in facts if f["kind"] == "session.ended" and f["about"] == session)
    return next((str(d.get("reason", "")) for d in told), "")
