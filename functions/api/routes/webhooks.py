"""Webhooks: where an owner's systems are told of what happens, and the log of what they were told."""

import json
from typing import Any

from epspot.access import Capability
from epspot.registry.webhooks import Delivery, Webhook
from epspot.services.change_webhooks import (
    Wanted,
    change_webhook,
    find_webhook,
    list_webhooks,
    register_webhook,
    remove_webhook,
    rotate_secret,
)
from epspot.services.send_webhook import find_delivery, list_deliveries, send_again, send_test
from functions.api.calls import Answer, Call, page
from functions.api.operations import operation
from functions.api.render import time

_ALL = "/v1/owners/{owner}/webhooks"
_ONE = f"{_ALL}/{{webhook}}"
_TAG = "Webhooks"


@operation(
    "POST",
    _ALL,
    "Register a webhook",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="WebhookForm",
    status=201,
    answer="WebhookMade",
    creates=True,
)
def create_webhook(call: Call) -> Any:
    """Register a webhook; who repeats the request is told the secret again."""
    owner = call.here.owner
    if call.made:
        made = find_webhook(call.world.hooking, owner, call.made)
    else:
        made = register_webhook(call.world.hooking, call.actor, owner, _wanted(call))
    return Answer(_made(made), version=made.version, headers={"Location": f"/v1/owners/{owner}/webhooks/{made.id}"})


@operation("GET", _ALL, "List the webhooks", tag=_TAG, needs=Capability.ADMINISTER, on="owner", answer="Webhooks")
def list_owner_webhooks(call: Call) -> Any:
    """List the owner's webhooks; there are few."""
    return page([_webhook(w) for w in list_webhooks(call.world.hooking, call.here.owner)], None)


@operation("GET", _ONE, "Show a webhook", tag=_TAG, needs=Capability.ADMINISTER, on="owner", answer="Webhook")
def show_webhook(call: Call) -> Any:
    """Show a webhook."""
    found = _found(call)
    return Answer(_webhook(found), version=found.version)


@operation(
    "PUT",
    _ONE,
    "Change a webhook",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="WebhookForm",
    answer="Webhook",
    changes=True,
)
def replace_webhook(call: Call) -> Any:
    """Change where it leads, what it tells, and whether it does."""
    before = _found(call)
    call.check_version(before.version)
    after = change_webhook(call.world.hooking, call.actor, before, _wanted(call))
    return Answer(_webhook(after), version=after.version)


@operation(
    "DELETE", _ONE, "Take a webhook away", tag=_TAG, needs=Capability.ADMINISTER, on="owner", status=204, changes=True
)
def delete_webhook(call: Call) -> Any:
    """Take a webhook away."""
    before = _found(call)
    call.check_version(before.version)
    remove_webhook(call.world.hooking, call.actor, before)


@operation(
    "POST",
    f"{_ONE}/rotate-secret",
    "Give a webhook a new secret; the old one holds for a day beside it",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    answer="WebhookMade",
    changes=True,
)
def rotate_webhook_secret(call: Call) -> Any:
    """Give a webhook a new secret, and tell it."""
    before = _found(call)
    call.check_version(before.version)
    after = rotate_secret(call.world.hooking, call.actor, before)
    return Answer(_made(after), version=after.version)


# ------------------------------------------------------------------ what is sent


@operation(
    "POST",
    f"{_ONE}/test",
    "Send a test message",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    status=201,
    answer="WebhookDelivery",
    creates=True,
)
def send_webhook_test(call: Call) -> Any:
    """Send a test message; the log tells whether it has arrived."""
    hook = _found(call)
    if call.made:
        return _delivery(find_delivery(call.world.hooking, hook, call.made))
    return _delivery(send_test(call.world.hooking, call.actor, hook))


@operation(
    "GET",
    f"{_ONE}/deliveries",
    "List what was sent, the newest first, for 30 days",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    answer="WebhookDeliveries",
    paged=True,
)
def list_webhook_deliveries(call: Call) -> Any:
    """List a page of a webhook's log."""
    found = list_deliveries(call.world.hooking, _found(call), call.limit, call.cursor)
    return page([_delivery(d) for d in found.items], found.next)


@operation(
    "POST",
    f"{_ONE}/deliveries/{{delivery}}/resend",
    "Send a message of the log once more",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    answer="WebhookDelivery",
)
def resend_webhook_delivery(call: Call) -> Any:
    """Send a message once more, under the same id."""
    return _delivery(send_again(call.world.hooking, call.actor, _found(call), call.params["delivery"]))


# ------------------------------------------------------------------ how it looks


def _found(call: Call) -> Webhook:
    return find_webhook(call.world.hooking, call.here.owner, call.params["webhook"])


def _wanted(call: Call) -> Wanted:
    return Wanted(call.body["url"], tuple(call.body["events"]), call.body.get("active", True))


def _webhook(w: Webhook) -> dict[str, Any]:
    return {
        "id": w.id,
        "url": w.url,
        "events": list(w.events),
        "active": w.active,
        "made_at": time(w.made_at),
        "failing_since": time(w.failing_since),
    }


def _made(w: Webhook) -> dict[str, Any]:
    return _webhook(w) | {"secret": w.secret}


def _delivery(d: Delivery) -> dict[str, Any]:
    return {
        "id": d.id,
        "event": d.event,
        "at": time(d.at),
        "status": d.status,
        "attempts": d.attempts,
        "next_at": time(d.next_at),
        "answered": d.answered,
        "problem": d.problem or None,
        "message": json.loads(d.body),
    }
