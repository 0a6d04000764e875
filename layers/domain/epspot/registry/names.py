"""By which names an owner's members and user groups are found, and whose an e-mail address is."""

from dataclasses import dataclass
from enum import StrEnum

from epspot.access.hashes import hashed
from epspot.access.subjects import user_subject
from epspot.registry.kinds import Kind
from epspot.registry.records import Member, UserGroup, of_email, of_owner, of_subject


class Naming(StrEnum):
    """What kind of name it is."""

    MEMBER = "member"
    """The id that another system has for a member."""
    USER_NAME = "user-name"
    """What a directory calls a member, in whatever case."""
    GROUP = "group"
    """The id that another system has for a user group."""
    GROUP_NAME = "group-name"
    """What people call a user group, in whatever case."""


@dataclass(frozen=True, slots=True)
class Name:
    """That a name stands for one member or user group of an owner's: nobody else there has the same."""

    key: str
    owner: str
    of: str
    """The id of what it names."""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """The address behind a grant by e-mail, for those who administer the owner; grants hold its hash alone."""

    owner: str
    email_hash: str
    email: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Proved:
    """Which e-mail address a user has proved to have."""

    user: str
    email_hash: str
    vouched_by: str = ""
    """The owner by whose word alone it is the user's; nothing: it is proved to everyone."""
    version: int = 0


NAME = Kind("NAME", Name, under=lambda n: of_owner(n.owner), id=lambda n: n.key)
ADDRESS = Kind(
    "ADDRESS",
    Address,
    under=lambda a: of_email(a.email_hash),
    id=lambda a: a.owner,
    hidden=frozenset({"email", "email_hash"}),
)
PROVED = Kind(
    "PROVED",
    Proved,
    under=lambda p: of_subject(user_subject(p.user)),
    id=lambda _: "",
    also=lambda p: of_email(p.email_hash),
    hidden=frozenset({"email_hash"}),
)


def name_key(naming: Naming, text: str) -> str:
    """Make the key of a name; the name itself, which may be an address, does not stand in it."""
    return f"{naming}/{hashed(text)}"


def names_of_member(member: Member) -> frozenset[str]:
    """List the names that a member alone has."""
    told = ((Naming.MEMBER, member.external_id), (Naming.USER_NAME, member.user_name.casefold()))
    return frozenset(name_key(naming, text) for naming, text in told if text)


def names_of_group(group: UserGroup) -> frozenset[str]:
    """List the names that a user group alone has."""
    told = ((Naming.GROUP, group.external_id), (Naming.GROUP_NAME, group.name.casefold()))
    return frozenset(name_key(naming, text) for naming, text in told if text)
