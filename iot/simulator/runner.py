"""A simulated site in real time, with the real agent of each of its bridges in the same process."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from iot.bridge.agent import Agent, AgentSettings
from iot.bridge.links import MeterLink, ModuleLink
from iot.contract import Currents, Reading
from iot.simulator.loads import Building, Load
from iot.simulator.module import SimModule
from iot.simulator.site import ModulePlan, SimMeter, SimSite, SitePlan

_PERIOD_S = 0.1
_STEP_MAX_S = 1.0


class _LockedModule:
    """A module that is used by more than one thread."""

    def __init__(self, module: SimModule, lock: threading.RLock) -> None:
        self.id = module.id
        self._module = module
        self._lock = lock

    def sample(self) -> Reading | None:
        with self._lock:
            return self._module.sample()

    def apply(self, limit_a: float, relay: bool, lease_s: float, fallback_a: float) -> None:  # noqa: FBT001
        with self._lock:
            self._module.apply(limit_a, relay, lease_s, fallback_a)


class _LockedMeter:
    def __init__(self, meter: SimMeter, lock: threading.RLock) -> None:
        self._meter = meter
        self._lock = lock

    def sample(self) -> Currents | None:
        with self._lock:
            return self._meter.sample()


class SimRunner:
    """Lets a site live at the pace of the wall clock, 10 steps a second, times ``speed``.

    With settings of agents, one for each bridge that shall run, it runs them too. Everything may be called
    from any thread; `world` gives the whole site to its caller for a moment.
    """

    def __init__(self, site: SimSite, agents: Iterable[AgentSettings] = (), *, speed: float = 1.0) -> None:
        self._site = site
        self._lock = threading.RLock()
        self._speed = speed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="site", daemon=True)
        self.agents = {s.bridge.bridge: Agent(s, *self.links(s.bridge.bridge)) for s in agents}

    def links(self, bridge: str) -> tuple[list[ModuleLink], MeterLink | None]:
        """Give what the agent of a bridge needs: its modules, and the main meter if it reads it."""
        modules: list[ModuleLink] = [_LockedModule(m, self._lock) for m in self._site.of(bridge)]
        metered = self._site.plan.metered_by == bridge
        return modules, _LockedMeter(self._site.meter, self._lock) if metered else None

    def start(self) -> None:
        """Let time begin, and the agents connect."""
        self._thread.start()
        for agent in self.agents.values():
            agent.start()

    def stop(self) -> None:
        """Stop the agents properly, and time."""
        for agent in self.agents.values():
            agent.stop()
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    @contextmanager
    def world(self) -> Iterator[SimSite]:
        """Hold time still and give the site: to look at it, or to order faults."""
        with self._lock:
            yield self._site

    def plug(self, module: str, load: Load) -> None:
        """Put a load in an outlet."""
        with self._lock:
            self._site.modules[module].plug(load)

    def unplug(self, module: str) -> None:
        """Take it out."""
        with self._lock:
            self._site.modules[module].unplug()

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stopping.wait(_PERIOD_S):
            now = time.monotonic()
            # After a sleep of the machine the site goes on, it does not leap.
            dt, last = min(_STEP_MAX_S, now - last), now
            with self._lock:
                self._site.advance(dt * self._speed)


def simulated_links(config: Mapping[str, Any]) -> tuple[list[ModuleLink], MeterLink | None]:
    """Make links to a site that is described in an agent's config and lives as long as the process.

    ``{"bridge": "b1", "modules": [{"id": "M1", "phases": [0, 1, 2]}], "metered": true}``
    """
    bridge = config["bridge"]
    plan = SitePlan(
        modules=[
            ModulePlan(**{**m, "bridge": bridge, "phases": tuple(m.get("phases", (0, 1, 2)))})
            for m in config["modules"]
        ],
        metered_by=bridge if config.get("metered") else None,
        building=Building(),
    )
    runner = SimRunner(SimSite(plan, seed=config.get("seed", 0)))
    links = runner.links(bridge)
    runner.start()
    return links
