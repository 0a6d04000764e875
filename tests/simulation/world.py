"""One site for some days, from a seed."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from epspot.services import advance as advancing
from iot.bridge.core import BridgeSettings
from iot.simulator.module import SimModule
from iot.simulator.site import SimMeter
from tests.simulation.box import QUIET_STEP_S, Box
from tests.simulation.cloud import Cloud, Recorder
from tests.simulation.faults import LEVELS, Faults
from tests.simulation.people import Driver
from tests.simulation.plan import random_plan
from tests.simulation.scene import Scene
from tests.simulation.timeline import Timeline
from tests.simulation.truth import Truth

if TYPE_CHECKING:
    from iot.contract import Currents

_BEGIN = 1_800_000_000.0
_DAY_S = 86_400
_HOUR_S = 3600
_BUSY_STEP_S = 2
_MOVES_A = 0.5
_HEALED_S = 1.5 * _HOUR_S
"""Longer than any lease, silence, retry and wait for a last register together."""


class World:
    """Everything that there is, and the order in which it lives."""

    def __init__(self, seed: int, level: Faults) -> None:
        plan = random_plan(Random(f"{seed}/plan"))
        self.site = plan.site
        self.timeline = Timeline(_BEGIN)
        self.scene = Scene(self.timeline, level)
        self._random = Random(f"{seed}/faults")
        self._building = plan.building
        self._building_a: Currents | None = None
        self._healed = False
        self.modules = {
            o.module: SimModule(
                o.module,
                phases=len(o.phases),
                senses_plug=o.modulated or self._random.random() < 0.5,
                energy_wh=float(self._random.randrange(1, 1_000_000)),
                loss=level.link_loss,
                seed=seed,
            )
            for o in self.site.outlets
        }
        self.cloud = Cloud(
            self.site, self.scene, Random(f"{seed}/cloud"), lambda b, command: self.boxes[b].command(command)
        )
        self.meter = SimMeter()
        self.boxes = {b: self._box(seed, b) for b in self.site.of_bridge}
        self.truth = Truth(self.site, self.modules, self.cloud, self.scene.watcher)
        self.drivers = [
            Driver(
                o,
                self.modules[o.module],
                self.cloud,
                scene=self.scene,
                random=Random(f"{seed}/driver/{o.id}"),
                stir=self.boxes[o.bridge].stir,
            )
            for o in self.site.outlets
        ]
        self._order_faults()

    def _box(self, seed: int, bridge: str) -> Box:
        own = self.site.of_bridge[bridge]
        metered = bridge == self.site.meter_bridge
        settings = BridgeSettings(
            bridge,
            main_rating_a=self.site.main.rating_a if metered else None,
            wiring={m: o.phases for m, o in own.items()},
        )
        return Box(
            settings,
            [self.modules[m] for m in own],
            self.meter if metered else None,
            scene=self.scene,
            random=Random(f"{seed}/box/{bridge}"),
            cloud=self.cloud,
        )

    # -------------------------------------------------------------- time

    def live(self, days: float) -> None:
        """Let some days pass, then heal everything, let everybody leave, and see that all comes to its end."""
        self._live_until(_BEGIN + days * _DAY_S)
        self._heal()
        self._live_until(self.timeline.now + _HEALED_S)
        self.truth.close()

    def _live_until(self, end: float) -> None:
        timeline = self.timeline
        while timeline.now < end:
            busy = any(timeline.now < b.busy_until for b in self.boxes.values())
            step_s = _BUSY_STEP_S if busy else QUIET_STEP_S
            before, timeline.now = timeline.now, min(timeline.next_at, timeline.now + step_s, end)
            dt = timeline.now - before
            if dt:
                self._advance(dt)
            timeline.run_due()
            for box in self.boxes.values():
                box.turn()
            timeline.run_due()
            self.truth.check(timeline.now, self._building_a)
            if self.truth.over:
                self._stir()

    def _advance(self, dt: float) -> None:
        feeder = [0.0, 0.0, 0.0]
        if self._building is not None:
            self._building_a = self._building.advance(dt)
            feeder = list(self._building_a)
        for o in self.site.outlets:
            module = self.modules[o.module]
            was = module.current_a[0]
            drawn = module.advance(dt)
            if abs(drawn[0] - was) > _MOVES_A:
                self.boxes[o.bridge].stir()
            if drawn[0]:
                self.truth.deliver(o.id, module, dt)
            for conductor, p in enumerate(o.phases):
                feeder[p] += drawn[conductor]
        self.meter.current_a = (feeder[0], feeder[1], feeder[2])

    def _stir(self) -> None:
        for box in self.boxes.values():
            box.stir()

    # -------------------------------------------------------------- faults

    def _order_faults(self) -> None:
        level = self.scene.level
        for box in self.boxes.values():
            self._now_and_then(level.offline_h, box.go_offline, box.stir)
            self._now_and_then(level.reboot_h, box.reboot, box.stir)
            self._now_and_then(level.wall_clock_h, box.change_wall_clock, box.stir)
        for o in self.site.outlets:
            module = self.modules[o.module]
            stir = self.boxes[o.bridge].stir
            self._now_and_then(level.silent_h, partial(self._silence, module), stir)
            self._now_and_then(level.rcbo_h, partial(self._trip, module), stir)
            self._now_and_then(level.register_h, partial(self._spoil, o.id, module), stir)
        self._now_and_then(level.meter_h, self._silence_meter, self._stir)

    def _now_and_then(self, per_hour: float, what: Callable[[], None], stir: Callable[[], None]) -> None:
        if per_hour <= 0:
            return

        def happen() -> None:
            if not self._healed:
                stir()
                what()
                self._now_and_then(per_hour, what, stir)

        self.timeline.after(self._random.expovariate(per_hour / _HOUR_S), happen)

    def _silence(self, module: SimModule) -> None:
        self.scene.faults["module silent"] += 1
        module.go_silent()
        wait = self._random.choice((1, 2, 3, 10, 60, 900))
        self.timeline.after(wait, partial(module.go_silent, silent=False))

    def _silence_meter(self) -> None:
        self.scene.faults["meter silent"] += 1
        self.meter.silent = True
        self.timeline.after(self._random.choice((5, 120, 1800)), self._hear_meter)

    def _hear_meter(self) -> None:
        self.meter.silent = False

    def _trip(self, module: SimModule) -> None:
        self.scene.faults["rcbo trips"] += 1
        module.breaker.tripped = True
        self.timeline.after(self._random.choice((60, 600, 3600)), module.reset_rcbo)

    def _spoil(self, outlet: str, module: SimModule) -> None:
        kind = self._random.choice(("reset", "leap", "fall", "zero"))
        self.scene.faults[f"register {kind}"] += 1
        self.truth.spoil(outlet)
        if kind == "reset":
            module.reset_register()
        elif kind == "leap":
            module.leap_register(500_000.0)
        elif kind == "fall":
            module.leap_register(-self._random.uniform(1, 100_000))
        else:
            was, module.energy_wh = module.energy_wh, 0.0
            self.timeline.after(self._random.choice((1, 5, 30)), partial(self._restore, module, was))

    def _restore(self, module: SimModule, was: float) -> None:
        module.energy_wh += was

    def _heal(self) -> None:
        self._healed = True
        self._stir()
        self.scene.level = LEVELS["none"]
        self.meter.silent = False
        for box in self.boxes.values():
            box.boot()
            box.connect()
        for module in self.modules.values():
            module.set_link(90, 0.0)
            module.go_silent(silent=False)
            if module.breaker.tripped:
                module.reset_rcbo()
        for driver in self.drivers:
            driver.leave_for_good()
        for session in self.cloud.live.sessions:
            # Also those whose start was never answered.
            self.cloud.stop(session)


def simulate(seed: int, days: float, faults: str) -> dict[str, Any]:
    """Live some days and report."""
    recorder = Recorder()
    with patch.object(advancing, "step", recorder):
        world = World(seed, LEVELS[faults])
        world.live(days)
    if wrong := recorder.differences(world.site):
        world.scene.watcher.violated("replay", f"{wrong} steps came out otherwise")
    bills = world.truth.bills.values()
    ended = Counter(n.fact.detail["reason"] for n in world.cloud.lives.outbox if n.fact.kind == "session.ended")
    return {
        "seed": seed,
        "days": days,
        "level": faults,
        "site": {
            "outlets": len(world.site.outlets),
            "fuses": len(world.site.fuses),
            "bridges": len(world.boxes),
            "metered": world.site.meter_bridge is not None,
        },
        "steps": world.scene.watcher.steps,
        "sessions": len(bills),
        "ended_by_reason": dict(sorted(ended.items())),
        "faults": dict(sorted(world.scene.faults.items())),
        "invariants": world.scene.watcher.report(),
        "examples": world.scene.watcher.examples,
        "energy_wh": {
            "metered": sum(b.billed_wh for b in bills),
            "delivered": round(sum(b.delivered_wh for b in bills)),
        },
    }


def simulate_many(seed: int, sites: int, days: float, faults: str) -> dict[str, Any]:
    """Let as many sites live, each from its own seed, on all processors, and add up their reports."""
    seeds = range(seed, seed + sites)
    with ProcessPoolExecutor() as pool:
        reports = list(pool.map(simulate, seeds, repeat(days), repeat(faults)))
    total: dict[str, Any] = {"seed": seed, "sites": sites, "days": sites * days, "level": faults}
    total |= {name: sum(r[name] for r in reports) for name in ("steps", "sessions")}
    for name in ("ended_by_reason", "faults", "invariants", "energy_wh"):
        added = Counter[str]()
        for r in reports:
            added.update(r[name])
        total[name] = dict(sorted(added.items()))
    return total | {"examples": {r["seed"]: r["examples"] for r in reports if r["examples"]}}
