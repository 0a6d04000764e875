"""Tell what outlets ask for, what a session has cost so far, and what one would cost by another tariff."""

from collections.abc import Sequence
from dataclasses import dataclass

from epspot.control.prices import Prices
from epspot.errors import InvalidRequest, NotFound, SessionUnknown
from epspot.ports import Lives, Registry, SessionRecord, Sessions
from epspot.registry.tariffs import TariffVersion
from epspot.services.follow_session import View
from epspot.services.keep_tariffs import Newest, version_of
from epspot.site import Outlet, Site
from epspot.tariffs import Now, Price, Stretch, Tariff, price, price_now


@dataclass(frozen=True, slots=True)
class Pricing:
    """What it takes to price sessions."""

    registry: Registry
    lives: Lives
    sessions: Sessions


@dataclass(frozen=True, slots=True)
class Offer:
    """What an outlet asks for now."""

    version: TariffVersion
    tariff: Tariff
    now: Now


@dataclass(frozen=True, slots=True)
class Offers:
    """What outlets ask for at a time."""

    newest: Newest
    at: float

    def of(self, site: Site, outlet: Outlet, spot: Prices) -> Offer | None:
        """Tell what an outlet asks for; None if it has no tariff."""
        version = self.newest.at(site, outlet)
        if version is None:
            return None
        tariff = version.tariff
        return Offer(version, tariff, price_now(tariff, self.at, spot))


def cost_so_far(world: Pricing, shown: View, now: float) -> Price | None:
    """Estimate what a session has cost until now, or in all, by the tariff version that it was started under.

    When the energy was drawn is not kept: it is taken to be even from its first current to its end, and no time to be
    idle. None without a tariff, and where a spot price is needed that is not known any more. Raises NotFound.
    """
    record = shown.record
    tariff_id, _, number = record.tariff.partition("/")
    if not tariff_id:
        return None
    site, live = world.lives.load(record.site)
    tariff = version_of(world.registry, site.owner, tariff_id, int(number)).tariff
    told = _price(tariff, record, shown.energy_wh, now, live.prices)
    return None if told.assumed else told


def price_session(world: Pricing, owner: str, tariff: Tariff, session: str) -> Price:
    """Tell what a session at an owner's outlets would have cost by a tariff. Raises SessionUnknown or InvalidRequest."""
    record = world.sessions.get(session)
    try:
        site, live = world.lives.load("" if record is None else record.site)
    except NotFound:
        raise _unknown() from None
    if record is None or site.owner != owner:
        raise _unknown()
    if record.ended_at is None:
        raise InvalidRequest("The session has not ended. Name one that has, or tell stretches of your own.")
    return _price(tariff, record, record.energy_wh, record.ended_at, live.prices)


def price_stretches(tariff: Tariff, stretches: Sequence[Stretch], spot: Prices) -> Price:
    """Tell what a session of one's own making would cost. Raises InvalidRequest."""
    try:
        return price(tariff, stretches, spot)
    except ValueError as error:
        raise InvalidRequest(f"{str(error).capitalize()}.") from None


def _price(tariff: Tariff, record: SessionRecord, energy_wh: int, now: float, spot: Prices) -> Price:
    """Price a session by its totals; one that never had current costs nothing."""
    if record.begun_at is None:
        return Price(0, 0, ())
    end = now if record.ended_at is None else record.ended_at
    return price(tariff, [Stretch(min(record.begun_at, end), end, energy_wh)], spot)


def _unknown() -> SessionUnknown:
    return SessionUnknown(
        "The owner's outlets have had no session with this id.",
        "Ägarens uttag har inte haft någon session med detta id.",
    )
