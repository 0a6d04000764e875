"""What the use cases need of the world, each named by its role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from epspot.control.effects import Fact, SendCommand, Step
from epspot.control.events import Event, Message
from epspot.control.state import Live
from epspot.site import Site


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as its user sees it, also after its end. Times are epoch seconds."""

    id: str
    user: str
    site: str
    outlet: str
    number: str
    """What is printed at the outlet."""
    requested_at: float
    state: str
    energy_wh: int = 0
    start_wh: int | None = None
    end_wh: int | None = None
    reason: str | None = None
    """Why it ended, or what it waits for."""
    ended_at: float | None = None
    position: int = 0
    """Position of the newest fact that has been noted."""
    cut_short: bool = False
    """What it needs could not be had in time, as its user was told."""


@dataclass(frozen=True, slots=True)
class SessionFact:
    """A fact about a session as it comes over the bus: at least once, maybe out of order."""

    session: str
    kind: str
    position: int
    """Grows with each fact of a site."""
    at: float
    detail: Mapping[str, Any] = field(default_factory=dict)
    site: str = ""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What has been learned of a user's vehicle."""

    least_a: float | None = None
    """Below this it does not charge."""
    wakes_by: str = ""
    """``relay``, or not known."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact on its way out of the site's state."""

    id: str
    """Natural key: the same fact always has the same."""
    site: str
    position: int
    at: float
    fact: Fact


class Clock(Protocol):
    """The cloud's clock."""

    def now(self) -> float:
        """Tell the time in epoch seconds."""
        ...


class Lives(Protocol):
    """Where the state of sites is kept."""

    def load(self, site: str) -> tuple[Site, Live]:
        """Read a site and its state, consistently. Raises NotFound."""
        ...

    def commit(self, before: Live, step: Step, record: SessionRecord | None = None, site: Site | None = None) -> None:
        """Write all that a step changed, if nobody has written since ``before`` was loaded.

        With the first step of a session its record is written, so that both are there or neither; likewise ``site``
        with the first step under a new configuration. Raises Conflict, also if there is such a record already, or if
        another site has one of its bridges or outlets. A step that changes nothing that is worth a write costs nothing.
        """
        ...

    def due(self, now: float) -> Sequence[tuple[str, int]]:
        """List the sites that must be looked at by now, each with the time that was set for it."""
        ...

    def postpone(self, site: str, seen: int) -> None:
        """Set anew when a site must be looked at, unless that has changed since it was ``seen``."""
        ...

    def create(self, site: Site, live: Live) -> None:
        """Write a new site with its state. Raises Conflict if it exists."""
        ...


class Sites(Protocol):
    """Which site a thing belongs to."""

    def all(self) -> Sequence[str]:
        """List all sites."""
        ...

    def of_bridge(self, bridge: str) -> str | None:
        """Find the site of a bridge."""
        ...

    def of_outlet(self, outlet: str) -> str | None:
        """Find the site of an outlet."""
        ...


class Sessions(Protocol):
    """What users have had, and why."""

    def get(self, session: str) -> SessionRecord | None:
        """Find a session."""
        ...

    def of_user(self, user: str, limit: int) -> Sequence[SessionRecord]:
        """List a user's sessions, the newest first."""
        ...

    def add(self, record: SessionRecord) -> None:
        """Write the record of a session that began by itself. Raises Conflict if there is one."""
        ...

    def replace(self, before: SessionRecord, after: SessionRecord) -> None:
        """Write a record anew, if nobody has since ``before`` was read. Raises Conflict."""
        ...


class Vehicles(Protocol):
    """What is known of users' vehicles."""

    def get(self, user: str) -> Vehicle:
        """Find what is known of a user's vehicle; nothing, if nothing is."""
        ...

    def put(self, user: str, vehicle: Vehicle) -> None:
        """Remember what has been learned."""
        ...


class Commands(Protocol):
    """The way to the hardware."""

    def publish(self, command: SendCommand) -> None:
        """Send a command once; the next frame repairs a lost one."""
        ...


class Journal(Protocol):
    """What happened at sites, kept so that it can be made again (``services/replay.py``)."""

    def keep(self, site: Site, before: Live, event: Event, done: Step, *, committed: bool = True) -> None:
        """Keep a step that has written something, or, if it is not ``committed``, perhaps has.

        Never raises: what can't be kept is counted, and a replay names the gap.
        """
        ...

    def take_lost(self) -> int:
        """Tell how many steps could not be kept since this was last asked."""
        ...


class Inbound(Protocol):
    """The way from the hardware."""

    def read(self, topic: str, payload: bytes, at: float) -> Message:
        """Read a message that came at ``at``. Raises InvalidRequest with the reason."""
        ...


class Refused(Protocol):
    """Where messages go that can't be used."""

    def put(self, reason: str, topic: str, payload: bytes) -> None:
        """Keep a message with the reason for people to look at."""
        ...


class Bus(Protocol):
    """Who tells the rest of the house."""

    def publish(self, notices: Sequence[Notice]) -> Sequence[tuple[Notice, str]]:
        """Send notices; return those that were not taken, with the reason."""
        ...


class Aside(Protocol):
    """Where stream records go that can't be sent on."""

    def put(self, reason: str, record: str) -> None:
        """Keep a record with the reason."""
        ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in gives."""

    id_token: str
    refresh_token: str | None
    expires_in_s: int


class Identity(Protocol):
    """Who knows the users."""

    def sign_in(self, email: str, password: str) -> Tokens:
        """Check a password. Raises NotSignedIn."""
        ...


class Prices(Protocol):
    """What electricity costs on the market."""

    def series(self, area: str, start: float, end: float) -> Sequence[tuple[int, float]]:
        """List what is known of an area's prices, in order: (from when on, öre per kWh without VAT).

        Hours or quarters that begin from ``start`` on and before ``end``. Raises SourceUnavailable.
        """
        ...


class Weather(Protocol):
    """How cold it will be outdoors."""

    def forecast(self, latitude: float, longitude: float, start: float, end: float) -> Sequence[tuple[int, float]]:
        """List what is forecast for a place, in order: (from when on, degrees Celsius).

        Hours that begin from ``start`` on and before ``end``; later ones may be longer. Raises SourceUnavailable.
        """
        ...
