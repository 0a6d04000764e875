"""Keep an owner's members as the owner, or a system of the owner's, wants them.

A member and its membership, which is what a proved address leads to, are written together or not at all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from epspot.access.subjects import email_hash, plain_address
from epspot.errors import Conflict, InvalidRequest, NotFound
from epspot.ports import Registry
from epspot.registry.kinds import Change, Put, Remove
from epspot.registry.names import NAME, Naming, names_of_member
from epspot.registry.records import (
    MEMBER,
    MEMBERSHIP,
    USER_GROUP,
    Member,
    Membership,
    of_email,
    of_owner,
)
from epspot.services.changing import Actor, deed_of, traces
from epspot.services.give_grant import Granting
from epspot.services.listing import everything
from epspot.services.retrying import in_commits, until_written
from epspot.services.revoke import stop_without_right, users_with
from epspot.services.unique_names import Find, finder, named, renamings

MOST_COMMITS = 60
"""In answer to one request; what is left is done when it is repeated."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a member."""

    email: str
    external_id: str = ""
    user_name: str = ""
    name: str = ""
    groups: tuple[str, ...] = ()
    active: bool = True
    begins_at: float | None = None
    ends_at: float | None = None


_LONGEST = {"email": 254, "external_id": 120, "user_name": 254, "name": 120}
SHOWN = ("email", "external_id", "user_name", "name", "groups", "active", "begins_at", "ends_at")
"""What may be wanted of a member."""


class Kept(NamedTuple):
    """A member as it stands now, and what is different."""

    member: Member
    created: bool
    changed: tuple[str, ...]


# ------------------------------------------------------------------ one


def put_member(world: Granting, actor: Actor, owner: str, wish: Wish) -> Kept:
    """Let the member with an external id be as it is wanted, whether there is one or not; a directory's name for it stays.

    Raises InvalidRequest.
    """

    def attempt() -> Kept:
        before = member_by(world.registry, owner, Naming.MEMBER, wish.external_id)
        return keep(world, actor, owner, before, replace(wish, user_name=before.user_name if before else ""))

    return until_written(attempt)


def add_member(world: Granting, actor: Actor, owner: str, wish: Wish) -> Member:
    """Make a member. Raises NameTaken or InvalidRequest."""
    return until_written(lambda: keep(world, actor, owner, None, wish)).member


def change_member(world: Granting, actor: Actor, owner: str, id_: str, edit: Callable[[Member], Wish]) -> Member:
    """Let a member be what is made of it as it stands now. Raises NotFound, NameTaken or InvalidRequest."""

    def attempt() -> Member:
        before = member_of(world.registry, owner, id_)
        return keep(world, actor, owner, before, edit(before)).member

    return until_written(attempt)


def remove_member(world: Granting, actor: Actor, owner: str, id_: str) -> None:
    """Take a member away. Raises NotFound."""

    def attempt() -> Member:
        before = member_of(world.registry, owner, id_)
        world.registry.commit(_removed(world, actor, before, finder(world.registry, owner)))
        return before

    gone = until_written(attempt)
    stop_without_right(world, owner, users_with(world.registry, [gone.email_hash]))


def keep(world: Granting, actor: Actor, owner: str, before: Member | None, wish: Wish) -> Kept:
    """Write one member. Raises Conflict, NameTaken or InvalidRequest."""
    wish = checked(wish, group_ids(world.registry, owner))
    changed = differences(before, wish)
    if before is not None and not changed:
        return Kept(before, created=False, changed=())
    after = _after(world, actor, owner, before, wish)
    world.registry.commit(_written(world, actor, before, after, finder(world.registry, owner)))
    if before is not None:
        stop_without_right(world, owner, users_with(world.registry, [before.email_hash]))
    stands = replace(after, version=(0 if before is None else before.version) + 1)
    return Kept(stands, created=before is None, changed=changed)


# ------------------------------------------------------------------ many


class Fate(StrEnum):
    """What becomes of a member when a whole list is put."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each member; of ``left``, only that it is to be done yet."""

    fates: Mapping[str, Fate]
    """By external id, or by our own id if there is none."""
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    known_as: str
    fate: Fate
    before: Member | None
    changes: tuple[Change, ...]


def put_members(
    world: Granting, actor: Actor, owner: str, wishes: Sequence[Wish], *, remove_others: bool, preview: bool
) -> Outcome:
    """Let the members be as a list has them, by their external ids; ``preview`` only tells what would become of them.

    It takes several commits, and the rest of the time: repeating it does what is left. Raises InvalidRequest.
    """
    ids = [w.external_id for w in wishes]
    if twice := sorted({i for i in ids if ids.count(i) > 1})[:1]:
        raise InvalidRequest(f"The external id {twice[0]!r} stands twice in the list.")
    plans = list(_plans(world, actor, owner, wishes, remove_others=remove_others))
    fates = {p.known_as: p.fate for p in plans}
    if preview:
        return Outcome(fates)
    left = _carry_out(world, [p for p in plans if p.changes])
    concerned = [p.before.email_hash for p in plans if p.before and p.changes and p.known_as not in left]
    stop_without_right(world, owner, users_with(world.registry, concerned))
    return Outcome({i: fate for i, fate in fates.items() if i not in left}, tuple(left))


def _plans(
    world: Granting, actor: Actor, owner: str, wishes: Sequence[Wish], *, remove_others: bool
) -> Iterator[_Plan]:
    present = list(everything(world.registry, MEMBER, of_owner(owner)))
    by_external = {m.external_id: m for m in present if m.external_id}
    names = {n.key: n for n in everything(world.registry, NAME, of_owner(owner))}
    groups = group_ids(world.registry, owner)
    for wish in wishes:
        before = by_external.pop(wish.external_id, None)
        wanted = checked(replace(wish, user_name=before.user_name if before else ""), groups)
        if before is not None and not differences(before, wanted):
            yield _Plan(wish.external_id, Fate.UNCHANGED, before, ())
            continue
        after = _after(world, actor, owner, before, wanted)
        changes = _written(world, actor, before, after, names.get)
        yield _Plan(wish.external_id, Fate.ADDED if before is None else Fate.CHANGED, before, tuple(changes))
    listed = {w.external_id for w in wishes}
    for m in present if remove_others else ():
        if m.external_id not in listed:
            yield _Plan(m.external_id or m.id, Fate.REMOVED, m, tuple(_removed(world, actor, m, names.get)))


def _carry_out(world: Granting, plans: Sequence[_Plan]) -> list[str]:
    """Commit plans, and tell which are left because somebody else was first, or there were too many."""
    waiting = {id(p.changes[0]): p for p in plans}
    for count, changes in enumerate(in_commits(p.changes for p in plans)):
        if count == MOST_COMMITS:
            break
        try:
            world.registry.commit(changes)
        except Conflict:
            continue
        for change in changes:
            waiting.pop(id(change), None)
    return [p.known_as for p in waiting.values()]


# ------------------------------------------------------------------ reading


def member_of(registry: Registry, owner: str, id_: str) -> Member:
    """Find a member. Raises NotFound."""
    member = registry.get(MEMBER, of_owner(owner), id_)
    if member is None:
        raise no_member(id_)
    return member


def member_by(registry: Registry, owner: str, naming: Naming, text: str) -> Member | None:
    """Find the member that has a name."""
    id_ = named(registry, owner, naming, text)
    return registry.get(MEMBER, of_owner(owner), id_) if id_ else None


def members_with(registry: Registry, owner: str, email: str) -> list[Member]:
    """List the members with an address."""
    found = registry.under(MEMBERSHIP, of_email(email_hash(email))).items
    members = (registry.get(MEMBER, of_owner(owner), m.member) for m in found if m.owner == owner)
    return [m for m in members if m is not None]


def no_member(id_: str) -> NotFound:
    """Refuse a member that is not there, or is another owner's."""
    return NotFound(
        f"There is no member {id_[:80]} here. The list of members has those that there are.",
        f"Medlemmen {id_[:80]} finns inte här. Se listan över medlemmar.",
    )


def group_ids(registry: Registry, owner: str) -> frozenset[str]:
    """List the user groups that members may be in."""
    return frozenset(g.id for g in everything(registry, USER_GROUP, of_owner(owner)))


def differences(before: Member | None, wish: Wish) -> tuple[str, ...]:
    """Name what is wanted otherwise than it stands."""
    return tuple(name for name in SHOWN if before is None or getattr(before, name) != getattr(wish, name))


def wish_of(member: Member) -> Wish:
    """Wish a member as it is."""
    return Wish(**{name: getattr(member, name) for name in SHOWN})


def checked(wish: Wish, groups: Iterable[str]) -> Wish:
    """Write a wish as members are written. Raises InvalidRequest."""
    if unknown := sorted(set(wish.groups) - set(groups))[:1]:
        raise InvalidRequest(
            f"There is no user group {unknown[0]}. The list of user groups has those that there are.",
            f"Användargruppen {unknown[0]} finns inte. Se listan över användargrupper.",
        )
    if wish.begins_at is not None and wish.ends_at is not None and wish.ends_at <= wish.begins_at:
        raise InvalidRequest("ends_at must be later than begins_at.")
    for name, most in _LONGEST.items():
        text = getattr(wish, name)
        if len(text) > most or not text.isprintable():
            raise InvalidRequest(f"{name} must be a text of at most {most} printable characters.")
    return replace(wish, email=plain_address(wish.email), groups=tuple(sorted(set(wish.groups))))


# ------------------------------------------------------------------ what is written


def changed_plan(world: Granting, actor: Actor, before: Member, wish: Wish) -> Sequence[Change]:
    """Make all that is written when a member becomes as it is wanted; it takes its place in a larger commit."""
    after = _after(world, actor, before.owner, before, wish)
    return _written(world, actor, before, after, finder(world.registry, before.owner))


def _after(world: Granting, actor: Actor, owner: str, before: Member | None, wish: Wish) -> Member:
    start = before or Member(world.changing.ids.new(), owner, "", "", made_at=actor.at)
    return replace(start, email_hash=email_hash(wish.email), **{n: getattr(wish, n) for n in SHOWN})


def _written(world: Granting, actor: Actor, before: Member | None, after: Member, find: Find) -> list[Change]:
    put = Put(MEMBER, before, after)
    was = frozenset[str]() if before is None else names_of_member(before)
    names = renamings(find, after.owner, after.id, was, names_of_member(after))
    deed = deed_of(after.owner, "member.added" if before is None else "member.changed")
    return [put, *_twin(world.registry, before, after), *names, *traces(world.changing, actor, deed, put)]


def _removed(world: Granting, actor: Actor, before: Member, find: Find) -> list[Change]:
    remove = Remove(MEMBER, before)
    names = renamings(find, before.owner, before.id, names_of_member(before), ())
    deed = deed_of(before.owner, "member.removed")
    return [remove, *_twin(world.registry, before, None), *names, *traces(world.changing, actor, deed, remove)]


def _twin(registry: Registry, before: Member | None, after: Member | None) -> Iterator[Change]:
    """Make what keeps the membership beside its member: a changed address moves it."""
    was = None if before is None else _membership_of(before)
    is_ = None if after is None else _membership_of(after)
    if was == is_:
        return
    stands = None if was is None else registry.get(MEMBERSHIP, MEMBERSHIP.under(was), MEMBERSHIP.id(was))
    stays = was is not None and is_ is not None and was.email_hash == is_.email_hash
    if stands is not None and not stays:
        yield Remove(MEMBERSHIP, stands)
    if is_ is not None:
        yield Put(MEMBERSHIP, stands if stays else None, is_)


def _membership_of(m: Member) -> Membership:
    return Membership(m.id, m.owner, m.email_hash, m.groups, m.active, m.begins_at, m.ends_at)
