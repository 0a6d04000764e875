"""Watch a site from both sides, the cloud's state and the current in its wires, and hold them to the invariants."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from epspot.bootstrap import notices_of
from epspot.control.invariants import violations
from epspot.control.state import Phase
from epspot.ports import Lives, Notice
from epspot.site import Site
from infra.local.ministack import Account
from iot.simulator.runner import SimRunner

BACK_UNDER_S = 15.0
"""I1b: after a rise that nobody controls, the current is back under the rating within this."""

_MESSAGES = 200


@dataclass(slots=True)
class Tally:
    """What has happened so far."""

    started: set[str] = field(default_factory=set)
    queued: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    """Session → reason."""
    energy_wh: int = 0
    guard_trips: int = 0
    highest_a: dict[str, float] = field(default_factory=dict)
    """Fuse → the highest current on any of its phases."""
    versions: int = 0
    looks: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    """Invariant violations, each sentence with its number of times."""


class Observer:
    """Looks at a site whenever it is asked to."""

    def __init__(self, account: Account, core_table: str, lives: Lives, site: Site, runner: SimRunner) -> None:
        self._outbox = account.client("dynamodb")
        self._core_table = core_table
        self._lives = lives
        self._runner = runner
        self._over_since: dict[str, float] = {}
        self._position = ""
        self.site = site
        self.live = lives.load(site.id)[1]
        self.tally = Tally()
        self.messages: deque[Notice] = deque(maxlen=_MESSAGES)
        self.drawn_a: list[float] = [0.0] * len(site.network.names)

    def look(self, now: float) -> None:
        """Take in what is new; ``now`` is in seconds of any steady clock."""
        _, live = self._lives.load(self.site.id)
        if live.version != self.live.version:
            self.tally.versions += 1
            self.tally.broken.update(violations(self.site, self.live, live))
        self.live = live
        for notice in self._notices():
            self._note(notice)
        self._measure(now)
        self.tally.looks += 1

    def still_live(self) -> list[str]:
        """List the sessions that have not ended."""
        return sorted(self.live.sessions)

    def waiting(self) -> int:
        """Count the sessions in the queue."""
        return sum(s.phase is Phase.QUEUED for s in self.live.sessions.values())

    # -------------------------------------------------------------- facts

    def _notices(self) -> Iterator[Notice]:
        pages = self._outbox.get_paginator("query").paginate(
            TableName=self._core_table,
            KeyConditionExpression="pk = :site AND sk BETWEEN :after AND :last",
            ExpressionAttributeValues={
                ":site": {"S": f"SITE#{self.site.id}"},
                ":after": {"S": self._position or "OUTBOX#"},
                ":last": {"S": "OUTBOX#~"},
            },
            ConsistentRead=True,
        )
        seen = self._position
        for item in (i for page in pages for i in page["Items"]):
            if item["sk"]["S"] != seen:
                self._position = item["sk"]["S"]
                yield from notices_of(item)

    def _note(self, notice: Notice) -> None:
        self.messages.append(notice)
        kind, about, detail = notice.fact.kind, notice.fact.about, notice.fact.detail
        tally = self.tally
        match kind:
            case "session.active":
                tally.started.add(about)
            case "session.queued":
                tally.queued.add(about)
            case "guard.tripped":
                tally.guard_trips += 1
            case "session.ended":
                if about in tally.ended:
                    tally.broken[f"i8_ends_once: {about} ended twice"] += 1
                tally.ended[about] = str(detail["reason"])
                tally.energy_wh += int(detail["energy_wh"])
                for text in _metering(about, dict(detail)):
                    tally.broken[text] += 1

    # -------------------------------------------------------------- current

    def _measure(self, now: float) -> None:
        network = self.site.network
        drawn = [a for f in self.site.fuses for a in f.other_a]
        with self._runner.world() as world:
            samples = {m: module.sample() for m, module in world.modules.items()}
        for o in self.site.outlets:
            reading = samples.get(o.module)
            if reading is not None:
                for i, c in enumerate(network.paths[o.id]):
                    drawn[c] += reading.current_a[i % len(o.phases)]
        self.drawn_a = drawn
        for i, f in enumerate(self.site.fuses):
            most = max(drawn[3 * i : 3 * i + 3])
            self.tally.highest_a[f.id] = max(most, self.tally.highest_a.get(f.id, 0.0))
            if most <= min(f.rating_a):
                self._over_since.pop(f.id, None)
            elif now - self._over_since.setdefault(f.id, now) > BACK_UNDER_S:
                self.tally.broken[f"i1b_rating: {f.id} carried more than its rating for {BACK_UNDER_S:g} s"] += 1


def _metering(session: str, ended: dict[str, object]) -> Iterator[str]:
    """Hold a session's energy to its registers (I6)."""
    energy, start, end = ended["energy_wh"], ended["start_wh"], ended["end_wh"]
    if not isinstance(energy, int) or energy < 0:
        yield f"i6_registers: {session} is billed {energy} Wh"
    elif isinstance(start, int) and isinstance(end, int) and not ended["put_aside"] and energy != end - start:
        yield f"i6_registers: {session} is billed {energy} Wh, its registers say {end - start} Wh"
