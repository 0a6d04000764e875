"""Whoever lets things go wrong: at random times, as often as the level of faults says, until all is healed."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random

from epspot.site import Site
from iot.simulator.module import SimModule
from iot.simulator.site import SimMeter
from tests.simulation.box import Box
from tests.simulation.cloud import Cloud
from tests.simulation.scene import Scene
from tests.simulation.truth import Truth

_HOUR_S = 3600


class Trouble:
    """Faults of bridges, modules, registers, the meter and the cloud."""

    def __init__(
        self,
        site: Site,
        scene: Scene,
        random: Random,
        *,
        boxes: Mapping[str, Box],
        modules: Mapping[str, SimModule],
        meter: SimMeter,
        cloud: Cloud,
        truth: Truth,
    ) -> None:
        self._scene = scene
        self._timeline = scene.timeline
        self._random = random
        self._meter = meter
        self._truth = truth
        self._healed = False
        level = scene.level
        for box in boxes.values():
            own = [box]
            self._now_and_then(level.offline_h, box.go_offline, own)
            self._now_and_then(level.reboot_h, box.reboot, own)
            self._now_and_then(level.slow_h, box.slow_down, [])
            self._now_and_then(level.wall_clock_h, box.change_wall_clock, [])
        for o in site.outlets:
            module, own = modules[o.module], [boxes[o.bridge]]
            self._now_and_then(level.silent_h, partial(self._silence, module), own)
            self._now_and_then(level.rcbo_h, partial(self._trip, module), own)
            self._now_and_then(level.register_h, partial(self._spoil, o.id, module), own)
        self._now_and_then(level.meter_h, self._silence_meter, boxes.values())
        self._now_and_then(level.down_h, cloud.go_down, [])

    def heal(self) -> None:
        """Let nothing more go wrong."""
        self._healed = True

    def _now_and_then(self, per_hour: float, what: Callable[[], None], where: Iterable[Box]) -> None:
        if per_hour <= 0:
            return

        def happen() -> None:
            if not self._healed:
                for box in where:
                    box.stir()
                what()
                self._now_and_then(per_hour, what, where)

        self._timeline.after(self._random.expovariate(per_hour / _HOUR_S), happen)

    def _silence(self, module: SimModule) -> None:
        self._scene.faults["module silent"] += 1
        module.go_silent()
        wait = self._random.choice((1, 2, 3, 10, 60, 900))
        self._timeline.after(wait, partial(module.go_silent, silent=False))

    def _silence_meter(self) -> None:
        self._scene.faults["meter silent"] += 1
        self._meter.silent = True
        self._timeline.after(self._random.choice((5, 120, 1800)), self._hear_meter)

    def _hear_meter(self) -> None:
        self._meter.silent = False

    def _trip(self, module: SimModule) -> None:
        self._scene.faults["rcbo trips"] += 1
        module.breaker.tripped = True
        self._timeline.after(self._random.choice((60, 600, 3600)), module.reset_rcbo)

    def _spoil(self, outlet: str, module: SimModule) -> None:
        kind = self._random.choice(("reset", "leap", "fall", "zero"))
        self._scene.faults[f"register {kind}"] += 1
        self._truth.spoil(outlet)
        if kind == "reset":
            module.reset_register()
        elif kind == "leap":
            # So far, and never twice alike, that a reset and a leap together hardly look like what a load might take.
            module.leap_register(self._random.uniform(1_000_000, 9_000_000))
        elif kind == "fall":
            module.leap_register(-self._random.uniform(1, 100_000))
        else:
            was, module.energy_wh = module.energy_wh, 0.0
            self._timeline.after(self._random.choice((1, 5, 30)), partial(self._restore, module, was))

    def _restore(self, module: SimModule, was: float) -> None:
        module.energy_wh += was
