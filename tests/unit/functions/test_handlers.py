"""The handlers of queues, stream and clock: one bad record never stops the ones beside it."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from epspot.adapters.dynamodb.lives import outbox_item
from epspot.control.effects import Fact
from epspot.services.start_session import start_session
from functions.clock import handler as clock
from functions.control import handler as control
from functions.history import handler as history
from functions.relay import handler as relay
from tests.unit.functions.conftest import Logged
from tests.unit.services.house import OFF, House


@dataclass(frozen=True)
class Context:
    """What Lambda tells a handler of its invocation."""

    function_name: str = "test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-north-1:000000000000:function:test"
    aws_request_id: str = "1"


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """Open a site and put its house behind every handler."""
    made = House().open()
    for module in (control, history, relay, clock):
        monkeypatch.setattr(module, "world", lambda: made)
    return made


def records(*bodies: Mapping[str, Any] | str) -> dict[str, Any]:
    """Make a batch as SQS gives it to a function, its messages numbered from 0."""
    return {
        "Records": [
            {"messageId": str(n), "body": body if isinstance(body, str) else json.dumps(body)}
            for n, body in enumerate(bodies)
        ]
    }


def message(house: House, payload: bytes, kind: str = "frame", bridge: str = "s-b1") -> dict[str, Any]:
    """Make what the topic rule writes into a queue."""
    return {
        "payload": b64encode(payload).decode(),
        "topic": f"epspot/v1/{bridge}/{kind}",
        "received": int(house.clock.at * 1000),
    }


def presence(house: House, kind: str, client: str = "s-b1", version: int = 7) -> dict[str, Any]:
    """Make what the presence rule writes into a queue."""
    return {
        "topic": f"$aws/events/presence/{kind}/{client}",
        "eventType": kind,
        "clientId": client,
        "versionNumber": version,
        "received": int(house.clock.at * 1000),
    }


# ------------------------------------------------------------------ control


def test_a_batch_is_taken(house: House) -> None:
    """Every message of a batch happens, and none comes again."""
    batch = records(message(house, house.frame(M1=OFF._replace(energy_wh=1001))), presence(house, "disconnected"))
    assert control.handler(batch, Context()) == {"batchItemFailures": []}
    assert house.live().readings["s-b1"].modules["M1"].energy_wh == 1001
    assert house.live().bridges["s-b1"].suspect_since == house.clock.at


@pytest.mark.parametrize(
    "poison", ["not json", "{}", "[]", '{"topic": "a/v1/b/frame", "received": 1}', '{"topic": 7, "received": "x"}']
)
def test_a_poisonous_message_stops_nobody(house: House, poison: str) -> None:
    """A record that can't even be opened comes again alone; those before and behind it are taken."""
    first = message(house, house.frame(M1=OFF._replace(energy_wh=1001)))
    last = message(house, house.frame(M1=OFF._replace(energy_wh=1002)))
    answer = control.handler(records(first, poison, last), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert house.live().readings["s-b1"].modules["M1"].energy_wh == 1002


def test_a_refused_message_does_not_come_again(house: House) -> None:
    """What breaks the contract is put aside, and is then done with."""
    batch = records(message(house, b"nonsense"), message(house, house.frame(), bridge="t-b1"))
    assert control.handler(batch, Context()) == {"batchItemFailures": []}
    assert [kept[0].partition(":")[0] for kept in house.refused.kept] == ["not_json", "topic"]


@pytest.mark.parametrize(
    ("kind", "client"),
    [("connected", "stranger"), ("disconnected", "stranger"), ("connect_failed", "s-b1"), ("subscribed", "s-b1")],
)
def test_other_presence_is_nobody_s_concern(house: House, kind: str, client: str) -> None:
    """Strangers that come and go, and attempts that failed, change nothing and are kept nowhere."""
    before = house.live()
    assert control.handler(records(presence(house, kind, client)), Context()) == {"batchItemFailures": []}
    assert house.live() == before
    assert house.refused.kept == []


def test_an_empty_batch_warms_up(house: House, recwarn: pytest.WarningsRecorder) -> None:
    """A batch of nothing, as the local deployment sends to warm a function up, is taken."""
    before = house.live()
    with pytest.warns(UserWarning, match="No application metrics"):
        assert control.handler({"Records": []}, Context()) == {"batchItemFailures": []}
    assert house.live() == before
    assert len(recwarn) == 0


def test_one_line_without_content_is_logged(house: House, logged: Logged, capsys: pytest.CaptureFixture[str]) -> None:
    """An invocation logs one line with its counts, and nothing of what the messages say."""
    control.handler(records(message(house, house.frame()), message(house, b"secret")), Context())
    (told,) = logged()
    assert (told["message"], told["counts"]) == ("messages taken", {"used": 1, "refused": 1})
    (metric,) = capsys.readouterr().out.splitlines()
    assert json.loads(metric)["used"] == [1.0]
    for text in ("secret", "s-b1"):
        assert text not in json.dumps(told) + metric


# ------------------------------------------------------------------ history


def fact(session: str, position: int, kind: str = "session.stopping") -> dict[str, Any]:
    """Make what the bus writes into the history's queue."""
    detail = {"id": "s/1/0", "site": "s", "position": position, "at": 5.0, "about": session, "detail": {"reason": "x"}}
    return {"detail-type": kind, "source": "epspot", "detail": detail}


def test_facts_are_noted_beside_a_bad_one(house: House) -> None:
    """A fact that can't be read comes again alone, and those beside it are noted."""
    session = start_session(house.starting, "anna", "s-1", "key").record.id
    broken = fact(session, 9)
    del broken["detail"]["about"]
    answer = history.handler(records("nonsense", fact(session, 8), broken, fact("unknown", 3)), Context())
    failures = [{"itemIdentifier": n} for n in ("0", "2", "3")]  # the last is not known yet, and perhaps later
    assert answer == {"batchItemFailures": failures}
    told = house.sessions.get(session)
    assert told is not None
    assert (told.state, told.reason) == ("stopping", "x")


def test_a_fact_without_its_figures_comes_again(house: House) -> None:
    """An end that lacks its energy is not noted with a guess."""
    session = start_session(house.starting, "anna", "s-1", "key").record.id
    before = house.sessions.get(session)
    answer = history.handler(records(fact(session, 9, "session.ended")), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert house.sessions.get(session) == before


# ------------------------------------------------------------------ relay


def written(version: int, *facts: Fact) -> dict[str, Any]:
    """Make a record of the table's stream."""
    image = outbox_item("s", version, 5.0, facts).to_dynamodb_dict()
    return {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": image["pk"], "sk": image["sk"]}, "NewImage": image}}


BROKEN: list[dict[str, Any]] = [
    {},
    {"dynamodb": {}},
    {"dynamodb": {"Keys": {"pk": {"S": "SITE#s"}}, "NewImage": {}}},
    {"dynamodb": {"NewImage": {"pk": {"S": "SITE#s"}, "sk": {"S": "OUTBOX#x"}, "text": {"S": "{}"}}}},
    {"dynamodb": {"NewImage": {"pk": {"S": "SITE#s"}, "sk": {"S": "OUTBOX#1"}, "text": {"S": "{"}}}},
    {
        "dynamodb": {
            "NewImage": {"pk": {"S": "SITE#s"}, "sk": {"S": "OUTBOX#1"}, "text": {"S": '{"at":1,"facts":[[1]]}'}}
        }
    },
    {"dynamodb": {"NewImage": {"pk": {"S": "SITE#s"}, "sk": {"S": "OUTBOX#1"}, "text": {"S": '{"at":1,"facts":7}'}}}},
    {"dynamodb": {"NewImage": {"pk": {"S": "SITE#s"}, "sk": {"S": "OUTBOX#1"}, "text": {"S": "[]"}}}},
    {"dynamodb": {"NewImage": {"pk": {"N": "1"}, "sk": {"S": "OUTBOX#1"}}}},
    {"dynamodb": {"NewImage": None}},
]


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_the_relay_raises_for_no_record(house: House, broken: dict[str, Any]) -> None:
    """A record that is no outbox item is put aside; those before and behind it go on the bus in order."""
    batch = [written(3, Fact("session.active", "a")), broken, written(4, Fact("session.active", "b"), Fact("x", "c"))]
    relay.handler({"Records": batch}, Context())
    assert [n.id for n in house.bus.sent] == ["s/3/0", "s/4/0", "s/4/1"]
    assert len(house.aside.kept) == 1


def test_what_the_bus_refuses_goes_aside(house: House) -> None:
    """A notice that the bus does not take is put aside with the reason, and the handler is done with it."""
    house.bus.refuses = {"s/3/0"}
    relay.handler({"Records": [written(3, Fact("session.active", "a"), Fact("session.active", "b"))]}, Context())
    assert [n.id for n in house.bus.sent] == ["s/3/1"]
    ((reason, kept),) = house.aside.kept
    assert (reason, json.loads(kept)["fact"]) == ("refused", {"kind": "session.active", "about": "a", "detail": {}})


# ------------------------------------------------------------------ clock


def test_the_clock_lets_time_pass(house: House, logged: Logged) -> None:
    """A tick looks at what is due, and says how much that was."""
    house.clock.at += 100_000
    clock.handler({}, Context())
    assert house.live().bridges["s-b1"].silent
    (told,) = logged()
    assert (told["message"], told["counts"]) == ("clock", {"sites_due": 1, "sites_failed": 0})


def test_steps_that_no_journal_has_are_counted(house: House, logged: Logged) -> None:
    """A journal that fails stops neither control nor the clock; how much is lost is told once."""
    house.journal.broken = True
    for _ in range(2):
        control.handler(records(presence(house, "disconnected", version=7)), Context())
    house.clock.at += 100_000
    clock.handler({}, Context())
    assert [line["counts"].get("journal_lost") for line in logged()] == [1, None, 1]
    assert house.live().bridges["s-b1"].silent
