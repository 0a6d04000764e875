"""What people say of themselves: a profile, and the vehicles that they have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from epspot.errors import InvalidRequest, NotFound
from epspot.ports import Identity, Ids, Registry
from epspot.registry.kinds import Put, Remove
from epspot.registry.people import CAR, LANGUAGE, PROFILE, Car, Profile, of_person
from epspot.services.changing import Actor, once

MOST_CARS = 20


@dataclass(frozen=True, slots=True)
class Describing:
    """What it takes to keep what people say of themselves."""

    registry: Registry
    identity: Identity
    ids: Ids


def profile_of(world: Describing, user: str) -> Profile:
    """Find a user's profile; until there is one (version 0), what the user pool knows stands in for it."""
    known = world.registry.get(PROFILE, of_person(user), "")
    if known is not None:
        return known
    account = world.identity.account(user)
    if account is None:
        return Profile(user)
    return Profile(user, account.email, account.name, account.language or LANGUAGE)


def change_profile(world: Describing, before: Profile, after: Profile) -> Profile:
    """Write a profile anew, and let the mails with codes speak its language too. Raises Conflict."""
    if after.language != before.language or before.version == 0:
        world.identity.set_language(after.user, after.language)
    world.registry.commit([Put(PROFILE, before if before.version else None, after)])
    return replace(after, version=before.version + 1)


# ------------------------------------------------------------------ vehicles


def cars_of(world: Describing, user: str) -> Sequence[Car]:
    """List a user's vehicles, in the order in which they were added."""
    return sorted(world.registry.under(CAR, of_person(user)).items, key=lambda c: (c.made_at, c.id))


def car_of(world: Describing, user: str, car: str) -> Car:
    """Find a vehicle of a user's. Raises NotFound."""
    found = world.registry.get(CAR, of_person(user), car)
    if found is None:
        raise NotFound("You have no vehicle with this id.", "Du har inget fordon med detta id.")
    return found


def add_car(world: Describing, actor: Actor, described: Car) -> Car:
    """Take in a vehicle as it is described, under a new id. Raises InvalidRequest when there are too many."""
    if len(cars_of(world, described.user)) >= MOST_CARS:
        raise InvalidRequest(
            f"You have {MOST_CARS} vehicles already: remove one first.",
            f"Du har redan {MOST_CARS} fordon: ta bort ett först.",
        )
    made = replace(described, id=world.ids.new(), made_at=actor.at)
    # No audit line: what people do with their own things is no business of any owner's.
    world.registry.commit([Put(CAR, None, made), *once(actor, made.id)])
    return replace(made, version=1)


def change_car(world: Describing, before: Car, after: Car) -> Car:
    """Write a vehicle anew. Raises Conflict."""
    world.registry.commit([Put(CAR, before, after)])
    return replace(after, version=before.version + 1)


def remove_car(world: Describing, car: Car) -> None:
    """Take a vehicle away. Raises Conflict."""
    world.registry.commit([Remove(CAR, car)])
