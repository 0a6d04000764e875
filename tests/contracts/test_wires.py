"""``Bus``, ``Refused``, ``Commands`` and ``Inbound``: what goes over the wires."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.adapters.dynamodb.lives import notices_of, outbox_item
from epspot.adapters.iot import ContractInbound, IotCommands, encode_command
from epspot.adapters.queues import EventBridgeBus, SqsRefused
from epspot.control.effects import Fact, SendCommand, Setting
from epspot.control.events import EdgeReceived, FrameReceived, HistoryReceived
from epspot.errors import InvalidRequest
from epspot.ports import Bus, Notice, SessionFact
from epspot.services.relay_outbox import relay_outbox
from functions.history import handler as history
from iot.contract import (
    MAX_BYTES,
    Event,
    EventKind,
    Fault,
    Frame,
    History,
    Plug,
    Reading,
    Row,
    Topics,
    decode_command,
    encode,
)
from tests.contracts.houses import NOW, REGION, Stand
from tests.fakes import FakeBus, FakeCommands, FakeRefused

TOPICS = Topics("ab-1")


def notices(count: int) -> list[Notice]:
    """Make facts on their way out."""
    return [
        Notice(f"s/7/{n}", "s", 7000 + n, NOW, Fact("session.active", f"session-{n}", {"å": n})) for n in range(count)
    ]


# ------------------------------------------------------------------ the bus


@dataclass
class StubBus:
    """EventBridge that takes what it is told to, and remembers the entries of each call."""

    refuses: set[str] = field(default_factory=set)
    calls: list[list[dict[str, Any]]] = field(default_factory=list)

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        self.calls.append(Entries)
        told = [
            {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
            if json.loads(entry["Detail"])["id"] in self.refuses
            else {"EventId": "1"}
            for entry in Entries
        ]
        return {"FailedEntryCount": sum("ErrorCode" in t for t in told), "Entries": told}


def buses(refuses: set[str]) -> list[Bus]:
    """Make both kinds of bus, which refuse some ids."""
    return [FakeBus(refuses=refuses), EventBridgeBus(StubBus(refuses), "bus")]


@pytest.mark.parametrize("kind", [0, 1], ids=["memory", "eventbridge"])
@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_the_bus_returns_what_it_did_not_take(kind: int, count: int) -> None:
    """Of any number of notices those that were refused come back, each with a reason, and the others went out."""
    told = notices(count)
    refuses = {n.id for n in told[::3]}
    failed = buses(refuses)[kind].publish(told)
    assert [n for n, _ in failed] == told[::3]
    assert all(reason for _, reason in failed)
    assert buses(set())[kind].publish(told) == []


def test_the_bus_takes_ten_at_a_time() -> None:
    """No call carries more entries than EventBridge takes, and none is empty."""
    stub = StubBus()
    EventBridgeBus(stub, "bus").publish(notices(25))
    EventBridgeBus(stub, "bus").publish([])
    assert [len(call) for call in stub.calls] == [10, 10, 5]


def test_what_the_bus_refuses_is_put_aside() -> None:
    """A notice that the bus does not take is kept with the reason, and the rest goes out."""
    bus, aside = FakeBus(refuses={"s/7/1"}), FakeRefused()
    assert relay_outbox(bus, aside, [notices(3), []]) == 2
    ((reason, kept),) = aside.kept
    assert (reason, json.loads(kept)["id"]) == ("refused", "s/7/1")


@pytest.fixture
def listening(account: Stand) -> tuple[EventBridgeBus, Any, str]:  # noqa: ARG001 - it stands in for AWS
    """Make a bus with a queue that hears what infra/messaging.yaml's rule lets through."""
    events, sqs = boto3.client("events", region_name=REGION), boto3.client("sqs", region_name=REGION)
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name="bus")
    pattern = {"source": ["epspot"], "detail-type": [{"prefix": "session."}]}
    events.put_rule(Name="history", EventBusName="bus", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="history", EventBusName="bus", Targets=[{"Id": "work", "Arn": arn}])
    return EventBridgeBus(events, "bus"), sqs, url


def test_a_fact_reaches_the_history_as_it_was_told(listening: tuple[EventBridgeBus, Any, str]) -> None:
    """What a commit leaves in the outbox is, behind stream, bus and queue, the fact that the history notes."""
    bus, sqs, url = listening
    facts = [
        Fact("session.ended", "one", {"energy_wh": 70, "reason": "full", "start_wh": None, "outlet": "å-1"}),
        Fact("bridge.silent", "b1"),
        Fact("session.queued", "two", {"reason": "main/L1"}),
    ]
    image = outbox_item("s", 12, NOW + 0.25, facts).to_dynamodb_dict()
    assert bus.publish(notices_of(image)) == []
    heard = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    noted = {fact.session: fact for fact in (history._fact(json.loads(m["Body"])) for m in heard)}
    assert noted == {
        "one": SessionFact("one", "session.ended", 12_000, NOW + 0.25, facts[0].detail, "s"),
        "two": SessionFact("two", "session.queued", 12_002, NOW + 0.25, facts[2].detail, "s"),
    }


# ------------------------------------------------------------------ what is put aside


@pytest.fixture
def kept(account: Stand) -> Iterator[tuple[SqsRefused, Any, str]]:  # noqa: ARG001 - it stands in for AWS
    """Make a queue for what is refused."""
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.create_queue(QueueName="refused")["QueueUrl"]
    yield SqsRefused(sqs, url), sqs, url
    sqs.delete_queue(QueueUrl=url)


ANYTHING: Sequence[bytes] = [
    b"",
    b"plain",
    "Gården 😀".encode(),
    b"\xff\x00\x1f" * 5,
    "\uffff\ufffe\x0b".encode(),
    b"\xff" * 128_000,
    "😀".encode() * 32_000,
    b"\x00" * 128_000,
]


@pytest.mark.parametrize("payload", ANYTHING, ids=range(len(ANYTHING)))
def test_anything_can_be_refused(kept: tuple[SqsRefused, Any, str], payload: bytes) -> None:
    """Whatever a bridge sends is kept: as JSON, with the reason, in characters and a size that the queue takes."""
    refused, sqs, url = kept
    refused.put("not_json: å", "ab-1/v1/b1/frame", payload)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert len(message["Body"].encode()) < 262_144
    assert all(" " <= character <= "~" for character in message["Body"])
    told = json.loads(message["Body"])
    assert told["reason"] == "not_json: å"
    topic, text = told["about"]
    assert topic == "ab-1/v1/b1/frame"
    assert payload.decode("utf-8", "replace").startswith(text)
    assert len(text) == min(len(payload.decode("utf-8", "replace")), 20_000)


# ------------------------------------------------------------------ commands

module_ids = st.from_regex(r"[A-Za-z0-9]{1,12}", fullmatch=True)
current = st.integers(0, 40_000).map(lambda n: n / 100)
commands = st.builds(
    SendCommand,
    bridge=st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True),
    rev=st.integers(1, 2**31),
    boot=st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    seq=st.integers(1, 2**31),
    ttl_s=st.integers(1, 86_400),
    interval_s=st.integers(1, 3600),
    modules=st.dictionaries(module_ids, st.builds(Setting, limit_a=current, max_a=current, fallback_a=current)),
    full=st.booleans(),
)


@settings(max_examples=100)
@given(commands)
def test_a_command_is_understood_as_it_was_meant(command: SendCommand) -> None:
    """Any command that the controller may send keeps the schema, and is read by the bridge with the same values."""
    told = decode_command(encode_command(command))
    assert (told.rev, told.boot, told.seq) == (command.rev, command.boot, command.seq)
    assert (told.ttl_s, told.interval_s, told.full) == (command.ttl_s, command.interval_s, command.full)
    assert {m: (s.limit_a, s.max_a, s.fallback_a) for m, s in told.modules.items()} == {
        m: (s.limit_a, s.max_a, s.fallback_a) for m, s in command.modules.items()
    }
    assert all(s.relay == (s.limit_a > 0) for s in told.modules.values())


def test_the_largest_command_is_read() -> None:
    """A command for as many modules as the contract knows stays below the size that a bridge reads."""
    modules = {f"MODULE{n:06d}": Setting(16.67, 16.67, 16.67) for n in range(400)}
    payload = encode_command(SendCommand("b" * 32, 2**31, "0a0b0c0d", 2**31, 86_400, 3600, modules, full=True))
    assert len(decode_command(payload).modules) == 400
    assert len(payload) <= MAX_BYTES


@dataclass
class Published:
    """IoT's data client that remembers."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, **parameters: Any) -> None:
        self.calls.append(parameters)


def test_a_command_goes_to_its_bridge() -> None:
    """A command is published once, at least once, on the command topic of its bridge, and is kept for nobody."""
    command = SendCommand("b1", 3, "0a0b0c0d", 7, 900, 60, {"M1": Setting(0.0, 16.0, 0.0)})
    client, memory = Published(), FakeCommands()
    IotCommands(client, TOPICS).publish(command)
    memory.publish(command)
    assert client.calls == [{"topic": "ab-1/v1/b1/command", "qos": 1, "payload": encode_command(command)}]
    assert memory.sent == [command]


# ------------------------------------------------------------------ messages in

READING = Reading(Plug.ASKING, True, (6.5, 0.0, 0.0), (230.1, 0.0, 0.0), 1495.0, 1234, 21.0, 16.0, Fault.VOLTAGE, 88)


def test_messages_become_events() -> None:
    """Frame, event and history of a bridge are read with the time of their receipt, not with the bridge's own."""
    read = ContractInbound().read
    frame = Frame("b1", "0a0b0c0d", 9, 8, 0, 3, {"M1": READING, "M2": None}, (1.0, 2.0, 3.0), has_meter=True)
    got = read("ab-1/v1/b1/frame", encode(frame), NOW)
    assert isinstance(got, FrameReceived)
    assert (got.at, got.bridge, got.boot, got.seq, got.base, got.rev) == (NOW, "b1", "0a0b0c0d", 9, 8, 3)
    assert got.meter_a == (1.0, 2.0, 3.0)
    assert got.modules == {"M1": tuple(READING), "M2": None}

    event = Event("b1", "0a0b0c0d", 9, 0, 3, EventKind.OVER_CURRENT, "M1", READING, "instant")
    edge = read("ab-1/v1/b1/event", encode(event), NOW)
    assert isinstance(edge, EdgeReceived)
    assert (edge.at, edge.kind, edge.module, edge.rule, edge.seq) == (NOW, "over_current", "M1", "instant", 9)

    rows = (Row("M2", 10, 70), Row("M1", 900, 50), Row("M1", 10, 60))
    past = read("ab-1/v1/b1/history", encode(History("b1", "0a0b0c0d", 9, 0, rows)), NOW)
    assert isinstance(past, HistoryReceived)
    assert past.rows == (("M1", NOW - 900, 50), ("M1", NOW - 10, 60), ("M2", NOW - 10, 70))


GOOD = encode(Frame("b1", "0a0b0c0d", 9, 8, 0, 3, {}))


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("ab-1/v1/b2/frame", GOOD, "topic: a message of b1 came on the topic of b2"),
        ("ab-1/v1/b1/command", GOOD, "topic: no message of the kind"),
        ("ab-1/v1/b1/" + "x" * 300, GOOD, "topic: no message of the kind"),
        ("ab-1/v2/b1/frame", GOOD, "topic:"),
        ("ab-1/v1/b1", GOOD, "topic:"),
        ("ab-1/v1/b1/frame/more", GOOD, "topic:"),
        ("ab-1/v1/B 1/frame", GOOD, "topic:"),
        ("", GOOD, "topic:"),
        ("ab-1/v1/b1/frame", b"", "not_json:"),
        ("ab-1/v1/b1/frame", b"null", "not_json:"),
        ("ab-1/v1/b1/event", GOOD, "schema:"),
        ("ab-1/v1/b1/history", GOOD, "schema:"),
        ("ab-1/v1/b1/frame", GOOD.replace(b'"v":1', b'"v":"1"'), "version:"),
        ("ab-1/v1/b1/frame", GOOD + b" " * MAX_BYTES, "oversized:"),
    ],
)
def test_what_is_no_message_is_refused(topic: str, payload: bytes, reason: str) -> None:
    """A message that can't be used is refused with the reason, which is short whatever was sent."""
    with pytest.raises(InvalidRequest) as refused:
        ContractInbound().read(topic, payload, NOW)
    assert str(refused.value).startswith(reason)
    assert len(str(refused.value)) < 300


@settings(max_examples=100)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_noise_is_refused_and_nothing_else(payload: bytes) -> None:
    """Any bytes are refused with the one error that callers handle."""
    for kind in ("frame", "event", "history"):
        with pytest.raises(InvalidRequest):
            ContractInbound().read(f"ab-1/v1/b1/{kind}", payload, NOW)
