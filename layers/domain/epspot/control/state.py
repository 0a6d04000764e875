"""The live state of a site: what the controller has granted, what it has seen, who uses and who waits.

Everything is immutable; ``step`` makes a new one. Times are epoch seconds of the cloud's own clocks (when a message
reached the cloud), never of a bridge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag, StrEnum
from typing import Any, NamedTuple

from epspot.site import Amperes


class Plug(IntEnum):
    """What stands in the outlet."""

    NONE = 0
    PLUGGED = 1
    ASKING = 2


class Fault(IntFlag):
    """What a module says is wrong with itself or its load, as the hardware contract numbers it."""

    WELDED_RELAY = 1
    OVER_TEMPERATURE = 2
    VOLTAGE = 4
    REGISTER = 8
    RESIDUAL_CURRENT = 16
    UNLOCKED = 32
    INTERNAL = 64


GRAVE = Fault.WELDED_RELAY | Fault.OVER_TEMPERATURE | Fault.RESIDUAL_CURRENT | Fault.INTERNAL
"""Faults with which nobody may be given current."""


class Reading(NamedTuple):
    """The six senses of one module at one moment."""

    plug: Plug
    relay: bool
    current_a: Amperes
    """In the module's own order of conductors."""
    voltage_v: Amperes
    power_w: float
    energy_wh: int
    temperature_c: float
    limit_a: float
    faults: int
    link_pct: int


@dataclass(frozen=True, slots=True)
class Readings:
    """The newest that one bridge told of its modules."""

    boot: str
    seq: int
    base: int
    """seq of the full frame that these build on."""
    at: float
    """When the message with this seq reached the cloud."""
    modules: Mapping[str, Reading] = field(default_factory=dict)
    """The newest reading of each module that has ever answered."""
    lost: frozenset[str] = frozenset()
    """Modules that do not answer now."""
    confirmed_at: Mapping[str, float] = field(default_factory=dict)
    """When the reading of a module was last known to be true, where that is earlier than ``at``."""
    meter_a: Amperes | None = None


class Phase(StrEnum):
    """The state of a session."""

    PLANNED = "planned"
    """It begins later."""
    QUEUED = "queued"
    PAUSED = "paused"
    """Its user has paused it."""
    ACTIVE = "active"
    STOPPING = "stopping"
    ENDED = "ended"


class End(StrEnum):
    """Why a session ended."""

    STOPPED = "stopped"
    UNPLUGGED = "unplugged"
    NOT_PLUGGED = "not_plugged"
    FULL = "full"
    TARGET = "target"
    TIME = "time"
    NOT_ASKING = "not_asking"
    GUARD = "power_guard"
    BREACH = "limit_breach"
    SHED = "shed"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user has asked for; all of it may change while the session lives. Times are epoch seconds."""

    group: str = ""
    """The user group or business model that priority goes by."""
    start_at: float | None = None
    """Not before this."""
    ready_by: float | None = None
    """When the vehicle leaves, or the engine must be warm."""
    needs_wh: int | None = None
    """Energy that it needs by then; None: full, or the time of a motor heater."""
    heats_engine: bool = False
    """Current is wanted for the last part before ``ready_by`` only, as long as the weather asks for."""
    cheapest: bool = False
    """Current is wanted in the cheapest hours before ``ready_by``."""
    until_wh: int | None = None
    """The session ends when it has had this much energy."""
    until_at: float | None = None
    """The session ends at this time."""
    least_a: float | None = None
    """Below this the vehicle is known not to charge."""
    wakes_by: str = ""
    """How the vehicle is known to be woken: ``relay``, or not known."""


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Appetite:
    """What has been seen of a load: how much of its share it uses, on which conductors, and what wakes it."""

    wants_a: float | None = None
    """The most that it is taken to want; None: all that it can get."""
    under_since: float | None = None
    """Since when it has drawn well below its allowance."""
    conductors: tuple[int, ...] | None = None
    """Those that it uses; None: not known yet, or all."""
    unused_since: float | None = None
    """Since when a conductor has carried nothing while another did."""
    drew: bool = False
    """It has drawn in its present turn."""
    asked_since: float | None = None
    """Since when it could draw, and has not yet in its present turn."""
    drew_at_a: float | None = None
    """The smallest allowance at which it has drawn."""
    offered_a: float | None = None
    """It is offered so much at least, to see whether it charges then."""
    least_a: float | None = None
    """Learned here: it does not charge below."""
    pulses: int = 0
    """How often its voltage was switched off and on to wake it since it last drew."""
    pulsing: bool = False
    """Its relay is opened to wake it."""
    full: bool = False
    """It has stopped by itself in its turn, and does not ask for more."""
    wakes_by: str = ""


UNKNOWN_APPETITE = Appetite()


@dataclass(frozen=True, slots=True)
class SessionState:
    """One session while it lives. Who its user is, the controller does not know."""

    id: str
    outlet: str
    since: float
    phase: Phase = Phase.QUEUED
    waiting_since: float | None = None
    """Since when it has had no turn."""
    on_since: float | None = None
    """Since when it has had its present turn."""
    place: int | None = None
    """In the order in which turns were last given out: it holds until they are given out anew; None: it came later."""
    served_s: float = 0.0
    """Time with a turn before the present one: what fairness counts."""
    base_wh: int | None = None
    """The register from which the present stretch counts; None = not known yet."""
    start_wh: int | None = None
    booked_wh: int = 0
    """What was certain before the register was reset, replaced or leapt."""
    fell_from_wh: tuple[tuple[int, int], ...] = ()
    """Where the register stood before each of its falls, and the session's energy then: if it comes back there, what it
    showed in between was not energy."""
    plugged: bool = False
    idle_since: float | None = None
    first_rev: int | None = None
    """The revision that first gave it current: what was told under an earlier one was another session."""
    end: End | None = None
    stopping_since: float | None = None
    wishes: Wishes = NO_WISHES
    appetite: Appetite = UNKNOWN_APPETITE
    position: int | None = None
    """In the queue, as its user was last told; 1 = next."""
    cut_short: bool = False
    """What it needs can't be met in time, as its user was told."""


@dataclass(frozen=True, slots=True)
class OutletState:
    """What an outlet may draw: its allowance, and what it may still draw of earlier ones."""

    limit_a: float = 0.0
    """The allowance in the newest command; 0 = relay open."""
    since_rev: int = 0
    """The revision that first carried this allowance."""
    held_a: float = 0.0
    """The largest earlier allowance that has not been seen to be over; 0 = none."""
    held_until: float = 0.0
    """When the lease of ``held_a`` has run out on the bridge's clock for certain."""
    reason: str = ""
    """What limits the allowance now (``limited_by``)."""
    unread: bool = False
    """A session ended here without its last register: what has flowed since the one known is nobody's."""
    spent: bool = False
    """What is plugged in has had its session: another does not begin by itself."""
    conductors: tuple[int, ...] | None = None
    """Those that the newest command allows; None: all."""
    held_conductors: tuple[int, ...] | None = None
    """Those that ``held_a`` is counted on; None: all."""
    earlier_fallback_a: float = 0.0
    """A larger fallback that its bridge may still have."""
    earlier_fallback_rev: int = 0
    """The revision that brought the present one."""
    trips: tuple[float, ...] = ()
    """When its power guard tripped, within the last day."""

    @property
    def cooled_from(self) -> float:
        """When its power guard last tripped; 0 = not lately."""
        return self.trips[-1] if self.trips else 0.0

    @property
    def counted_a(self) -> float:
        """What its fuses must carry for it."""
        return max(self.limit_a, self.held_a)


@dataclass(frozen=True, slots=True)
class BridgeState:
    """What the controller has told one bridge, and knows of it."""

    boot: str | None = None
    earlier: tuple[str, ...] = ()
    """Boots before this one: their frames contribute registers only."""
    epoch_at: float = 0.0
    rev: int = 0
    answered_at: float = 0.0
    """When the message that the newest lease counts from was received."""
    lease_until: float = 0.0
    """When the newest lease has run out on the bridge's clock for certain."""
    answered: int = 0
    """seq that the newest lease counts from."""
    interval_s: int = 0
    suspect_since: float | None = None
    """Since when its connection is said to be lost."""
    presence: int = -1
    """Place of the newest presence event in their order: twice its versionNumber, and one more for an end."""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """The power of the whole site in the running interval of a peak tariff, and the month's peaks so far.

    The mean is followed in steps: ``w`` holds from ``at`` on, until it is seen to differ enough to be written.
    """

    start: int
    """Epoch seconds."""
    at: float
    wh: float
    w: float
    month: int
    """Of the site's calendar: year x 12 + month."""
    peaks: tuple[tuple[int, float], ...] = ()
    """(day or interval, mean in W), the highest first."""
    interval_s: int = 3600


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong, from when it is first seen until it has been gone for long enough."""

    code: str
    about: str
    """The outlet, fuse, bridge or cap."""
    since: float
    raised: bool = False
    """People have been told."""
    gone_since: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Live:
    """The state of one site."""

    site: str
    version: int = 0
    revision: int = 0
    """The revision of the configuration that this state was made under."""
    at: float = 0.0
    """The newest time that any event has brought."""
    turn: int = 0
    """Number of the turn (epoch seconds // turn_s) in which turns were last given out."""
    outlets: Mapping[str, OutletState] = field(default_factory=dict)
    bridges: Mapping[str, BridgeState] = field(default_factory=dict)
    sessions: Mapping[str, SessionState] = field(default_factory=dict)
    """Live sessions by id; the ended are gone."""
    other_a: Amperes = (0.0, 0.0, 0.0)
    """What the main meter shows beyond our outlets, in whole ampere."""
    fell_to_a: Amperes | None = None
    """What the newest frame of the meter alone would say, where that is less: it must be said twice to count."""
    found: tuple[str, ...] = ()
    """``<bridge>/<module>`` of modules that answer and stand in no configuration."""
    watched_until: float = 0.0
    listened: Mapping[str, float] = field(default_factory=dict)
    """Until when somebody listens, by what they listen to: ``public``, ``users``, ``owner`` or ``session``."""
    over_since: Mapping[str, float] = field(default_factory=dict)
    """Fuse-phases on which more than the rating is measured, by their names."""
    alarms: Mapping[str, Alarm] = field(default_factory=dict)
    """By ``<code>/<about>``."""
    demand: Mapping[str, Demand] = field(default_factory=dict)
    """By the name of a cap with a peak tariff."""
    prices: tuple[tuple[int, float], ...] = ()
    """(from when on, öre per kWh), in order; the last holds for as long as the one before it."""
    temperatures: tuple[tuple[int, float], ...] = ()
    """(from when on, degrees Celsius outdoors), in order."""
    look_at: int | None = None
    """When the clock looks at the site, as written; kept where it comes early enough."""
    readings: Mapping[str, Readings] = field(default_factory=dict)
    """Per bridge; kept apart from the rest, since they change always."""

    def session_at(self, outlet: str) -> SessionState | None:
        """Find the session that uses an outlet."""
        return next((s for s in self.sessions.values() if s.outlet == outlet), None)
