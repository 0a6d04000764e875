"""Access codes: whoever types one in has a right, as often and as long as its maker has said."""

from dataclasses import dataclass

from epspot.access import Validity
from epspot.registry.kinds import Kind
from epspot.registry.records import of_owner

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class AccessCode:
    """A code, what it gives, and how often it has been used.

    Its text is kept, so that it can be printed again: it hangs on a wall anyway.
    """

    id: str
    owner: str
    text: str
    scope: str
    role: str
    uses: int
    """How many may use it."""
    used: int = 0
    begins_at: float | None = None
    ends_at: float | None = None
    grant_days: int | None = None
    """How long the right lasts that it gives; None: as long as the owner lets it."""
    made_at: float = 0.0
    ended_at: float | None = None
    """When somebody put an end to it."""
    version: int = 0

    def is_open(self, at: float) -> bool:
        """Tell whether somebody may use it now."""
        return self.ended_at is None and self.used < self.uses and Validity(self.begins_at, self.ends_at).holds(at)


@dataclass(frozen=True, slots=True)
class CodeKey:
    """Where a code is found by whoever types it in."""

    code_hash: str
    owner: str
    code: str
    """Its id."""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Redemption:
    """That a user has used a code, and the grant that came of it."""

    code: str
    user: str
    grant: str
    at: float
    version: int = 0


ACCESS_CODE = Kind("CODE", AccessCode, under=lambda c: of_owner(c.owner), id=lambda c: c.id, hidden=frozenset({"text"}))
CODE_KEY = Kind("CODEKEY", CodeKey, under=lambda k: of_text(k.code_hash), id=lambda _: "")
REDEMPTION = Kind("REDEEMED", Redemption, under=lambda r: of_code(r.code), id=lambda r: r.user)


def of_text(code_hash: str) -> str:
    """Key what a code's text leads to."""
    return f"CODE#{code_hash}"


def of_code(code: str) -> str:
    """Key what has become of a code."""
    return f"REDEEMED#{code}"
