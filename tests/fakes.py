"""The ports, kept in memory: for tests of use cases, for the simulation, and held to the same contracts as the adapters."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from epspot.control.draft import decision_equals
from epspot.control.due import due_at, next_look
from epspot.control.effects import Fact, SendCommand, Step
from epspot.control.events import Event
from epspot.control.journal import Entry, entry_in, entry_of, line_of
from epspot.control.state import Live, Readings
from epspot.control.worth import readings_to_write
from epspot.errors import Conflict, InvalidRequest, NotFound, SourceUnavailable, Unanswered
from epspot.ports import LiveAddress, Notice, Posted, SessionRecord, Vehicle
from epspot.registry.kinds import Change, Kind, Page, Put, R, Record
from epspot.services.tell_live import is_heard, news_of
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

    def of_site(self, site: str, limit: int, after: str | None = None) -> tuple[Sequence[SessionRecord], str | None]:
        def key(r: SessionRecord) -> str:
            return f"{r.requested_at:020.3f}#{r.id}"

        own = [r for r in self.records.values() if r.site == site and (after is None or key(r) < after)]
        own.sort(key=key, reverse=True)
        return own[:limit], key(own[limit - 1]) if len(own) > limit else None

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

    def forget(self, user: str) -> None:
        self.known.pop(user, None)


class FakeLives:
    """``Lives`` in memory, with the conditions, and the order of writes, of the tables.

    ``outbox`` holds every fact that was ever committed, in order.
    """

    def __init__(self, sessions: FakeSessions | None = None, registry: "FakeRegistry | None" = None) -> None:
        self.sessions = sessions or FakeSessions()
        self.registry = registry or FakeRegistry()
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

    def configuration(self, site: str, revision: int) -> Site:
        if (site, revision) not in self._sites:
            raise NotFound(f"Site {site} has no configuration {revision}.")
        return self._sites[site, revision]

    def due(self, now: float) -> Sequence[tuple[str, int]]:
        return [(s, at) for s, at in self._due.items() if at is not None and at <= int(now)]

    # -------------------------------------------------------------- writing

    def commit(
        self,
        before: Live,
        step: Step,
        record: SessionRecord | None = None,
        site: Site | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        after = step.live
        stored = self._lives[after.site]
        decided = not decision_equals(before, after) or bool(step.facts)
        readings = readings_to_write(before, after, told=bool(step.facts))
        fresh = stored.version == before.version or not decided
        rests_on = set(readings) | ({self._bridge_of(before, record)} if record is not None else set())
        follows = all(_stamp(stored.readings.get(b)) == _stamp(before.readings.get(b)) for b in rests_on)
        together = bool(step.facts) or record is not None or site is not None or bool(changes)
        if not fresh or (together and not follows) or (record is not None and record.id in self.sessions.records):
            raise Conflict(after.site)
        self.registry.check(changes)
        if site is not None:
            self._take(site)
        self.registry.commit(changes)
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

    def create(self, site: Site, live: Live, changes: Sequence[Change] = ()) -> None:
        if site.id in self._lives:
            raise Conflict(site.id)
        self.registry.check(changes)
        self._take(site)
        self.registry.commit(changes)
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


MOST_KEY = 1024
"""Bytes of a record's key within what it belongs to."""


class FakeRegistry:
    """``Registry`` in memory, with the table's conditions."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str, str], tuple[Kind[Any], Any]] = {}

    def get(self, kind: Kind[R], under: str, id: str) -> R | None:  # noqa: A002
        assert len(f"{kind.name}#{id}".encode()) <= MOST_KEY, "the table takes no longer key"
        found: R | None = self.records.get((under, kind.name, id), (kind, None))[1]
        return found

    def under(
        self, kind: Kind[R], under: str, limit: int = 1000, after: str | None = None, *, newest_first: bool = False
    ) -> Page[R]:
        found = {i: r for (u, name, i), (_, r) in self.records.items() if (u, name) == (under, kind.name)}
        return _page(found, limit, after, newest_first=newest_first)

    def also_under(self, kind: Kind[R], also: str, limit: int = 1000, after: str | None = None) -> Page[R]:
        assert kind.also is not None
        of_kind = [r for (_, name, _), (_, r) in self.records.items() if name == kind.name]
        found = {kind.id(r) or kind.under(r).partition("#")[2]: r for r in of_kind if kind.also(r) == also}
        return _page(found, limit, after)

    def check(self, changes: Sequence[Change]) -> None:
        keys = [_key(c) for c in changes]
        if len(set(keys)) < len(keys) or any(self._stands(c) is not True for c in changes):
            raise Conflict(", ".join(c.kind.name for c in changes))

    def _stands(self, change: Change) -> bool:
        now = self.records.get(_key(change), (None, None))[1]
        before: Record | None = change.before
        return now is before is None or (now is not None and before is not None and now.version == before.version)

    def commit(self, changes: Sequence[Change]) -> None:
        self.check(changes)
        for change in changes:
            if isinstance(change, Put):
                version = (0 if change.before is None else change.before.version) + 1
                self.records[_key(change)] = change.kind, replace(change.after, version=version)
            else:
                del self.records[_key(change)]


def _key(change: Change) -> tuple[str, str, str]:
    record = change.after if isinstance(change, Put) else change.before
    return change.kind.under(record), change.kind.name, change.kind.id(record)


def _page(found: Mapping[str, Any], limit: int, after: str | None, *, newest_first: bool = False) -> Page[Any]:
    ids = sorted(found, reverse=newest_first)
    if after is not None:
        ids = [i for i in ids if (i < after if newest_first else i > after)]
    return Page(tuple(found[i] for i in ids[:limit]), ids[limit - 1] if len(ids) > limit else None)


@dataclass
class FakeThrottle:
    """``Throttle`` in memory."""

    counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def take(self, key: str, most: int, window_s: int, now: float) -> bool:
        window = (f"{key}/{window_s}", int(now // window_s))
        if self.counts.get(window, 0) >= most:
            return False
        self.counts[window] = self.counts.get(window, 0) + 1
        return True

    def give_back(self, key: str, window_s: int, now: float) -> None:
        window = (f"{key}/{window_s}", int(now // window_s))
        self.counts[window] = max(0, self.counts.get(window, 0) - 1)


@dataclass
class FakeIds:
    """``Ids`` that can be guessed: the next number."""

    made: int = 0

    def new(self) -> str:
        self.made += 1
        return f"id{self.made:024d}"

    def secret(self) -> str:
        self.made += 1
        return f"secret{self.made:037d}"

    def code(self) -> str:
        self.made += 1
        return f"CODE-CODE-{self.made:04d}"


@dataclass
class FakePosting:
    """``Posting`` that answers as it is told: a status, an answer, or one word why there is none; else 200."""

    answers: list[int | Posted | str] = field(default_factory=list)
    sent: list[tuple[str, bytes, Mapping[str, str], float]] = field(default_factory=list)

    def check(self, url: str) -> None:
        if not url.startswith("https://") or "private" in url:
            raise InvalidRequest("The url must begin with https:// and lead to a public address.")

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Posted:
        self.sent.append((url, body, headers, timeout_s))
        told = self.answers.pop(0) if self.answers else 200
        if isinstance(told, str):
            raise Unanswered(told)
        return Posted(told, b"") if isinstance(told, int) else told


@dataclass
class FakeDeliveries:
    """``DeliveryQueue`` in memory."""

    reminders: list[tuple[str, str, str, float]] = field(default_factory=list)
    given_up: list[tuple[str, str, str, str]] = field(default_factory=list)

    def remind(self, owner: str, webhook: str, delivery: str, after_s: float = 0.0) -> None:
        self.reminders.append((owner, webhook, delivery, after_s))

    def give_up(self, owner: str, webhook: str, delivery: str, reason: str) -> None:
        self.given_up.append((owner, webhook, delivery, reason))


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
class FakeLiveTopics:
    """``LiveTopics`` in memory: what was told, as it is sent; ``broken`` while nothing can be."""

    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The topic after the prefix, and what was said on it."""
    broken: bool = False
    lost: int = 0

    def tell(self, site: Site, before: Live, event: Event, done: Step) -> None:
        if not is_heard(done.live):
            return
        if self.broken:
            self.lost += 1
            return
        for news in news_of(site, before, event, done):
            self.told.append((f"{news.site}/{news.channel}", json.loads(json.dumps(news.body))))

    def take_lost(self) -> int:
        lost, self.lost = self.lost, 0
        return lost


class FakeLiveAddresses:
    """``LiveAddresses`` that lead nowhere."""

    def sign(self, site: str, channel: str) -> LiveAddress:
        return LiveAddress(f"ws://localhost/mqtt?{site}", "listener", (f"{site}/{channel}",), 1_800_000_900.0)


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
