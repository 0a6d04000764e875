"""That an owner's own system is asked before somebody starts a session at the owner's outlets."""

from dataclasses import dataclass

from epspot.registry.kinds import Kind
from epspot.registry.records import of_owner

ALLOW, DENY = "allow", "deny"


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Where the owner's system is asked, and what holds when it does not answer.

    A record of its own, not part of the owner's: its secret is to be seen in no answer and no audit line.
    """

    owner: str
    url: str
    secret: str
    timeout_ms: int
    on_silence: str
    """``allow`` or ``deny``."""
    made_at: float = 0.0
    version: int = 0


AUTHORISATION = Kind(
    "AUTHORISATION",
    Authorisation,
    under=lambda a: of_owner(a.owner),
    id=lambda _: "",
    hidden=frozenset({"secret"}),
)
