"""The records of owners and of those who deal with them, and how each is found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from epspot.access import Grant, Validity
from epspot.registry.kinds import Kind


def of_owner(owner: str) -> str:
    """Key everything that belongs to an owner."""
    return f"OWNER#{owner}"


def of_subject(subject: str) -> str:
    """Key everything that a subject has: ``user:<id>``, ``email:<hash>`` or ``group:<owner>/<id>``."""
    return f"SUBJECT#{subject}"


def of_email(email_hash: str) -> str:
    """Key everything that whoever proves an e-mail address has."""
    return of_subject(f"email:{email_hash}")


def of_token(token: str) -> str:
    """Key a token."""
    return f"TOKEN#{token}"


def of_audit(owner: str) -> str:
    """Key the audit log of an owner."""
    return f"AUDIT#{owner}"


def of_caller(caller: str) -> str:
    """Key the creating requests that a caller has made, by its subject."""
    return f"ONCE#{caller}"


# ------------------------------------------------------------------ owners


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns outlets: a company, a housing cooperative, a municipality."""

    id: str
    name: str
    organisation_number: str = ""
    email: str = ""
    made_at: float = 0.0
    on_revoke: str = "let_finish"
    """What becomes of a running session whose user loses the right to it: ``let_finish`` or ``stop``."""
    version: int = 0


@dataclass(frozen=True, slots=True)
class OwnedSite:
    """That a site is an owner's, and where it is found."""

    site: str
    owner: str
    name: str
    version: int = 0


OWNER = Kind("OWNER", Owner, under=lambda o: of_owner(o.id), id=lambda _: "", hidden=frozenset({"email"}))
OWNED_SITE = Kind("SITE", OwnedSite, under=lambda s: of_owner(s.owner), id=lambda s: s.site)

# ------------------------------------------------------------------ who may do what

GRANT = Kind(
    "GRANT",
    Grant,
    under=lambda g: of_subject(g.subject),
    id=lambda g: g.id,
    also=lambda g: of_owner(g.owner),
    expires_at=lambda g: g.ends_at,
)


@dataclass(frozen=True, slots=True)
class UserGroup:
    """People who have rights together."""

    id: str
    owner: str
    name: str
    external_id: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody whom an owner, or a system of the owner's, knows by an id of its own.

    Whoever proves to have the e-mail address has the rights of its groups, while the membership is active.
    """

    id: str
    owner: str
    email: str
    email_hash: str
    external_id: str = ""
    user_name: str = ""
    """What a directory calls somebody (SCIM)."""
    name: str = ""
    groups: tuple[str, ...] = ()
    active: bool = True
    begins_at: float | None = None
    ends_at: float | None = None
    made_at: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Membership:
    """The same, as it is found by whoever has the e-mail address: no name, no address."""

    member: str
    owner: str
    email_hash: str
    groups: tuple[str, ...] = ()
    active: bool = True
    begins_at: float | None = None
    ends_at: float | None = None
    version: int = 0

    def holds(self, at: float) -> bool:
        """Tell whether it gives its groups' rights at a time."""
        return self.active and Validity(self.begins_at, self.ends_at).holds(at)


USER_GROUP = Kind("UGROUP", UserGroup, under=lambda g: of_owner(g.owner), id=lambda g: g.id)
MEMBER = Kind(
    "MEMBER",
    Member,
    under=lambda m: of_owner(m.owner),
    id=lambda m: m.id,
    hidden=frozenset({"email", "email_hash", "name", "user_name"}),
)
MEMBERSHIP = Kind(
    "MEMBERSHIP",
    Membership,
    under=lambda m: of_email(m.email_hash),
    id=lambda m: f"{m.owner}/{m.member}",
)


@dataclass(frozen=True, slots=True)
class Token:
    """What another system shows to be let in. The secret itself is not kept."""

    id: str
    owner: str
    name: str
    secret_hash: str
    capabilities: tuple[str, ...]
    scope: str
    made_at: float = 0.0
    ends_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None
    """To the hour."""
    per_minute: int = 600
    """How often it may call."""
    version: int = 0


TOKEN = Kind(
    "TOKEN",
    Token,
    under=lambda t: of_token(t.id),
    id=lambda _: "",
    also=lambda t: of_owner(t.owner),
    hidden=frozenset({"secret_hash"}),
)

# ------------------------------------------------------------------ what was changed


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who changed what, when, from what to what. Subjects are ids: names resolve apart, and can be erased."""

    id: str
    owner: str
    at: float
    by: str
    """``user:<id>``, ``token:<id>`` or ``system``."""
    what: str
    """Such as ``grant.created``."""
    scope: str
    about: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    version: int = 0


AUDIT_LINE = Kind("LINE", AuditLine, under=lambda a: of_audit(a.owner), id=lambda a: a.id)


@dataclass(frozen=True, slots=True)
class Once:
    """That a creating request was carried out, and what it made."""

    caller: str
    key_hash: str
    fingerprint: str
    made: str
    at: float
    version: int = 0


ONCE_KEPT_S = 86_400.0
ONCE = Kind(
    "ONCE", Once, under=lambda o: of_caller(o.caller), id=lambda o: o.key_hash, expires_at=lambda o: o.at + ONCE_KEPT_S
)
