"""Take in a message from a bridge."""

from dataclasses import dataclass
from enum import StrEnum

from epspot.control.events import FrameReceived, PresenceChanged
from epspot.errors import InvalidRequest
from epspot.ports import Clock, Inbound, Refused, Sites
from epspot.services.advance import Controller, advance

FRAME_MAX_AGE_S = 60.0


class Taken(StrEnum):
    """What became of a message."""

    USED = "used"
    TOO_OLD = "too_old"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Intake:
    """What it takes to take in messages."""

    controller: Controller
    inbound: Inbound
    sites: Sites
    refused: Refused
    clock: Clock


def take_message(world: Intake, topic: str, payload: bytes, received_at: float) -> Taken:
    """Let the message happen at its bridge's site; refuse and keep what can't be used, with the reason."""
    try:
        event = world.inbound.read(topic, payload, received_at)
        if isinstance(event, FrameReceived) and world.clock.now() - received_at > FRAME_MAX_AGE_S:
            return Taken.TOO_OLD
        site = _site_of(world.sites, event.bridge)
    except InvalidRequest as error:
        world.refused.put(str(error), topic, payload)
        return Taken.REFUSED
    advance(world.controller, site, event)
    return Taken.USED


def _site_of(sites: Sites, bridge: str) -> str:
    site = sites.of_bridge(bridge)
    if site is None:
        raise InvalidRequest(f"unknown_bridge: {bridge} belongs to no site")
    return site


def note_presence(world: Intake, bridge: str, *, connected: bool, version: int, at: float) -> Taken:
    """Take the broker's word that a bridge came or went; others than our bridges don't concern us."""
    site = world.sites.of_bridge(bridge)
    if site is None:
        return Taken.REFUSED
    advance(world.controller, site, PresenceChanged(at, bridge, connected, version))
    return Taken.USED
