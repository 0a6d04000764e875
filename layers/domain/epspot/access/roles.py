"""What can be allowed, and the roles that bundle it."""

from collections.abc import Mapping
from enum import StrEnum


class Capability(StrEnum):
    """Something that can be allowed on a scope."""

    USE = "use"
    """Start sessions, at one's own cost."""
    VIEW = "view"
    """See what stands there and what happens."""
    MAINTAIN = "maintain"
    """Stop other people's sessions, bind and replace modules."""
    ADMINISTER = "administer"
    """Change what stands there, its rules, and who may do what."""
    FINANCE = "finance"
    """See sums and who has had what."""


class Role(StrEnum):
    """What somebody is, on a scope."""

    OWNER_ADMIN = "owner_admin"
    SITE_ADMIN = "site_admin"
    MAINTENANCE = "maintenance"
    FINANCE = "finance"
    USER = "user"


CAPABILITIES: Mapping[str, frozenset[Capability]] = {
    Role.OWNER_ADMIN: frozenset(Capability),
    Role.SITE_ADMIN: frozenset({Capability.USE, Capability.VIEW, Capability.MAINTAIN, Capability.ADMINISTER}),
    Role.MAINTENANCE: frozenset({Capability.VIEW, Capability.MAINTAIN}),
    Role.FINANCE: frozenset({Capability.VIEW, Capability.FINANCE}),
    Role.USER: frozenset({Capability.USE}),
}
"""What each role allows. Whoever administers an owner's own scope gives roles out; see docs/access.md."""
