"""What system tests stand on: the deployed account, and in it sites with simulated modules and real bridges."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast
from uuid import uuid4

import boto3

from epspot.bootstrap import World
from epspot.control.invariants import violations
from epspot.control.state import Live
from epspot.ports import SessionRecord
from epspot.services.change_site import change_site
from epspot.services.register_site import register_site
from epspot.site import Fuse, Outlet, Policy, Site
from infra.local.deploy import Outputs
from infra.local.devices import BridgeFiles, register_bridge
from infra.local.drivers import Api, ApiError, address_of, enrol
from infra.local.ministack import Account
from infra.local.plant import erect, world_of
from iot.bridge.agent import Agent
from iot.contract import Event, Frame, History, Reading, Topics, Upward, decode_frame, encode
from iot.simulator.loads import Building
from iot.simulator.module import SimModule
from iot.simulator.runner import SimRunner

PATIENCE_S = 45.0
"""When a thing that must happen is taken not to happen: long, since nothing but a failure waits for it."""

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T | None], seconds: float = PATIENCE_S) -> T:
    """Look again and again until there is something to be seen, and return it."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"it did not happen: {what}"
        time.sleep(0.1)
    return seen


def refused(call: Callable[..., object], *args: object) -> tuple[int, str]:
    """Make a call that must be refused; return its status and code."""
    try:
        answer = call(*args)
    except ApiError as error:
        return error.status, str(error.code)
    raise AssertionError(f"it was not refused: {answer}")


@dataclass(frozen=True, slots=True)
class Cloud:
    """The deployed system."""

    account: Account
    outputs: Outputs
    session: boto3.Session
    folder: Path
    outlook: Path
    """Where its files of prices and temperatures are."""
    _refused: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        """Make a client of one AWS service, signed in as the account's root."""
        return self.account.client(service)

    @property
    def topics(self) -> Topics:
        """The topics of this environment."""
        return Topics(self.outputs.prefix)

    def bridge(self, name: str) -> BridgeFiles:
        """Register a bridge; its name must be new."""
        return register_bridge(self.account, self.outputs, name, self.folder)

    def anyone(self) -> Api:
        """Call the API without a token."""
        return Api(address_of(self.account, self.outputs))

    def deliver(self, bridge: str, kind: str, *payloads: bytes, ahead_s: float = 0.0) -> None:
        """Put messages into their queue as the topic rule does, in batches; return when they are worked off.

        ``ahead_s``: they are received so much later than now.
        """
        url = self.outputs.frames_url if kind == "frame" else self.outputs.events_url
        now, topic = int((time.time() + ahead_s) * 1000), self.topics.plain(bridge, kind)
        bodies = [
            json.dumps({"payload": base64.b64encode(payload).decode(), "topic": topic, "received": now})
            for payload in payloads
        ]
        sqs = self.client("sqs")
        for first in range(0, len(bodies), 10):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[first : first + 10])]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
        wait_for("the queue is worked off", lambda: self.waiting(url) == 0)

    def waiting(self, url: str) -> int:
        """Count the messages in a queue, those in hand included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)

    def run(self, function: str) -> None:
        """Let a function that runs by the clock run now."""
        answer = self.client("lambda").invoke(FunctionName=self.outputs.function(function), Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    def refused_of(self, bridge: str) -> list[str]:
        """List the reasons why messages on a bridge's topics were refused, in the order of their coming."""
        sqs, url = self.client("sqs"), self.outputs.refused_url
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in found:
                self._refused.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [kept["reason"] for kept in self._refused if f"/{bridge}/" in kept["about"][0]]


class Ear:
    """Hears the facts of one kind that go over the bus, behind a rule and a queue as any listener has."""

    def __init__(self, cloud: Cloud, prefix: str) -> None:
        self._heard: list[tuple[str, dict[str, Any]]] = []
        self._sqs = cloud.client("sqs")
        name = f"ear-{uuid4()}"
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(policy)})
        events, bus = cloud.client("events"), cloud.outputs.bus_name
        pattern = {"source": ["epspot"], "detail-type": [{"prefix": prefix}]}
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": name, "Arn": arn}])

    def heard(self, site: str) -> list[tuple[str, dict[str, Any]]]:
        """List what has been told of a site so far: the kind, and what the bus carries of it."""
        while found := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in found:
                body = json.loads(message["Body"])
                self._heard.append((body["detail-type"], body["detail"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [(kind, detail) for kind, detail in self._heard if detail["site"] == site]


@dataclass(slots=True)
class Wire:
    """What went over the connection of a bridge, both ways, as bytes."""

    up: list[tuple[str, bytes]] = field(default_factory=list)
    down: list[bytes] = field(default_factory=list)

    def of(self, kind: str) -> list[bytes]:
        """List what the bridge sent of a kind."""
        return [payload for told, payload in self.up if told == kind]


def tap(agent: Agent) -> Wire:
    """Listen in on an agent that has not started yet."""
    seen = Wire()
    publish, command = agent._publish, agent._command
    kinds: dict[type[Upward], str] = {Frame: "frame", Event: "event", History: "history"}

    def publishing(message: Upward, seq: int | None) -> None:
        seen.up.append((kinds[type(message)], encode(message)))
        publish(message, seq)

    def commanded(payload: bytes) -> None:
        seen.down.append(payload)
        command(payload)

    vars(agent).update(_publish=publishing, _command=commanded)
    return seen


def say(agent: Agent, topic: str, payload: bytes) -> int:
    """Publish over an agent's own connection; return the broker's reason code (0 = taken)."""
    from awscrt import mqtt5  # noqa: PLC0415

    packet = mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS.AT_LEAST_ONCE)
    return int(cast("Any", agent._client).publish(packet).result(PATIENCE_S).puback.reason_code)


class Watch:
    """Reads a site's decisions as they are made and checks the invariants from each to the next."""

    def __init__(self, world: World, site: str) -> None:
        self.seen: list[int] = []
        self.broken: list[str] = []
        self._world = world
        self._site = site
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{site}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        before: Live | None = None
        while not self._over.wait(0.03):
            site, now = self._world.lives.load(self._site)
            if before is None or now.version != before.version:
                self.seen.append(now.version)
                self.broken += violations(site, before or now, now)
                before = now


class Place:
    """A site of a test's own: its modules simulated, its bridges real, its users with tokens."""

    def __init__(self, cloud: Cloud, world: World, site: Site, runner: SimRunner) -> None:
        self.cloud = cloud
        self.world = world
        self.site = site
        self.runner = runner
        self.wires = {b: tap(agent) for b, agent in runner.agents.items()}

    # ------------------------------------------------------------ people

    def email(self, name: str) -> str:
        """Name a user of this site alone."""
        return f"{name}.{self.site.id}@example.com"

    def user(self, name: str = "anna") -> Api:
        """Enrol a user and sign in."""
        password = enrol(self.cloud.account, self.cloud.outputs, self.email(name))
        return self.cloud.anyone().sign_in(self.email(name), password)

    # ------------------------------------------------------------ things

    def outlet(self, n: int) -> str:
        """Name an outlet by its number."""
        return f"{self.site.id}-{n}"

    def agent(self, n: int = 1) -> Agent:
        """Find the agent of a bridge."""
        return self.runner.agents[f"{self.site.id}-b{n}"]

    def wire(self, n: int = 1) -> Wire:
        """Find what a bridge has said and heard."""
        return self.wires[f"{self.site.id}-b{n}"]

    def module(self, n: int) -> SimModule:
        """Find a module by the number of its outlet."""
        with self.runner.world() as site:
            return site.modules[f"M{n}"]

    def record(self, session: str) -> SessionRecord | None:
        """Find a session's record, whosoever it is."""
        return self.world.sessions.get(session)

    # ------------------------------------------------------------ life

    def change(self, **fields: Any) -> None:
        """Let the site be otherwise from now on."""
        self.site = change_site(self.world.controller, self.world.clock, replace(self.site, **fields))

    def start(self) -> Self:
        """Let the site live; return when the cloud knows every outlet and counts nothing unknown."""
        self.runner.start()
        wait_for("every outlet is known to be off", self._is_known)
        return self

    def _is_known(self) -> bool:
        live = self.live()
        told = {b: live.readings[b].modules.keys() for b in live.readings}
        heard = all(told.get(b) == own.keys() for b, own in self.site.of_bridge.items())
        return heard and all(s.counted_a == 0 for s in live.outlets.values())

    def live(self) -> Live:
        """Read the site's state."""
        return self.world.lives.load(self.site.id)[1]

    def facts(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Read every fact that the site's commits left in the outbox, in order: kind, what it is about, detail."""
        pages = (
            self.cloud.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.cloud.outputs.core_table,
                KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
                ExpressionAttributeValues={":p": {"S": f"SITE#{self.site.id}"}, ":s": {"S": "OUTBOX#"}},
            )
        )
        items = [item for page in pages for item in page["Items"]]
        return [(kind, about, detail) for i in items for kind, about, detail in json.loads(i["text"]["S"])["facts"]]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """List the details of the facts of one kind."""
        return [detail for told, _, detail in self.facts() if told == kind]

    def until(self, user: Api, session: str, state: str) -> dict[str, Any]:
        """Follow a session until it has a state."""

        def look() -> dict[str, Any] | None:
            seen = user.session(session)
            return seen if seen["state"] == state else None

        return wait_for(f"session {session} is {state}", look)

    def charging(self, user: Api, session: str) -> dict[str, Any]:
        """Follow a session until current flows."""

        def look() -> dict[str, Any] | None:
            seen = user.session(session)
            return seen if any(seen["current_a"]) else None

        return wait_for(f"session {session} draws current", look)


class Ahead:
    """Speaks for bridges that have been taken off line, at times that have not come yet.

    So nobody has to wait for what takes a quarter of an hour. All else is as deployed.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._ahead_s = 0.0
        self._told: dict[str, Frame] = {}
        for b, agent in place.runner.agents.items():
            agent.disconnect()
            self._told[b] = decode_frame(place.wires[b].of("frame")[-1])
        wait_for("the broker has said so", lambda: all(s.suspect_since for s in place.live().bridges.values()))

    def frames(self, after_s: float, *bridges: int) -> None:
        """Let bridges tell, so much later than the last time, what they see now."""
        self._ahead_s += after_s
        for n in bridges or (1,):
            frame = self._frame(n)
            self._place.cloud.deliver(frame.bridge, "frame", encode(frame), ahead_s=self._ahead_s)

    def sees(self, n: int, module: str) -> Reading | None:
        """Tell what a bridge would say of a module now."""
        return self._place.agent(n).core._outlets[module].shown

    def _frame(self, n: int) -> Frame:
        agent = self._place.agent(n)
        bridge = agent.settings.bridge.bridge
        last = self._told[bridge]
        frame = self._told[bridge] = replace(
            last,
            seq=last.seq + 1000,
            base=last.seq + 1000,
            at=last.at + int(self._ahead_s),
            rev=self._place.live().bridges[bridge].rev,
            modules={m: self.sees(n, m) for m in [*agent.core._outlets]},
            meter_a=None if agent._meter is None else agent._meter.sample(),
        )
        return frame


class Stage:
    """Builds places, and stops them all."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.world = world_of(cloud.account, cloud.outputs)
        self._places = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.close()

    def place(
        self,
        name: str,
        *outlets: Outlet,
        fuse_a: float = 63.0,
        policy: Policy | None = None,
        registers_wh: Mapping[str, float] | None = None,
        building: Building | None = None,
        **fields: Any,
    ) -> Place:
        """Build a site under one fuse, or as its fields say; `Place.start` lets it live."""
        site = replace(site_of(name, outlets, fuse_a, policy or QUICK), **fields)
        account, outputs, folder = self.cloud.account, self.cloud.outputs, self.cloud.folder
        runner = erect(account, outputs, site, folder, building=building, registers_wh=registers_wh)
        self._places.callback(runner.stop)
        return Place(self.cloud, self.world, site, runner)

    def deserted(self, name: str, *outlets: Outlet) -> Site:
        """Register a site that nobody ever connects."""
        site = site_of(name, outlets, 63.0, QUICK)
        register_site(self.world.lives, self.world.clock, site)
        return site


QUICK = Policy(interval_s=2, fast_interval_s=1, turn_s=3600, standby_s=600)
"""Frames so often that a test need not wait for them."""


def site_of(name: str, outlets: Iterable[Outlet], fuse_a: float, policy: Policy) -> Site:
    """Put outlets under one fuse."""
    return Site(name, name, (Fuse("main", None, (fuse_a,) * 3, planning_factor=1.0),), tuple(outlets), policy)


def outlet(
    name: str, n: int, *, phases: tuple[int, ...] = (0,), bridge: int = 1, max_a: float = 16.0, **more: Any
) -> Outlet:
    """Make the n-th outlet of a site."""
    made = Outlet(f"{name}-{n}", str(n), "main", phases, max_a, f"{name}-b{bridge}", f"M{n}", public=True)
    return replace(made, **more)
