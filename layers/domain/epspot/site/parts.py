"""The parts of a site: fuses, outlets, and what its owner has set.

Currents are in ampere per phase; phases are 0, 1, 2 for L1, L2, L3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from epspot.site.rules import USUAL_GUARD, GuardLimits

Amperes: TypeAlias = tuple[float, float, float]

PHASES = ("L1", "L2", "L3")
KINDS = ("car", "motor_heater", "camping", "marina", "other")
NONE_A: Amperes = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Fuse:
    """A node of the fuse tree; the one without parent is the main fuse."""

    id: str
    parent: str | None
    rating_a: Amperes
    max_sessions: int | None = None
    planning_factor: float = 0.9
    """The electrician's: breakers packed in an enclosure carry less than their rating."""
    other_a: Amperes = NONE_A
    """The largest current through this fuse, all that is below it included, that EpSpot neither controls nor measures."""
    principle: str | None = None
    """How its current is divided (``Principle``); None: as the fuse above, at the top as the policy says."""

    @property
    def planning_a(self) -> Amperes:
        """What may be planned on each phase."""
        f = self.planning_factor
        return (self.rating_a[0] * f, self.rating_a[1] * f, self.rating_a[2] * f)


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a cable goes in, with the module that measures and switches it."""

    id: str
    number: str
    fuse: str
    phases: tuple[int, ...]
    """The feeder phases that the module's conductors are wired to, in the module's order."""
    max_a: float
    bridge: str
    module: str
    min_a: float = 6.0
    modulated: bool = True
    """False: it can only be switched, so that it takes ``max_a`` or nothing."""
    fallback_a: float = 0.0
    autostart: bool = False
    """A session begins when something is plugged in."""
    paid_by: str = "user"
    """``user``, or ``outlet``: its own account."""
    guard: GuardLimits = USUAL_GUARD
    kind: str = "car"
    """What it is meant for (``KINDS``)."""
    public: bool = False
    """Everyone may use it; else only who has been granted it, or its group or site."""
    group: str | None = None
    station: str | None = None
    tariff: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    """Where it is, if that is not where its station or site is."""

    @property
    def least_a(self) -> float:
        """The smallest allowance that is of any use."""
        return self.min_a if self.modulated else self.max_a


@dataclass(frozen=True, slots=True)
class Group:
    """Outlets that share access or tariff; groups nest."""

    id: str
    name: str
    parent: str | None = None
    public: bool = False
    """Everyone may use its outlets, those of the groups in it too."""
    tariff: str | None = None


@dataclass(frozen=True, slots=True)
class Station:
    """An enclosure with one or more outlets: one position."""

    id: str
    name: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the owner has set for the whole site. Times in seconds."""

    principle: str = "equal"
    turn_s: int = 900
    min_on_s: int = 300
    """A session that has got current keeps it this long, whoever waits."""
    standby_s: int = 900
    """A session that draws next to nothing for this long is done."""
    standby_a: float = 0.3
    full_s: int = 180
    """The same for a vehicle that has stopped by itself and doesn't ask for more, where others could use its share."""
    plug_wait_s: int = 600
    """How long a started session may wait for its plug."""
    lease_s: int = 900
    interval_s: int = 60
    fast_interval_s: int = 10
    weights: Mapping[str, float] = field(default_factory=dict)
    """By user group or business model, for ``priority``; 1 where none is given."""
    max_imbalance_a: float | None = None
    """The most by which the main fuse's phases may differ because of the outlets; None: any."""
    unused_s: int = 60
    """A load that has not used its share for this long has it lowered when others can use it."""
    unused_margin_a: float = 1.0
    """What is left above the measured current, and the least that is worth taking."""
    wake_s: int = 60
    """A load that has not begun to draw for this long is woken."""
    cool_down_s: int = 300
    """How long an outlet rests after its power guard has tripped."""
    trips_before_alarm: int = 3
    """Within a day."""
