"""Tariffs of owners: what is asked for, by which versions, and what a session would cost."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from epspot.access import Capability
from epspot.errors import InvalidRequest
from epspot.registry.records import of_owner
from epspot.registry.tariffs import OWNED_TARIFF, OwnedTariff
from epspot.services.keep_tariffs import (
    change_tariff,
    make_tariff,
    remove_tariff,
    sound,
    tariff_of,
    version_of,
    versions_of,
)
from epspot.services.tell_prices import price_session, price_stretches
from epspot.tariffs import Spot, Stretch, Tariff, tariff_in
from functions.api.calls import Answer, Call, page
from functions.api.operations import operation
from functions.api.render import tariffs as render
from functions.api.requests import time_of

_ALL = "/v1/owners/{owner}/tariffs"
_ONE = f"{_ALL}/{{tariff}}"
_TAG = "Tariffs"
_LONGEST_S = 31 * 86_400
_LAST = 4_102_444_800
"""The end of 2099."""


@operation(
    "POST",
    _ALL,
    "Make a tariff; refused whole, with every reason",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="TariffForm",
    status=201,
    answer="Tariff",
    creates=True,
    refusals=(422,),
)
def create_tariff(call: Call) -> Any:
    """Make a tariff; its id is ours."""
    owner = call.here.owner
    if call.made:
        made = tariff_of(call.world.registry, owner, call.made)
    else:
        made = make_tariff(call.world.tariffing, call.actor, owner, call.body)
    return _one(made, Location=f"/v1/owners/{owner}/tariffs/{made.id}")


@operation("GET", _ALL, "List the tariffs", tag=_TAG, needs=Capability.VIEW, on="owner", answer="Tariffs", paged=True)
def list_tariffs(call: Call) -> Any:
    """List the owner's tariffs."""
    found = call.world.registry.under(OWNED_TARIFF, of_owner(call.here.owner), call.limit, call.cursor)
    return page([render.tariff(t) for t in found.items], found.next)


@operation("GET", _ONE, "Show a tariff", tag=_TAG, needs=Capability.VIEW, on="owner", answer="Tariff")
def show_tariff(call: Call) -> Any:
    """Show a tariff as it is now."""
    return _one(_found(call))


@operation(
    "PUT",
    _ONE,
    "Make a new version of a tariff, for the sessions that begin from now on",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="TariffForm",
    answer="Tariff",
    changes=True,
    refusals=(422,),
)
def replace_tariff(call: Call) -> Any:
    """Change a tariff."""
    before = _found(call)
    call.check_version(before.version)
    return _one(change_tariff(call.world.tariffing, call.actor, before, call.body))


@operation(
    "DELETE",
    _ONE,
    "Take a tariff away that no outlet and no group has",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    status=204,
    changes=True,
    refusals=(409,),
)
def delete_tariff(call: Call) -> Any:
    """Take a tariff away."""
    before = _found(call)
    call.check_version(before.version)
    remove_tariff(call.world.tariffing, call.actor, before)


@operation(
    "GET",
    f"{_ONE}/versions",
    "List the versions of a tariff, the newest first",
    tag=_TAG,
    needs=Capability.VIEW,
    on="owner",
    answer="Tariffs",
    paged=True,
)
def list_tariff_versions(call: Call) -> Any:
    """List what a tariff has been."""
    found = versions_of(call.world.registry, call.here.owner, call.params["tariff"], call.limit, call.cursor)
    return page([render.version(v) for v in found.items], found.next)


@operation(
    "POST",
    f"{_ALL}/preview",
    "Tell what a session would have cost: by a tariff of the owner's or a new one, of a session that was or a made-up one",
    tag=_TAG,
    needs=Capability.VIEW,
    on="owner",
    body="TariffPreview",
    answer="TariffPrice",
    refusals=(404, 422),
)
def preview_tariff(call: Call) -> Any:
    """Price a session, and write nothing."""
    body, tariff = call.body, _tariff_in(call)
    if ("session" in body) == ("stretches" in body) or ("session" in body and "spot" in body):
        raise InvalidRequest("Tell either session, or stretches and perhaps spot.")
    if "session" in body:
        told = price_session(call.world.pricing, call.here.owner, tariff, body["session"])
    else:
        told = price_stretches(tariff, _stretches(body["stretches"]), _spot(body.get("spot", ())))
    return render.price(told, estimate="session" in body)


# ------------------------------------------------------------------ what is said


def _found(call: Call) -> OwnedTariff:
    return tariff_of(call.world.registry, call.here.owner, call.params["tariff"])


def _one(tariff: OwnedTariff, **headers: str) -> Answer:
    return Answer(render.tariff(tariff), version=tariff.version, headers=headers)


def _tariff_in(call: Call) -> Tariff:
    """Read which tariff is meant. Raises InvalidRequest, InvalidTariff or NotFound."""
    body = call.body
    if ("tariff" in body) == ("tariff_id" in body) or ("tariff" in body and "version" in body):
        raise InvalidRequest("Tell either tariff, or tariff_id and perhaps version.")
    if "tariff" in body:
        return sound(tariff_in(body["tariff"]))
    found = version_of(call.world.registry, call.here.owner, body["tariff_id"], body.get("version"))
    return found.tariff


def _stretches(told: Sequence[Mapping[str, Any]]) -> list[Stretch]:
    """Read the stretches of a session. Raises InvalidRequest."""
    made = [Stretch(_time(s, "begin"), _time(s, "end"), s.get("energy_wh", 0), s.get("idle", False)) for s in told]
    begin, end = min(s.begin for s in made), max(s.end for s in made)
    if begin < 0 or end > _LAST or end - begin > _LONGEST_S:
        raise InvalidRequest("A session of at most 31 days, from 1970 to 2100, can be previewed.")
    return made


def _spot(told: Sequence[Mapping[str, Any]]) -> Spot:
    """Read spot prices. Raises InvalidRequest."""
    made = [(int(_time(s, "from")), float(s["ore_per_kwh"])) for s in told]
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(made)):
        raise InvalidRequest("The prices in spot must be in the order of time.")
    return made


def _time(body: Mapping[str, Any], name: str) -> float:
    at = time_of(dict(body), name)
    if at is None:
        raise InvalidRequest(f"{name} is missing.")
    return at
