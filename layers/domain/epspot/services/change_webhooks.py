"""Let an owner's systems be told of what happens: register, change and take away webhooks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from epspot.errors import InvalidRequest, NotFound
from epspot.notices.signature import secret_text
from epspot.ports import DeliveryQueue, Posting, Throttle
from epspot.registry.kinds import Put, Remove
from epspot.registry.records import of_owner
from epspot.registry.webhooks import WEBHOOK, Webhook
from epspot.services.changing import Actor, Changing, commit, deed_of

MOST = 20
"""How many webhooks an owner may have."""
OLD_SECRET_HOLDS_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Hooking:
    """What it takes to keep webhooks, and to send to them."""

    changing: Changing
    posting: Posting
    queue: DeliveryQueue
    throttle: Throttle


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an owner says of a webhook."""

    url: str
    events: tuple[str, ...]
    active: bool = True


def register_webhook(world: Hooking, actor: Actor, owner: str, wanted: Wanted) -> Webhook:
    """Make a webhook with a secret of its own. Raises InvalidRequest or Conflict."""
    world.posting.check(wanted.url)
    if len(list_webhooks(world, owner)) >= MOST:
        raise InvalidRequest(f"An owner has at most {MOST} webhooks. Take one away, or let one be told of more.")
    made = Webhook(
        id=world.changing.ids.new(),
        owner=owner,
        url=wanted.url,
        events=wanted.events,
        secret=secret_text(world.changing.ids.secret()),
        active=wanted.active,
        made_at=actor.at,
    )
    commit(world.changing, actor, deed_of(owner, "webhook.created"), Put(WEBHOOK, None, made), made=made.id)
    return replace(made, version=1)


def list_webhooks(world: Hooking, owner: str) -> Sequence[Webhook]:
    """List an owner's webhooks."""
    return world.changing.registry.under(WEBHOOK, of_owner(owner)).items


def find_webhook(world: Hooking, owner: str, webhook: str) -> Webhook:
    """Find a webhook of an owner's. Raises NotFound."""
    found = world.changing.registry.get(WEBHOOK, of_owner(owner), webhook)
    if found is None:
        raise NotFound("The owner has no webhook with this id.", "Ägaren har ingen webhook med detta id.")
    return found


def change_webhook(world: Hooking, actor: Actor, before: Webhook, wanted: Wanted) -> Webhook:
    """Let a webhook be otherwise; it is taken to work until it is seen to fail. Raises InvalidRequest or Conflict."""
    world.posting.check(wanted.url)
    after = replace(before, url=wanted.url, events=wanted.events, active=wanted.active, failing_since=None)
    return _put(world, actor, "webhook.changed", before, after)


def rotate_secret(world: Hooking, actor: Actor, before: Webhook) -> Webhook:
    """Give a webhook a new secret; for a day messages are signed with the old one too. Raises Conflict."""
    secret = secret_text(world.changing.ids.secret())
    until = actor.at + OLD_SECRET_HOLDS_S
    after = replace(before, secret=secret, old_secret=before.secret, old_until=until)
    return _put(world, actor, "webhook.secret_rotated", before, after)


def remove_webhook(world: Hooking, actor: Actor, before: Webhook) -> None:
    """Take a webhook away; what was under way to it is not sent. Raises Conflict."""
    commit(world.changing, actor, deed_of(before.owner, "webhook.removed"), Remove(WEBHOOK, before))


def _put(world: Hooking, actor: Actor, what: str, before: Webhook, after: Webhook) -> Webhook:
    commit(world.changing, actor, deed_of(before.owner, what), Put(WEBHOOK, before, after))
    return replace(after, version=before.version + 1)
