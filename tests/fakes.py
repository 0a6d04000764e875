"""The ports, kept in memory: for tests of use cases, for the simulation, and held to the same contracts as the adapters."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from epspot.control.draft import decision_equals
from epspot.control.due import due_at, next_look
from epspot.control.effects import Fact, SendCommand, Step
from epspot.control.events import Event
from epspot.control.journal import Entry, entry_in, entry_of, line_of
from epspot.control.state import Live, Readings
from epspot.control.worth import readings_to_write
from epspot.errors import Conflict, NotFound, SourceUnavailable
from epspot.ports import Notice, SessionRecord, Vehicle
from epspot.site import Site

_FACTS_PER_COMMIT = 1000


@dataclass
class FakeClock:
    """A clock that is set by hand."""

    at: float = 1_800_000_000.0

    def now(self) -> float:
        return self.at


@dataclass
class FakeSessions:
    """``Sessions`` in memory."""

    records: dict[str, SessionRecord] = field(default_factory=dict)

    def get(self, session: str) -> SessionRecord | None:
        return self.records.get(session)

    def of_user(self, user: str, limit: int) -> Sequence[SessionRecord]:
        own = [r for r in self.records.values() if r.user == user]
        return sorted(own, key=lambda r: (r.requested_at, r.id), reverse=True)[:limit]

    def add(self, record: SessionRecord) -> None:
        if record.id in self.records:
            raise Conflict(record.id)
        self.records[record.id] = record

    def replace(self, before: SessionRecord, after: SessionRecord) -> None:
        if self.records[after.id].position != before.position:
            raise Conflict(after.id)
        self.records[after.id] = after


@dataclass
class FakeVehicles:
    """``Vehicles`` in memory."""

    known: dict[str, Vehicle] = field(default_factory=dict)

    def get(self, user: str) -> Vehicle:
        return self.known.get(user, Vehicle())

    def put(self, user: str, vehicle: Vehicle) -> None:
        self.known[user] = vehicle


class FakeLives:
    """``Lives`` in memory, with the conditions, and the order of writes, of the tables.

    ``outbox`` holds every fact that was ever committed, in order.
    """

    def __init__(self, sessions: FakeSessions | None = None) -> None:
        self.sessions = sessions or FakeSessions()
        self.outbox: list[Notice] = []
        self._sites: dict[tuple[str, int], Site] = {}
        self._lives: dict[str, Live] = {}
        self._due: dict[str, int | None] = {}

    # -------------------------------------------------------------- reading

    def load(self, site: str) -> tuple[Site, Live]:
        live = self._lives.get(site)
        if live is None:
            raise NotFound(f"There is no site {site}.")
        return self._sites[site, live.revision], live

    def due(self, now: float) -> Sequence[tuple[str, int]]:
        return [(s, at) for s, at in self._due.items() if at is not None and at <= int(now)]

    # -------------------------------------------------------------- writing

    def commit(self, before: Live, step: Step, record: SessionRecord | None = None, site: Site | None = None) -> None:
        after = step.live
        stored = self._lives[after.site]
        decided = not decision_equals(before, after) or bool(step.facts)
        readings = readings_to_write(before, after, told=bool(step.facts))
        fresh = stored.version == before.version or not decided
        rests_on = set(readings) | ({self._bridge_of(before, record)} if record is not None else set())
        follows = all(_stamp(stored.readings.get(b)) == _stamp(before.readings.get(b)) for b in rests_on)
        together = bool(step.facts) or record is not None or site is not None
        if not fresh or (together and not follows) or (record is not None and record.id in self.sessions.records):
            raise Conflict(after.site)
        if site is not None:
            self._take(site)
        if decided:
            # Without facts the decision is put first and stands, whatever becomes of the readings.
            self._put_decision(replace(after, version=before.version + 1, readings=stored.readings))
        if not together:
            self._between_puts()
        if not follows:
            raise Conflict(after.site)
        stored = self._lives[after.site]
        self._lives[after.site] = replace(stored, readings=dict(stored.readings) | readings)
        self.outbox += notices(after.site, before.version + 1, after.at, step.facts)
        if record is not None:
            self.sessions.records[record.id] = record

    def _bridge_of(self, live: Live, record: SessionRecord) -> str:
        return self._sites[live.site, live.revision].outlet[record.outlet].bridge

    def _put_decision(self, live: Live) -> None:
        due = next_look(self._lives[live.site], due_at(self._sites[live.site, live.revision], live))
        self._lives[live.site] = replace(live, look_at=due)
        self._due[live.site] = due

    def _between_puts(self) -> None:
        """Stand between the two puts of a commit without facts: a subclass may crash here."""

    def postpone(self, site: str, seen: int) -> None:
        known, live = self.load(site)
        due = due_at(known, replace(live, at=max(live.at, seen)))
        if (due is None or due > seen) and self._due.get(site) == seen:
            self._due[site] = due
            self._lives[site] = replace(self._lives[site], look_at=due)

    def create(self, site: Site, live: Live) -> None:
        if site.id in self._lives:
            raise Conflict(site.id)
        self._take(site)
        self._due[site.id] = due_at(site, live)
        self._lives[site.id] = replace(live, version=1, look_at=self._due[site.id])

    def _take(self, site: Site) -> None:
        """Take in a configuration, unless another site has one of its bridges or outlets."""
        taken = {self.sites.of_bridge(b) for b in site.of_bridge} | {self.sites.of_outlet(o) for o in site.outlet}
        if taken - {None, site.id}:
            raise Conflict(site.id)
        self._sites[site.id, site.revision] = site

    @property
    def sites(self) -> "FakeSites":
        """Which site things belong to."""
        return FakeSites({s: self._sites[s, live.revision] for s, live in self._lives.items()})


def _stamp(readings: Readings | None) -> tuple[str, int] | None:
    return None if readings is None else (readings.boot, readings.seq)


def notices(site: str, version: int, at: float, facts: Iterable[Fact]) -> list[Notice]:
    """Give the facts of a commit their numbers, as the outbox does."""
    return [
        Notice(f"{site}/{version}/{n}", site, version * _FACTS_PER_COMMIT + n, at, fact) for n, fact in enumerate(facts)
    ]


@dataclass(frozen=True)
class FakeSites:
    """``Sites`` in memory."""

    sites: dict[str, Site] = field(default_factory=dict)

    def all(self) -> Sequence[str]:
        return list(self.sites)

    def of_bridge(self, bridge: str) -> str | None:
        return next((i for i, s in self.sites.items() if bridge in s.of_bridge), None)

    def of_outlet(self, outlet: str) -> str | None:
        return next((i for i, s in self.sites.items() if outlet in s.outlet), None)


@dataclass
class FakeCommands:
    """``Commands`` that only remembers."""

    sent: list[SendCommand] = field(default_factory=list)

    def publish(self, command: SendCommand) -> None:
        self.sent.append(command)


@dataclass
class FakeJournal:
    """``Journal`` in memory, as the lines that are read again; ``broken`` while nothing can be kept."""

    lines: list[str] = field(default_factory=list)
    broken: bool = False
    lost: int = 0
    _whole: set[tuple[str, int]] = field(default_factory=set)

    def keep(self, site: Site, before: Live, event: Event, done: Step, *, committed: bool = True) -> None:
        key = (site.id, site.revision)
        entry = entry_of(site, before, event, done, committed=committed, whole=key not in self._whole)
        if entry is None:
            return
        if self.broken:
            self.lost += 1
            self._whole.discard(key)
        else:
            self.lines.append(line_of(entry))
            if committed:
                self._whole.add(key)

    def take_lost(self) -> int:
        lost, self.lost = self.lost, 0
        return lost

    @property
    def entries(self) -> list[Entry]:
        return [entry_in(json.loads(line)) for line in self.lines]


@dataclass
class FakeRefused:
    """``Refused`` and ``Aside`` in memory."""

    kept: list[tuple[str, ...]] = field(default_factory=list)

    def put(self, reason: str, *what: object) -> None:
        self.kept.append((reason, *map(str, what)))


@dataclass
class FakeBus:
    """``Bus`` in memory; ``refuses`` holds ids that are not taken."""

    sent: list[Notice] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def publish(self, notices: Sequence[Notice]) -> Sequence[tuple[Notice, str]]:
        self.sent += [n for n in notices if n.id not in self.refuses]
        return [(n, "refused") for n in notices if n.id in self.refuses]


@dataclass
class FakePrices:
    """``Prices`` in memory, by area; ``away``: it can't be had."""

    known: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    def series(self, area: str, start: float, end: float) -> Sequence[tuple[int, float]]:
        self.asked.append(area)
        if self.away:
            raise SourceUnavailable("the market is away")
        return [(at, price) for at, price in self.known.get(area, ()) if start <= at < end]


@dataclass
class FakeWeather:
    """``Weather`` in memory, the same everywhere; ``away``: it can't be had."""

    known: Sequence[tuple[int, float]] = ()
    away: bool = False
    asked: list[tuple[float, float]] = field(default_factory=list)

    def forecast(self, latitude: float, longitude: float, start: float, end: float) -> Sequence[tuple[int, float]]:
        self.asked.append((latitude, longitude))
        if self.away:
            raise SourceUnavailable("the weather is away")
        return [(at, celsius) for at, celsius in self.known if start <= at < end]
