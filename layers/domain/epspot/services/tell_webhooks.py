"""Tell an owner's systems what has happened: a fact of the house becomes a message to each webhook that wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epspot.errors import Conflict, NotFound
from epspot.notices.times import time_text
from epspot.notices.webhooks import OF_FACT, alarm_data, body_of, message_id, session_data
from epspot.ports import Lives, Sessions
from epspot.registry.kinds import Change, Put
from epspot.registry.records import of_owner
from epspot.registry.webhooks import (
    DELIVERY,
    PENDING,
    START,
    WEBHOOK,
    Delivery,
    Start,
    Webhook,
    of_webhook,
)
from epspot.services.change_webhooks import Hooking
from epspot.site import Site

_STARTED = "session.started"


@dataclass(frozen=True, slots=True)
class Telling:
    """What it takes to tell webhooks."""

    hooking: Hooking
    lives: Lives
    sessions: Sessions


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact as it comes over the bus: at least once, maybe out of order."""

    id: str
    """The same fact always has the same."""
    kind: str
    site: str
    at: float
    about: str
    detail: Mapping[str, Any]


def tell_webhooks(world: Telling, fact: Happened) -> int:
    """Let a fact be sent to each webhook that wants it, once; return to how many it now goes.

    Raises Conflict if the races never end.
    """
    event = OF_FACT.get(fact.kind)
    if event is None:
        return 0
    try:
        site, _ = world.lives.load(fact.site)
    except NotFound:
        return 0
    hooks = [w for w in _hooks_of(world, site.owner) if w.active and event in w.events]
    if not hooks:
        return 0
    data = _data(world, site, fact)
    return sum(_tell(world, hook, event, fact, data) for hook in hooks)


def _hooks_of(world: Telling, owner: str) -> Sequence[Webhook]:
    return world.hooking.changing.registry.under(WEBHOOK, of_owner(owner)).items if owner else ()


def _tell(world: Telling, hook: Webhook, event: str, fact: Happened, data: Mapping[str, Any]) -> bool:
    """Write a message down and have it sent. A fact that comes again finds the first message."""
    registry, now = world.hooking.changing.registry, world.hooking.changing.clock.now()
    delivery = _delivery(hook, event, fact, data, now)
    changes: list[Change] = [Put(DELIVERY, None, delivery)]
    if event == _STARTED:
        changes.append(Put(START, None, Start(hook.id, fact.about, delivery.id, fact.at)))
    try:
        registry.commit(changes)
    except Conflict:
        known = registry.get(DELIVERY, of_webhook(hook.id), delivery.id)
        if known is None:
            if event == _STARTED and registry.get(START, of_webhook(hook.id), fact.about) is not None:
                return False  # an earlier turn was its start
            raise
        # Perhaps whoever wrote it did not come as far as having it sent.
        if known.status != PENDING or known.attempts:
            return False
    world.hooking.queue.remind(hook.owner, hook.id, delivery.id)
    return True


def _delivery(hook: Webhook, event: str, fact: Happened, data: Mapping[str, Any], now: float) -> Delivery:
    id_ = message_id(hook.id, fact.id, fact.at)
    return Delivery(
        id=id_,
        webhook=hook.id,
        owner=hook.owner,
        event=event,
        at=fact.at,
        body=body_of(id_, event, fact.at, owner=hook.owner, site=fact.site, data=data),
        begun_at=now,
        next_at=now,
    )


def _data(world: Telling, site: Site, fact: Happened) -> Mapping[str, Any]:
    if fact.kind.startswith("alarm."):
        return alarm_data(fact.about, fact.detail)
    outlet = site.outlet.get(fact.detail.get("outlet", ""))
    return session_data(
        fact.about, None if outlet is None else outlet.number, fact.detail, _known_of(world, fact.about)
    )


def _known_of(world: Telling, session: str) -> Mapping[str, Any]:
    """Tell what the record knows of a session; one that has begun by itself may have none yet."""
    record = world.sessions.get(session)
    if record is None:
        return {"reference": None, "token": None, "requested_at": None}
    by_token = record.user.startswith("token:")
    return {
        "reference": record.reference or None,
        "token": record.user.removeprefix("token:") if by_token else None,
        "requested_at": time_text(record.requested_at),
    }
