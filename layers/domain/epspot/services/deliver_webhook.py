"""Send a message to a webhook, signed, and again for a day if it does not arrive."""

import hashlib
from dataclasses import dataclass, replace

from epspot.errors import Conflict, Unanswered
from epspot.notices.signature import signed
from epspot.registry.kinds import Put
from epspot.registry.records import of_owner
from epspot.registry.webhooks import (
    DELIVERED,
    DELIVERY,
    FAILED,
    GIVEN_UP,
    PENDING,
    WEBHOOK,
    Delivery,
    Webhook,
    of_webhook,
)
from epspot.services.change_webhooks import Hooking
from epspot.services.changing import Actor, commit, deed_of

TIMEOUT_S = 5.0
TRIED_FOR_S = 86_400.0
WAITS_S = (5.0, 30.0, 120.0, 600.0, 900.0)
"""After each attempt; the last again and again."""
JITTER = 0.2
"""By which part of it a wait may be shorter, so that what has failed together does not come again together."""
GONE = 410

_SOON_S = 1.0
_FIRST_GOOD, _FIRST_OTHER = 200, 300


@dataclass(frozen=True, slots=True)
class Reminder:
    """That a delivery may have to be sent: at least once, maybe too early, maybe for nothing."""

    owner: str
    webhook: str
    delivery: str


def deliver_webhook(world: Hooking, about: Reminder) -> str:
    """Send what it is time to send, note what came of it, and have it tried again; return in a word what happened."""
    registry, now = world.changing.registry, world.changing.clock.now()
    hook = registry.get(WEBHOOK, of_owner(about.owner), about.webhook)
    before = registry.get(DELIVERY, of_webhook(about.webhook), about.delivery)
    if hook is None or before is None or before.status != PENDING:
        return "dropped"
    if before.next_at is not None and before.next_at > now + _SOON_S:
        world.queue.remind(about.owner, about.webhook, about.delivery, before.next_at - now)
        return "put_back"
    if not hook.active:
        after = replace(before, status=FAILED, next_at=None, problem="inactive")
    else:
        after = _tried(world, hook, before, now)
    return _noted(world, hook, before, after, now)


def wait_s(delivery: str, attempts: int) -> float:
    """Tell how long to wait after so many attempts; what varies it is the delivery's id, not chance."""
    longest = WAITS_S[min(attempts, len(WAITS_S)) - 1]
    part = hashlib.sha256(f"{delivery}/{attempts}".encode()).digest()[0] / 255
    return longest * (1 - JITTER * part)


def _tried(world: Hooking, hook: Webhook, before: Delivery, now: float) -> Delivery:
    """Send once, and tell what the delivery is after that."""
    answered, problem = _sent(world, hook, before, now)
    attempts = before.attempts + 1
    tried = replace(before, attempts=attempts, answered=answered, problem=problem, next_at=None)
    if answered is not None and _FIRST_GOOD <= answered < _FIRST_OTHER:
        return replace(tried, status=DELIVERED)
    if answered == GONE:
        return replace(tried, status=FAILED)
    # What the house was late with counts from its first attempt.
    begun_at = before.begun_at if before.attempts else now
    if now >= begun_at + TRIED_FOR_S:
        return replace(tried, status=GIVEN_UP)
    return replace(tried, begun_at=begun_at, next_at=now + wait_s(before.id, attempts))


def _sent(world: Hooking, hook: Webhook, delivery: Delivery, now: float) -> tuple[int | None, str]:
    """Send once; return the status of the answer, or why there was none."""
    secrets = [hook.secret]
    if hook.old_until is not None and now < hook.old_until:
        secrets.append(hook.old_secret)
    body = delivery.body.encode()
    try:
        return world.posting.post(hook.url, body, signed(secrets, delivery.id, now, body), TIMEOUT_S).status, ""
    except Unanswered as error:
        return None, str(error)


def _noted(world: Hooking, hook: Webhook, before: Delivery, after: Delivery, now: float) -> str:
    """Write down what came of an attempt, and have done what follows from it."""
    if after.status == GIVEN_UP:
        # First, so that a crash in between tells people twice rather than never.
        world.queue.give_up(hook.owner, hook.id, after.id, after.problem or f"answered {after.answered}")
    try:
        world.changing.registry.commit([Put(DELIVERY, before, after)])
    except Conflict:
        # Somebody else has sent it meanwhile, or the owner has it sent anew: a reminder of that is under way.
        return "dropped"
    if after.status == PENDING and after.next_at is not None:
        world.queue.remind(hook.owner, hook.id, after.id, after.next_at - now)
    _note_health(world, hook, after, now)
    return "retried" if after.status == PENDING else after.status


def _note_health(world: Hooking, hook: Webhook, done: Delivery, now: float) -> None:
    """Keep since when a webhook fails; one whose receiver says that it is gone for good is told no more."""
    if hook.active and done.answered == GONE:
        deed = deed_of(hook.owner, "webhook.deactivated")
        changed = replace(hook, active=False, failing_since=hook.failing_since or now)
    elif done.status == DELIVERED and hook.failing_since is not None:
        deed, changed = None, replace(hook, failing_since=None)
    elif done.status != DELIVERED and hook.active and hook.failing_since is None:
        deed, changed = None, replace(hook, failing_since=now)
    else:
        return
    try:
        if deed is None:
            world.changing.registry.commit([Put(WEBHOOK, hook, changed)])
        else:
            commit(world.changing, Actor("system", now), deed, Put(WEBHOOK, hook, changed))
    except Conflict:
        return  # somebody else has noted it, or the owner has changed it: the next attempt tells
