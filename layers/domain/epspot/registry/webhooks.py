"""What other systems of an owner's are told of by themselves: where, of what, and what became of each message."""

from dataclasses import dataclass

from epspot.registry.kinds import Kind
from epspot.registry.records import of_owner

KEPT_S = 30 * 86_400.0
"""How long a delivery stands in the log."""
STARTS_KEPT_S = 90 * 86_400.0
"""Longer than any session has turns."""

PENDING, DELIVERED, FAILED, GIVEN_UP = "pending", "delivered", "failed", "given_up"
STATUSES = (PENDING, DELIVERED, FAILED, GIVEN_UP)
"""``failed``: it will not be tried again, since the webhook is not active any more; ``given_up``: a day has passed."""


def of_webhook(webhook: str) -> str:
    """Key everything that belongs to a webhook."""
    return f"WEBHOOK#{webhook}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where an owner's system is told, and of what. The secret is kept, since every message is signed with it."""

    id: str
    owner: str
    url: str
    events: tuple[str, ...]
    secret: str
    active: bool = True
    made_at: float = 0.0
    failing_since: float | None = None
    """None: the newest message has arrived."""
    old_secret: str = ""
    """Messages are signed with it as well until ``old_until``, so that the receiver can change over in peace."""
    old_until: float | None = None
    version: int = 0


WEBHOOK = Kind(
    "WEBHOOK",
    Webhook,
    under=lambda w: of_owner(w.owner),
    id=lambda w: w.id,
    hidden=frozenset({"secret", "old_secret"}),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a webhook, and what has become of it. Ids are in the order of time, the newest first."""

    id: str
    """The receiver sees it as ``webhook-id``: the same event has the same, however often it comes."""
    webhook: str
    owner: str
    event: str
    at: float
    body: str
    status: str = PENDING
    attempts: int = 0
    begun_at: float = 0.0
    """From when on it is tried for a day."""
    next_at: float | None = None
    """When it is tried again."""
    answered: int | None = None
    """The status of the receiver's newest answer; None: there was none."""
    problem: str = ""
    """Why there was none: ``address``, ``unreachable``, ``tls``, ``timeout``, ``broken`` or ``inactive``."""
    version: int = 0


DELIVERY = Kind(
    "DELIVERY",
    Delivery,
    under=lambda d: of_webhook(d.webhook),
    id=lambda d: d.id,
    expires_at=lambda d: d.at + KEPT_S,
    hidden=frozenset({"body"}),
)


@dataclass(frozen=True, slots=True)
class Start:
    """That a webhook has been told that a session has started: it may have many turns, and starts once."""

    webhook: str
    session: str
    delivery: str
    at: float
    version: int = 0


START = Kind(
    "START",
    Start,
    under=lambda s: of_webhook(s.webhook),
    id=lambda s: s.session,
    expires_at=lambda s: s.at + STARTS_KEPT_S,
)
