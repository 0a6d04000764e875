"""The cloud in simulated time: the real use cases on the ports in memory, with Lambdas that crash and race."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random

from epspot.adapters.dynamodb import codec
from epspot.adapters.iot import ContractInbound, encode_command
from epspot.control.effects import Fact, SendCommand, Step
from epspot.control.events import Event, Ticked, Watched
from epspot.control.invariants import violations
from epspot.control.state import Live
from epspot.control.step import step
from epspot.errors import Conflict, Refusal
from epspot.ports import SessionFact, SessionRecord
from epspot.services.advance import Controller, advance
from epspot.services.follow_session import Following, follow_session
from epspot.services.note_session import note_session
from epspot.services.register_site import register_site
from epspot.services.start_session import Starting, start_session
from epspot.services.stop_session import stop_session
from epspot.services.take_message import Intake, Taken, note_presence, take_message
from epspot.services.tick_sites import Ticking, tick_sites
from epspot.site import Site
from tests.fakes import FakeClock, FakeLives, FakeRefused
from tests.simulation.scene import Scene

USER = "u"
_MINUTE_S = 60
_REDELIVERED_S = 30
_MOST_NESTED = 2
_REPLAYED = 1500


class Crash(Exception):
    """A Lambda dies."""


class _RacingLives(FakeLives):
    """Lives between whose load and commit another Lambda may run, and any call of which may be the last."""

    def __init__(self, cloud: "Cloud") -> None:
        super().__init__()
        self._cloud = cloud

    def load(self, site: str) -> tuple[Site, Live]:
        loaded = super().load(site)
        self._cloud.maybe_crash("crash after load")
        self._cloud.maybe_race()
        return loaded

    def commit(self, before: Live, step: Step, record: SessionRecord | None = None) -> None:
        stands = self._lives[before.site].version
        try:
            super().commit(before, step, record)
        except (Conflict, Crash) as error:
            self._cloud.note("conflict" if isinstance(error, Conflict) else "half a commit")
            if self._lives[before.site].version > stands:
                self._cloud.committed(before, step, None)
            raise
        self._cloud.committed(before, step, record)

    def _between_puts(self) -> None:
        self._cloud.maybe_crash("crash between puts")

    def present(self, site: str) -> tuple[Site, Live]:
        """Look without being a Lambda."""
        return super().load(site)


class Cloud:
    """Takes messages, requests and time; sends commands by ``send``."""

    def __init__(self, site: Site, scene: Scene, random: Random, send: Callable[[str, bytes], None]) -> None:
        self.site = site
        self.on_begun: Callable[[str, str], None] = lambda _session, _outlet: None
        self.on_ended: Callable[[Fact], None] = lambda _fact: None
        self.on_aside: Callable[[str], None] = lambda _outlet: None
        self.relayed = 0
        self.lives = _RacingLives(self)
        self._scene = scene
        self._timeline = timeline = scene.timeline
        self._random = random
        self._send = send
        self._nested = 0
        self._quiet = True
        self._last: tuple[str, bytes, float] | None = None
        self._clock = FakeClock(timeline.now)
        self._refused = FakeRefused()
        controller = Controller(self.lives, self)
        register_site(self.lives, self._clock, site)
        sites = self.lives.sites
        self._intake = Intake(controller, ContractInbound(), sites, self._refused, self._clock)
        self._starting = Starting(controller, self.lives.sessions, sites, self._clock)
        self._following = Following(controller, self.lives.sessions, self._clock)
        self._ticking = Ticking(controller, self._clock)
        self._controller = controller
        self._quiet = False
        self._minute()

    @property
    def live(self) -> Live:
        """The state as it is stored."""
        return self.lives.present(self.site.id)[1]

    # -------------------------------------------------------------- what comes in

    def take(self, topic: str, payload: bytes, received_at: float) -> None:
        """Take a message from a queue; a crash lets it come again."""
        self._set_clock()
        self._last = (topic, payload, received_at)
        try:
            if take_message(self._intake, topic, payload, received_at) is Taken.REFUSED:
                self._scene.watcher.violated("nothing_is_refused", repr(self._refused.kept[-1]))
        except (Crash, Conflict):
            again = partial(self.take, topic, payload, received_at)
            self._timeline.after(_REDELIVERED_S, again, concurrent=True)

    def presence(self, bridge: str, version: int, at: float, *, connected: bool) -> None:
        """Take the broker's word for a connection."""
        self._set_clock()
        try:
            note_presence(self._intake, bridge, connected=connected, version=version, at=at)
        except (Crash, Conflict):
            again = partial(self.presence, bridge, version, at, connected=connected)
            self._timeline.after(_REDELIVERED_S, again, concurrent=True)

    def start(self, outlet: str, key: str) -> str | None:
        """Start a session as the app does; None: it is refused, or nobody knows what became of it."""
        self._set_clock()
        try:
            return start_session(self._starting, USER, outlet, key).record.id
        except (Crash, Conflict, Refusal):
            return None

    def stop(self, session: str) -> None:
        """Stop a session as the app does, insisting until it is stopped."""
        self._set_clock()
        try:
            stop_session(self._following, USER, session)
        except (Crash, Conflict):
            self._timeline.after(5, partial(self.stop, session))
        except Refusal:
            pass

    def follow(self, session: str) -> None:
        """Look at a session."""
        self._set_clock()
        with suppress(Crash, Conflict, Refusal):
            follow_session(self._following, USER, session)

    def _minute(self) -> None:
        self._set_clock()
        self._timeline.after(_MINUTE_S, self._minute, concurrent=False)
        with suppress(Crash):
            tick_sites(self._ticking)
        self._relay()

    def _set_clock(self) -> None:
        self._clock.at = self._timeline.now

    # -------------------------------------------------------------- what goes out

    def publish(self, command: SendCommand) -> None:
        """Be the ``Commands`` port."""
        self.maybe_crash("crash before publish")
        self._send(command.bridge, encode_command(command))

    def _relay(self) -> None:
        """Bring the facts to the sessions' history: at least once, out of order now and then."""
        fresh = self.lives.outbox[self.relayed :]
        self.relayed = len(self.lives.outbox)
        if self._random.random() < self._scene.level.double:
            fresh = [*reversed(fresh), *fresh]
        for n in fresh:
            if n.fact.kind.startswith("session."):
                fact = SessionFact(n.fact.about, n.fact.kind, n.position, n.at, n.fact.detail)
                note_session(self.lives.sessions, fact)

    # -------------------------------------------------------------- what goes wrong

    def note(self, kind: str) -> None:
        """Count something that went wrong."""
        self._scene.faults[kind] += 1

    def maybe_crash(self, kind: str) -> None:
        """Die now, perhaps."""
        if not self._quiet and self._random.random() < self._scene.level.crash:
            self._scene.faults[kind] += 1
            raise Crash(kind)

    def maybe_race(self) -> None:
        """Let another Lambda do its work now, perhaps."""
        if self._quiet or self._nested >= _MOST_NESTED or self._random.random() >= self._scene.level.race:
            return
        self._nested += 1
        self._scene.faults["race"] += 1
        last = self._last
        try:
            if self._timeline.run_concurrent():
                return
            other = self._random.choice(("tick", "watch", "again"))
            if other == "again" and last is not None:
                take_message(self._intake, *last)
            elif other == "watch":
                advance(self._controller, self.site.id, Watched(self._timeline.now))
            else:
                advance(self._controller, self.site.id, Ticked(self._timeline.now))
        except (Crash, Conflict):
            pass
        finally:
            self._last = last
            self._nested -= 1

    # -------------------------------------------------------------- what is checked

    def committed(self, before: Live, done: Step, record: SessionRecord | None) -> None:
        """Check a step that was committed."""
        watcher = self._scene.watcher
        watcher.steps += 1
        for text in violations(self.site, before, done.live):
            name, _, what = text.partition(": ")
            watcher.violated(name, f"at {self._timeline.now:.0f}: {what}")
        if record is not None:
            self.on_begun(record.id, record.outlet)
        for fact in done.facts:
            if fact.kind == "session.ended":
                self.on_ended(fact)
            elif fact.kind == "meter.put_aside":
                self.on_aside(fact.about)
                self._scene.faults["put aside"] += 1


class Recorder:
    """The pure step, with its first inputs and outcomes kept."""

    def __init__(self) -> None:
        self._recorded: list[tuple[Live, Event, Step]] = []

    def __call__(self, site: Site, live: Live, event: Event) -> Step:
        done = step(site, live, event)
        if len(self._recorded) < _REPLAYED:
            self._recorded.append((live, event, done))
        return done

    def differences(self, site: Site) -> int:
        """Make the recorded steps again from the written form of their states; count what comes out otherwise."""
        site = codec.site_in(site.id, codec.site_out(site), codec.SCHEMA)
        return sum(step(site, _written(live), event) != done for live, event, done in self._recorded)


def _written(live: Live) -> Live:
    read = codec.decision_in(live.site, live.version, codec.decision_out(live), codec.SCHEMA)
    told = {b: codec.readings_in(codec.readings_out(r), codec.SCHEMA) for b, r in live.readings.items()}
    return replace(read, readings=told, look_at=live.look_at)
