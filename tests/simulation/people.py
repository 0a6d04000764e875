"""Drivers, who come and go at one outlet."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from epspot.control.events import ChangeRequested, PauseRequested, ResumeRequested
from epspot.control.state import Wishes
from epspot.site import Outlet
from iot.simulator.loads import Car, Heater, Load, Overdraw
from iot.simulator.module import SimModule
from tests.simulation.cloud import Cloud
from tests.simulation.habits import Coming, Habits
from tests.simulation.plan import STAFF
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
        habits: Habits,
        *,
        scene: Scene,
        random: Random,
        stir: Callable[[], None],
    ) -> None:
        self._outlet = outlet
        self._module = module
        self._cloud = cloud
        self._habits = habits
        self._scene = scene
        self._timeline = scene.timeline
        self._random = random
        self._stir = stir
        self._number = 0
        self._session: str | None = None
        self._gone = False
        self._await_next()

    def leave_for_good(self) -> None:
        """Stop, unplug, and come no more."""
        self._gone = True
        if self._session is not None:
            self._cloud.stop(self._session)
        self._unplug()

    def _await_next(self) -> None:
        coming = self._habits.next(self._random, self._timeline.now)
        self._timeline.after(coming.in_s, lambda: self._arrive(coming))

    def _arrive(self, coming: Coming) -> None:
        if self._gone:
            return
        self._number += 1
        plugs_late = self._random.random() < 0.15
        late = self._random.uniform(_MINUTE_S, 12 * _MINUTE_S) if plugs_late else 0
        visit = self._number
        self._timeline.after(late, lambda: self._plug(visit, coming.needs_wh))
        self._timeline.after(0 if plugs_late else self._random.uniform(0, 180), lambda: self._start(visit))
        for _ in range(self._random.choice((0, 1, 2))):
            act = self._random.choice((self._look, self._look, self._pause, self._change))
            self._timeline.after(self._random.uniform(0, coming.stay_s), act)
        self._timeline.after(late + coming.stay_s, self._leave)

    def _plug(self, visit: int, needs_wh: float) -> None:
        if self._gone or visit != self._number:
            return
        self._stir()
        self._module.plug(self._load(needs_wh))

    def _load(self, needs_wh: float) -> Load:
        random = self._random
        if not self._outlet.modulated:
            power = random.uniform(300, self._outlet.max_a * 210)
            return Heater(power, on_s=random.choice((600.0, 1e9)), off_s=600.0)
        if random.random() < self._scene.level.overdraw:
            return Overdraw(top_a=random.choice((12.0, 20.0, 40.0)), phases=random.choice((1, 3)))
        car = Car(
            needs_wh=needs_wh,
            battery_wh=random.choice((20_000.0, 60_000.0)),
            phases=random.choice((1, 3, 3)),
            max_a=min(self._outlet.max_a, random.choice((10.0, 16.0, 32.0))),
            reaction_s=random.choice((0.0, 1.0, 2.0)),
            sleep_after_s=random.choice((600.0, 1800.0)),
            wakes_by=random.choice(("limit", "relay")),
        )
        if len(self._outlet.phases) > 1 and random.random() < self._scene.level.changes_phases:
            self._scene.faults["phases change"] += 1
            car.changes_after_s, car.phases_then = random.uniform(60, _HOUR_S), 4 - car.phases
        return car

    def _start(self, visit: int, tries: int = _TRIES) -> None:
        if self._gone or visit != self._number:
            return
        if self._outlet.autostart:
            return  # it begins by itself
        key = f"{self._outlet.id}-{visit}"
        self._session = self._cloud.start(self._outlet.id, key, self._wishes())
        if self._session is None and tries:
            wait = self._random.choice((2, 30, 60))
            self._timeline.after(wait, lambda: self._start(visit, tries - 1))

    def _look(self) -> None:
        if self._session is not None:
            self._cloud.follow(self._session)

    def _wishes(self) -> Wishes:
        """Want something in particular, perhaps."""
        random, now = self._random, self._timeline.now
        ready_by = now + random.uniform(_HOUR_S, 10 * _HOUR_S)
        wanted: dict[str, Any] = random.choice(
            (
                *[{}] * 6,
                {"start_at": now + random.uniform(_MINUTE_S, _HOUR_S)},
                {"until_wh": random.randrange(100, 10_000)},
                {"until_at": now + random.uniform(300, 3 * _HOUR_S)},
                {"ready_by": ready_by, "needs_wh": random.choice((None, 2_000, 20_000))},
                {"ready_by": ready_by, "cheapest": True},
                {"ready_by": ready_by, "heats_engine": True},
            )
        )
        return Wishes(random.choice(("", "", STAFF)), **wanted)

    def _pause(self) -> None:
        """Want no current for a while."""
        session = self._session
        if session is not None:
            self._cloud.request(PauseRequested(self._timeline.now, session))
            again = partial(self._resume, session)
            self._timeline.after(self._random.choice((30, 600, _HOUR_S)), again)

    def _resume(self, session: str) -> None:
        self._cloud.request(ResumeRequested(self._timeline.now, session))

    def _change(self) -> None:
        if self._session is not None:
            self._cloud.request(ChangeRequested(self._timeline.now, self._session, self._wishes()))

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
        self._await_next()

    def _unplug(self) -> None:
        self._stir()
        self._session = None
        self._module.unplug()
