"""Start a session at an outlet."""

import hashlib
from dataclasses import dataclass, replace

from epspot.control.events import StartRequested
from epspot.control.lifecycle import unknown_outlet
from epspot.control.state import NO_WISHES, Phase, Wishes
from epspot.errors import Conflict, InvalidRequest, KeyReused, OutletOccupied
from epspot.ports import Clock, SessionRecord, Sessions, Sites, Vehicles
from epspot.services.advance import Controller, advance
from epspot.services.follow_session import View, view
from epspot.services.keep_tariffs import binding_tariff

MAX_KEY = 100


@dataclass(frozen=True, slots=True)
class Starting:
    """What it takes to start sessions."""

    controller: Controller
    sessions: Sessions
    sites: Sites
    clock: Clock
    vehicles: Vehicles


def start_session(
    world: Starting, user: str, outlet: str, key: str, wishes: Wishes = NO_WISHES, *, reference: str = ""
) -> View:
    """Start, and answer at once whether current comes now or when its turn does.

    ``key`` is the caller's Idempotency-Key: the same request again gets the same session. ``reference`` is what
    another system calls it. Raises InvalidRequest, OutletUnknown, OutletOccupied, OutletOffline or KeyReused.
    """
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise InvalidRequest(f"Idempotency-Key must be 1 to {MAX_KEY} printable ASCII characters.")
    session = session_id(user, key)
    earlier = world.sessions.get(session)
    if earlier is not None:
        return _again(world, earlier, outlet)
    site_id = world.sites.of_outlet(outlet)
    if site_id is None:
        raise unknown_outlet(outlet)
    now = world.clock.now()
    site, _ = world.controller.lives.load(site_id)
    if outlet not in site.outlet:
        raise unknown_outlet(outlet)
    vehicle = world.vehicles.get(user)
    wishes = replace(wishes, least_a=vehicle.least_a, wakes_by=vehicle.wakes_by)
    record = SessionRecord(
        id=session,
        user=user,
        site=site_id,
        outlet=outlet,
        number=site.outlet[outlet].number,
        requested_at=now,
        state=Phase.QUEUED.value,
        reference=reference,
        tariff=binding_tariff(world.controller.registry, site, outlet),
    )
    try:
        advance(world.controller, site_id, StartRequested(now, session, outlet, wishes), record)
    except (Conflict, OutletOccupied):
        # Perhaps the same request, sent twice at once, has won.
        earlier = world.sessions.get(session)
        if earlier is None:
            raise
        return _again(world, earlier, outlet)
    return view(record, *world.controller.lives.load(site_id))


def session_id(user: str, key: str) -> str:
    """Derive a session's id from its request, so that a repeated request can't make a second session."""
    return hashlib.sha256(f"{user}\n{key}".encode()).hexdigest()[:26]


def _again(world: Starting, record: SessionRecord, outlet: str) -> View:
    if record.outlet != outlet:
        raise KeyReused(f"This Idempotency-Key started a session at outlet {record.outlet}. Use a new one.")
    return view(record, *world.controller.lives.load(record.site))
