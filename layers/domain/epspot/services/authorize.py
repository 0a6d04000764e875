"""The one way to find out whether somebody may do something: a capability on a scope, and deny is the default."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from epspot.access import Capability, Chain, Grant, Level, Scope, allows, group_scope
from epspot.access.subjects import group_subject
from epspot.control.state import Live
from epspot.errors import NotAllowed, NotFound, NotSignedIn
from epspot.ports import Clock, Lives, Registry, Sites
from epspot.registry.records import GRANT, MEMBERSHIP, OWNER, Membership, Token, of_email, of_owner, of_subject
from epspot.services.listing import everything
from epspot.site import Outlet, Site


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: a user, another system with a token, or a guest."""

    subject: str = ""
    """``user:<id>``, ``token:<id>``, or nothing."""
    email_hash: str = ""
    """Of a user's address, if the user has proved to have it."""
    token: Token | None = None
    vouched_by: str = ""
    """The owner by whose word the address is the user's: the word counts with this owner alone. Nothing: it is proved."""

    def is_known_to(self, owner: str) -> bool:
        """Tell whether the address counts with an owner."""
        return self.vouched_by in ("", owner)

    @property
    def user(self) -> str:
        """Name whose sessions the caller's are: the user's own id, or ``token:<id>``."""
        return self.subject.removeprefix("user:")


GUEST = Caller()


@dataclass(frozen=True, slots=True)
class Place:
    """What a scope is part of, as it was read to find out about it."""

    chain: Chain
    owner: str
    site: Site | None = None
    live: Live | None = None
    outlet: Outlet | None = None

    @property
    def scope(self) -> Scope:
        """Name the scope itself."""
        return self.chain[-1]


@dataclass(frozen=True, slots=True)
class Gate:
    """What it takes to let callers in."""

    registry: Registry
    lives: Lives
    sites: Sites
    clock: Clock


def require(gate: Gate, caller: Caller, capability: Capability, place: Place) -> None:
    """Let a caller pass who has a capability at a place.

    Raises NotSignedIn, NotFound (who may do nothing there must not learn that it exists) or NotAllowed.
    """
    if not caller.subject:
        raise NotSignedIn("Sign in, or send a token of your owner's.", "Logga in, eller skicka en nyckel från ägaren.")
    if may(gate, caller, capability, place):
        return
    if any(may(gate, caller, c, place) for c in Capability if c is not Capability.USE):
        raise NotAllowed(
            f"You may not do this here: it takes the capability {capability.value}. Ask who administers it.",
            f"Det här får du inte göra: det kräver rättigheten {capability.value}. Fråga administratören.",
        )
    raise unknown(place.scope)


def may(gate: Gate, caller: Caller, capability: Capability, place: Place) -> bool:
    """Tell whether a caller has a capability at a place."""
    if capability is Capability.USE and place.site is not None and place.outlet is not None:
        return bool(_usable(gate, caller, place.site, [place.outlet]))
    return _has(caller, () if caller.token else grants_of(gate, caller), place.chain, capability, gate.clock.now())


@dataclass(frozen=True, slots=True)
class At:
    """A clock that stands."""

    at: float

    def now(self) -> float:
        """Tell the time that it stands at."""
        return self.at


def may_until(gate: Gate, caller: Caller, capability: Capability, place: Place, until: float | None) -> bool:
    """Tell whether a caller has a capability at a place now and until a time; None: without an end."""
    end = float("inf") if until is None else until
    token = caller.token
    if token is not None and token.ends_at is not None and token.ends_at < end:
        return False
    # A right that ends at that very time is enough.
    then = replace(gate, clock=At(end if until is None else end - 1))
    return may(gate, caller, capability, place) and may(then, caller, capability, place)


def usable(gate: Gate, caller: Caller, site: Site, grants: Sequence[Grant] | None = None) -> list[Outlet]:
    """List the outlets of a site that a caller may use: public ones, and those that have been granted.

    ``grants`` are the caller's own, if they have been read already.
    """
    return _usable(gate, caller, site, site.outlets, grants)


def _usable(
    gate: Gate, caller: Caller, site: Site, outlets: Sequence[Outlet], grants: Sequence[Grant] | None = None
) -> list[Outlet]:
    if grants is None:
        grants = () if caller.token or not caller.subject else grants_of(gate, caller)
    now = gate.clock.now()
    return [
        o
        for o in outlets
        if (caller.token is None and site.is_public(o)) or _has(caller, grants, chain_of(site, o), Capability.USE, now)
    ]


def _has(caller: Caller, grants: Sequence[Grant], chain: Chain, capability: Capability, at: float) -> bool:
    token, owner = caller.token, chain[0].id
    if token is None:
        # What another has given, who owned it once, counts no more.
        return allows([g for g in grants if g.owner == owner], chain, capability, at)
    return token.owner == owner and capability in token.capabilities and token.scope in {str(scope) for scope in chain}


def grants_of(gate: Gate, caller: Caller) -> Sequence[Grant]:
    """List what a user has been granted: in person, by e-mail address, and through groups."""
    now = gate.clock.now()
    subjects = [of_subject(caller.subject)]
    if caller.email_hash:
        subjects.append(of_email(caller.email_hash))
    for m in memberships_of(gate.registry, caller):
        if m.holds(now):
            subjects += [of_subject(group_subject(m.owner, g)) for g in m.groups]
    # All of them: what other owners have given, however much, must not hide what this one has.
    found = [g for s in subjects for g in everything(gate.registry, GRANT, s)]
    return [g for g in found if g.subject == caller.subject or caller.is_known_to(g.owner)]


def groups_of(gate: Gate, caller: Caller, owner: str) -> list[str]:
    """List the user groups of an owner that a caller is in."""
    now = gate.clock.now()
    return [g for m in memberships_of(gate.registry, caller) if m.owner == owner and m.holds(now) for g in m.groups]


def memberships_of(registry: Registry, caller: Caller) -> Sequence[Membership]:
    """List the memberships of a caller with the owners with whom the caller's address counts."""
    if not caller.email_hash:
        return []
    found = everything(registry, MEMBERSHIP, of_email(caller.email_hash))
    return [m for m in found if caller.is_known_to(m.owner)]


def heaviest(site: Site | None, groups: Sequence[str]) -> str:
    """Choose the group by which somebody is served who is in several: the one with the largest weight."""
    weights = {} if site is None else site.policy.weights
    return max(groups, key=lambda g: (weights.get(g, 1.0), g), default="")


# ------------------------------------------------------------------ where


def place_of(gate: Gate, scope: Scope) -> Place:
    """Find what a scope is part of. Raises NotFound."""
    if scope.level is Level.OWNER:
        if gate.registry.get(OWNER, of_owner(scope.id), "") is None:
            raise unknown(scope)
        return Place((scope,), scope.id)
    site_id, outlet, group = scope.id, None, None
    if scope.level is Level.OUTLET:
        outlet, site_id = scope.id, gate.sites.of_outlet(scope.id) or ""
    elif scope.level is Level.GROUP:
        site_id, _, group = scope.id.partition("/")
    try:
        site, live = gate.lives.load(site_id)
    except NotFound:
        raise unknown(scope) from None
    if (outlet is not None and outlet not in site.outlet) or (group is not None and group not in site.group):
        raise unknown(scope)
    if outlet is not None:
        found = site.outlet[outlet]
        return Place(chain_of(site, found), site.owner, site, live, found)
    groups = (group_scope(site.id, g.id) for g in site.groups_above(group))
    chain = (Scope(Level.OWNER, site.owner), Scope(Level.SITE, site.id), *groups)
    return Place(chain, site.owner, site, live)


def site_at(place: Place) -> tuple[Site, Live]:
    """Tell the site that a place lies in, which only an owner's own does not."""
    if place.site is None or place.live is None:
        raise unknown(place.scope)
    return place.site, place.live


def chain_of(site: Site, outlet: Outlet) -> Chain:
    """List what an outlet lies in, from its owner to itself."""
    groups = (group_scope(site.id, g.id) for g in site.groups_above(outlet.group))
    return (Scope(Level.OWNER, site.owner), Scope(Level.SITE, site.id), *groups, Scope(Level.OUTLET, outlet.id))


def unknown(scope: Scope) -> NotFound:
    """Refuse what does not exist, or what the caller must not know of: both sound alike."""
    return NotFound(
        f"There is no {scope.level} {scope.id[:80]}, or it is none of yours.",
        f"{scope.id[:80]} finns inte, eller tillhör inte dig.",
    )
