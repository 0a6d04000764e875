"""What can happen at a site. ``at`` is when the cloud received it, in epoch seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from epspot.control.state import Reading
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


@dataclass(frozen=True, slots=True)
class StopRequested:
    """A user has had enough."""

    at: float
    session: str


@dataclass(frozen=True, slots=True)
class Watched:
    """Somebody is looking at the site and wants fresh figures."""

    at: float


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed: leases, turns, silences and waits may be over."""

    at: float


Message: TypeAlias = FrameReceived | EdgeReceived | HistoryReceived
Event: TypeAlias = Message | PresenceChanged | StartRequested | StopRequested | Watched | Ticked
