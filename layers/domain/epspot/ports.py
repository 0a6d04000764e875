"""What the use cases need of the world, each named by its role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from epspot.control.effects import Fact, SendCommand, Step
from epspot.control.events import Event, Message
from epspot.control.state import Live
from epspot.registry.kinds import Change, Kind, Page, R
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
    reference: str = ""
    """What the system that started it calls it."""
    tariff: str = ""
    """The version that was in force when it was started, ``<tariff>/<number>``; nothing: there was none."""
    begun_at: float | None = None
    """When it first could draw current: from then on it costs something."""


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

    def configuration(self, site: str, revision: int) -> Site:
        """Read a site as it was configured at a revision. Raises NotFound."""
        ...

    def commit(
        self,
        before: Live,
        step: Step,
        record: SessionRecord | None = None,
        site: Site | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        """Write all that a step changed, if nobody has written since ``before`` was loaded.

        With the first step of a session its record is written, so that both are there or neither; likewise ``site``
        with the first step under a new configuration, and ``changes`` of the registry. Raises Conflict, also if there is
        such a record already, or if another site has one of its bridges or outlets. A step that changes nothing that is worth a write costs nothing.
        """
        ...

    def due(self, now: float) -> Sequence[tuple[str, int]]:
        """List the sites that must be looked at by now, each with the time that was set for it."""
        ...

    def postpone(self, site: str, seen: int) -> None:
        """Set anew when a site must be looked at, unless that has changed since it was ``seen``."""
        ...

    def create(self, site: Site, live: Live, changes: Sequence[Change] = ()) -> None:
        """Write a new site with its state, and with it ``changes`` of the registry. Raises Conflict if it exists."""
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

    def of_site(self, site: str, limit: int, after: str | None = None) -> tuple[Sequence[SessionRecord], str | None]:
        """List what was had at a site, the newest first, and where the rest begins; what is new may be missing."""
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

    def forget(self, user: str) -> None:
        """Forget what is known of a user's vehicle."""
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


class LiveTopics(Protocol):
    """The way to those who watch a site live (``services/tell_live.py``)."""

    def tell(self, site: Site, before: Live, event: Event, done: Step) -> None:
        """Tell what a step has changed that can be seen, to whoever listens now; nothing if nobody does.

        Never raises: what can't be sent is counted, and what is told next makes up for it.
        """
        ...

    def take_lost(self) -> int:
        """Tell how often something could not be sent since this was last asked."""
        ...


@dataclass(frozen=True, slots=True)
class LiveAddress:
    """Where one client hears what happens at a site."""

    address: str
    """Of MQTT over WebSocket. It is signed: whoever has it may listen, until it ends."""
    client_id: str
    topics: tuple[str, ...]
    expires_at: float


class LiveAddresses(Protocol):
    """Who lets clients listen."""

    def sign(self, site: str, channel: str) -> LiveAddress:
        """Make an address at which a channel of a site can be heard, and nothing else."""
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


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody for whom the user pool vouches."""

    user: str
    """The user's id: all that the rest of the house knows of somebody."""
    email: str | None = None
    """The address that the user has proved to have; or, of who came through a provider, that the provider vouches for."""
    provider: str = ""
    """The owner whose provider vouches for them; nothing: the pool itself does."""
    client: str = ""
    """Which way into the pool they took."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the user pool itself keeps of somebody."""

    user: str
    email: str
    name: str = ""
    language: str = ""


class Identity(Protocol):
    """Who knows the users."""

    def verify(self, id_token: str) -> Person:
        """Find out whom an id token speaks of. Raises NotSignedIn."""
        ...

    def sign_in(self, email: str, password: str) -> Tokens:
        """Check a password. Raises NotSignedIn."""
        ...

    def sign_up(self, email: str, password: str, name: str, language: str) -> str | None:
        """Take in a user, and send a code to the address; return the user's id, or None if somebody has the address.

        Whoever has not confirmed an address does not have it: what was begun with it is forgotten.
        """
        ...

    def confirm(self, email: str, code: str) -> None:
        """Take an address as confirmed by its code. Raises WrongCode."""
        ...

    def send_again(self, email: str) -> None:
        """Send the code of a sign-up once more, if there is one to be confirmed."""
        ...

    def send_code(self, email: str) -> str | None:
        """Send a code to sign in with; return what the pool calls the attempt, or None if nobody has the address."""
        ...

    def try_code(self, email: str, attempt: str, code: str) -> Tokens | str:
        """Sign in with a code; return what the pool calls the next attempt if it was wrong. Raises NotSignedIn: no more."""
        ...

    def refresh(self, refresh_token: str) -> Tokens:
        """Give new tokens. Raises NotSignedIn."""
        ...

    def sign_out(self, refresh_token: str) -> None:
        """Let a refresh token, and what came of it, give no more tokens."""
        ...

    def forgot_password(self, email: str) -> None:
        """Send a code to choose a new password with, if somebody has the address."""
        ...

    def reset_password(self, email: str, code: str, password: str) -> None:
        """Set a password. Raises WrongCode."""
        ...

    def account(self, user: str) -> Account | None:
        """Find a user's account."""
        ...

    def set_language(self, user: str, language: str) -> None:
        """Let the pool's own mails speak a user's language from now on."""
        ...

    def remove(self, user: str) -> None:
        """Forget a user, if there is one."""
        ...


class Providers(Protocol):
    """Who lets people in through an owner's own identity provider."""

    def connect(self, name: str, kind: str, details: Mapping[str, str], client: str) -> str:
        """Let a provider in, or change it; return the way in that people take, which is ``client`` if there is one.

        ``details`` of ``oidc``: ``issuer``, ``client_id``, ``client_secret``; of ``saml``: ``metadata_url``.
        Raises InvalidRequest if the provider can't be understood.
        """
        ...

    def disconnect(self, name: str, client: str) -> None:
        """Close a way in, if it is there."""
        ...

    def address(self, name: str, client: str) -> str:
        """Tell where people begin to sign in; the app adds its state and its proof key."""
        ...


class Mail(Protocol):
    """Who carries mail."""

    def check(self) -> None:
        """Find out whether mail can be sent at all. Raises MailUnavailable."""
        ...

    def send(self, to: str, subject: str, body: str) -> None:
        """Send a mail of plain text. Raises MailUnavailable."""
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


class Registry(Protocol):
    """What is written down of owners and of those who deal with them (``registry/records.py``)."""

    def get(self, kind: Kind[R], under: str, id: str) -> R | None:  # noqa: A002 - what it is called everywhere
        """Read a record, consistently."""
        ...

    def under(
        self, kind: Kind[R], under: str, limit: int = 1000, after: str | None = None, *, newest_first: bool = False
    ) -> Page[R]:
        """List what belongs somewhere, consistently, in the order of ids; ``newest_first``: from the last id on."""
        ...

    def also_under(self, kind: Kind[R], also: str, limit: int = 1000, after: str | None = None) -> Page[R]:
        """List what is also found somewhere; what was written a moment ago may be missing."""
        ...

    def commit(self, changes: Sequence[Change]) -> None:
        """Write up to a hundred changes, all or none. Raises Conflict if something does not stand as it was read."""
        ...


@dataclass(frozen=True, slots=True)
class Posted:
    """What another system answered."""

    status: int
    body: bytes
    """The beginning of it, at most 1 KB."""


class Posting(Protocol):
    """The way to other systems on the internet."""

    def check(self, url: str) -> None:
        """Refuse an address to which nothing is ever sent. Raises InvalidRequest."""
        ...

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Posted:
        """Send once and wait for the answer, all within a time; redirects are not followed. Raises Unanswered."""
        ...


class DeliveryQueue(Protocol):
    """Who reminds of messages to webhooks that are to be sent."""

    def remind(self, owner: str, webhook: str, delivery: str, after_s: float = 0.0) -> None:
        """Remind of a delivery after a time, at least once; a longer time than 15 minutes is cut to that."""
        ...

    def give_up(self, owner: str, webhook: str, delivery: str, reason: str) -> None:
        """Tell people of a delivery that nobody will try again."""
        ...


class Throttle(Protocol):
    """Who counts how often something is tried."""

    def take(self, key: str, most: int, window_s: int, now: float) -> bool:
        """Count once more, and tell whether it was one of the ``most`` first in this window."""
        ...

    def give_back(self, key: str, window_s: int, now: float) -> None:
        """Count once less: what was taken a moment ago was no try that counts."""
        ...


class Ids(Protocol):
    """Who thinks up names that nobody guesses."""

    def new(self) -> str:
        """Make an id: 26 lower-case letters and digits, 128 bits of chance."""
        ...

    def secret(self) -> str:
        """Make a secret: 43 letters, digits, ``-`` and ``_``, 256 bits of chance."""
        ...

    def code(self) -> str:
        """Make a code for people to type: ``ABCD-EFGH-JKLM``, without what looks alike; 60 bits of chance."""
        ...
