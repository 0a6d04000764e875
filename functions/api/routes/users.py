"""People themselves: who they are, what they drive, what they may use, and how to leave."""

from dataclasses import replace
from typing import Any

from epspot.errors import NotAllowed
from epspot.registry.people import Car
from epspot.services.delete_person import delete_person
from epspot.services.describe_person import (
    add_car,
    car_of,
    cars_of,
    change_car,
    change_profile,
    profile_of,
    remove_car,
)
from epspot.services.export_person import export_person
from epspot.services.show_access import show_access
from functions.api.calls import Answer, Call, page
from functions.api.operations import operation
from functions.api.render import people as render

_TAG = "Me"


@operation("GET", "/v1/me", "Show one's profile", tag=_TAG, answer="Profile", refusals=(403,))
def show_me(call: Call) -> Any:
    """Show the caller's profile."""
    found = profile_of(call.world.describing, _me(call))
    return Answer(render.profile(found), version=found.version)


@operation(
    "PUT",
    "/v1/me",
    "Change one's name, language and what one is told of",
    tag=_TAG,
    body="ProfileForm",
    answer="Profile",
    changes=True,
    refusals=(403,),
)
def change_me(call: Call) -> Any:
    """Change the caller's profile, all of it anew."""
    before = profile_of(call.world.describing, _me(call))
    call.check_version(before.version)
    said = call.body
    after = replace(before, name=said.get("name") or "", language=said["language"], **said["notify"])
    written = change_profile(call.world.describing, before, after)
    return Answer(render.profile(written), version=written.version)


# ------------------------------------------------------------------ vehicles


@operation("GET", "/v1/me/vehicles", "List one's vehicles", tag=_TAG, answer="Vehicles", refusals=(403,))
def list_vehicles(call: Call) -> Any:
    """List the caller's vehicles."""
    return page([render.car(c) for c in cars_of(call.world.describing, _me(call))], None)


@operation(
    "POST",
    "/v1/me/vehicles",
    "Add a vehicle",
    tag=_TAG,
    body="VehicleForm",
    status=201,
    answer="Vehicle",
    creates=True,
    refusals=(403,),
)
def add_vehicle(call: Call) -> Any:
    """Add a vehicle of the caller's."""
    world, user = call.world.describing, _me(call)
    car = car_of(world, user, call.made) if call.made else add_car(world, call.actor, _car(call, user))
    return Answer(render.car(car), version=car.version, headers={"Location": f"/v1/me/vehicles/{car.id}"})


@operation("GET", "/v1/me/vehicles/{vehicle}", "Show a vehicle", tag=_TAG, answer="Vehicle", refusals=(403, 404))
def show_vehicle(call: Call) -> Any:
    """Show a vehicle of the caller's."""
    car = car_of(call.world.describing, _me(call), call.params["vehicle"])
    return Answer(render.car(car), version=car.version)


@operation(
    "PUT",
    "/v1/me/vehicles/{vehicle}",
    "Describe a vehicle anew",
    tag=_TAG,
    body="VehicleForm",
    answer="Vehicle",
    changes=True,
    refusals=(403, 404),
)
def change_vehicle(call: Call) -> Any:
    """Change a vehicle of the caller's."""
    user = _me(call)
    before = car_of(call.world.describing, user, call.params["vehicle"])
    call.check_version(before.version)
    after = replace(_car(call, user), id=before.id, made_at=before.made_at)
    written = change_car(call.world.describing, before, after)
    return Answer(render.car(written), version=written.version)


@operation(
    "DELETE",
    "/v1/me/vehicles/{vehicle}",
    "Remove a vehicle",
    tag=_TAG,
    status=204,
    changes=True,
    refusals=(403, 404),
)
def remove_vehicle(call: Call) -> Any:
    """Remove a vehicle of the caller's."""
    car = car_of(call.world.describing, _me(call), call.params["vehicle"])
    call.check_version(car.version)
    remove_car(call.world.describing, car)
    return Answer(None)


def _car(call: Call, user: str) -> Car:
    said = call.body
    return Car("", user, said["name"], said["phases"], said["max_a"], said.get("battery_wh"))


# ------------------------------------------------------------------ all of it


@operation(
    "GET", "/v1/me/access", "Show what one may use, and until when", tag=_TAG, answer="MyAccess", refusals=(403,)
)
def show_my_access(call: Call) -> Any:
    """Show what the caller has been given."""
    _me(call)
    return render.access(show_access(call.world.gate, call.caller), call.actor.at)


@operation(
    "GET", "/v1/me/export", "Have everything that is kept of oneself", tag=_TAG, answer="Export", refusals=(403,)
)
def export_me(call: Call) -> Any:
    """Give all that is kept of the caller."""
    _me(call)
    return render.everything(export_person(call.world.exporting, call.caller), call.actor.at)


@operation(
    "DELETE",
    "/v1/me",
    "Be forgotten: profile, vehicles, rights and account",
    tag=_TAG,
    body="DeletionForm",
    status=204,
    refusals=(403, 409),
)
def delete_me(call: Call) -> Any:
    """Forget the caller."""
    delete_person(call.world.forgetting, call.actor, _me(call))
    return Answer(None)


def _me(call: Call) -> str:
    """Name the user who calls. Raises NotAllowed: another system is nobody."""
    if call.caller.token is not None:
        raise NotAllowed(
            "This is for people: a token has no profile.", "Det här är för personer: en nyckel har ingen profil."
        )
    return call.caller.user
