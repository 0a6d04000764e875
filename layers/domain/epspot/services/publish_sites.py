"""Read what is published of charging points that everyone may use: site after site, in the order of their ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from epspot.control.state import Live
from epspot.errors import NotFound
from epspot.ports import Registry
from epspot.registry.pins import PUBLIC, PUBLIC_PIN, charging_points
from epspot.registry.records import OWNER, of_owner
from epspot.registry.tariffs import TariffVersion
from epspot.services.authorize import Gate
from epspot.services.keep_tariffs import Newest, newest_of
from epspot.services.list_outlets import outlet_state
from epspot.services.listing import everything
from epspot.site import Outlet, Site

MOST_SITES = 50
"""On one page: the state of each is read."""


@dataclass(frozen=True, slots=True)
class Published:
    """A site as everyone may know it."""

    site: Site
    live: Live
    operator: str
    """The name of its owner."""
    points: tuple[Outlet, ...]
    tariffs: Mapping[str, TariffVersion]
    """Those of its points that are published, by their ids."""

    def state(self, point: Outlet) -> str:
        """Tell in one word what a charging point is doing."""
        return outlet_state(self.live, point)

    def updated_at(self, point: Outlet) -> float:
        """Tell when something was last written of a charging point: never too early, perhaps without a difference."""
        told = self.live.readings.get(point.bridge)
        return max(self.live.at, 0.0 if told is None else told.at)

    @property
    def changed_at(self) -> float:
        """Tell when something was last written of any of its charging points."""
        return max(self.updated_at(p) for p in self.points)


@dataclass(slots=True)
class _Known:
    """The names of owners, and tariffs, each read once."""

    registry: Registry
    newest: Newest
    known: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, gate: Gate) -> "_Known":
        return cls(gate.registry, Newest(gate.registry))

    def name(self, owner: str) -> str:
        if owner not in self.known:
            found = self.registry.get(OWNER, of_owner(owner), "")
            self.known[owner] = "" if found is None else found.name
        return self.known[owner]


def published_sites(gate: Gate, offset: int, limit: int) -> tuple[list[Published], int]:
    """List some of the sites, and tell how many there are in all."""
    ids = [pin.site for pin in everything(gate.registry, PUBLIC_PIN, PUBLIC)]
    known = _Known.of(gate)
    sites = (_published(gate, known, site) for site in ids[offset : offset + min(limit, MOST_SITES)])
    return [p for p in sites if p is not None], len(ids)


def published_site(gate: Gate, site: str) -> Published | None:
    """Find a site; None if nothing of it is public."""
    return _published(gate, _Known.of(gate), site)


def published_tariffs(gate: Gate, offset: int, limit: int) -> tuple[list[TariffVersion], int]:
    """List some of the tariffs of charging points as they are now, and tell how many there are, published or not."""
    pins = everything(gate.registry, PUBLIC_PIN, PUBLIC)
    keys = sorted({(tariff, pin.owner) for pin in pins for tariff in pin.tariffs})
    found = (
        newest_of(gate.registry, owner, tariff) for tariff, owner in keys[offset : offset + min(limit, MOST_SITES)]
    )
    return [v for v in found if v is not None and _is_published(v)], len(keys)


def _is_published(version: TariffVersion) -> bool:
    """Tell whether OCPI has a form for a tariff: it has none for what follows the market."""
    return not version.tariff.follows_market


def _published(gate: Gate, known: _Known, site_id: str) -> Published | None:
    try:
        site, live = gate.lives.load(site_id)
    except NotFound:
        return None
    points = charging_points(site)
    if not points:
        return None
    versions = [v for o in points if (v := known.newest.at(site, o)) is not None and _is_published(v)]
    return Published(site, live, known.name(site.owner), points, {v.id: v for v in versions})
