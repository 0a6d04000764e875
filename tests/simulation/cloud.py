"""The cloud in simulated time: the real use cases on the ports in memory, with Lambdas that crash and race."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from random import Random

from epspot.adapters.iot import ContractInbound, encode_command
from epspot.control.draft import decision_equals
from epspot.control.effects import Fact, SendCommand, Step
from epspot.control.events import OutlookReceived, Request, Ticked, Watched
from epspot.control.invariants import violations
from epspot.control.state import Live, Wishes
from epspot.errors import Conflict, Refusal
from epspot.ports import Notice, SessionFact, SessionRecord
from epspot.registry.kinds import Change
from epspot.services.advance import Controller, advance
from epspot.services.follow_session import Following, follow_session
from epspot.services.note_session import Noting, note_session
from epspot.services.register_site import register_site
from epspot.services.start_session import Starting, start_session
from epspot.services.stop_session import stop_session
from epspot.services.take_message import Intake, Taken, note_presence, take_message
from epspot.services.tick_sites import Ticking, tick_sites
from epspot.site import Site
from tests.fakes import FakeClock, FakeLives, FakeRefused, FakeVehicles
from tests.simulation.plan import DEAR_ORE
from tests.simulation.scene import Scene

USER = "u"
_MINUTE_S = 60
_REDELIVERED_S = 30
_HOUR_S = 3600
_AHEAD_H = 24
_LOOKS_AHEAD = 0.3
_MOST_NESTED = 2
_COMES_BACK_S = 5
_RIVALS = (*["tick"] * 5, *["again"] * 5, "watch")
"""What another Lambda may do meanwhile; each watch has frames come fast for a while, so that few are enough."""


class Crash(Exception):
    """A Lambda dies."""


_EXPECTED = (Crash.__name__, Conflict.__name__)
"""What may befall a site at a tick."""


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

    def commit(
        self,
        before: Live,
        step: Step,
        record: SessionRecord | None = None,
        site: Site | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        stands = self._lives[before.site].version
        try:
            super().commit(before, step, record, site, changes)
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

    def __init__(self, site: Site, scene: Scene, random: Random, send: Callable[[SendCommand, bytes], None]) -> None:
        self.site = site
        self.on_begun: Callable[[str, str], None] = lambda _session, _outlet: None
        self.on_ended: Callable[[Fact], None] = lambda _fact: None
        self.on_aside: Callable[[str], None] = lambda _outlet: None
        self.relayed = 0
        self._come_again: list[Notice] = []
        self.lives = _RacingLives(self)
        self._scene = scene
        self._timeline = timeline = scene.timeline
        self._random = random
        self._send = send
        self._nested = 0
        self._up_at = timeline.now
        self._crashed_at = -inf
        self._quiet = True
        self._last: tuple[str, bytes, float] | None = None
        self._clock = FakeClock(timeline.now)
        self._refused = FakeRefused()
        self._vehicles = FakeVehicles()
        self._noting = Noting(self.lives.sessions, self._vehicles)
        controller = Controller(self.lives, self)
        register_site(self.lives, self._clock, site)
        sites = self.lives.sites
        self._intake = Intake(controller, ContractInbound(), sites, self._refused, self._clock)
        self._starting = Starting(controller, self.lives.sessions, sites, self._clock, self._vehicles)
        self._following = Following(controller, self.lives.sessions, self._clock)
        self._ticking = Ticking(controller, self._clock)
        self._controller = controller
        self._quiet = False
        self._minute()
        if site.uses_prices or self._random.random() < _LOOKS_AHEAD:
            self._look_ahead()

    @property
    def live(self) -> Live:
        """The state as it is stored."""
        return self.lives.present(self.site.id)[1]

    # -------------------------------------------------------------- what comes in

    def take(self, topic: str, payload: bytes, received_at: float) -> None:
        """Take a message from a queue; a crash lets it come again."""
        if self._waits(partial(self.take, topic, payload, received_at)):
            return
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
        if self._waits(partial(self.presence, bridge, version, at, connected=connected)):
            return
        self._set_clock()
        try:
            note_presence(self._intake, bridge, connected=connected, version=version, at=at)
        except (Crash, Conflict):
            again = partial(self.presence, bridge, version, at, connected=connected)
            self._timeline.after(_REDELIVERED_S, again, concurrent=True)

    def start(self, outlet: str, key: str, wishes: Wishes) -> str | None:
        """Start a session as the app does; None: it is refused, or nobody knows what became of it."""
        if self._is_down:
            return None
        self._set_clock()
        try:
            return start_session(self._starting, USER, outlet, key, wishes).record.id
        except (Crash, Conflict, Refusal):
            return None

    def stop(self, session: str) -> None:
        """Stop a session as the app does, insisting until it is stopped."""
        if self._waits(partial(self.stop, session)):
            return
        self._set_clock()
        try:
            stop_session(self._following, USER, session)
        except (Crash, Conflict):
            self._timeline.after(5, partial(self.stop, session))
        except Refusal:
            pass

    def request(self, request: Request) -> None:
        """Pause, resume or change a session, once; who doesn't get through lets it be."""
        if not self._is_down:
            self._set_clock()
            with suppress(Crash, Conflict, Refusal):
                advance(self._controller, self.site.id, request)

    def _look_ahead(self) -> None:
        """Tell the site what electricity will cost and how cold it will be, each hour anew."""
        self._timeline.after(_HOUR_S, self._look_ahead, concurrent=False)
        if self._is_down:
            return
        self._set_clock()
        hour = self._timeline.now // _HOUR_S * _HOUR_S
        hours = [int(hour + h * _HOUR_S) for h in range(_AHEAD_H)]
        prices = tuple((at, round(self._random.uniform(0, 2 * DEAR_ORE), 1)) for at in hours)
        temperatures = tuple((at, round(self._random.uniform(-25, 15), 1)) for at in hours)
        with suppress(Crash, Conflict):
            advance(self._controller, self.site.id, OutlookReceived(self._clock.at, prices, temperatures))

    def follow(self, session: str) -> None:
        """Look at a session."""
        if self._is_down:
            return
        self._set_clock()
        with suppress(Crash, Conflict, Refusal):
            follow_session(self._following, USER, session)

    def _minute(self) -> None:
        self._timeline.after(_MINUTE_S, self._minute, concurrent=False)
        if self._is_down:
            return
        self._set_clock()
        for text in tick_sites(self._ticking)[1]:
            if not any(kind in text for kind in _EXPECTED):
                self._scene.watcher.violated("no_tick_fails", text)
        self._relay()

    def _set_clock(self) -> None:
        self._clock.at = self._timeline.now + self._scene.skew(self._random)

    # -------------------------------------------------------------- what goes out

    def publish(self, command: SendCommand) -> None:
        """Be the ``Commands`` port."""
        self.maybe_crash("crash before publish")
        self._send(command, encode_command(command))

    def _relay(self) -> None:
        """Bring the facts to the sessions' history: at least once, out of order now and then."""
        fresh = self._come_again + self.lives.outbox[self.relayed :]
        self.relayed, self._come_again = len(self.lives.outbox), []
        if self._random.random() < self._scene.level.double:
            fresh = [*reversed(fresh), *fresh]
        for n in fresh:
            if n.fact.kind.startswith("session."):
                fact = SessionFact(n.fact.about, n.fact.kind, n.position, n.at, n.fact.detail, n.site)
                try:
                    note_session(self._noting, fact)
                except Conflict:
                    self._come_again.append(n)

    # -------------------------------------------------------------- what goes wrong

    def go_down(self) -> None:
        """Run no Lambda for some minutes."""
        self._scene.faults["cloud down"] += 1
        self._up_at = self._timeline.now + self._random.choice((30, 120, 300, 1200))

    def come_up(self) -> None:
        """Run again."""
        self._up_at = self._timeline.now

    @property
    def hindered_until(self) -> float:
        """Tell until when it does not do all that it is asked for: it is down, or what crashed has not come again."""
        return max(self._up_at, self._crashed_at + _REDELIVERED_S)

    @property
    def _is_down(self) -> bool:
        return self._timeline.now < self._up_at

    def _waits(self, what: Callable[[], None]) -> bool:
        """Let something wait in its queue while nothing runs; tell whether it must."""
        if self._is_down:
            back_s = self._up_at - self._timeline.now + self._random.randint(0, _COMES_BACK_S)
            self._timeline.after(back_s, what, concurrent=True)
            return True
        return False

    def note(self, kind: str) -> None:
        """Count something that went wrong."""
        self._scene.faults[kind] += 1

    def maybe_crash(self, kind: str) -> None:
        """Die now, perhaps."""
        if not self._quiet and self._random.random() < self._scene.level.crash:
            self._scene.faults[kind] += 1
            self._crashed_at = self._timeline.now
            raise Crash(kind)

    def maybe_race(self) -> None:
        """Let another Lambda do its work now, perhaps."""
        if self._quiet or self._nested >= _MOST_NESTED or self._random.random() >= self._scene.level.race:
            return
        self._nested += 1
        self._scene.faults["race"] += 1
        last, at = self._last, self._clock.at
        try:
            if self._timeline.run_concurrent():
                return
            self._set_clock()
            other = self._random.choice(_RIVALS)
            if other == "again" and last is not None:
                take_message(self._intake, *last)
            elif other == "watch":
                advance(self._controller, self.site.id, Watched(self._clock.at))
            else:
                advance(self._controller, self.site.id, Ticked(self._clock.at))
        except (Crash, Conflict):
            pass
        finally:
            # The one that was interrupted has a clock of its own.
            self._last, self._clock.at = last, at
            self._nested -= 1

    # -------------------------------------------------------------- what is checked

    def committed(self, before: Live, done: Step, record: SessionRecord | None) -> None:
        """Check a step that was committed."""
        watcher = self._scene.watcher
        watcher.steps += 1
        if not decision_equals(before, done.live):
            for text in violations(self.site, before, done.live):
                name, _, what = text.partition(": ")
                watcher.violated(name, f"at {self._timeline.now:.0f}: {what}")
        if record is not None:
            self.on_begun(record.id, record.outlet)
        for fact in done.facts:
            if fact.kind == "session.begun":
                self.on_begun(fact.about, fact.detail["outlet"])
            elif fact.kind == "session.ended":
                self.on_ended(fact)
            elif fact.kind == "meter.put_aside":
                self.on_aside(fact.about)
                self._scene.faults["put aside"] += 1
