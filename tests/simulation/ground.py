"""What stands in the ground: modules, the building, its meter. A bridge's part lives on when somebody looks at it."""

from collections.abc import Mapping
from math import ceil, inf

from epspot.site import Site
from iot.contract import Currents
from iot.simulator.loads import OFF, Building
from iot.simulator.module import SimModule
from iot.simulator.site import SimMeter
from tests.simulation.timeline import Timeline

_MOVES_A = 0.5


class Ground:
    """Plain physics, in steps as long as those who look at it allow."""

    def __init__(
        self, site: Site, timeline: Timeline, modules: Mapping[str, SimModule], building: Building | None
    ) -> None:
        self.meter = SimMeter()
        self.building_a: Currents | None = None
        """What the building drew when the meter was last read; None: nobody measures it."""
        self.conductors: dict[str, tuple[int, ...] | None] = {}
        """Those of each module on which its bridge lets current flow, while the lease lasts; None: all."""
        self._timeline = timeline
        self._building = building
        self._measured_at = timeline.now
        self._parts = {b: [(o.phases, modules[m]) for m, o in own.items()] for b, own in site.of_bridge.items()}
        self._lived_at = dict.fromkeys(self._parts, timeline.now)
        self._drawn: dict[str, Currents] = dict.fromkeys(self._parts, OFF)

    @property
    def now(self) -> float:
        """Tell the time."""
        return self._timeline.now

    def catch_up(self, bridge: str) -> bool:
        """Let a bridge's part live until now; tell whether a current has moved."""
        dt = self._timeline.now - self._lived_at[bridge]
        if dt <= 0:
            return False
        self._lived_at[bridge] = self._timeline.now
        moved, feeder = False, [0.0, 0.0, 0.0]
        for phases, module in self._parts[bridge]:
            was = module.current_a
            drawn = module.advance(dt)
            if drawn != was:
                moved |= any(abs(a - b) > _MOVES_A for a, b in zip(drawn, was, strict=True))
            if drawn[0]:
                for conductor, p in enumerate(phases):
                    feeder[p] += drawn[conductor]
        self._drawn[bridge] = (feeder[0], feeder[1], feeder[2])
        return moved

    def lease_ends_at(self, bridge: str) -> float:
        """Tell in which second the first module falls back by itself; infinity: none will."""
        left_s = [m.lease_s for _, m in self._parts[bridge] if m.lease_s > 0 and m.relay and not m.breaker.tripped]
        return ceil(self._lived_at[bridge] + min(left_s)) if left_s else inf

    def measure(self) -> Currents | None:
        """Read the meter of the grid connection."""
        feeder = list(OFF)
        if self._building is not None:
            self.building_a = self._building.advance(self._timeline.now - self._measured_at)
            self._measured_at = self._timeline.now
            feeder = list(self.building_a)
        for drawn in self._drawn.values():
            for p, a in enumerate(drawn):
                feeder[p] += a
        self.meter.current_a = (feeder[0], feeder[1], feeder[2])
        return self.meter.sample()
