"""What a bridge is told when it is installed, and what it remembers of its modules."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from iot.contract import USUAL_GUARD, Currents, GuardLimits

_FUSE_ID_MAX = 64


@dataclass(frozen=True, slots=True)
class Deadbands:
    """Changes that are too small to be told in a frame."""

    current_a: float = 0.5
    power_w: float = 100.0
    voltage_v: float = 5.0
    temperature_c: float = 3.0
    link_pct: int = 10


@dataclass(frozen=True, slots=True)
class FuseLimit:
    """A fuse above some of the bridge's modules."""

    id: str
    """Named in the event when a module is shed: 1 to 64 characters."""
    rating_a: Currents
    """Of each feeder phase."""
    modules: tuple[str, ...]
    """This bridge's modules below it, those below its lesser fuses included."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.id) <= _FUSE_ID_MAX:
            raise ValueError(f"fuse {self.id!r}: an id has 1 to {_FUSE_ID_MAX} characters")


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """How a bridge watches, guards and tells."""

    bridge: str
    main_rating_a: Currents | None = None
    """The main fuse, for a bridge that has a main meter; None: it has none."""
    fuses: tuple[FuseLimit, ...] = ()
    """Fuses that the bridge guards by what its own modules measure."""
    wiring: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Feeder phase (0, 1, 2) of each conductor of a module; straight where not given."""
    deadbands: Deadbands = field(default_factory=Deadbands)

    interval_s: float = 60.0
    """Between frames, until a command says otherwise."""
    settling_interval_s: float = 10.0
    """Between frames while a decrease is not yet seen."""
    edge_gap_s: float = 2.0
    """The least time between a frame and one that an edge asks for."""
    keyframe_every: int = 10
    """Frames from one that holds every module to the next."""

    comply_s: float = 6.0
    """A load has this long to follow a decrease (a car has 5 s by IEC 61851-1)."""
    phase_s: float = 1.0
    """A conductor that may carry no current may carry some this long."""
    relay_s: float = 2.0
    """A relay has this long to show that it did what it was told."""
    lost_s: float = 3.0
    """A module is lost when it has not answered for this long."""
    shed_s: float = 5.0
    """A fuse may be exceeded this long before a module is shed, and from one to the next."""
    shed_fast_s: float = 1.0
    """The same above 130 %."""

    history_step_s: float = 900.0
    history_rows_max: int = 20_000
    events_max: int = 200
    """Events that are kept while there is no connection; the oldest go first."""


@dataclass(frozen=True, slots=True)
class ModuleConfig:
    """What is remembered of a module from one boot to the next."""

    max_a: float
    fallback_a: float
    until_wh: int | None = None
    """The register value that is paid for: it binds without the cloud, even after a restart."""
    guard: GuardLimits = USUAL_GUARD


UNKNOWN = ModuleConfig(max_a=0.0, fallback_a=0.0)
"""A module of which nothing is remembered is off."""
