"""Take rights away: at once, and running sessions by the owner's rule."""

from collections.abc import Iterable, Iterator, Sequence

from epspot.access import Capability, Grant, Level, Role, Scope
from epspot.access.subjects import user_subject
from epspot.control.state import Phase
from epspot.errors import Conflict, LastAdministrator, NotFound, SessionOver
from epspot.ports import Registry, SessionRecord
from epspot.registry.kinds import Change, Put, Remove
from epspot.registry.names import ADDRESS, PROVED, Proved
from epspot.registry.records import GRANT, MEMBER, OWNER, of_email, of_owner, of_subject
from epspot.services.authorize import Caller, Gate, may, place_of
from epspot.services.changing import Actor, Deed, commit
from epspot.services.give_grant import Granting, no_grant
from epspot.services.listing import everything, everything_also
from epspot.services.retrying import until_written
from epspot.services.stop_session import stop_session

_SESSIONS = 100


def revoke_grant(world: Granting, actor: Actor, grant: Grant) -> None:
    """Take a grant away. Raises NotFound or LastAdministrator."""

    def attempt() -> None:
        present = world.registry.get(GRANT, of_subject(grant.subject), grant.id)
        if present is None:
            raise no_grant(grant.id)
        beside = [*_administrators(world, present), *_address(world.registry, present)]
        deed = Deed(present.owner, present.scope, "grant.revoked")
        commit(world.changing, actor, deed, Remove(GRANT, present), *beside)

    until_written(attempt)
    stop_without_right(world, grant.owner, users_of(world.registry, grant))


def _administrators(world: Granting, grant: Grant) -> Sequence[Change]:
    """See to it that somebody administers the owner for good after this. Raises LastAdministrator."""
    if not _administers_for_good(world, grant):
        return []
    # Two who take each other's grant away at once both write the owner, so that one of them looks again.
    owner = world.registry.get(OWNER, of_owner(grant.owner), "")
    if not any(_administers_for_good(world, g) and g.id != grant.id for g in _standing(world.registry, grant.owner)):
        raise LastAdministrator(
            "This is the last owner administrator. Let another be one first, in person or by e-mail and without an end.",
            "Det här är ägarens sista administratör. Ge rollen till någon annan först, personligen eller via e-post och utan slutdatum.",
        )
    return [] if owner is None else [Put(OWNER, owner, owner)]


def _administers_for_good(world: Granting, grant: Grant) -> bool:
    """Tell whether a grant makes a person an owner's administrator without an end; a group may become empty."""
    return (
        grant.role == Role.OWNER_ADMIN
        and grant.scope == str(Scope(Level.OWNER, grant.owner))
        and not grant.subject.startswith("group:")
        and grant.ends_at is None
        and grant.validity.holds(world.changing.clock.now())
    )


def _standing(registry: Registry, owner: str) -> Iterator[Grant]:
    """List the owner administrators that there are now; the list of an owner's grants alone may be a moment old."""
    for listed in everything_also(registry, GRANT, of_owner(owner)):
        if listed.role == Role.OWNER_ADMIN:
            grant = registry.get(GRANT, of_subject(listed.subject), listed.id)
            if grant is not None:
                yield grant


def _address(registry: Registry, grant: Grant) -> Sequence[Change]:
    """Forget the address behind the last grant to it."""
    subject = of_subject(grant.subject)
    known = registry.get(ADDRESS, subject, grant.owner) if grant.subject.startswith("email:") else None
    others = [g for g in everything(registry, GRANT, subject) if g.owner == grant.owner and g.id != grant.id]
    return [] if known is None or others else [Remove(ADDRESS, known)]


# ------------------------------------------------------------------ who is concerned


def note_proof(registry: Registry, caller: Caller) -> None:
    """Remember which address a user has proved, so that the end of a right by e-mail can end a session."""
    if not caller.email_hash:
        return
    proved = Proved(caller.user, caller.email_hash, caller.vouched_by)
    known = registry.get(PROVED, of_subject(caller.subject), "")
    if known is None or (known.email_hash, known.vouched_by) != (proved.email_hash, proved.vouched_by):
        try:
            registry.commit([Put(PROVED, known, proved)])
        except Conflict:
            # The same user's other request has.
            return


def users_of(registry: Registry, grant: Grant) -> Iterator[Caller]:
    """List the users whom a grant is for, as far as they have used anything."""
    kind, _, rest = grant.subject.partition(":")
    if kind == "group":
        group = rest.partition("/")[2]
        members = everything(registry, MEMBER, of_owner(grant.owner))
        yield from users_with(registry, (m.email_hash for m in members if group in m.groups))
    elif kind == "email":
        yield from users_with(registry, [rest])
    else:
        known = registry.get(PROVED, of_subject(grant.subject), "")
        yield Caller(grant.subject) if known is None else _who(known)


def users_with(registry: Registry, email_hashes: Iterable[str]) -> Iterator[Caller]:
    """List the users who have proved one of some addresses."""
    for hash_ in dict.fromkeys(email_hashes):
        for proved in everything_also(registry, PROVED, of_email(hash_)):
            yield _who(proved)


def _who(proved: Proved) -> Caller:
    return Caller(user_subject(proved.user), proved.email_hash, vouched_by=proved.vouched_by)


# ------------------------------------------------------------------ what runs


def stop_without_right(world: Granting, owner: str, users: Iterable[Caller]) -> None:
    """Stop the sessions of users at outlets of an owner's that they may no longer use, if that is the owner's rule."""
    known = world.registry.get(OWNER, of_owner(owner), "")
    if known is None or known.on_revoke != "stop":
        return
    for user in users:
        for record in world.following.sessions.of_user(user.user, _SESSIONS):
            if record.state != Phase.ENDED and not _may_go_on(world.gate, user, owner, record):
                _stop(world, record)


def _may_go_on(gate: Gate, user: Caller, owner: str, record: SessionRecord) -> bool:
    try:
        place = place_of(gate, Scope(Level.OUTLET, record.outlet))
    except NotFound:
        return True
    return place.owner != owner or may(gate, user, Capability.USE, place)


def _stop(world: Granting, record: SessionRecord) -> None:
    try:
        stop_session(world.following, record.user, record.id)
    except (SessionOver, NotFound):
        # It has just ended by itself.
        return
