"""Bridges and a network on which everything is lost, late, doubled and overtaken, against the invariants."""

from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from epspot.control.effects import SendCommand
from epspot.control.events import (
    EdgeReceived,
    Event,
    FrameReceived,
    PresenceChanged,
    StartRequested,
    StopRequested,
    Ticked,
    Watched,
)
from epspot.control.invariants import violations
from epspot.control.state import Live, Plug, Reading
from epspot.control.step import step
from epspot.errors import Refusal
from epspot.site import Outlet, Site
from tests.unit.domain.world import NOW, fuse, outlet, site

SLOW_CLOCK = 1.02
OBEY_S = 6.0
FRAME_MAX_AGE_S = 60.0
SLACK_A = 1e-6

SITES = (
    site(outlet("a"), outlet("b"), outlet("c", phase=None, bridge="b2"), outlet("d", bridge="b2", fallback_a=6.0)),
    site(
        outlet("a", on="row"),
        outlet("b", on="row", phase=None),
        outlet("c", on="row", modulated=False, max_a=10.0),
        outlet("d", bridge="b2", phase=1, max_a=32.0),
        outlet("e", bridge="b2", phase=None),
        fuses=[fuse(rating_a=32), fuse("row", 16, "main", max_sessions=2)],
    ),
    site(*(outlet(f"o{i}", phase=i % 2, bridge=f"b{i % 2 + 1}") for i in range(6)), fuses=[fuse(rating_a=13)]),
)


@dataclass
class Module:
    """A module with its load: it holds its lease by itself, on a clock as slow as may be."""

    outlet: Outlet
    plug: Plug = Plug.ASKING
    eager: bool = True
    answers: bool = True
    limit_a: float = 0.0
    lease_until: float = 0.0
    was_a: float = 0.0
    obeys_at: float = 0.0

    def set(self, limit_a: float, at: float) -> None:
        """Take a limit; a load that draws more needs its time to obey."""
        drawn_a = self.drawn_a(at)
        if limit_a < drawn_a:
            self.was_a, self.obeys_at = drawn_a, at + OBEY_S
        self.limit_a = limit_a

    def pass_time(self, now: float) -> None:
        if now >= self.lease_until and self.limit_a > self.outlet.fallback_a:
            self.set(self.outlet.fallback_a, self.lease_until)

    def may_draw_a(self, now: float) -> float:
        return max(self.limit_a, self.was_a if now < self.obeys_at else 0.0)

    def drawn_a(self, now: float) -> float:
        return self.may_draw_a(now) if self.eager and self.plug is Plug.ASKING else 0.0

    def rest(self) -> None:
        """Draw nothing now, and no more than the limit if it ever draws again."""
        self.obeys_at = 0.0

    def reading(self, now: float) -> Reading:
        a = self.drawn_a(now)
        current = (a, a, a) if len(self.outlet.phases) == 3 else (a, 0.0, 0.0)
        is_closed = self.limit_a > 0 or now < self.obeys_at
        return Reading(self.plug, is_closed, current, (230.0,) * 3, 0, 1000, 20, self.limit_a, 0, 90)


@dataclass
class Bridge:
    """A bridge that goes by the contract."""

    id: str
    modules: dict[str, Module]
    boot: int = 1
    seq: int = 0
    rev: int = 0
    sent_at: dict[int, float] = field(default_factory=dict)
    base: int = 0
    base_readings: dict[str, Reading | None] = field(default_factory=dict)

    def next_seq(self, now: float) -> int:
        self.seq += 1
        self.sent_at[self.seq] = now
        return self.seq

    def frame(self, now: float, *, full: bool) -> FrameReceived:
        readings = {m: x.reading(now) if x.answers else None for m, x in self.modules.items()}
        seq = self.next_seq(now)
        if full or not self.base:
            self.base, self.base_readings = seq, readings
            told = readings
        else:
            told = {m: r for m, r in readings.items() if r != self.base_readings[m]}
        return FrameReceived(now, self.id, f"{self.boot:08x}", seq, self.base, self.rev, told)

    def edge(self, now: float, kind: str, module: str) -> EdgeReceived:
        reading = self.modules[module].reading(now)
        return EdgeReceived(now, self.id, f"{self.boot:08x}", self.next_seq(now), self.rev, kind, module, reading)

    def take(self, command: SendCommand, now: float) -> None:
        sent = self.sent_at.get(command.seq)
        if command.boot != f"{self.boot:08x}" or command.rev < self.rev or sent is None:
            return
        until = sent + command.ttl_s * SLOW_CLOCK
        if now > until:
            return
        self.rev = command.rev
        for m, setting in command.modules.items():
            if self.modules[m].answers:
                self.modules[m].set(setting.limit_a, now)
                self.modules[m].lease_until = until

    def reboot(self) -> None:
        """Forget everything; the modules keep what they have until their leases are over."""
        self.boot, self.seq, self.rev, self.base, self.sent_at = self.boot + 1, 0, 0, 0, {}


class Sites(RuleBasedStateMachine):
    """A site at the mercy of its network."""

    @initialize(which=st.sampled_from(SITES), used=st.booleans())
    def begin(self, which: Site, used: bool) -> None:  # noqa: FBT001 - drawn
        self.site = which
        self.now = NOW
        self.live = Live(which.id)
        self.up: list[FrameReceived | EdgeReceived] = []
        self.down: list[SendCommand] = []
        self.started = 0
        self.presence = 0
        self.bridges = {
            b: Bridge(b, {m: Module(o) for m, o in of.items()}, rev=30 if used else 0)
            for b, of in which.of_bridge.items()
        }
        if used:  # another cloud, whose state is lost, has given everybody everything
            for module in self.modules():
                module.set(module.outlet.max_a, NOW)
                module.lease_until = NOW + which.policy.lease_s * SLOW_CLOCK
        self.happen(Ticked(NOW))

    # -------------------------------------------------------------- helpers

    def modules(self) -> list[Module]:
        return [m for b in self.bridges.values() for m in b.modules.values()]

    def happen(self, event: Event) -> None:
        try:
            done = step(self.site, self.live, event)
        except Refusal:
            return
        assert violations(self.site, self.live, done.live) == []
        assert step(self.site, self.live, event) == done
        self.live = done.live
        self.down += done.commands

    def bridge(self, n: int) -> Bridge:
        return list(self.bridges.values())[n % len(self.bridges)]

    def module(self, n: int) -> Module:
        modules = self.modules()
        return modules[n % len(modules)]

    # -------------------------------------------------------------- the world

    @rule(seconds=st.sampled_from((1, 3, 7, 20, 61, 130, 450, 1000)))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds
        for module in self.modules():
            module.pass_time(self.now)
        self.up = [m for m in self.up if isinstance(m, EdgeReceived) or self.now - m.at <= FRAME_MAX_AGE_S]

    @rule(n=st.integers(0, 9), full=st.booleans())
    def exchange(self, n: int, full: bool) -> None:  # noqa: FBT001 - drawn
        """All goes well: a frame arrives, and the commands that answer it too."""
        self.down = []
        self.happen(self.bridge(n).frame(self.now, full=full))
        for command in self.down:
            self.bridges[command.bridge].take(command, self.now)

    @rule(minutes=st.integers(1, 20))
    def run_well(self, minutes: int) -> None:
        """All goes well for a while."""
        for _ in range(minutes):
            self.pass_time(60)
            for n in range(len(self.bridges)):
                self.exchange(n, full=True)

    @rule(n=st.integers(0, 9), full=st.booleans())
    def send(self, n: int, full: bool) -> None:  # noqa: FBT001 - drawn
        self.up.append(self.bridge(n).frame(self.now, full=full))

    @rule(n=st.integers(0, 99), again=st.booleans())
    def receive(self, n: int, again: bool) -> None:  # noqa: FBT001 - drawn
        """Any message that is under way arrives, perhaps to come again."""
        if self.up:
            message = self.up[n % len(self.up)] if again else self.up.pop(n % len(self.up))
            self.happen(replace(message, at=self.now))

    @rule(n=st.integers(0, 99), again=st.booleans())
    def obey(self, n: int, again: bool) -> None:  # noqa: FBT001 - drawn
        """Any command that is under way arrives, perhaps to come again."""
        if self.down:
            command = self.down[n % len(self.down)] if again else self.down.pop(n % len(self.down))
            self.bridges[command.bridge].take(command, self.now)

    @rule()
    def lose_all(self) -> None:
        self.up, self.down = [], []

    @rule(n=st.integers(0, 9))
    def reboot(self, n: int) -> None:
        self.bridge(n).reboot()

    @rule(n=st.integers(0, 9), connected=st.booleans())
    def presence_changes(self, n: int, connected: bool) -> None:  # noqa: FBT001 - drawn
        self.presence += 1
        self.happen(PresenceChanged(self.now, self.bridge(n).id, connected, self.presence))

    @rule(n=st.integers(0, 9))
    def module_comes_and_goes(self, n: int) -> None:
        self.module(n).answers ^= True

    @rule(n=st.integers(0, 9))
    def load_comes_and_goes(self, n: int) -> None:
        module = self.module(n)
        module.eager ^= True
        module.rest()

    @rule(n=st.integers(0, 9))
    def plug(self, n: int) -> None:
        module = self.module(n)
        module.plug = Plug.ASKING if module.plug is Plug.NONE else Plug.NONE
        module.rest()
        kind = "plugged" if module.plug else "unplugged"
        self.up.append(self.bridges[module.outlet.bridge].edge(self.now, kind, module.outlet.module))

    @rule(n=st.integers(0, 9))
    def guard(self, n: int) -> None:
        module = self.module(n)
        module.set(0, self.now)
        self.up.append(self.bridges[module.outlet.bridge].edge(self.now, "over_current", module.outlet.module))

    # -------------------------------------------------------------- people

    @rule(n=st.integers(0, 9))
    def start(self, n: int) -> None:
        self.started += 1
        self.happen(StartRequested(self.now, f"s{self.started}", self.module(n).outlet.id))

    @rule()
    def start_everywhere(self) -> None:
        for n in range(len(self.modules())):
            self.start(n)

    @rule(n=st.integers(0, 9))
    def stop(self, n: int) -> None:
        if self.live.sessions:
            self.happen(StopRequested(self.now, sorted(self.live.sessions)[n % len(self.live.sessions)]))

    @rule()
    def tick(self) -> None:
        self.happen(Ticked(self.now))

    @rule()
    def watch(self) -> None:
        self.happen(Watched(self.now))

    # -------------------------------------------------------------- always

    @invariant()
    def nobody_may_draw_more_than_is_counted(self) -> None:
        for module in self.modules() if hasattr(self, "live") else ():
            counted = self.live.outlets[module.outlet.id].counted_a
            assert module.may_draw_a(self.now) <= counted + SLACK_A, module.outlet.id


TestSites = Sites.TestCase
TestSites.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
