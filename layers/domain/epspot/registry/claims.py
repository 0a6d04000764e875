"""Codes with which bridges claim themselves: whoever is at the site types one in, and the bridge becomes the owner's."""

from dataclasses import dataclass

from epspot.registry.kinds import Kind
from epspot.registry.sites import of_site

KEPT_S = 7 * 86_400.0
"""How long a code that nobody used is kept after its end, so that a late one is told why it fails."""


def of_code(code_hash: str) -> str:
    """Key the claim that a code stands for: the code is all that a new bridge knows."""
    return f"CLAIM#{code_hash}"


@dataclass(frozen=True, slots=True)
class BridgeClaim:
    """A code for a bridge that is to be, and what became of it. The code itself is not kept."""

    id: str
    """The bridge's id, from the beginning."""
    owner: str
    site: str
    code_hash: str
    made_at: float
    ends_at: float
    used_at: float | None = None
    serial: str = ""
    """Of the device that used it."""
    version: int = 0


BRIDGE_CLAIM = Kind(
    "CLAIM",
    BridgeClaim,
    under=lambda c: of_code(c.code_hash),
    id=lambda _: "",
    also=lambda c: of_site(c.site),
    expires_at=lambda c: c.ends_at + KEPT_S if c.used_at is None else None,
    hidden=frozenset({"code_hash"}),
)
