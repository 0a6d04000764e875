"""Forget somebody: what others must keep stays under an id that is nobody's from then on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from epspot.access import Grant, Level, Role, Scope
from epspot.access.subjects import user_subject
from epspot.control.state import Phase
from epspot.errors import AccountNeeded, NotFound
from epspot.ports import Lives, Registry, SessionRecord, Sessions, Vehicles
from epspot.registry.kinds import Change, Kind, Remove
from epspot.registry.names import PROVED
from epspot.registry.people import CAR, PROFILE, of_person
from epspot.registry.records import GRANT, of_owner, of_subject
from epspot.services.changing import Actor
from epspot.services.describe_person import Describing
from epspot.services.give_grant import Granting
from epspot.services.listing import everything, sifted
from epspot.services.revoke import revoke_grant

RECENT = 100
"""Among so many of the newest sessions are all that may still run."""
_READ = 1000


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What it takes to forget somebody."""

    describing: Describing
    granting: Granting
    lives: Lives
    sessions: Sessions
    vehicles: Vehicles


def delete_person(world: Forgetting, actor: Actor, user: str) -> None:
    """Forget a user; what failed half-way is done by asking again. Raises AccountNeeded or LastAdministrator.

    Profile, vehicles and grants in person go, and the account with them. Sessions stay under the user's id. What an owner
    has written down of its members is the owner's to erase.
    """
    registry, subject = world.granting.registry, of_subject(user_subject(user))
    _check_sessions(world, user)
    grants = list(everything(registry, GRANT, subject))
    _check_owners(world, grants)
    for grant in grants:
        revoke_grant(world.granting, actor, grant)
    own: list[Change] = [Remove(CAR, car) for car in registry.under(CAR, of_person(user)).items]
    alone: list[tuple[Kind[Any], str]] = [(PROFILE, of_person(user)), (PROVED, subject)]
    for kind, under in alone:
        record = registry.get(kind, under, "")
        own += [] if record is None else [Remove(kind, record)]
    if own:
        registry.commit(own)
    world.vehicles.forget(user)
    # Last, since as long as the account is there its user can ask again.
    world.describing.identity.remove(user)


def _check_sessions(world: Forgetting, user: str) -> None:
    if any(_runs(world, record) for record in world.sessions.of_user(user, RECENT)):
        raise AccountNeeded(
            "A session of yours still runs or waits. Stop it first.",
            "Du har en session som pågår eller väntar. Avsluta den först.",
        )


def _runs(world: Forgetting, record: SessionRecord) -> bool:
    if record.state == Phase.ENDED:
        return False
    try:
        return record.id in world.lives.load(record.site)[1].sessions
    except NotFound:
        return False


def _check_owners(world: Forgetting, grants: Sequence[Grant]) -> None:
    """Find out before anything is done whether an owner would be left to nobody. Raises AccountNeeded."""
    mine = {g.id for g in grants}
    for owner in sorted({g.owner for g in grants if _administers_for_good(g)}):
        if not _others(world.granting.registry, owner, mine):
            raise AccountNeeded(
                f"Nobody but you administers the owner {owner} for good. Let somebody else do so first.",
                f"Du är ensam om att administrera ägaren {owner}. Gör någon annan till administratör först, utan slutdatum.",
            )


def _others(registry: Registry, owner: str, mine: Collection[str]) -> bool:
    found = sifted(
        lambda after: registry.also_under(GRANT, of_owner(owner), _READ, after),
        lambda g: _administers_for_good(g) and g.id not in mine,
        lambda g: g.id,
        1,
        None,
    )
    return bool(found.items)


def _administers_for_good(grant: Grant) -> bool:
    lasting = grant.ends_at is None and not grant.subject.startswith("group:")
    return lasting and (grant.role, grant.scope) == (Role.OWNER_ADMIN, str(Scope(Level.OWNER, grant.owner)))
