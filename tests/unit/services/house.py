"""The world of the use cases, in memory: what `bootstrap.World` gives, from fakes."""

from dataclasses import dataclass, field
from typing import Any

from epspot.adapters.iot import ContractInbound
from epspot.control.state import Live
from epspot.ports import Inbound, SessionFact
from epspot.services.advance import Controller
from epspot.services.ask_owner import Asking
from epspot.services.authorize import Gate
from epspot.services.change_webhooks import Hooking
from epspot.services.changing import Changing
from epspot.services.claim_bridge import Claiming
from epspot.services.connect_provider import Connecting
from epspot.services.delete_person import Forgetting
from epspot.services.describe_person import Describing
from epspot.services.door import Door
from epspot.services.edit_document import Configuring
from epspot.services.export_person import Exporting
from epspot.services.follow_session import Following
from epspot.services.give_grant import Granting
from epspot.services.issue_token import Issuing
from epspot.services.keep_tariffs import Tariffing
from epspot.services.listen_live import Listening
from epspot.services.note_session import Noting, note_session
from epspot.services.prove_address import Proving
from epspot.services.register_owner import Owning
from epspot.services.register_site import register_site
from epspot.services.show_token import Doorkeeping
from epspot.services.start_session import Starting
from epspot.services.take_message import Intake, Taken, take_message
from epspot.services.tell_prices import Pricing
from epspot.services.tell_webhooks import Telling
from epspot.services.tick_sites import Ticking
from epspot.site import Fuse, Outlet, Policy, Site
from iot.contract import Fault, Frame, Plug, Reading, Upward, encode
from tests.fakes import (
    FakeBus,
    FakeClock,
    FakeCommands,
    FakeDeliveries,
    FakeIds,
    FakeJournal,
    FakeLiveAddresses,
    FakeLives,
    FakeLiveTopics,
    FakePosting,
    FakeRefused,
    FakeRegistry,
    FakeSessions,
    FakeSites,
    FakeThrottle,
    FakeVehicles,
)
from tests.people import FakeIdentity, FakeMail, FakeProviders

BOOT = "0a0b0c0d"
OFF = Reading(Plug.PLUGGED, False, (0.0, 0.0, 0.0), (230.0, 0.0, 0.0), 0.0, 1000, 20.0, 0.0, Fault(0), 90)


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
    providers: FakeProviders = field(default_factory=FakeProviders)
    mail: FakeMail = field(default_factory=FakeMail)
    throttle: FakeThrottle = field(default_factory=FakeThrottle)
    ids: FakeIds = field(default_factory=FakeIds)
    posting: FakePosting = field(default_factory=FakePosting)
    deliveries: FakeDeliveries = field(default_factory=FakeDeliveries)
    live_topics: FakeLiveTopics = field(default_factory=FakeLiveTopics)
    live_addresses: FakeLiveAddresses = field(default_factory=FakeLiveAddresses)
    inbound: Inbound = field(default_factory=ContractInbound)
    app_url: str = ""
    party_id: str = "EPS"
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
        return Controller(self.lives, self.commands, self.journal, self.live_topics, self.registry)

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
    def registry(self) -> FakeRegistry:
        return self.lives.registry

    @property
    def hooking(self) -> Hooking:
        return Hooking(self.changing, self.posting, self.deliveries, self.throttle)

    @property
    def telling(self) -> Telling:
        return Telling(self.hooking, self.lives, self.sessions)

    @property
    def asking(self) -> Asking:
        return Asking(self.gate, self.sessions, self.posting, self.ids)

    @property
    def listening(self) -> Listening:
        return Listening(self.controller, self.gate, self.sessions, self.live_addresses, self.throttle, self.clock)

    @property
    def gate(self) -> Gate:
        return Gate(self.registry, self.lives, self.sites, self.clock)

    @property
    def changing(self) -> Changing:
        return Changing(self.registry, self.ids, self.clock)

    @property
    def door(self) -> Door:
        return Door(self.identity, self.registry, self.throttle, self.mail, self.ids, self.clock)

    @property
    def connecting(self) -> Connecting:
        return Connecting(self.changing, self.providers)

    @property
    def proving(self) -> Proving:
        return Proving(self.mail, self.ids, self.clock)

    @property
    def describing(self) -> Describing:
        return Describing(self.registry, self.identity, self.ids)

    @property
    def exporting(self) -> Exporting:
        return Exporting(self.describing, self.gate, self.sessions, self.vehicles)

    @property
    def forgetting(self) -> Forgetting:
        return Forgetting(self.describing, self.granting, self.lives, self.sessions, self.vehicles)

    @property
    def issuing(self) -> Issuing:
        return Issuing(self.changing, self.gate)

    @property
    def doorkeeping(self) -> Doorkeeping:
        return Doorkeeping(self.registry, self.throttle, self.clock)

    @property
    def owning(self) -> Owning:
        return Owning(self.changing, self.throttle)

    @property
    def configuring(self) -> Configuring:
        return Configuring(self.controller, self.changing)

    @property
    def claiming(self) -> Claiming:
        return Claiming(self.controller, self.changing, self.throttle)

    @property
    def granting(self) -> Granting:
        return Granting(self.changing, self.gate, self.following, self.throttle)

    @property
    def tariffing(self) -> Tariffing:
        return Tariffing(self.changing, self.lives)

    @property
    def pricing(self) -> Pricing:
        return Pricing(self.registry, self.lives, self.sessions)

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


def site_of(name: str = "s", fuse_a: float = 12.0, policy: Policy | None = None, owner: str = "owner1") -> Site:
    """Make a site of three outlets on one phase, two of them at one bridge."""
    outlets = (
        Outlet(f"{name}-1", "1", "main", (0,), 16.0, f"{name}-b1", "M1"),
        Outlet(f"{name}-2", "2", "main", (0,), 16.0, f"{name}-b1", "M2"),
        Outlet(f"{name}-3", "3", "main", (0,), 16.0, f"{name}-b2", "M3"),
    )
    main = Fuse("main", None, (fuse_a,) * 3, planning_factor=1.0)
    return Site(name, "Garden", (main,), outlets, policy or Policy(), owner=owner)
