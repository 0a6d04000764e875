"""A whole site: modules, the building beside them, and the meter of the grid connection."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from iot.contract import Currents
from iot.simulator.loads import OFF, Building
from iot.simulator.module import SimModule

_THREE = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """One outlet with its module: the bridge it talks to, and the feeder phase of each conductor."""

    id: str
    bridge: str
    phases: tuple[int, ...] = _THREE
    rcbo_a: float = 32.0
    senses_plug: bool = True
    energy_wh: float = 0.0


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A site in plain words. ``metered_by`` names the bridge that reads the main meter, if one does."""

    modules: Sequence[ModulePlan]
    main_rating_a: Currents = (63.0, 63.0, 63.0)
    metered_by: str | None = None
    building: Building | None = field(default=None)


class SimMeter:
    """The meter of the grid connection."""

    __slots__ = ("current_a", "silent")

    def __init__(self) -> None:
        self.current_a: Currents = OFF
        self.silent = False

    def sample(self) -> Currents | None:
        """Read the current of each phase, A; None while it is silent."""
        return None if self.silent else self.current_a


class SimSite:
    """The plan, come alive."""

    def __init__(self, plan: SitePlan, seed: int = 0) -> None:
        self.plan = plan
        self.modules = {
            m.id: SimModule(
                m.id,
                phases=len(m.phases),
                rcbo_a=m.rcbo_a,
                senses_plug=m.senses_plug,
                energy_wh=m.energy_wh,
                seed=seed,
            )
            for m in plan.modules
        }
        self.building = plan.building
        self.meter = SimMeter()
        self._wiring = {m.id: m.phases for m in plan.modules}

    @property
    def bridges(self) -> tuple[str, ...]:
        """Tell the bridges of the site."""
        return tuple(dict.fromkeys(m.bridge for m in self.plan.modules))

    @property
    def main_a(self) -> Currents:
        """Tell what flows through the main fuse, A."""
        return self.meter.current_a

    def of(self, bridge: str) -> tuple[SimModule, ...]:
        """Tell the modules of one bridge."""
        return tuple(self.modules[m.id] for m in self.plan.modules if m.bridge == bridge)

    def wiring(self, bridge: str) -> dict[str, tuple[int, ...]]:
        """Tell how the modules of one bridge are wired to the feeder."""
        return {m.id: m.phases for m in self.plan.modules if m.bridge == bridge}

    def advance(self, dt: float) -> Currents:
        """Live for ``dt`` seconds; returns what flows through the main fuse, A."""
        feeder = list(OFF if self.building is None else self.building.advance(dt))
        for module_id, module in self.modules.items():
            drawn = module.advance(dt)
            for conductor, phase in enumerate(self._wiring[module_id]):
                feeder[phase] += drawn[conductor]
        self.meter.current_a = (feeder[0], feeder[1], feeder[2])
        return self.meter.current_a
