"""The bridges of a site: a code with which one claims itself, and what has become of it."""

from typing import Any

from epspot.access import Capability
from epspot.services.authorize import site_at
from epspot.services.claim_bridge import CODE_HOLDS_S, invite_bridge
from epspot.services.list_bridges import list_bridges
from functions.api.calls import Call, page
from functions.api.operations import operation
from functions.api.render import sites as render
from functions.api.render import time

_TAG = "Installation"


@operation(
    "POST",
    "/v1/sites/{site}/bridges",
    "Make a code with which a bridge claims itself for a site",
    tag=_TAG,
    needs=Capability.MAINTAIN,
    on="site",
    status=201,
    answer="BridgeInvitation",
    creates=True,
)
def invite(call: Call) -> Any:
    """Make a code; it is told once."""
    if call.made:
        return {"id": call.made, "code": None, "invited_until": None}
    made = invite_bridge(call.world.claiming, call.actor, call.here)
    return {"id": made.bridge, "code": made.code, "invited_until": time(call.actor.at + CODE_HOLDS_S)}


@operation(
    "GET",
    "/v1/sites/{site}/bridges",
    "List the bridges of a site with the modules that they have found",
    tag=_TAG,
    needs=Capability.VIEW,
    on="site",
    answer="Bridges",
)
def list_site_bridges(call: Call) -> Any:
    """List the bridges."""
    site, live = site_at(call.here)
    bridges = list_bridges(call.world.registry, site, live, call.world.clock.now())
    return page([render.bridge(b) for b in bridges], None)
