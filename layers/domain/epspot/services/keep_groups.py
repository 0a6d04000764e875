"""Keep an owner's user groups: people who have rights together."""

from collections.abc import Callable
from dataclasses import replace

from epspot.access.subjects import group_subject
from epspot.errors import InvalidRequest, NotFound
from epspot.ports import Registry
from epspot.registry.kinds import Put, Remove
from epspot.registry.names import names_of_group
from epspot.registry.records import GRANT, MEMBER, USER_GROUP, Member, UserGroup, of_owner, of_subject
from epspot.services.changing import Actor, Deed, commit, deed_of, traces
from epspot.services.give_grant import Granting
from epspot.services.keep_members import Wish, changed_plan, wish_of
from epspot.services.listing import everything
from epspot.services.retrying import in_commits, until_written
from epspot.services.revoke import stop_without_right, users_with
from epspot.services.unique_names import finder, renamings


def add_group(world: Granting, actor: Actor, owner: str, name: str, external_id: str = "") -> UserGroup:
    """Make a user group. Raises NameTaken."""

    def attempt() -> UserGroup:
        group = UserGroup(world.changing.ids.new(), owner, name, external_id)
        names = renamings(finder(world.registry, owner), owner, group.id, (), names_of_group(group))
        deed = deed_of(owner, "user_group.created")
        commit(world.changing, actor, deed, Put(USER_GROUP, None, group), *names, made=group.id)
        return replace(group, version=1)

    return until_written(attempt)


def change_group(world: Granting, actor: Actor, before: UserGroup, name: str, external_id: str = "") -> UserGroup:
    """Let a user group be called otherwise. Raises NameTaken, or Conflict if it does not stand as it was read."""
    after = replace(before, name=name, external_id=external_id)
    if after == before:
        return before
    find, owner = finder(world.registry, before.owner), before.owner
    names = renamings(find, owner, before.id, names_of_group(before), names_of_group(after))
    deed = deed_of(owner, "user_group.changed")
    commit(world.changing, actor, deed, Put(USER_GROUP, before, after), *names)
    return replace(after, version=before.version + 1)


def remove_group(world: Granting, actor: Actor, group: UserGroup) -> None:
    """Take a user group away, first its grants, so that rights end at once.

    The group itself goes last, so that what was interrupted can be done again. Raises NotFound.
    """
    concerned = [m.email_hash for m in members_in(world.registry, group)]

    def attempt() -> None:
        present = group_of(world.registry, group.owner, group.id)
        _take_grants(world, actor, present)
        _empty(world, actor, present)
        names = renamings(finder(world.registry, group.owner), group.owner, group.id, names_of_group(present), ())
        deed = deed_of(group.owner, "user_group.removed")
        commit(world.changing, actor, deed, Remove(USER_GROUP, present), *names)

    until_written(attempt)
    stop_without_right(world, group.owner, users_with(world.registry, concerned))


def _take_grants(world: Granting, actor: Actor, group: UserGroup) -> None:
    grants = everything(world.registry, GRANT, of_subject(group_subject(group.owner, group.id)))
    removes = [(Deed(g.owner, g.scope, "grant.revoked"), Remove(GRANT, g)) for g in grants]
    for changes in in_commits([r, *traces(world.changing, actor, deed, r)] for deed, r in removes):
        world.registry.commit(changes)


def _empty(world: Granting, actor: Actor, group: UserGroup) -> None:
    plans = (changed_plan(world, actor, m, _without(m, group.id)) for m in members_in(world.registry, group))
    for changes in in_commits(plans):
        world.registry.commit(changes)


# ------------------------------------------------------------------ its members


def set_members(
    world: Granting, actor: Actor, group: UserGroup, edit: Callable[[frozenset[str]], frozenset[str]]
) -> None:
    """Let a user group have the members, by id, that ``edit`` makes of those that it has.

    It takes several commits if they are many; doing it again does the rest. Raises InvalidRequest.
    """

    def attempt() -> list[str]:
        present = {m.id: m for m in everything(world.registry, MEMBER, of_owner(group.owner))}
        has = frozenset(m.id for m in present.values() if group.id in m.groups)
        wanted = edit(has)
        if unknown := sorted(wanted - present.keys())[:1]:
            raise InvalidRequest(f"There is no member {unknown[0][:80]}. The list of members has those that there are.")
        added = ((present[i], _with(present[i], group.id)) for i in sorted(wanted - has))
        removed = ((present[i], _without(present[i], group.id)) for i in sorted(has - wanted))
        for changes in in_commits(changed_plan(world, actor, m, wish) for m, wish in (*added, *removed)):
            world.registry.commit(changes)
        return [present[i].email_hash for i in has - wanted]

    gone = until_written(attempt)
    stop_without_right(world, group.owner, users_with(world.registry, gone))


def members_in(registry: Registry, group: UserGroup) -> list[Member]:
    """List the members of a user group."""
    return [m for m in everything(registry, MEMBER, of_owner(group.owner)) if group.id in m.groups]


def _with(member: Member, group: str) -> Wish:
    return replace(wish_of(member), groups=tuple(sorted({*member.groups, group})))


def _without(member: Member, group: str) -> Wish:
    return replace(wish_of(member), groups=tuple(g for g in member.groups if g != group))


# ------------------------------------------------------------------ reading


def group_of(registry: Registry, owner: str, id_: str) -> UserGroup:
    """Find a user group. Raises NotFound."""
    group = registry.get(USER_GROUP, of_owner(owner), id_)
    if group is None:
        raise NotFound(
            f"There is no user group {id_[:80]} here. The list of user groups has those that there are.",
            f"Användargruppen {id_[:80]} finns inte här. Se listan över användargrupper.",
        )
    return group
