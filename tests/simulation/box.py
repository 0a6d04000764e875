"""A bridge in simulated time: the real core beside simulated modules, and a line to the cloud that can't be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import ceil, inf
from random import Random

from epspot.control.effects import SendCommand, Setting
from iot.bridge.core import Bridge, BridgeSettings, ModuleConfig
from iot.contract import Event, Frame, History, Topics, Upward, encode
from iot.simulator.module import SimModule
from tests.simulation.cloud import Cloud
from tests.simulation.ground import Ground
from tests.simulation.scene import Scene

_KINDS = {Frame: "frame", Event: "event", History: "history"}
_FRAME_AGE_S, _EVENT_AGE_S, _COMMAND_AGE_S = 60, 600, 3600
_RETRY_S = 5
_SLOW_S = 45
_HOUR_S = 3600

BUSY_S, _BRIEF_S, _HEARD_S = 10, 4, 3
"""How long a bridge is looked at closely: when a load does more than it should, which is judged within seconds; when
something happens that shows at once; when a command has come that may change nothing."""
_OBEYS_A = 0.5
_BUSY_STEP_S, _QUIET_STEP_S = 2, 30
"""Between two looks: while something moves, and when nothing does but frames are wanted often."""
_DRIFT = 0.015
"""How much faster or slower a bridge's clock runs, at most."""
_TOPICS = Topics()


class Box:
    """The bridge's hardware: it can be dead, disconnected, forgetful and wrong about the time and its modules."""

    def __init__(
        self,
        settings: BridgeSettings,
        own: Sequence[SimModule],
        strangers: Sequence[SimModule],
        *,
        ground: Ground,
        scene: Scene,
        random: Random,
        cloud: Cloud,
    ) -> None:
        """``strangers`` are the modules of other bridges that its power line reaches too."""
        self.core: Bridge | None = None
        self.look_at = scene.timeline.now
        """When it must be looked at next."""
        self._looked_at = -inf
        self._busy_until = 0.0
        self._settings = settings
        self._own = own
        self._strangers = strangers
        self._modules = own
        self._ground = ground
        self._scene = scene
        self._timeline = scene.timeline
        self._random = random
        self._cloud = cloud
        self._known: dict[str, ModuleConfig] = {}
        self._told: Mapping[str, Setting] = {}
        self._connected = False
        self._presence = 0
        self._interval_s = settings.interval_s
        self._slow_until = 0.0
        self._hindered_until = -inf
        self._wall_offset_s = 0
        self._booted_at = scene.timeline.now
        self._rate = 1.0 + random.uniform(-_DRIFT, _DRIFT)
        self.boot()

    # -------------------------------------------------------------- its life

    @property
    def now(self) -> float:
        """Tell its own monotonic time, which runs a little fast or slow."""
        return 1000.0 + (self._timeline.now - self._booted_at) * self._rate

    def boot(self) -> None:
        """Start with what was remembered, and connect a little later."""
        if self.core is None:
            self._booted_at = self._timeline.now
            self._interval_s, self._told = self._settings.interval_s, {}
            self._modules = self._configured()
            self.core = Bridge(self._settings, f"{self._random.randrange(1 << 32):08x}", self._known)
            self.stir()
            self._timeline.after(self._random.randint(1, 20), self.connect)

    def reboot(self) -> None:
        """Lose all but what was remembered, perhaps that too, and start again."""
        if self.core is None:
            return
        self._scene.faults["reboot"] += 1
        self.disconnect()
        self.core = None
        self.stir()
        if self._random.random() < self._scene.level.forget:
            self._scene.faults["reboot, forgetful"] += 1
            self._known = {}
        self._timeline.after(self._random.choice((5, 20, 60, 600)), self.boot)

    def _configured(self) -> Sequence[SimModule]:
        """List the modules that this boot takes for its own: one lacks, or one is another bridge's, if that is stale."""
        if not self._happens(self._scene.level.stale, "configuration stale"):
            return self._own
        self._timeline.after(self._random.choice((120, 1200, 2 * _HOUR_S)), self.mend)
        if self._strangers and self._random.random() < 0.5:
            return [*self._own, self._random.choice(self._strangers)]
        lacks = self._random.choice(self._own)
        return [m for m in self._own if m is not lacks]

    def mend(self) -> None:
        """Be configured rightly, which takes a restart."""
        if self.core is not None and self._modules is not self._own:
            self.disconnect()
            self.core = None
            self.boot()

    def connect(self) -> None:
        """Reach the cloud."""
        if self.core is None or self._connected:
            return
        self._connected = True
        self.core.connected(self.now)
        self.stir()
        self._tell_presence(connected=True)

    def disconnect(self) -> None:
        """Reach the cloud no more."""
        if self.core is None or not self._connected:
            return
        self._connected = False
        self.core.disconnected(self.now)
        self._tell_presence(connected=False)

    def go_offline(self) -> None:
        """Lose the connection for a while."""
        self._scene.faults["offline"] += 1
        self.disconnect()
        self._timeline.after(self._random.choice((5, 60, 300, 1200, 3600)), self.connect)

    def slow_down(self) -> None:
        """Be on a line so slow, for a while, that other bridges' messages overtake this one's by far."""
        self._scene.faults["line slow"] += 1
        self._slow_until = self._timeline.now + self._random.choice((60, 300, 1200))

    def change_wall_clock(self) -> None:
        """Be wrong about the time of day: 1970, an hour off, or anything."""
        self._scene.faults["wall clock"] += 1
        now = round(self._timeline.now)
        self._wall_offset_s = self._random.choice((-now, 3600, -3600, self._random.randint(-86_400, 86_400)))

    def _tell_presence(self, *, connected: bool) -> None:
        self._presence += 1
        if self._random.random() >= self._scene.level.lose:
            at = self._timeline.now + self._scene.skew(self._random)
            say = partial(self._cloud.presence, self._settings.bridge, self._presence, at, connected=connected)
            self._timeline.after(self._random.choice((1, 2, 10)), say, concurrent=True)

    def stir(self, seconds: float = _BRIEF_S) -> None:
        """Look at it closely for a while: something moves, or is about to."""
        now = self._timeline.now
        if self._ground.catch_up(self._settings.bridge) and self._exceeds():
            seconds = BUSY_S
        self._busy_until = max(self._busy_until, now + seconds)
        self.look_at = min(self.look_at, now if self._looked_at < now else now + 1)

    @property
    def hindered_until(self) -> float:
        """Tell until when, as far as is known, it can't be counted on to tell what is and to do what it is told."""
        deaf = self.core is None or not self._connected or self._modules is not self._own
        if deaf or not all(m.answers for m in self._own):
            return self._timeline.now
        return max(self._hindered_until, self._slow_until)

    def _hinder(self, seconds: float) -> None:
        self._hindered_until = max(self._hindered_until, self._timeline.now + seconds)

    def _exceeds(self) -> bool:
        """Tell whether some load draws more than its module is told, or has not followed yet."""
        return any(max(m.current_a) > m.limit_a + _OBEYS_A for m in self._own)

    # -------------------------------------------------------------- its work

    def look(self) -> None:
        """Let its part of the ground live until now, and the agent take a turn if it runs."""
        now = self._looked_at = self._timeline.now
        if self._ground.catch_up(self._settings.bridge):
            self.stir(BUSY_S if self._exceeds() else _BRIEF_S)
        if self.core is not None:
            self._turn(self.core)
        # By the slowest clock, the next frame is due then.
        frame_s = ceil(self._interval_s * (1 + _DRIFT)) + 1
        step_s = _BUSY_STEP_S if now < self._busy_until else max(_QUIET_STEP_S, frame_s)
        must_at = min(self._ground.lease_ends_at(self._settings.bridge), self._target_at())
        self.look_at = max(now + 1, min(now + step_s, must_at))

    def _turn(self, core: Bridge) -> None:
        """Sample, decide, apply, send: one turn of the agent."""
        readings = {m.id: m.sample() for m in self._modules}
        meter_a = self._ground.measure() if self._settings.main_rating_a is not None else None
        wall = max(0, round(self._timeline.now) + self._wall_offset_s)
        done = core.step(self.now, wall, readings, meter_a)
        for m in self._modules:
            a = done.apply[m.id]
            was = m.limit_a, m.relay
            m.apply(a.limit_a, a.relay, a.lease_s, a.fallback_a)
            if m not in self._own:
                continue  # it is the other bridge that notices
            if (m.limit_a, m.relay) == (a.limit_a, a.relay):
                told = self._told.get(m.id)
                self._ground.conductors[m.id] = None if told is None else told.conductors
            if (m.limit_a, m.relay) != was:
                self.stir(BUSY_S if self._exceeds() else _BRIEF_S)
            elif was != (a.limit_a, a.relay) and m.answers:
                self.stir()  # the line has lost it: it is told again
        for message in done.send:
            self._send(message)

    def _target_at(self) -> float:
        """Tell in which second a module's register reaches what is paid for: the bridge would see it at once."""
        first = inf
        for m in self._modules:
            config = self._known.get(m.id)
            if config is not None and config.until_wh is not None and m.current_a[0] and m.energy_wh < config.until_wh:
                power_w = sum(m.current_a) * m.voltage_v
                first = min(first, ceil(self._timeline.now + (config.until_wh - m.energy_wh) * _HOUR_S / power_w))
        return first

    def hear(self, payload: bytes, command: SendCommand) -> None:
        """Take a command that has arrived."""
        if self.core is None or not self._connected:
            return
        rev, now = self.core.rev, self._timeline.now
        if self.core.receive(self.now, payload):
            self._known, self._interval_s, self._told = dict(self.core.known), command.interval_s, command.modules
            if self.core.rev != rev:
                self.stir(_HEARD_S)
            else:
                self.look_at = min(self.look_at, now + 1)  # a longer lease reaches the modules at the next turn

    # -------------------------------------------------------------- the line

    def command(self, payload: bytes, command: SendCommand) -> None:
        """Carry a command down in its wire form, or lose it; it may take any time."""
        for _ in range(self._copies()):
            if self._happens(self._scene.level.lose, "command lost"):
                self._hinder(0)
                continue
            delay = self._delay("command delayed", _COMMAND_AGE_S)
            self._timeline.after(delay, partial(self.hear, payload, command))

    def _send(self, message: Upward) -> None:
        boot = message.boot
        for _ in range(self._copies()):
            self._carry(message, boot, self._timeline.now)

    def _carry(self, message: Upward, boot: str, made_at: float) -> None:
        """Carry a message up; what is not a frame is sent until it is taken, while this boot lives."""
        waited = round(self._timeline.now - made_at)
        if isinstance(message, Frame):
            if self._happens(self._scene.level.lose, "frame lost"):
                self._hinder(0)
                return
            delay = self._delay("frame delayed", _FRAME_AGE_S)
        elif not self._connected or self._happens(self._scene.level.lose, "event unacknowledged"):
            self._hinder(_RETRY_S)
            if self.core is not None and self.core.boot == boot and waited < _EVENT_AGE_S:
                self._timeline.after(_RETRY_S, partial(self._carry, message, boot, made_at))
            return
        else:
            delay = self._delay("event delayed", _EVENT_AGE_S - waited)
        if isinstance(message, History) and waited:
            message = replace(message, rows=tuple(r._replace(age_s=r.age_s + waited) for r in message.rows))
        on_the_way = self._random.randint(0, delay) if delay > 1 else 0
        topic = _TOPICS.plain(self._settings.bridge, _KINDS[type(message)])
        received_at = self._timeline.now + on_the_way + self._scene.skew(self._random)
        take = partial(self._cloud.take, topic, encode(message), received_at)
        self._timeline.after(delay, take, concurrent=True)

    def _happens(self, share: float, kind: str) -> bool:
        happens = self._random.random() < share
        self._scene.faults[kind] += happens
        return happens

    def _copies(self) -> int:
        return 2 if self._happens(self._scene.level.double, "doubled") else 1

    def _delay(self, kind: str, most_s: int) -> int:
        if self._timeline.now < self._slow_until:
            return self._random.randint(_SLOW_S // 3, _SLOW_S)
        if self._happens(self._scene.level.delay, kind):
            delay = self._random.randint(1, max(1, self._random.choice((most_s // 20, most_s // 4, most_s))))
            self._hinder(delay)
            return delay
        return self._random.choice((0, 0, 1))
