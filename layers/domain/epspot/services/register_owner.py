"""Let somebody become an owner, and change what is said of one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from epspot.access import CAPABILITIES, Capability, Grant, Level, Role, Scope
from epspot.errors import NotAllowed, TooOften
from epspot.ports import Throttle
from epspot.registry.kinds import Put
from epspot.registry.records import GRANT, OWNED_SITE, OWNER, OwnedSite, Owner, of_owner
from epspot.services.authorize import Caller, Gate, grants_of, unknown
from epspot.services.changing import Actor, Changing, commit, deed_of

MOST_A_DAY = 10
"""So many owners one user makes."""
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Owning:
    """What it takes to make owners."""

    changing: Changing
    throttle: Throttle


def register_owner(world: Owning, actor: Actor, caller: Caller, told: Mapping[str, Any]) -> Owner:
    """Make an owner whom the caller administers. Raises NotAllowed, TooOften or Conflict."""
    if caller.token is not None:
        raise NotAllowed(
            "A token belongs to an owner, and makes no other. Sign in as a user.",
            "En nyckel hör till en ägare och kan inte skapa en ny. Logga in som användare.",
        )
    if not world.throttle.take(f"owners/{caller.subject}", MOST_A_DAY, _DAY_S, actor.at):
        raise TooOften(
            f"You have made {MOST_A_DAY} owners today. Go on tomorrow.",
            f"Du har skapat {MOST_A_DAY} ägare i dag. Fortsätt i morgon.",
        )
    ids = world.changing.ids
    owner = Owner(id=ids.new(), made_at=actor.at, **told)
    scope = str(Scope(Level.OWNER, owner.id))
    grant = Grant(ids.new(), owner.id, caller.subject, Role.OWNER_ADMIN, scope, made_at=actor.at)
    deed = deed_of(owner.id, "owner.created", owner.id)
    commit(world.changing, actor, deed, Put(OWNER, None, owner), Put(GRANT, None, grant), made=owner.id)
    return replace(owner, version=1)


def change_owner(world: Changing, actor: Actor, before: Owner, told: Mapping[str, Any]) -> Owner:
    """Change what is said of an owner. Raises Conflict."""
    after = replace(before, **{"organisation_number": "", "email": "", "on_revoke": "let_finish"} | dict(told))
    deed = deed_of(before.id, "owner.changed", before.id)
    commit(world, actor, deed, Put(OWNER, before, after))
    return replace(after, version=before.version + 1)


def find_owner(gate: Gate, owner: str) -> Owner:
    """Find an owner. Raises NotFound."""
    found = gate.registry.get(OWNER, of_owner(owner), "")
    if found is None:
        raise unknown(Scope(Level.OWNER, owner))
    return found


# ------------------------------------------------------------------ what is one's own


def owners_of(gate: Gate, caller: Caller) -> list[Owner]:
    """List the owners for whom the caller does more than use outlets."""
    ids = {owner for owner, _ in _staffed(gate, caller)}
    found = (gate.registry.get(OWNER, of_owner(o), "") for o in ids)
    return sorted((o for o in found if o is not None), key=lambda o: (o.name, o.id))


def sites_of(gate: Gate, caller: Caller) -> list[OwnedSite]:
    """List the sites that the caller may view, wholly or in part."""
    found: dict[str, OwnedSite] = {}
    for owner, scope in _staffed(gate, caller):
        found |= {s.site: s for s in _sites_in(gate, owner, Scope.read(scope))}
    return sorted(found.values(), key=lambda s: (s.name, s.site))


def _sites_in(gate: Gate, owner: str, scope: Scope) -> list[OwnedSite]:
    if scope.level is Level.OWNER:
        return list(gate.registry.under(OWNED_SITE, of_owner(owner)).items)
    of_outlet = gate.sites.of_outlet(scope.id) if scope.level is Level.OUTLET else None
    site = gate.registry.get(OWNED_SITE, of_owner(owner), of_outlet or scope.id.partition("/")[0])
    return [] if site is None else [site]


def _staffed(gate: Gate, caller: Caller) -> set[tuple[str, str]]:
    """Tell on which scopes of which owners the caller may view."""
    if caller.token is not None:
        sees = Capability.VIEW in caller.token.capabilities
        return {(caller.token.owner, caller.token.scope)} if sees else set()
    now = gate.clock.now()
    return {
        (g.owner, g.scope)
        for g in grants_of(gate, caller)
        if g.validity.holds(now) and Capability.VIEW in CAPABILITIES.get(g.role, frozenset())
    }
