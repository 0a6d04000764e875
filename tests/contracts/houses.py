"""The same ports twice: in memory, and as the real adapters over tables made from the template."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pynamodb.connection import Connection
from samtranslator.yaml_helper import yaml_parse

from epspot.adapters.dynamodb.items import open_tables
from epspot.adapters.dynamodb.lives import DynamoLives, notices_of
from epspot.adapters.dynamodb.sessions import DynamoSessions, DynamoVehicles
from epspot.adapters.dynamodb.sites import DynamoSites
from epspot.control.effects import Step
from epspot.control.events import Event, FrameReceived, Ticked
from epspot.control.state import Live, Plug, Reading
from epspot.control.step import step
from epspot.ports import Lives, Notice, SessionRecord, Sessions, Sites, Vehicles
from epspot.services.note_session import Noting
from epspot.site import Fuse, Outlet, Policy, Site
from tests.fakes import FakeLives, FakeSessions, FakeVehicles

REGION = "eu-north-1"
NOW = 1_800_000_000.0
ROOT = Path(__file__).parents[2]
_TABLE = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
_READS = {"Query", "GetItem", "DescribeTable"}


@pytest.fixture(scope="module")
def account() -> Iterator["Stand"]:
    """Stand in for AWS; nothing of the machine's own AWS settings takes part."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            environment.delenv(name, raising=False)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        yield Stand(boto3.client("dynamodb"), open_tables("LiveTable", "CoreTable", REGION))


@dataclass(frozen=True)
class Stand:
    """The stand-in's DynamoDB, as tests look into it and as the adapters reach it: dear to make, so made once."""

    client: Any
    connection: Connection


def make_tables(client: Any) -> None:
    """Make the tables as infra/data.yaml describes them, without what an earlier test has written."""
    template = yaml_parse((ROOT / "infra" / "data.yaml").read_text(encoding="utf-8"))
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        client.create_table(TableName=name, **{key: properties[key] for key in _TABLE if key in properties})


@dataclass
class House:
    """Ports over one store, and what can be seen of it from outside."""

    lives: Lives
    sessions: Sessions
    memory: FakeLives | None = None
    """None: the store is DynamoDB."""
    client: Any = None
    connection: Connection | None = None
    remembered: FakeVehicles = field(default_factory=FakeVehicles)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """Every call to DynamoDB: operation and parameters."""

    @property
    def vehicles(self) -> Vehicles:
        """Ask what is known of users' vehicles."""
        return DynamoVehicles() if self.memory is None else self.remembered

    @property
    def noting(self) -> Noting:
        """Take what it takes to keep the history."""
        return Noting(self.sessions, self.vehicles)

    @property
    def sites(self) -> Sites:
        """Ask anew which site things belong to."""
        return DynamoSites() if self.memory is None else self.memory.sites

    def elsewhere(self) -> Lives:
        """Reach the same store from another process, which remembers nothing."""
        return self.lives if self.connection is None else DynamoLives(self.connection)

    def outbox(self) -> list[Notice]:
        """Read all facts that commits have left, in their order."""
        if self.memory is not None:
            return list(self.memory.outbox)
        items = [i for i in self.client.scan(TableName="CoreTable")["Items"] if i["sk"]["S"].startswith("OUTBOX#")]
        return [notice for item in sorted(items, key=lambda i: str(i["sk"]["S"])) for notice in notices_of(item)]

    def due_at(self, site: str) -> int | None:
        """Tell when a site must be looked at."""
        return dict(self.lives.due(NOW + 10_000_000)).get(site)

    def writes(self) -> Counter[str]:
        """Count the writing calls so far."""
        return Counter(operation for operation, _ in self.calls if operation not in _READS)

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """Count the writing calls within."""
        before, within = self.writes(), Counter[str]()
        yield within
        within.update(self.writes() - before)

    # ------------------------------------------------------------ a life

    def create(self, site: Site) -> Live:
        """Take in a site, and return its state."""
        self.lives.create(site, step(site, Live(site.id), Ticked(NOW)).live)
        return self.lives.load(site.id)[1]

    def happen(self, event: Event, record: SessionRecord | None = None, site: str = "s") -> Step:
        """Let something happen at a site, and commit it."""
        here, before = self.lives.load(site)
        done = step(here, before, event)
        self.lives.commit(before, done, record)
        return done

    def change(self, site: Site) -> Step:
        """Let a site be otherwise from now on, and commit it."""
        _, before = self.lives.load(site.id)
        done = step(site, before, Ticked(NOW + 1))
        self.lives.commit(before, done, site=site)
        return done

    def known(self, site: Site | None = None) -> Live:
        """Take in a site whose outlets are known and off."""
        here = site or small_site()
        self.create(here)
        for seq in (1, 2):
            for b in sorted(here.of_bridge):
                self.happen(frame(here, b, seq), site=here.id)
        return self.lives.load(here.id)[1]


@pytest.fixture(params=["memory", "dynamodb"])
def house(request: pytest.FixtureRequest) -> House:
    """Give the ports of either kind."""
    return memory() if request.param == "memory" else request.getfixturevalue("tables")


@pytest.fixture
def tables(account: Stand, monkeypatch: pytest.MonkeyPatch) -> House:
    """Give the ports over DynamoDB."""
    make_tables(account.client)
    calls: list[tuple[str, Mapping[str, Any]]] = []
    dispatch = Connection.dispatch

    def dispatching(self: Connection, operation: str, parameters: dict[str, Any]) -> Any:
        calls.append((operation, parameters))
        return dispatch(self, operation, parameters)

    monkeypatch.setattr(Connection, "dispatch", dispatching)
    lives = DynamoLives(account.connection)
    return House(lives, DynamoSessions(), client=account.client, connection=account.connection, calls=calls)


def memory() -> House:
    """Make the ports in memory."""
    lives = FakeLives(FakeSessions())
    return House(lives, lives.sessions, lives)


# ------------------------------------------------------------------ things to write


def small_site(name: str = "s") -> Site:
    """Make a site with two outlets at one bridge and one at another, where two of three have room."""
    outlets = (
        Outlet(f"{name}-1", "1", "main", (0,), 16.0, f"{name}-b1", "M1"),
        Outlet(f"{name}-2", "2", "main", (0,), 16.0, f"{name}-b1", "M2"),
        Outlet(f"{name}-3", "3", "main", (0,), 16.0, f"{name}-b2", "M3"),
    )
    return Site(name, "Gården", (Fuse("main", None, (15.0,) * 3, planning_factor=1.0),), outlets, Policy())


def reading(**changes: Any) -> Reading:
    """Make the reading of an outlet with a plug in it and its relay open."""
    off = Reading(Plug.PLUGGED, False, (0.0,) * 3, (230.0, 0.0, 0.0), 0.0, 1000, 20.0, 0.0, 0, 90)
    return off._replace(**changes)


def frame(
    site: Site, bridge: str, seq: int, *, rev: int = 1, at: float = NOW, base: int = 0, **told: Reading | None
) -> FrameReceived:
    """Make a frame, a full one unless ``base`` is given; ``told`` says what differs from all off."""
    own = site.of_bridge[bridge]
    all_off: dict[str, Reading | None] = {} if base else {m: reading() for m in own}
    return FrameReceived(at, bridge, "0a0b0c0d", seq, base or seq, rev, all_off | told)


def record(session: str = "session-1", user: str = "anna", at: float = NOW) -> SessionRecord:
    """Make the record that is written with a session's first step."""
    return SessionRecord(session, user, "s", "s-1", "1", at, "queued")


def version(live: Live, number: int, *, look_at: int | None) -> Live:
    """Give a state what its writing adds: a version, and when the clock looks at it."""
    return replace(live, version=number, look_at=look_at)
