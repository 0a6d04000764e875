"""A site in simulated time: real bridges and handlers, simulated modules and people, every AWS call counted.

Nothing is lost or late here, and no two things happen at once: each message is a batch of its own, which is what a
queue with little traffic does, and the dearest.
"""

import io
import json
import os
import random
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import ceil
from time import thread_time
from typing import Any, NamedTuple
from unittest.mock import patch

from epspot import bootstrap
from epspot.adapters.dynamodb.sites import DynamoSites
from epspot.ports import Person
from epspot.services.register_site import register_site
from epspot.site import Site
from iot.bridge.core import Bridge, BridgeSettings
from iot.contract import Event, Frame, History, Topics, Upward, encode
from iot.simulator.loads import Load
from iot.simulator.module import SimModule
from tests.bench.counting import CORE, LIVE, Cloud, Record
from tests.bench.prices import GB, IOT_UNIT, SQS_UNIT, Usage, units

DECIDE_MB, CARRY_MB = 512, 256
MEMORY_MB = {"control": DECIDE_MB, "clock": DECIDE_MB, "api": DECIDE_MB, "relay": CARRY_MB, "history": CARRY_MB}
WHOLE_CPU_MB = 1769
"""Lambda gives a function this share of a processor: its memory by this."""
SLOWER = 1.25
"""An Arm processor of Lambda's is taken to need this much longer than this machine's."""

FINE_S, FINE_FOR_S, COARSE_S = 2.0, 16.0, 30.0
"""How finely a bridge lives after a change, for how long, and otherwise while something draws current."""
SETTLED_S = 180.0
"""Nobody comes before every bridge has been heard."""
LOOKS_S = range(5, 65, 5)
"""When the app asks how a session is, after its start."""

_ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "LIVE_TABLE": LIVE,
    "CORE_TABLE": CORE,
    "BUS_NAME": "epspot",
    "REFUSED_QUEUE_URL": "https://sqs.invalid/refused",
    "RELAY_ASIDE_URL": "https://sqs.invalid/aside",
    "TOPIC_PREFIX": "epspot",
    "USER_POOL_CLIENT_ID": "client",
    "USER_POOL_ID": "eu-west-1_pool",
    "JOURNAL_STREAM": "epspot-journal",
    "POWERTOOLS_SERVICE_NAME": "epspot",
}
_KINDS = {Frame: "frame", Event: "event", History: "history"}
_LOG_LINES = 300
"""Bytes of the runtime's own START, END and REPORT lines."""
_LOG_EVENT = 26
"""Bytes that CloudWatch counts for each line beside its text."""
_DAY_S = 86_400.0


class Stay(NamedTuple):
    """One car at one outlet, in seconds from the start."""

    begin_s: float
    end_s: float
    outlet: str
    module: str
    load: Load


@dataclass(frozen=True, slots=True)
class Scenario:
    """A site and who comes to it."""

    name: str
    site: Site
    stays: Sequence[Stay]
    days: float
    noise: float = 0.0
    """Relative standard deviation of a measured current."""
    start_at: float = 1_767_000_000.0


@dataclass
class Wire:
    """Bytes on the wire of one bridge, headers of MQTT, TLS and TCP/IP and acknowledgements included."""

    up: float = 0.0
    down: float = 0.0

    def publish(self, topic: str, payload: bytes, *, qos: int, up: bool) -> None:
        """Count a PUBLISH and, for QoS 1, its PUBACK."""
        there, back = _wire(len(topic) + len(payload) + 8), _wire(5) if qos else (0, 0)
        sent, answered = there[0] + back[1], there[1] + back[0]
        self.up += sent if up else answered
        self.down += answered if up else sent

    def live(self, seconds: float, keep_alive_s: float = 30.0) -> None:
        """Count the pings of a time, and a new connection each day."""
        ping = seconds / keep_alive_s * sum(_wire(2))
        self.up += ping + 4000 * seconds / _DAY_S
        self.down += ping + 5000 * seconds / _DAY_S


_TLS, _TCP_IP, _SEGMENT = 29, 52, 1400


def _wire(size: int) -> tuple[int, int]:
    """Tell the bytes of an MQTT packet on the wire, and of the acknowledgements of TCP the other way."""
    segments = units(size + _TLS, _SEGMENT)
    return size + _TLS + segments * _TCP_IP, units(segments, 2) * _TCP_IP


@dataclass
class _Unit:
    """A bridge with its modules."""

    name: str
    core: Bridge
    modules: list[SimModule]
    next_at: float
    last_at: float
    fine_until: float
    applied: Mapping[str, Any] = field(default_factory=dict)
    wire: Wire = field(default_factory=Wire)


@dataclass
class Outcome:
    """What a replay has used."""

    scenario: Scenario
    usage: Usage
    wires: dict[str, Wire]
    frame_writes: list[tuple[float, float]]
    """Of each frame when it came, and the write units of its handling."""
    handler_ms: dict[str, list[float]]
    metrics: set[str]
    sessions: int
    stored_bytes: int
    told: Counter[str]
    """Answers of the API by status, and facts by kind."""


class _Vouching:
    """Believes everybody: what a signature costs to check is not what is counted here."""

    def verify(self, id_token: str) -> Person:
        return Person(id_token)


class Replay:
    """Runs one scenario."""

    def __init__(self, scenario: Scenario, call_cpu_s: float) -> None:
        self.scenario = scenario
        self.now = scenario.start_at
        self.usage = Usage()
        self._call_cpu_s = call_cpu_s
        self._outbox: deque[Record] = deque()
        self._events: deque[dict[str, Any]] = deque()
        self._cloud = Cloud(self.usage, self._command, self._outbox.append, self._events.append)
        self._topics = Topics()
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._number = count()
        self._random = random.Random(scenario.name)
        self._out = io.StringIO()
        self.outcome = Outcome(scenario, self.usage, {}, [], {f: [] for f in MEMORY_MB}, set(), 0, 0, Counter())
        self._units = {b: self._unit(b) for b in scenario.site.of_bridge}
        self._handlers: dict[str, Callable[[Any, Any], Any]] = {}
        self._cpu: dict[tuple[str, str], _Cpu] = {}

    def run(self) -> Outcome:
        """Let the scenario happen."""
        s = self.scenario
        end = s.start_at + s.days * _DAY_S
        with self._world(), self._cloud.installed():
            world = bootstrap.world()
            register_site(world.lives, world.clock, s.site)
            self.usage.counts.clear()
            for unit in self._units.values():
                self._at(unit.next_at, lambda u=unit: self._connect(u, 1))  # type: ignore[misc]
            for n, stay in enumerate(s.stays):
                self._plan_stay(n, stay, end)
            self._at(s.start_at + 60, self._tick)
            while self._agenda and self._agenda[0][0] <= end:
                self.now, _, happen = heappop(self._agenda)
                happen()
                self._follow_up()
        for unit in self._units.values():
            unit.wire.live(s.days * _DAY_S)
            self.outcome.wires[unit.name] = unit.wire
            self.usage.add("iot.connection_minute", s.days * 1440, "connection")
        self.outcome.stored_bytes = self._cloud.stored_bytes
        return self.outcome

    def idle(self, times: int = 30) -> Usage:
        """Tell what one run of the clock uses while nothing is due, on average."""
        with self._world(), self._cloud.installed():
            for _ in range(times + 1):
                self._invoke("clock", {}, "fixed")
                if len(self.outcome.handler_ms["clock"]) == 1:
                    self.usage.counts.clear()  # the first builds its clients
        return Usage(counts=Counter({k: n / times for k, n in self.usage.counts.items()}))

    @contextmanager
    def _world(self) -> Iterator[None]:
        """Give the handlers this replay's clock; what they keep per process begins anew."""
        clock = _Clock(self)
        with patch.dict(os.environ, _ENVIRONMENT), redirect_stdout(self._out):
            os.environ.pop("AWS_ENDPOINT_URL", None)
            bootstrap.world.cache_clear()
            world = bootstrap.world()
            world.__dict__["clock"] = clock
            _ = world.lives
            world.__dict__["sites"] = DynamoSites(clock.now)
            world.__dict__["identity"] = _Vouching()
            from functions.api.app import handler as api  # noqa: PLC0415 - reads the environment
            from functions.clock.handler import handler as clock_handler  # noqa: PLC0415
            from functions.control.handler import handler as control  # noqa: PLC0415
            from functions.history.handler import handler as history  # noqa: PLC0415
            from functions.observability import logger  # noqa: PLC0415
            from functions.relay.handler import handler as relay  # noqa: PLC0415

            logger.registered_handler.setStream(self._out)  # type: ignore[attr-defined]
            self._handlers = {
                "control": control,
                "clock": clock_handler,
                "api": api,
                "relay": relay,
                "history": history,
            }
            yield
            bootstrap.world.cache_clear()

    def _at(self, when: float, happen: Callable[[], object]) -> None:
        heappush(self._agenda, (when, next(self._number), happen))

    # -------------------------------------------------------------- in the ground

    def _unit(self, bridge: str) -> _Unit:
        site, begin = self.scenario.site, self.now + 1 + self._random.random() * 60
        modules = [
            SimModule(o.module, phases=len(o.phases), rcbo_a=o.max_a, energy_wh=1_000_000.0)
            for o in site.of_bridge[bridge].values()
        ]
        core = Bridge(BridgeSettings(bridge), f"{self._random.getrandbits(32):08x}")
        return _Unit(bridge, core, modules, begin, begin, begin + FINE_FOR_S)

    def _connect(self, unit: _Unit, version: int) -> None:
        """Connect, and once more each day."""
        unit.core.connected(self.now)
        self.usage.add("iot.message", 2, "connection")  # CONNECT and SUBSCRIBE
        self._presence(unit, connected=True, version=2 * version)
        self._wake(unit)
        self._at(self.now + _DAY_S, lambda: self._reconnect(unit, version + 1))

    def _reconnect(self, unit: _Unit, version: int) -> None:
        unit.core.disconnected(self.now)
        self._presence(unit, connected=False, version=2 * version - 1)
        self._at(self.now + 2, lambda: self._connect(unit, version))

    def _wake(self, unit: _Unit) -> None:
        unit.fine_until = self.now + FINE_FOR_S
        self._plan_step(unit, self.now + 0.5)

    def _plan_step(self, unit: _Unit, at: float) -> None:
        unit.next_at = at
        self._at(at, lambda: self._step(unit) if unit.next_at == at else None)

    def _step(self, unit: _Unit) -> None:
        dt, unit.last_at = self.now - unit.last_at, self.now
        for m in unit.modules:
            m.advance(dt)
        step = unit.core.step(self.now, int(self.now), {m.id: self._sample(m) for m in unit.modules})
        orders = {m: (a.limit_a, a.relay) for m, a in step.apply.items()}
        if orders != unit.applied:
            unit.applied, unit.fine_until = orders, self.now + FINE_FOR_S
        for m in unit.modules:
            a = step.apply[m.id]
            m.apply(a.limit_a, a.relay, a.lease_s, a.fallback_a)
        frame_at = unit.core._frame_at + unit.core._interval_s + 0.001
        if self.now < unit.fine_until or unit.core._outstanding:
            at = self.now + FINE_S
        elif any(max(m.current_a) for m in unit.modules):
            at = self.now + COARSE_S
        else:
            at = frame_at
        self._plan_step(unit, max(self.now + 0.1, min(at, frame_at)))
        for message in step.send:
            self._send(unit, message)
            self._follow_up()

    def _sample(self, module: SimModule) -> Any:
        r, noise = module.sample(), self.scenario.noise
        if r is None or not noise or not max(r.current_a):
            return r
        a, b, c = (x * self._random.gauss(1.0, noise) for x in r.current_a)
        return r._replace(current_a=(a, b, c))

    # -------------------------------------------------------------- messages

    def _send(self, unit: _Unit, message: Upward) -> None:
        kind = _KINDS[type(message)]
        payload, topic = encode(message), self._topics.plain(unit.name, kind)
        unit.wire.publish(self._topics.up(unit.name, kind), payload, qos=int(kind != "frame"), up=True)
        written = self.usage.total("dynamodb.write_unit", "frame")
        body = {"payload": b64encode(payload).decode(), "topic": topic, "received": round(self.now * 1000)}
        self._from_rule(len(payload) + len(topic), body, "frame" if kind == "frame" else "event")
        if kind == "frame":
            written = self.usage.total("dynamodb.write_unit", "frame") - written
            self.outcome.frame_writes.append((self.now, written))

    def _presence(self, unit: _Unit, *, connected: bool, version: int) -> None:
        event = "connected" if connected else "disconnected"
        body = {
            "clientId": unit.name,
            "timestamp": round(self.now * 1000),
            "eventType": event,
            "sessionIdentifier": "x" * 36,
            "principalIdentifier": "x" * 64,
            "ipAddress": "192.0.2.1",
            "versionNumber": version,
            "topic": f"$aws/events/presence/{event}/{unit.name}",
            "received": round(self.now * 1000),
        }
        self._from_rule(400, body, "event")

    def _from_rule(self, size: int, body: dict[str, Any], cause: str) -> None:
        self.usage.add("iot.rule", units(size, IOT_UNIT), cause)
        self.usage.add("iot.action", units(size, IOT_UNIT), cause)
        self._through_queue("control", json.dumps(body, separators=(",", ":")), cause)

    def _through_queue(self, function: str, body: str, cause: str) -> None:
        """Send to a queue, receive, handle, delete."""
        self.usage.add("sqs.request", 2 * units(len(body.encode()), SQS_UNIT) + 1, cause)
        answer = self._invoke(function, {"Records": [{"messageId": "1", "body": body}]}, cause)
        if answer["batchItemFailures"]:
            raise RuntimeError(self._out.getvalue())

    def _command(self, topic: str, payload: bytes) -> None:
        unit = self._units[topic.split("/")[2]]
        unit.wire.publish(topic, payload, qos=1, up=False)
        self.usage.add("transfer.gb", len(payload) / GB)
        # Taken in now and obeyed from the next step on, as the agent does.
        unit.core.receive(self.now, payload)
        self._wake(unit)

    def _follow_up(self) -> None:
        """Relay what commits have left in the outbox, and note it."""
        while self._outbox:
            item = self._outbox.popleft()
            self._invoke("relay", {"Records": [{"dynamodb": {"NewImage": item}}]}, "session")
        while self._events:
            e = self._events.popleft()
            self.outcome.told[e["DetailType"]] += 1
            if e["DetailType"].startswith("session."):
                body = {
                    "version": "0",
                    "id": "x" * 36,
                    "detail-type": e["DetailType"],
                    "source": e["Source"],
                    "account": "123456789012",
                    "time": "2026-01-01T00:00:00Z",
                    "region": "eu-west-1",
                    "resources": [],
                    "detail": json.loads(e["Detail"]),
                }
                self._through_queue("history", json.dumps(body), "session")

    def _tick(self) -> None:
        if self._cloud.due(self.now):
            self._invoke("clock", {}, "clock")
        self._at(self.now + 60, self._tick)

    # -------------------------------------------------------------- people

    def _plan_stay(self, n: int, stay: Stay, end: float) -> None:
        begin = self.scenario.start_at + max(stay.begin_s, SETTLED_S)
        gone = self.scenario.start_at + stay.end_s
        if begin > min(end, gone - 120):
            return
        unit = self._units[self.scenario.site.outlet[stay.outlet].bridge]
        module = next(m for m in unit.modules if m.id == stay.module)
        user = f"{n:08d}-0000-0000-0000-000000000000"

        def plug() -> None:
            module.plug(stay.load)
            self._wake(unit)

        def unplug() -> None:
            module.unplug()
            self._wake(unit)

        def start() -> None:
            self._ask(user, "GET", f"/v1/sites/{self.scenario.site.id}/outlet-states")
            told = self._ask(user, "POST", "/v1/sessions", {"outlet": stay.outlet}, key=f"key-{n:032d}")
            if "id" not in told:
                return
            self.outcome.sessions += 1
            session = told["id"]
            looks = [self.now + s for s in LOOKS_S] + [(self.now + gone) / 2]
            for at in looks:
                if at < gone - 60:
                    self._at(at, lambda: self._ask(user, "GET", f"/v1/sessions/{session}"))
            if n % 2:
                self._at(gone - 30, lambda: self._ask(user, "POST", f"/v1/sessions/{session}/stop"))
            self._at(gone + 60, lambda: self._ask(user, "GET", "/v1/sessions"))

        self._at(begin, plug)
        self._at(begin + 20, start)
        self._at(gone, unplug)

    def _ask(
        self,
        user: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
    ) -> dict[str, Any]:
        headers = {"content-type": "application/json", "authorization": user}
        headers |= {} if key is None else {"idempotency-key": key}
        event = {
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "path": path,
            "pathParameters": {"proxy": path.strip("/")},
            "stageVariables": None,
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
            "requestContext": {
                "httpMethod": method,
                "resourcePath": "/{proxy+}",
                "identity": {"sourceIp": "192.0.2.1"},
                "stage": "api",
            },
        }
        self.usage.add("api.request", 1, "api")
        answer = self._invoke("api", event, "api")
        self.usage.add("transfer.gb", (len(answer["body"]) + 500) / GB, "api")
        self.outcome.told[str(answer["statusCode"])] += 1
        self._follow_up()
        told: dict[str, Any] = json.loads(answer["body"])
        return told

    # -------------------------------------------------------------- functions

    def _invoke(self, function: str, event: Mapping[str, Any], cause: str) -> Any:
        """Run a function and count what Lambda and its logs charge for it."""
        cloud, memory = self._cloud, MEMORY_MB[function]
        self._out.seek(0)
        self._out.truncate()
        self.usage.cause = cause
        calls, waited = cloud.calls, cloud.waited_ms
        meter = self._cpu.setdefault((function, cause), _Cpu())
        with meter.measured():
            answer = self._handlers[function](event, _CONTEXT)
        cpu_s = meter.mean_s + (cloud.calls - calls) * self._call_cpu_s
        ms = cpu_s * 1000 * SLOWER * max(1.0, WHOLE_CPU_MB / memory) + cloud.waited_ms - waited
        self.outcome.handler_ms[function].append(ms)
        self.usage.add("lambda.request")
        self.usage.add("lambda.gb_s", ceil(ms) / 1000 * memory / 1024)
        self._count_logs()
        return answer

    def _count_logs(self) -> None:
        lines = self._out.getvalue().splitlines()
        size = _LOG_LINES + sum(len(line.encode()) for line in lines) + (3 + len(lines)) * _LOG_EVENT
        self.usage.add("logs.gb", size / GB)
        self.usage.add("logs.gb_month", size / GB)
        for line in lines:
            if '"_aws"' in line:
                told = json.loads(line)
                for group in told["_aws"]["CloudWatchMetrics"]:
                    self.outcome.metrics |= {f"{m['Name']}{group['Dimensions']}" for m in group["Metrics"]}


@dataclass
class _Cpu:
    """Processor time of a function for a cause, from a sample of its runs: reading that clock takes long itself."""

    runs: int = 0
    sampled_s: float = 0.0
    samples: int = 0

    @property
    def mean_s(self) -> float:
        return self.sampled_s / max(1, self.samples)

    @contextmanager
    def measured(self) -> Iterator[None]:
        self.runs += 1
        if not _WARM < self.runs < _SAMPLED and self.runs % _SAMPLE_EVERY:
            yield
            return
        begun = thread_time()
        yield
        self.sampled_s += thread_time() - begun
        self.samples += 1


_WARM, _SAMPLED, _SAMPLE_EVERY = 3, 40, 25


@dataclass(frozen=True, slots=True)
class _Clock:
    replay: Replay

    def now(self) -> float:
        return self.replay.now


class _Context:
    function_name = "epspot-control"
    memory_limit_in_mb = DECIDE_MB
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:epspot-control"
    aws_request_id = "0" * 36


_CONTEXT = _Context()
