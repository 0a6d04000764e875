"""A bridge in simulated time: the real core beside simulated modules, and a line to the cloud that can't be trusted."""

from dataclasses import replace
from functools import partial
from random import Random

from iot.bridge.core import Bridge, BridgeSettings, ModuleConfig
from iot.contract import Event, Frame, History, Topics, Upward, encode
from iot.simulator.module import SimModule
from iot.simulator.site import SimMeter
from tests.simulation.cloud import Cloud
from tests.simulation.scene import Scene

_KINDS = {Frame: "frame", Event: "event", History: "history"}
_FRAME_AGE_S, _EVENT_AGE_S, _COMMAND_AGE_S = 60, 600, 3600
_RETRY_S = 5
_BUSY_S = 10
QUIET_STEP_S = 30
"""How often a bridge is looked at while nothing moves; every other second while something does."""
_TOPICS = Topics()


class Box:
    """The bridge's hardware: it can be dead, disconnected, forgetful and wrong about the time."""

    def __init__(
        self,
        settings: BridgeSettings,
        modules: list[SimModule],
        meter: SimMeter | None,
        *,
        scene: Scene,
        random: Random,
        cloud: Cloud,
    ) -> None:
        self.busy_until = 0.0
        """Until when it must be looked at closely."""
        self._turned_at = 0.0
        self.core: Bridge | None = None
        self._settings = settings
        self._modules = modules
        self._meter = meter
        self._scene = scene
        self._timeline = scene.timeline
        self._random = random
        self._cloud = cloud
        self._known: dict[str, ModuleConfig] = {}
        self._connected = False
        self._presence = 0
        self._wall_offset_s = 0
        self._booted_at = scene.timeline.now
        self._rate = 1.0 + random.uniform(-0.015, 0.015)
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

    def change_wall_clock(self) -> None:
        """Be wrong about the time of day: 1970, an hour off, or anything."""
        self._scene.faults["wall clock"] += 1
        now = round(self._timeline.now)
        self._wall_offset_s = self._random.choice((-now, 3600, -3600, self._random.randint(-86_400, 86_400)))

    def _tell_presence(self, *, connected: bool) -> None:
        self._presence += 1
        if self._random.random() >= self._scene.level.lose:
            at = self._timeline.now
            say = partial(self._cloud.presence, self._settings.bridge, self._presence, at, connected=connected)
            self._timeline.after(self._random.choice((1, 2, 10)), say, concurrent=True)

    def stir(self) -> None:
        """Look at it closely for a while."""
        self.busy_until = self._timeline.now + _BUSY_S

    # -------------------------------------------------------------- its work

    def turn(self) -> None:
        """Sample, decide, apply, send: one turn of the agent, if it is time for one."""
        now = self._timeline.now
        if self.core is None or self.busy_until < now < self._turned_at + QUIET_STEP_S:
            return
        self._turned_at = now
        readings = {m.id: m.sample() for m in self._modules}
        meter_a = None if self._meter is None else self._meter.sample()
        wall = max(0, round(self._timeline.now) + self._wall_offset_s)
        done = self.core.step(self.now, wall, readings, meter_a)
        self._known = dict(self.core.known)
        for m in self._modules:
            a = done.apply[m.id]
            if (a.limit_a, a.relay) != (m.limit_a, m.relay):
                self.stir()
            m.apply(a.limit_a, a.relay, a.lease_s, a.fallback_a)
        for message in done.send:
            self._send(message)

    def hear(self, payload: bytes) -> None:
        """Take a command that has arrived."""
        if self.core is None or not self._connected:
            return
        rev = self.core.rev
        if self.core.receive(self.now, payload) and self.core.rev != rev:
            self.stir()

    # -------------------------------------------------------------- the line

    def command(self, payload: bytes) -> None:
        """Carry a command down, or lose it; it may take any time."""
        for _ in range(self._copies()):
            if self._happens(self._scene.level.lose, "command lost"):
                continue
            delay = self._delay("command delayed", _COMMAND_AGE_S)
            self._timeline.after(delay, partial(self.hear, payload))

    def _send(self, message: Upward) -> None:
        boot = message.boot
        for _ in range(self._copies()):
            self._carry(message, boot, self._timeline.now)

    def _carry(self, message: Upward, boot: str, made_at: float) -> None:
        """Carry a message up; what is not a frame is sent until it is taken, while this boot lives."""
        waited = round(self._timeline.now - made_at)
        if isinstance(message, Frame):
            if self._happens(self._scene.level.lose, "frame lost"):
                return
            delay = self._delay("frame delayed", _FRAME_AGE_S)
        elif not self._connected or self._happens(self._scene.level.lose, "event unacknowledged"):
            if self.core is not None and self.core.boot == boot and waited < _EVENT_AGE_S:
                self._timeline.after(_RETRY_S, partial(self._carry, message, boot, made_at))
            return
        else:
            delay = self._delay("event delayed", _EVENT_AGE_S - waited)
        if isinstance(message, History) and waited:
            message = replace(message, rows=tuple(r._replace(age_s=r.age_s + waited) for r in message.rows))
        on_the_way = self._random.randint(0, delay) if delay > 1 else 0
        topic = _TOPICS.plain(self._settings.bridge, _KINDS[type(message)])
        received_at = self._timeline.now + on_the_way
        take = partial(self._cloud.take, topic, encode(message), received_at)
        self._timeline.after(delay, take, concurrent=True)

    def _happens(self, share: float, kind: str) -> bool:
        happens = self._random.random() < share
        self._scene.faults[kind] += happens
        return happens

    def _copies(self) -> int:
        return 2 if self._happens(self._scene.level.double, "doubled") else 1

    def _delay(self, kind: str, most_s: int) -> int:
        if self._happens(self._scene.level.delay, kind):
            return self._random.randint(1, max(1, self._random.choice((most_s // 20, most_s // 4, most_s))))
        return self._random.choice((0, 0, 1))
