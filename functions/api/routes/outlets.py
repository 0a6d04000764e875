"""The outlets of a site and what they are doing."""

from typing import Any

from epspot.access import Level, Scope
from epspot.services.authorize import place_of, site_at, unknown, usable
from epspot.services.keep_tariffs import Newest
from epspot.services.list_outlets import list_outlets
from epspot.services.tell_prices import Offers
from functions.api.calls import Call, page
from functions.api.operations import operation
from functions.api.render import sessions as render


@operation(
    "GET",
    "/v1/sites/{site}/outlet-states",
    "List the outlets of a site that one may use, with what they are doing",
    tag="Outlets",
    answer="OutletStates",
)
def list_outlet_states(call: Call) -> Any:
    """List the outlets."""
    scope = Scope(Level.SITE, call.params["site"])
    site, live = site_at(place_of(call.world.gate, scope))
    outlets = usable(call.world.gate, call.caller, site)
    if not outlets:
        raise unknown(scope)
    offers = Offers(Newest(call.world.registry), call.actor.at)
    told = zip(list_outlets(site, live, outlets), outlets, strict=True)
    return page([render.outlet(v, offers.of(site, o, live.prices)) for v, o in told], None)
