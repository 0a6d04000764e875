"""Drivers, who come and go at one outlet."""

from collections.abc import Callable
from random import Random

from epspot.site import Outlet
from iot.simulator.loads import Car, Heater, Load, Overdraw
from iot.simulator.module import SimModule
from tests.simulation.cloud import Cloud
from tests.simulation.scene import Scene

_HOUR_S = 3600
_MINUTE_S = 60
_TRIES = 5


class Driver:
    """Whoever uses an outlet, one after another."""

    def __init__(
        self,
        outlet: Outlet,
        module: SimModule,
        cloud: Cloud,
        *,
        scene: Scene,
        random: Random,
        stir: Callable[[], None],
    ) -> None:
        self._outlet = outlet
        self._module = module
        self._cloud = cloud
        self._scene = scene
        self._timeline = scene.timeline
        self._random = random
        self._stir = stir
        self._number = 0
        self._session: str | None = None
        self._gone = False
        self._timeline.after(random.uniform(0, 3 * _HOUR_S), self._arrive)

    def leave_for_good(self) -> None:
        """Stop, unplug, and come no more."""
        self._gone = True
        if self._session is not None:
            self._cloud.stop(self._session)
        self._unplug()

    def _arrive(self) -> None:
        if self._gone:
            return
        self._number += 1
        stay = self._random.choice((0.1, 0.5, 1, 2, 4, 8)) * _HOUR_S * self._random.uniform(0.5, 1.5)
        plugs_late = self._random.random() < 0.15
        late = self._random.uniform(_MINUTE_S, 12 * _MINUTE_S) if plugs_late else 0
        visit = self._number
        self._timeline.after(late, lambda: self._plug(visit))
        self._timeline.after(0 if plugs_late else self._random.uniform(0, 180), lambda: self._start(visit))
        for _ in range(self._random.choice((0, 1, 2))):
            self._timeline.after(self._random.uniform(0, stay), self._look)
        self._timeline.after(late + stay, self._leave)

    def _plug(self, visit: int) -> None:
        if self._gone or visit != self._number:
            return
        self._stir()
        self._module.plug(self._load())

    def _load(self) -> Load:
        random = self._random
        if not self._outlet.modulated:
            power = random.uniform(300, self._outlet.max_a * 210)
            return Heater(power, on_s=random.choice((600.0, 1e9)), off_s=600.0)
        if random.random() < self._scene.level.overdraw:
            return Overdraw(top_a=random.choice((12.0, 20.0, 40.0)), phases=random.choice((1, 3)))
        return Car(
            needs_wh=random.uniform(500, 30_000),
            battery_wh=random.choice((20_000.0, 60_000.0)),
            phases=random.choice((1, 3, 3)),
            max_a=min(self._outlet.max_a, random.choice((10.0, 16.0, 32.0))),
            reaction_s=random.choice((0.0, 1.0, 2.0)),
            sleep_after_s=random.choice((600.0, 1800.0)),
            wakes_by=random.choice(("limit", "relay")),
        )

    def _start(self, visit: int, tries: int = _TRIES) -> None:
        if self._gone or visit != self._number:
            return
        self._session = self._cloud.start(self._outlet.id, f"{self._outlet.id}-{visit}")
        if self._session is None and tries:
            wait = self._random.choice((2, 30, 60))
            self._timeline.after(wait, lambda: self._start(visit, tries - 1))

    def _look(self) -> None:
        if self._session is not None:
            self._cloud.follow(self._session)

    def _leave(self) -> None:
        if self._gone:
            return
        if self._session is not None and self._random.random() < 0.5:
            self._cloud.stop(self._session)
            self._timeline.after(self._random.choice((0, 5, 60, 300)), self._go)
        else:
            self._go()

    def _go(self) -> None:
        if self._gone:
            return
        self._unplug()
        self._number += 1
        self._timeline.after(self._random.expovariate(1 / (2 * _HOUR_S)), self._arrive)

    def _unplug(self) -> None:
        self._stir()
        self._session = None
        self._module.unplug()
