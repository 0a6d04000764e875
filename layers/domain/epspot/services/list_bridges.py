"""List the bridges of a site: those that are awaited, those that speak, and those that have fallen silent."""

from dataclasses import dataclass

from epspot.control.state import Live
from epspot.ports import Registry
from epspot.registry.claims import BRIDGE_CLAIM, BridgeClaim
from epspot.registry.sites import of_site
from epspot.site import Site, is_planned


@dataclass(frozen=True, slots=True)
class BridgeView:
    """A bridge as those see it who install it."""

    id: str
    state: str
    """``invited``, ``claimed`` (it has not been heard since), ``heard`` or ``silent``."""
    heard_at: float | None = None
    outlets: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    """Modules that answer there, and stand in no configuration."""
    serial: str = ""
    invited_until: float | None = None


def list_bridges(registry: Registry, site: Site, live: Live, now: float) -> list[BridgeView]:
    """List a site's bridges, those that are awaited last; a code that was made a moment ago may be missing."""
    claims = {c.id: c for c in registry.also_under(BRIDGE_CLAIM, of_site(site.id)).items}
    here = [bridge_view(site, live, b, claims.get(b)) for b in sorted(site.of_bridge) if not is_planned(b)]
    awaited = [
        BridgeView(c.id, "invited", invited_until=c.ends_at)
        for c in claims.values()
        if c.used_at is None and now < c.ends_at
    ]
    return here + sorted(awaited, key=lambda b: (b.invited_until or 0, b.id))


def bridge_view(site: Site, live: Live, bridge: str, claim: BridgeClaim | None = None) -> BridgeView:
    """Show a bridge of a site."""
    told = live.readings.get(bridge)
    is_silent = bridge in live.bridges and live.bridges[bridge].silent
    found = (name.partition("/") for name in live.found)
    return BridgeView(
        id=bridge,
        state="silent" if is_silent else "claimed" if told is None else "heard",
        heard_at=None if told is None else told.at,
        outlets=tuple(o.id for o in site.of_bridge[bridge].values()),
        found=tuple(module for at, _, module in found if at == bridge),
        serial="" if claim is None else claim.serial,
    )
