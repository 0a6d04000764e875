"""One site for some days, from a seed."""

from random import Random

from iot.bridge.core import BridgeSettings
from iot.simulator.module import SimModule
from tests.simulation.box import BUSY_S, Box
from tests.simulation.cloud import Cloud
from tests.simulation.faults import LEVELS, Faults
from tests.simulation.ground import Ground
from tests.simulation.habits import random_habits
from tests.simulation.people import Driver
from tests.simulation.plan import guarded_fuses, random_plan
from tests.simulation.scene import Scene
from tests.simulation.timeline import Timeline
from tests.simulation.trouble import Trouble
from tests.simulation.truth import Truth

_BEGIN = 1_800_000_000.0
_DAY_S = 86_400
_HOUR_S = 3600
_HEALED_S = 1.5 * _HOUR_S
"""Longer than any lease, silence, retry and wait for a last register together."""


class World:
    """Everything that there is, and the order in which it lives."""

    def __init__(self, seed: int, level: Faults) -> None:
        plan = random_plan(Random(f"{seed}/plan"))
        habits = random_habits(Random(f"{seed}/habits"))
        self.site = plan.site
        self.timeline = Timeline(_BEGIN)
        self.scene = Scene(self.timeline, level)
        random = Random(f"{seed}/faults")
        self.modules = {
            o.module: SimModule(
                o.module,
                phases=len(o.phases),
                senses_plug=o.modulated or random.random() < 0.5,
                energy_wh=float(random.randrange(1, 1_000_000)),
                loss=level.link_loss,
                seed=seed,
            )
            for o in self.site.outlets
        }
        self.ground = Ground(self.site, self.timeline, self.modules, plan.building)
        self.cloud = Cloud(
            self.site,
            self.scene,
            Random(f"{seed}/cloud"),
            lambda command, payload: self.boxes[command.bridge].command(payload, command),
        )
        self.boxes = {b: self._box(seed, b) for b in self.site.of_bridge}
        self.truth = Truth(
            self.site, self.scene, modules=self.modules, boxes=self.boxes, cloud=self.cloud, ground=self.ground
        )
        self.drivers = [
            Driver(
                o,
                self.modules[o.module],
                self.cloud,
                habits,
                scene=self.scene,
                random=Random(f"{seed}/driver/{o.id}"),
                stir=self.boxes[o.bridge].stir,
            )
            for o in self.site.outlets
        ]
        self._trouble = Trouble(
            self.site,
            self.scene,
            random,
            boxes=self.boxes,
            modules=self.modules,
            meter=self.ground.meter,
            cloud=self.cloud,
            truth=self.truth,
        )

    def _box(self, seed: int, bridge: str) -> Box:
        own = self.site.of_bridge[bridge]
        random = Random(f"{seed}/box/{bridge}")
        metered = bridge == self.site.meter_bridge
        return Box(
            BridgeSettings(
                bridge,
                main_rating_a=self.site.main.rating_a if metered else None,
                wiring={m: o.phases for m, o in own.items()},
                fuses=guarded_fuses(self.site, bridge) if random.random() < 0.5 else (),
            ),
            [self.modules[m] for m in own],
            [module for m, module in self.modules.items() if m not in own],
            ground=self.ground,
            scene=self.scene,
            random=random,
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
        timeline, boxes = self.timeline, list(self.boxes.values())
        while timeline.now < end:
            timeline.now = min(timeline.next_at, end, *(b.look_at for b in boxes))
            timeline.run_due()
            looked = [b for b in boxes if b.look_at <= timeline.now]
            if looked:
                self._look(looked)

    def _look(self, looked: list[Box]) -> None:
        for box in looked:
            box.look()
        self.timeline.run_due()
        self.truth.check()
        if self.truth.over:
            self._stir()

    def _stir(self) -> None:
        for box in self.boxes.values():
            box.stir(BUSY_S)

    def _heal(self) -> None:
        self._trouble.heal()
        self._stir()
        self.scene.level = LEVELS["none"]
        self.ground.meter.silent = False
        self.cloud.come_up()
        for box in self.boxes.values():
            box.mend()
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
