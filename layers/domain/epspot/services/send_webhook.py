"""Send to a webhook on an owner's word: a test message, or one of the log once more."""

from dataclasses import replace

from epspot.errors import NotFound, TooOften
from epspot.notices.webhooks import TEST, body_of, message_id
from epspot.registry.kinds import Page, Put
from epspot.registry.webhooks import DELIVERY, PENDING, Delivery, Webhook, of_webhook
from epspot.services.change_webhooks import Hooking
from epspot.services.changing import Actor, commit, deed_of

MOST_BY_HAND, WINDOW_S = 60, 3600
"""How many messages an owner may send by hand to a webhook in an hour: others' wait behind them."""


def send_test(world: Hooking, actor: Actor, hook: Webhook) -> Delivery:
    """Send a message that says nothing, to see whether it arrives. Raises TooOften or Conflict."""
    _count(world, actor, hook)
    id_ = message_id(hook.id, f"{TEST}/{world.changing.ids.new()}", actor.at)
    body = body_of(id_, TEST, actor.at, owner=hook.owner, site=None, data={})
    made = Delivery(
        id=id_,
        webhook=hook.id,
        owner=hook.owner,
        event=TEST,
        at=actor.at,
        body=body,
        begun_at=actor.at,
        next_at=actor.at,
    )
    commit(world.changing, actor, deed_of(hook.owner, "webhook.tested"), Put(DELIVERY, None, made), made=id_)
    world.queue.remind(hook.owner, hook.id, id_)
    return replace(made, version=1)


def send_again(world: Hooking, actor: Actor, hook: Webhook, delivery: str) -> Delivery:
    """Send a message of the log once more, from the beginning. Raises NotFound, TooOften or Conflict."""
    before = find_delivery(world, hook, delivery)
    _count(world, actor, hook)
    after = replace(before, status=PENDING, attempts=0, begun_at=actor.at, next_at=actor.at)
    after = replace(after, answered=None, problem="")
    commit(world.changing, actor, deed_of(hook.owner, "webhook.resent"), Put(DELIVERY, before, after))
    world.queue.remind(hook.owner, hook.id, delivery)
    return replace(after, version=before.version + 1)


def find_delivery(world: Hooking, hook: Webhook, delivery: str) -> Delivery:
    """Find a message in a webhook's log. Raises NotFound."""
    found = world.changing.registry.get(DELIVERY, of_webhook(hook.id), delivery)
    if found is None:
        raise NotFound(
            "The webhook's log has no delivery with this id; it holds 30 days.",
            "Webhookens logg har ingen leverans med detta id; den går 30 dagar tillbaka.",
        )
    return found


def list_deliveries(world: Hooking, hook: Webhook, limit: int, after: str | None) -> Page[Delivery]:
    """List what was sent to a webhook, the newest first."""
    return world.changing.registry.under(DELIVERY, of_webhook(hook.id), limit, after)


def _count(world: Hooking, actor: Actor, hook: Webhook) -> None:
    if not world.throttle.take(f"webhook/{hook.id}", MOST_BY_HAND, WINDOW_S, actor.at):
        raise TooOften(
            f"At most {MOST_BY_HAND} messages an hour are sent by hand to a webhook. What fails is sent again by itself.",
            f"Högst {MOST_BY_HAND} meddelanden i timmen kan skickas manuellt till en webhook. Misslyckade meddelanden skickas om automatiskt.",
        )
