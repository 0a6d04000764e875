"""The world of the use cases, in memory: what `bootstrap.World` gives, from fakes."""

from dataclasses import dataclass, field
from typing import Any

from epspot.adapters.iot import ContractInbound
from epspot.control.state import Live
from epspot.errors import NotSignedIn
from epspot.ports import Inbound, SessionFact, Tokens
from epspot.services.advance import Controller
from epspot.services.follow_session import Following
from epspot.services.list_outlets import Listing
from epspot.services.note_session import Noting, note_session
from epspot.services.register_site import register_site
from epspot.services.start_session import Starting
from epspot.services.take_message import Intake, Taken, take_message
from epspot.services.tick_sites import Ticking
from epspot.site import Fuse, Outlet, Policy, Site
from iot.contract import Fault, Frame, Plug, Reading, Upward, encode
from tests.fakes import (
    FakeBus,
    FakeClock,
    FakeCommands,
    FakeJournal,
    FakeLives,
    FakeRefused,
    FakeSessions,
    FakeSites,
    FakeVehicles,
)

BOOT = "0a0b0c0d"
OFF = Reading(Plug.PLUGGED, False, (0.0, 0.0, 0.0), (230.0, 0.0, 0.0), 0.0, 1000, 20.0, 0.0, Fault(0), 90)


class FakeIdentity:
    """``Identity`` with one user."""

    def sign_in(self, email: str, password: str) -> Tokens:
        if (email, password) != ("anna@example.com", "right"):
            raise NotSignedIn("The e-mail address or the password is wrong.")
        return Tokens("id-token", "refresh-token", 3600)


@dataclass
class House:
    """Every port in memory, and what the use cases take; ``lives`` may be of a kind of its own."""

    lives: FakeLives = field(default_factory=lambda: FakeLives(FakeSessions()))
    clock: FakeClock = field(default_factory=FakeClock)
    commands: FakeCommands = field(default_factory=FakeCommands)
    refused: FakeRefused = field(default_factory=FakeRefused)
    aside: FakeRefused = field(default_factory=FakeRefused)
    bus: FakeBus = field(default_factory=FakeBus)
    journal: FakeJournal = field(default_factory=FakeJournal)
    vehicles: FakeVehicles = field(default_factory=FakeVehicles)
    identity: FakeIdentity = field(default_factory=FakeIdentity)
    inbound: Inbound = field(default_factory=ContractInbound)
    _seq: int = 0
    _noted: int = 0

    @property
    def sessions(self) -> FakeSessions:
        return self.lives.sessions

    @property
    def sites(self) -> FakeSites:
        return self.lives.sites

    @property
    def controller(self) -> Controller:
        return Controller(self.lives, self.commands, self.journal)

    @property
    def intake(self) -> Intake:
        return Intake(self.controller, self.inbound, self.sites, self.refused, self.clock)

    @property
    def ticking(self) -> Ticking:
        return Ticking(self.controller, self.clock)

    @property
    def starting(self) -> Starting:
        return Starting(self.controller, self.sessions, self.sites, self.clock, self.vehicles)

    @property
    def noting(self) -> Noting:
        return Noting(self.sessions, self.vehicles)

    @property
    def following(self) -> Following:
        return Following(self.controller, self.sessions, self.clock)

    @property
    def listing(self) -> Listing:
        return Listing(self.lives, self.sites)

    # ------------------------------------------------------------ a life

    def live(self, site: str = "s") -> Live:
        """Read a site's state."""
        return self.lives.load(site)[1]

    def frame(self, bridge: str = "s-b1", **told: Reading | None) -> bytes:
        """Make the next frame of a bridge as it comes in: full, all off but what is told, its commands obeyed."""
        self._seq += 1
        site = self.sites.of_bridge(bridge)
        here, live = self.lives.load(site or "s")
        own: dict[str, Reading | None] = dict.fromkeys(here.of_bridge.get(bridge, {"M1": None}), OFF)
        rev = live.bridges[bridge].rev if bridge in live.bridges else 1
        return encode(Frame(bridge, BOOT, self._seq, self._seq, 0, rev, own | told))

    def take(self, message: bytes | Upward, bridge: str = "s-b1", kind: str = "frame") -> Taken:
        """Let a message come in now."""
        payload = message if isinstance(message, bytes) else encode(message)
        return take_message(self.intake, f"epspot/v1/{bridge}/{kind}", payload, self.clock.at)

    def open(self, name: str = "s", **more: Any) -> "House":
        """Take in a site and hear its bridges until every outlet is known and off."""
        site = site_of(name, **more)
        register_site(self.lives, self.clock, site, self.journal)
        for _ in range(2):
            for bridge in site.of_bridge:
                assert self.take(self.frame(bridge), bridge) is Taken.USED
        return self

    def note(self) -> None:
        """Let what has been committed reach the history."""
        for notice in self.lives.outbox[self._noted :]:
            if notice.fact.kind.startswith("session."):
                told = notice.fact
                fact = SessionFact(told.about, told.kind, notice.position, notice.at, told.detail, notice.site)
                note_session(self.noting, fact)
        self._noted = len(self.lives.outbox)


def site_of(name: str = "s", fuse_a: float = 12.0, policy: Policy | None = None) -> Site:
    """Make a site of three outlets on one phase, two of them at one bridge."""
    outlets = (
        Outlet(f"{name}-1", "1", "main", (0,), 16.0, f"{name}-b1", "M1"),
        Outlet(f"{name}-2", "2", "main", (0,), 16.0, f"{name}-b1", "M2"),
        Outlet(f"{name}-3", "3", "main", (0,), 16.0, f"{name}-b2", "M3"),
    )
    return Site(name, "Garden", (Fuse("main", None, (fuse_a,) * 3, planning_factor=1.0),), outlets, policy or Policy())
