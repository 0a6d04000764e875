"""What the use cases need of the world, each named by its role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from epspot.control.effects import Fact, SendCommand, Step
from epspot.control.events import Message
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


@dataclass(frozen=True, slots=True)
class SessionFact:
    """A fact about a session as it comes over the bus: at least once, maybe out of order."""

    session: str
    kind: str
    position: int
    """Grows with each fact of a site."""
    at: float
    detail: Mapping[str, Any] = field(default_factory=dict)


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

    def commit(self, before: Live, step: Step, record: SessionRecord | None = None) -> None:
        """Write all that a step changed, if nobody has written since ``before`` was loaded.

        With the first step of a session its record is written, so that both are there or neither. Raises Conflict, also
        if there is such a record already. A step that changes nothing that is worth a write costs nothing.
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

    def replace(self, before: SessionRecord, after: SessionRecord) -> None:
        """Write a record anew, if nobody has since ``before`` was read. Raises Conflict."""
        ...


class Commands(Protocol):
    """The way to the hardware."""

    def publish(self, command: SendCommand) -> None:
        """Send a command once; the next frame repairs a lost one."""
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
