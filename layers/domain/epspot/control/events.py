"""What can happen at a site. ``at`` is when the cloud received it, in epoch seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from epspot.control.state import NO_WISHES, Reading, Wishes
from epspot.site import Amperes


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A bridge told what its modules read."""

    at: float
    bridge: str
    boot: str
    seq: int
    base: int
    rev: int
    modules: Mapping[str, Reading | None]
    meter_a: Amperes | None = None


@dataclass(frozen=True, slots=True)
class EdgeReceived:
    """A bridge told at once that something happened at a module."""

    at: float
    bridge: str
    boot: str
    seq: int
    rev: int
    kind: str
    module: str
    reading: Reading | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryReceived:
    """A bridge told registers of a time without connection: (module, when, Wh), oldest first."""

    at: float
    bridge: str
    boot: str
    seq: int
    rows: tuple[tuple[str, float, int], ...]


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """The broker says that a bridge came or went: a hint, ordered by ``version``."""

    at: float
    bridge: str
    connected: bool
    version: int


@dataclass(frozen=True, slots=True)
class StartRequested:
    """A user wants current at an outlet."""

    at: float
    session: str
    outlet: str
    wishes: Wishes = NO_WISHES


@dataclass(frozen=True, slots=True)
class ChangeRequested:
    """A user wants something else of a session that lives: all its wishes anew."""

    at: float
    session: str
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class PauseRequested:
    """A user wants no current for now."""

    at: float
    session: str


@dataclass(frozen=True, slots=True)
class ResumeRequested:
    """A user wants current again."""

    at: float
    session: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """A user has had enough."""

    at: float
    session: str


@dataclass(frozen=True, slots=True)
class OutlookReceived:
    """What electricity will cost and how cold it will be: (from when on, value) in order. Empty: as known before."""

    at: float
    prices: tuple[tuple[int, float], ...] = ()
    temperatures: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SiteChanged:
    """The site is configured otherwise from now on."""

    at: float
    moved: tuple[str, ...] = ()
    """Outlets that have another module, fuse or wiring: nothing of what was known of them holds."""
    fallbacks: tuple[tuple[str, float], ...] = ()
    """Outlets whose fallback is lower now, with what it was: their bridges have that until they are told."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Somebody is looking at the site and wants fresh figures."""

    at: float
    channel: str = ""
    """Where they are to be sent (``services/tell_live.py``); empty: they are asked for."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed: leases, turns, silences and waits may be over."""

    at: float


Message: TypeAlias = FrameReceived | EdgeReceived | HistoryReceived
Request: TypeAlias = StartRequested | ChangeRequested | PauseRequested | ResumeRequested | StopRequested
Event: TypeAlias = Message | PresenceChanged | Request | OutlookReceived | SiteChanged | Watched | Ticked
