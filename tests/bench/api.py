"""What the API takes: ``python -m tests.bench api`` measures time in the emulated account, and DynamoDB units from item sizes.

10,000 outlets stand in the store, 50 of each of 200 owners. Times are those of calls over HTTP through the deployed
template, warm, one after the other: emulated, since AWS's own part is. Units are counted in this process, where the API runs
over a stand-in for DynamoDB; with 20 owners and with 200 they must be the same, for what is asked about is the same.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
import botocore.client
from moto import mock_aws

from epspot.bootstrap import World
from epspot.registry.kinds import Put
from epspot.registry.records import OWNER, Owner
from epspot.services.register_site import register_site
from epspot.services.take_message import Taken, take_message
from epspot.settings import Settings
from epspot.site import Fuse, Outlet, Site
from functions.api import calls
from functions.observability import logger
from infra.local.drivers import Api, address_of, enrol
from infra.local.plant import world_of
from iot.contract import Fault, Frame, encode
from iot.contract import Plug as PlugSeen
from iot.contract import Reading as Seen
from tests import gateway
from tests.bench.counting import CORE, INDEXES, LIVE, _shown
from tests.bench.figures import Figure
from tests.bench.latency import deployed, quantile
from tests.bench.prices import index_units, item_size, read_units, write_units
from tests.contracts.houses import REGION, make_tables
from tests.people import FakeIdentity

OWNERS, FEW_OWNERS = 200, 20
OUTLETS = 50
TRIALS = 50
WARM_UP = 5
BOX = "/v1/outlets?west=18&south=59&east=18.9&north=59.9&limit=50"
"""What a phone shows of a town: two sites of fifty outlets; the answer is a page of fifty."""
_BOOT = "0a0b0c0d"
_TABLES = {"LiveTable": LIVE, "CoreTable": CORE}


def site_of(n: int) -> Site:
    """Make the site of the n-th owner: two of them in the box, the others each some way further."""
    name = f"api{n}"
    outlets = tuple(
        Outlet(f"{name}-{i}", str(i), "main", (i % 3,), 16.0, f"{name}-b", f"M{i}", public=True) for i in range(OUTLETS)
    )
    latitude, longitude = 59.3 + n % 2 * 0.3 + n // 2 % 10, 18.4 + n // 20
    fuse = Fuse("main", None, (800.0,) * 3)
    return Site(name, name, (fuse,), outlets, owner=f"owner{n}", latitude=latitude, longitude=longitude)


def furnish(world: World, owners: int) -> None:
    """Put owners with a site each into the store; the first site is heard, and all its outlets are plugged."""
    for n in range(owners):
        world.registry.commit([Put(OWNER, None, Owner(f"owner{n}", f"Owner {n}"))])
        register_site(world.lives, world.clock, site_of(n))
    for seq in (1, 2):
        hear(world, seq)


def hear(world: World, seq: int) -> None:
    """Let the bridge of the first site tell that everything is plugged and off."""
    off = Seen(PlugSeen.PLUGGED, False, (0.0,) * 3, (230.0,) * 3, 0.0, 1000, 20.0, 0.0, Fault(0), 90)
    site = site_of(0)
    (bridge,) = site.of_bridge
    _, live = world.lives.load(site.id)
    rev = live.bridges[bridge].rev if bridge in live.bridges else 0
    frame = Frame(bridge, _BOOT, seq, seq, 0, rev, {o.module: off for o in site.outlets})
    topic = f"epspot/v1/{bridge}/frame"
    assert take_message(world.intake, topic, encode(frame), world.clock.now()) is Taken.USED


# ------------------------------------------------------------------ time


def times(trials: int) -> dict[str, list[float]]:
    """Measure the calls over HTTP, in seconds."""
    with deployed() as (account, outputs, _):
        world = world_of(account, outputs)
        furnish(world, OWNERS)
        email = "api@example.com"
        user = Api(address_of(account, outputs)).sign_in(email, enrol(account, outputs, email))
        calls = _Calls(lambda method, path, body: user.call(method, path, body, {"Idempotency-Key": str(uuid4())}))
        found: dict[str, list[float]] = {name: [] for name in ("list_in_box", "start_session", "session_state")}
        for n in range(WARM_UP + trials):
            if n % 20 == 0:
                hear(world, 10 + n)
            for name, seconds in calls.round(n):
                found[name].append(seconds)
        return {name: seconds[WARM_UP:] for name, seconds in found.items()}


@dataclass
class _Calls:
    """The calls that are measured, each as it is timed."""

    ask: Callable[[str, str, Any], Any]

    def round(self, n: int) -> Iterator[tuple[str, float]]:
        """Look at the map, start a session, look at it, and stop it."""
        begun = time.perf_counter()
        listed = self.ask("GET", BOX, None)
        yield "list_in_box", time.perf_counter() - begun
        assert len(listed["items"]) == OUTLETS, len(listed["items"])
        begun = time.perf_counter()
        session = self.ask("POST", "/v1/sessions", {"outlet": f"api0-{n % OUTLETS}"})["id"]
        yield "start_session", time.perf_counter() - begun
        begun = time.perf_counter()
        self.ask("GET", f"/v1/sessions/{session}", None)
        yield "session_state", time.perf_counter() - begun
        self.ask("POST", f"/v1/sessions/{session}/stop", None)


# ------------------------------------------------------------------ units


@dataclass
class Meter:
    """Counts what DynamoDB is asked, from the sizes of items."""

    read: float = 0.0
    written: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    is_on: bool = False
    """Before that nothing is counted, and what a transaction writes is written piece by piece: the stand-in copies all
    that it holds for each transaction."""

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Count within; services beside DynamoDB take everything and say nothing."""
        really = botocore.client.BaseClient._make_api_call

        def call(client: Any, operation: str, told: dict[str, Any]) -> Any:
            if client.meta.service_model.service_name != "dynamodb":
                return _SILENT.get(operation, {})
            if not self.is_on:
                return _piecemeal(client, really, operation, told)
            self.calls[operation] += 1
            puts = [(t, _before(client, really, t)) for t in _writes(operation, told)]
            answer = really(client, operation, told)
            self.read += _read(operation, told, answer)
            for put, before in puts:
                after = put.get("Item") or _before(client, really, put) or {}
                self.written += _written(put["TableName"], before, after, transaction=operation.startswith("Transact"))
            return answer

        with patch.object(botocore.client.BaseClient, "_make_api_call", call):
            yield


_SILENT: dict[str, dict[str, Any]] = {
    "DescribeEndpoint": {"endpointAddress": "iot.invalid"},
    "PutRecord": {"RecordId": "0"},
}


def _piecemeal(client: Any, really: Callable[..., Any], operation: str, told: dict[str, Any]) -> Any:
    if operation != "TransactWriteItems":
        return really(client, operation, told)
    for ((kind, one),) in (t.items() for t in told["TransactItems"]):
        really(client, f"{kind}Item", one)
    return {}


def _writes(operation: str, told: dict[str, Any]) -> list[dict[str, Any]]:
    if operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return [told]
    if operation == "TransactWriteItems":
        return [next(iter(t.values())) for t in told["TransactItems"]]
    if operation == "BatchWriteItem":
        raise NotImplementedError(operation)
    return []


def _before(client: Any, really: Callable[..., Any], put: dict[str, Any]) -> dict[str, Any] | None:
    """Look, uncounted, at what stands where something is written."""
    key = put.get("Key") or {name: put["Item"][name] for name in ("pk", "sk")}
    found: dict[str, Any] | None = really(client, "GetItem", {"TableName": put["TableName"], "Key": key}).get("Item")
    return found


def _read(operation: str, told: dict[str, Any], answer: dict[str, Any]) -> float:
    consistent = bool(told.get("ConsistentRead"))
    if operation == "GetItem":
        return read_units(item_size(answer.get("Item", {})), consistent=consistent)
    if operation in ("Query", "Scan"):
        return read_units(sum(map(item_size, answer["Items"])), consistent=consistent)
    if operation in ("BatchGetItem", "TransactGetItems"):
        raise NotImplementedError(operation)
    return 0.0


def _written(table: str, before: dict[str, Any] | None, after: dict[str, Any], *, transaction: bool) -> float:
    found = float(write_units(before, after, transaction=transaction))
    for index in INDEXES[_TABLES[table]].values():
        was = {} if before is None else _shown(before, *index)
        found += index_units(was, _shown(after, *index), transaction=transaction)
    return found


@dataclass(frozen=True, slots=True)
class Units:
    """What one call takes of DynamoDB, warm, and how many scans there were in all."""

    read: dict[str, float]
    written: dict[str, float]
    scans: int


def units(owners: int) -> Units:
    """Count the units of each call with so many owners in the store."""
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
    with patch.dict(os.environ, environment), mock_aws():
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            os.environ.pop(name, None)
        make_tables(boto3.client("dynamodb"))
        world = World(_settings())
        vars(world)["identity"] = FakeIdentity()
        meter = Meter()
        with meter.installed(), patch.object(calls, "world", lambda: world), _quietly():
            furnish(world, owners)
            meter.is_on = True
            return _units(meter)


def _units(meter: Meter) -> Units:
    names: Sequence[str] = ("list_in_box", "start_session", "session_state")
    read: dict[str, float] = {}
    written: dict[str, float] = {}
    calls = _Calls(_ask)
    for n in range(2):  # the second round is warm: what a process remembers, it remembers
        meter.read = meter.written = 0.0
        for name, _ in calls.round(n):
            if name in names:
                read[name], written[name] = meter.read, meter.written
            meter.read = meter.written = 0.0
    return Units(read, written, meter.calls["Scan"])


def _ask(method: str, path: str, body: Any) -> Any:
    headers = {"Authorization": "Bearer bench", "Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    sent = None if body is None else json.dumps(body).encode()
    status, _, text = gateway.ask(method, f"http://api.invalid{path}", headers, sent)
    assert status < 400, text
    return json.loads(text)


def _settings() -> Settings:
    """Name the tables; nothing else of the environment is reached."""
    texts: dict[str, Any] = {f.name: f.name for f in fields(Settings) if f.default is MISSING}
    tables = {"live_table": "LiveTable", "core_table": "CoreTable"}
    return Settings(**texts | tables | {"region": REGION, "topic_prefix": "epspot"})


@contextmanager
def _quietly() -> Iterator[None]:
    level = logger.log_level
    logger.setLevel("CRITICAL")
    try:
        yield
    finally:
        logger.setLevel(level)


# ------------------------------------------------------------------ figures


def figures(found: dict[str, list[float]], few: Units, many: Units) -> list[Figure]:
    """Make figures of what was measured and counted."""
    told = []
    for name, seconds in found.items():
        for label, share in (("p50", 0.5), ("p95", 0.95)):
            told.append(Figure(f"emulated_{name}_{label}", round(1000 * quantile(seconds, share), 1), "ms"))
    for name in many.read:
        told.append(Figure(f"{name}_read_units", many.read[name], "RU"))
        told.append(Figure(f"{name}_write_units", many.written[name], "WU"))
    growth = max(
        now[name] - before[name] for now, before in ((many.read, few.read), (many.written, few.written)) for name in now
    )
    told.append(Figure("units_more_for_10_times_the_owners", growth, "units", "<= 0"))
    told.append(Figure("no_scans", few.scans + many.scans, "scans", "<= 0"))
    return told


def measure(trials: int = TRIALS) -> list[Figure]:
    """Count with few and with many owners, and measure."""
    few, many = units(FEW_OWNERS), units(OWNERS)
    return figures(times(trials), few, many)
