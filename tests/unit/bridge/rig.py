"""A bridge with modules that are set by hand, stepped second by second."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from iot.bridge.core import Bridge, BridgeSettings, ModuleConfig, Step
from iot.contract import (
    Command,
    Currents,
    Event,
    Fault,
    Frame,
    History,
    Plug,
    Reading,
    Setting,
    Upward,
    encode,
)

BOOT = "0123abcd"
KNOWN = {"M1": ModuleConfig(16, 6), "M2": ModuleConfig(16, 6)}
M = TypeVar("M", bound=Upward)


def reading(
    a: float = 0.0,
    *,
    relay: bool = False,
    limit_a: float = 0.0,
    wh: int = 1000,
    plug: Plug = Plug.PLUGGED,
) -> Reading:
    return Reading(plug, relay, (a, a, a), (230, 230, 230), a * 690, wh, 20, limit_a, Fault(0), 90)


class Rig:
    """Modules obey at once: what they are told they show in the next step. The load draws ``draws``."""

    def __init__(
        self,
        settings: BridgeSettings | None = None,
        known: Mapping[str, ModuleConfig] = KNOWN,
        modules: tuple[str, ...] = ("M1",),
        *,
        connect: bool = True,
    ) -> None:
        self.bridge = Bridge(settings or BridgeSettings("b1"), BOOT, known)
        self.now = 1000.0
        self.readings: dict[str, Reading | None] = dict.fromkeys(modules, reading())
        self.draws: dict[str, float] = dict.fromkeys(modules, 0.0)
        self.obeys = True
        self.sent: list[Upward] = []
        self.meter: Currents | None = None
        self.meter_at: float | None = None
        if connect:
            self.bridge.connected(self.now)

    def step(self, dt: float = 1.0) -> Step:
        self.now += dt
        step = self.bridge.step(self.now, 1_700_000_000, self.readings, self.meter, self.meter_at)
        self.sent += step.send
        if self.obeys:
            for module, a in step.apply.items():
                was = self.readings[module]
                if was is not None:
                    draws = self.draws[module] if a.relay else 0.0
                    self.readings[module] = was._replace(
                        relay=a.relay, limit_a=a.limit_a, current_a=(draws, draws, draws)
                    )
        return step

    def run(self, seconds: float, dt: float = 1.0) -> Step:
        for _ in range(max(1, round(seconds / dt))):
            step = self.step(dt)
        return step

    def set(self, module: str = "M1", **changes: object) -> None:
        was = self.readings[module]
        assert was is not None
        self.readings[module] = was._replace(**changes)  # type: ignore[arg-type]

    def order(self, command: Command | None = None, **changes: object) -> bool:
        """Send a command that answers the last message, unless told otherwise."""
        base = command or Command(
            max(1, self.bridge.rev), BOOT, self.bridge.seq, 120, 60, {"M1": Setting(10, relay=True, max_a=16)}
        )
        return self.bridge.receive(self.now, encode(replace(base, **changes)))  # type: ignore[arg-type]

    def all(self, kind: type[M]) -> list[M]:
        return [m for m in self.sent if isinstance(m, kind)]

    @property
    def frames(self) -> list[Frame]:
        return self.all(Frame)

    @property
    def events(self) -> list[tuple[str, str, str | None]]:
        return [(e.kind.value, e.module, e.rule) for e in self.all(Event)]

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        return [(*row,) for h in self.all(History) for row in h.rows]


def on(limit_a: float = 10, **changes: object) -> dict[str, Setting]:
    return {"M1": replace(Setting(limit_a, relay=True, max_a=16, fallback_a=6), **changes)}  # type: ignore[arg-type]


def charging(limit_a: float = 10, draws: float = 9.0, **changes: object) -> Rig:
    """Make a rig whose module has been given a limit, and draws."""
    rig = Rig()
    rig.step()
    assert rig.order(rev=1, ttl_s=80_000, modules=on(limit_a, **changes))
    rig.draws["M1"] = draws
    rig.run(5)
    rig.sent.clear()
    return rig
