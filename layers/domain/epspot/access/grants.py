"""A grant gives a subject a role on a scope for a time."""

from collections.abc import Iterable
from dataclasses import dataclass

from epspot.access.roles import CAPABILITIES, Capability
from epspot.access.scopes import Chain


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when, in epoch seconds; None: no such end."""

    begins_at: float | None = None
    ends_at: float | None = None

    def holds(self, at: float) -> bool:
        """Tell whether a time lies within."""
        return (self.begins_at is None or self.begins_at <= at) and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a subject may do, and where.

    ``subject`` is ``user:<id>``, ``email:<hash>`` (whoever proves to have that address) or ``group:<owner>/<id>``.
    """

    id: str
    owner: str
    subject: str
    role: str
    scope: str
    begins_at: float | None = None
    ends_at: float | None = None
    source: str = "dashboard"
    """``dashboard``, ``code:<id>`` or ``api:<token>``: what gave it."""
    made_at: float = 0.0
    version: int = 0

    @property
    def validity(self) -> Validity:
        """Tell when it holds."""
        return Validity(self.begins_at, self.ends_at)


def allows(grants: Iterable[Grant], chain: Chain, capability: Capability, at: float) -> bool:
    """Tell whether some grant gives a capability on a scope, or on one that it lies in, at a time. Deny is the default."""
    where = {str(scope) for scope in chain}
    return any(
        g.scope in where and capability in CAPABILITIES.get(g.role, frozenset()) and g.validity.holds(at)
        for g in grants
    )
