"""Grant somebody a role: nobody gives what they lack themselves, and nothing beyond the owner's own."""

from collections.abc import Sequence
from dataclasses import dataclass

from epspot.access import CAPABILITIES, Capability, Grant, Level, Role, Scope, allows
from epspot.access.subjects import email_hash, email_subject, group_subject, plain_address, user_subject
from epspot.errors import InvalidRequest, NotAllowed, NotFound
from epspot.ports import Registry, Throttle
from epspot.registry.kinds import Change, Page, Put
from epspot.registry.names import ADDRESS, Address
from epspot.registry.records import GRANT, USER_GROUP, of_email, of_owner, of_subject
from epspot.services.authorize import Caller, Gate, Place, grants_of, may, may_until, place_of, require, unknown
from epspot.services.changing import Actor, Changing, Deed, commit
from epspot.services.follow_session import Following
from epspot.services.listing import everything, sifted
from epspot.services.retrying import until_written

OWNERS_ALONE = frozenset({Role.OWNER_ADMIN, Role.FINANCE})
"""Roles that reach over all that an owner has."""
MOST_TO_ONE = 200
"""How many grants a subject may have of one owner: all that somebody has is read with each request of theirs."""
_READ = 200


@dataclass(frozen=True, slots=True)
class Granting:
    """What it takes to say who may do what."""

    changing: Changing
    gate: Gate
    following: Following
    throttle: Throttle

    @property
    def registry(self) -> Registry:
        """Reach what is written down."""
        return self.changing.registry


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is to be granted something: one of these is told."""

    user: str = ""
    email: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Gift:
    """What is to be granted: a role for a time."""

    role: str
    begins_at: float | None = None
    ends_at: float | None = None


def own_place(gate: Gate, caller: Caller, owner: str, scope: Scope) -> Place:
    """Find a scope of an owner's that the caller administers; a foreign one is as unknown as one that is not there.

    Raises NotSignedIn, NotFound or NotAllowed.
    """
    place = place_of(gate, scope)
    if place.owner != owner:
        raise unknown(scope)
    require(gate, caller, Capability.ADMINISTER, place)
    return place


def check_gift(gate: Gate, caller: Caller, place: Place, gift: Gift, now: float, *, until: float | None) -> None:
    """Refuse what a caller can't give at a place, so long that it may last ``until`` then (None: without an end).

    Raises InvalidRequest or NotAllowed.
    """
    if gift.role in OWNERS_ALONE and place.scope.level is not Level.OWNER:
        raise InvalidRequest(
            f"The role {gift.role} is given on owner/{place.owner} only.",
            f"Rollen {gift.role} ges bara på owner/{place.owner}.",
        )
    if gift.ends_at is not None and gift.ends_at <= max(now, gift.begins_at or now):
        raise InvalidRequest("ends_at must be later than now and than begins_at.")
    if lacking := sorted(CAPABILITIES[gift.role] - _capabilities(gate, caller, place)):
        raise NotAllowed(
            f"You can't give the role {gift.role} here, since you lack {', '.join(lacking)} here yourself.",
            f"Du kan inte ge rollen {gift.role} här, eftersom du själv saknar {', '.join(lacking)} här.",
        )
    # Who stands in for a while lets people use outlets for good, but makes nobody, such as themselves, more than that.
    if not all(may_until(gate, caller, c, place, until) for c in CAPABILITIES[gift.role] - {Capability.USE}):
        raise NotAllowed(
            f"You can't give the role {gift.role} here for so long, since your own right ends before. Let it end earlier.",
            f"Du kan inte ge rollen {gift.role} här så länge, eftersom din egen rätt slutar innan dess. Låt den sluta tidigare.",
        )


def _capabilities(gate: Gate, caller: Caller, place: Place) -> frozenset[Capability]:
    if caller.token is not None:
        return frozenset(c for c in Capability if may(gate, caller, c, place))
    grants, now = grants_of(gate, caller), gate.clock.now()
    return frozenset(c for c in Capability if allows(grants, place.chain, c, now))


def give_grant(world: Granting, actor: Actor, place: Place, subject: Subject, gift: Gift) -> Grant:
    """Grant a role, which has been checked, at a place. Raises InvalidRequest, or NotFound if there is no such group."""
    owner = place.owner

    def attempt() -> Grant:
        grant = Grant(
            id=world.changing.ids.new(),
            owner=owner,
            subject=text_of(subject, owner),
            role=gift.role,
            scope=str(place.scope),
            begins_at=gift.begins_at,
            ends_at=gift.ends_at,
            source=f"api:{actor.by.removeprefix('token:')}" if actor.by.startswith("token:") else "dashboard",
            made_at=actor.at,
        )
        _check_room(world.registry, grant)
        beside = _beside(world.registry, owner, subject)
        deed = Deed(owner, grant.scope, "grant.created")
        commit(world.changing, actor, deed, Put(GRANT, None, grant), *beside, made=grant.id)
        return grant

    return until_written(attempt)


def _check_room(registry: Registry, grant: Grant) -> None:
    has = everything(registry, GRANT, of_subject(grant.subject))
    if sum(g.owner == grant.owner for g in has) >= MOST_TO_ONE:
        raise InvalidRequest(
            f"They have {MOST_TO_ONE} grants of this owner already. Grant a role on a wider scope, such as a group or a site.",
            f"De har redan {MOST_TO_ONE} behörigheter från den här ägaren. Ge en roll på något större, som en grupp eller anläggning.",
        )


def text_of(subject: Subject, owner: str) -> str:
    """Name a subject as grants do."""
    if subject.user:
        return user_subject(subject.user)
    return email_subject(subject.email) if subject.email else group_subject(owner, subject.group)


def _beside(registry: Registry, owner: str, subject: Subject) -> Sequence[Change]:
    """Make what is written with a grant: whose address it is; of a group, that it has not been deleted meanwhile."""
    if subject.group:
        group = registry.get(USER_GROUP, of_owner(owner), subject.group)
        if group is None:
            raise NotFound(
                f"There is no user group {subject.group}. The list of user groups has those that there are.",
                f"Användargruppen {subject.group} finns inte. Se listan över användargrupper.",
            )
        return [Put(USER_GROUP, group, group)]
    if subject.email and registry.get(ADDRESS, of_email(email_hash(subject.email)), owner) is None:
        address = plain_address(subject.email)
        return [Put(ADDRESS, None, Address(owner, email_hash(address), address))]
    return []


def find_grant(registry: Registry, owner: str, id_: str) -> Grant:
    """Find a grant of an owner's by its id; one that was made a moment ago may be missing. Raises NotFound."""
    if not id_.isascii() or not id_.isprintable():
        raise no_grant(id_)
    found = registry.also_under(GRANT, of_owner(owner), limit=1, after=_just_before(id_)).items
    # The list may be a moment old: the grant itself tells whether it still stands.
    grant = registry.get(GRANT, of_subject(found[0].subject), found[0].id) if found and found[0].id == id_ else None
    if grant is None:
        raise no_grant(id_)
    return grant


def no_grant(id_: str) -> NotFound:
    """Refuse a grant that is not there, or is another owner's."""
    return NotFound(
        f"There is no grant {id_[:80]} here. The list of grants has those that there are.",
        f"Behörigheten {id_[:80]} finns inte här. Se listan över behörigheter.",
    )


def _just_before(id_: str) -> str:
    """Make a text after which nothing stands in a list's order before this id."""
    return f"{id_[:-1]}{chr(ord(id_[-1]) - 1)}\U0010ffff"


def list_grants(
    registry: Registry, owner: str, scope: Scope | None, limit: int, cursor: str | None = None
) -> Page[Grant]:
    """List an owner's grants, or those on one scope."""
    return sifted(
        lambda after: registry.also_under(GRANT, of_owner(owner), _READ, after),
        lambda g: scope is None or g.scope == str(scope),
        lambda g: g.id,
        limit,
        cursor,
    )


def address_of(registry: Registry, grant: Grant) -> str:
    """Tell the address that a grant by e-mail was made for, as far as it is known."""
    if not grant.subject.startswith("email:"):
        return ""
    known = registry.get(ADDRESS, of_subject(grant.subject), grant.owner)
    return "" if known is None else known.email
