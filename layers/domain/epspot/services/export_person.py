"""Give somebody everything that is kept of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from epspot.ports import SessionRecord, Sessions, Vehicle, Vehicles
from epspot.registry.people import Car, Profile
from epspot.services.authorize import Caller, Gate
from epspot.services.describe_person import Describing, cars_of, profile_of
from epspot.services.show_access import Access, show_access

MOST_SESSIONS = 10_000
"""What fits into one answer; nobody has had as many."""


@dataclass(frozen=True, slots=True)
class Exporting:
    """What it takes to find everything of somebody."""

    describing: Describing
    gate: Gate
    sessions: Sessions
    vehicles: Vehicles


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is kept of somebody."""

    profile: Profile
    cars: Sequence[Car]
    learned: Vehicle
    """What has been learned of their vehicle by charging it."""
    access: Access
    sessions: Sequence[SessionRecord]


def export_person(world: Exporting, caller: Caller) -> Everything:
    """Collect everything that is kept of a user."""
    return Everything(
        profile=profile_of(world.describing, caller.user),
        cars=cars_of(world.describing, caller.user),
        learned=world.vehicles.get(caller.user),
        access=show_access(world.gate, caller),
        sessions=world.sessions.of_user(caller.user, MOST_SESSIONS),
    )
