"""List the outlets and what they are doing."""

from collections.abc import Iterable
from dataclasses import dataclass

from epspot.control.state import Live, Plug, Reading
from epspot.site import Outlet, Site


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


def list_outlets(site: Site, live: Live, outlets: Iterable[Outlet]) -> list[OutletView]:
    """Tell of some outlets of a site what they are doing."""
    return [
        OutletView(o.id, o.number, site.id, site.name, outlet_state(live, o), o.max_a, len(o.phases)) for o in outlets
    ]


def outlet_state(live: Live, outlet: Outlet) -> str:
    """Tell in one word what an outlet is doing."""
    return _state(live, outlet, in_use=live.session_at(outlet.id) is not None)


def outlet_states(site: Site, live: Live) -> dict[str, str]:
    """Tell in one word each what the outlets of a site are doing."""
    used = {s.outlet for s in live.sessions.values()}
    return {o.id: _state(live, o, in_use=o.id in used) for o in site.outlets}


def _state(live: Live, outlet: Outlet, *, in_use: bool) -> str:
    if in_use:
        return "in_use"
    reading = _reading(live, outlet)
    bridge = live.bridges.get(outlet.bridge)
    if reading is None or bridge is None or bridge.silent:
        return "offline"
    return "free" if reading.plug is Plug.NONE else "plugged"


def _reading(live: Live, outlet: Outlet) -> Reading | None:
    told = live.readings.get(outlet.bridge)
    return None if told is None or outlet.module in told.lost else told.modules.get(outlet.module)
