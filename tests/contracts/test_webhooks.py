"""Webhooks over the real tables and queues, and what the template and the code must say alike."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from samtranslator.yaml_helper import yaml_parse

from epspot.adapters.deliveries import SqsDeliveries
from epspot.adapters.dynamodb import codec
from epspot.adapters.dynamodb.items import CoreItem
from epspot.adapters.dynamodb.registry import DynamoRegistry
from epspot.notices.webhooks import EVENTS, OF_FACT
from epspot.ports import DeliveryQueue, Registry
from epspot.registry.authorisation import AUTHORISATION, Authorisation
from epspot.registry.kinds import Put
from epspot.registry.webhooks import START, of_webhook
from epspot.services.change_webhooks import Hooking, Wanted, find_webhook, register_webhook
from epspot.services.changing import Actor, Changing
from epspot.services.deliver_webhook import Reminder, deliver_webhook
from epspot.services.send_webhook import list_deliveries
from epspot.services.tell_webhooks import Happened, Telling, tell_webhooks
from tests.contracts.houses import NOW, REGION, House, record, small_site
from tests.fakes import FakeClock, FakeDeliveries, FakeIds, FakePosting, FakeThrottle

MESSAGING = yaml_parse((Path(__file__).parents[2] / "infra" / "messaging.yaml").read_text(encoding="utf-8"))


def test_the_rule_lets_through_what_is_told() -> None:
    """The queue of the webhooks gets the facts that become events, and no others."""
    pattern = MESSAGING["Resources"]["WebhookRule"]["Properties"]["EventPattern"]
    assert pattern == {"source": ["epspot"], "detail-type": list(OF_FACT)}
    assert set(OF_FACT.values()) == set(EVENTS)


# ------------------------------------------------------------------ the queue


@pytest.fixture
def queue(account: object) -> Iterator[tuple[DeliveryQueue, Any, str, str]]:
    """Give the adapter over queues of a stand-in."""
    assert account
    sqs = boto3.client("sqs", region_name=REGION)
    url, dlq = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("deliveries", "webhook-dlq"))
    yield SqsDeliveries(sqs, url, dlq), sqs, url, dlq
    for made in (url, dlq):
        sqs.delete_queue(QueueUrl=made)


def test_a_reminder_comes_when_it_is_time(queue: tuple[DeliveryQueue, Any, str, str]) -> None:
    """A reminder for now is there at once; one for later is not, nor is one for later than the queue can wait."""
    deliveries, sqs, url, _ = queue
    deliveries.remind("o", "w", "d")
    for after_s in (0.2, 899.9, 86_400.0):
        deliveries.remind("o", "w", "later", after_s)
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert Reminder(**json.loads(message["Body"])) == Reminder("o", "w", "d")
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesDelayed"])["Attributes"]
    assert told["ApproximateNumberOfMessagesDelayed"] == "3"


def test_what_is_given_up_is_where_people_look(queue: tuple[DeliveryQueue, Any, str, str]) -> None:
    """A delivery that nobody will try again is in the queue with the alarm, with its reason."""
    deliveries, sqs, _, dlq = queue
    deliveries.give_up("o", "w", "d", "answered 503")
    (message,) = sqs.receive_message(QueueUrl=dlq)["Messages"]
    assert json.loads(message["Body"]) == {"owner": "o", "webhook": "w", "delivery": "d", "reason": "answered 503"}


# ------------------------------------------------------------------ the records


def registry_of(house: House) -> Registry:
    """Reach the registry over the house's store."""
    if house.memory is not None:
        return house.memory.registry
    assert house.connection is not None
    return DynamoRegistry(house.connection)


def test_a_fact_becomes_one_message_and_arrives(house: House) -> None:
    """From a fact that comes twice to the log, newest first: the same in memory and in DynamoDB."""
    house.create(replace(small_site(), owner="o1"))
    posting, queue = FakePosting(), FakeDeliveries()
    hooking = Hooking(Changing(registry_of(house), FakeIds(), FakeClock(NOW)), posting, queue, FakeThrottle())
    telling = Telling(hooking, house.lives, house.sessions)
    hook = register_webhook(hooking, Actor("user:olga", NOW), "o1", Wanted("https://hooks.example/", EVENTS))
    assert find_webhook(hooking, "o1", hook.id) == hook
    fact = Happened("s/4/0", "session.active", "s", NOW + 0.25, "session-1", {"outlet": "s-1"})
    turns = [fact, fact, replace(fact, id="s/9/0", at=NOW + 60)]
    assert [tell_webhooks(telling, f) for f in turns] == [1, 1, 0]
    ended = Happened(
        "s/5/0", "session.ended", "s", NOW + 90, "session-1", {"outlet": "s-1", "energy_wh": 7, "reason": "full"}
    )
    assert tell_webhooks(telling, ended) == 1
    outcomes = [deliver_webhook(hooking, Reminder(*about)) for *about, _ in queue.reminders]
    assert outcomes == ["delivered", "dropped", "delivered"]
    told = list_deliveries(hooking, hook, 1, None)
    (newest,) = told.items
    (first,) = list_deliveries(hooking, hook, 10, told.next).items
    assert [(d.event, d.status) for d in (newest, first)] == [
        ("session.ended", "delivered"),
        ("session.started", "delivered"),
    ]
    assert json.loads(newest.body)["data"]["number"] == "1"
    assert registry_of(house).get(START, of_webhook(hook.id), "session-1") is not None


def test_where_an_owner_is_asked_is_kept(house: House) -> None:
    """The one record of an owner is read back as it was written."""
    registry = registry_of(house)
    registry.commit([Put(AUTHORISATION, None, Authorisation("o1", "https://x.example/", "whsec_x", 800, "deny", NOW))])
    kept = registry.get(AUTHORISATION, "OWNER#o1", "")
    assert kept == Authorisation("o1", "https://x.example/", "whsec_x", 800, "deny", NOW, version=1)


def test_sessions_from_before_references_are_read(tables: House) -> None:
    """A record that was written without a reference has none."""
    old = {name: value for name, value in asdict(record()).items() if name != "reference"}
    CoreItem("SESSION#session-1", "SESSION", schema=codec.SCHEMA, body=codec.pack(old), position=0).save()
    assert tables.sessions.get("session-1") == record()
