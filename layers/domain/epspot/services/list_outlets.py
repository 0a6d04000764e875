"""List the outlets and what they are doing."""

from dataclasses import dataclass

from epspot.control.state import Live, Plug, Reading
from epspot.ports import Lives, Sites
from epspot.site import Outlet


@dataclass(frozen=True, slots=True)
class OutletView:
    """An outlet as everyone may see it."""

    id: str
    number: str
    site: str
    site_name: str
    state: str
    """``free``, ``plugged`` (a cable is in it, nobody has started), ``in_use`` or ``offline``."""
    max_a: float
    phases: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What it takes to list outlets."""

    lives: Lives
    sites: Sites


def list_outlets(world: Listing) -> list[OutletView]:
    """List the outlets of all sites in the order of their numbers at each."""
    return [
        OutletView(o.id, o.number, site.id, site.name, outlet_state(live, o), o.max_a, len(o.phases))
        for site, live in (world.lives.load(s) for s in world.sites.all())
        for o in site.outlets
    ]


def outlet_state(live: Live, outlet: Outlet) -> str:
    """Tell in one word what an outlet is doing."""
    if live.session_at(outlet.id) is not None:
        return "in_use"
    reading = _reading(live, outlet)
    bridge = live.bridges.get(outlet.bridge)
    if reading is None or bridge is None or bridge.silent:
        return "offline"
    return "free" if reading.plug is Plug.NONE else "plugged"


def _reading(live: Live, outlet: Outlet) -> Reading | None:
    told = live.readings.get(outlet.bridge)
    return None if told is None or outlet.module in told.lost else told.modules.get(outlet.module)
