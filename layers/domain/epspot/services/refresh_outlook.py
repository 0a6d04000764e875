"""Tell the sites what electricity will cost and how cold it will be."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, TypeAlias

from epspot.control.events import OutlookReceived
from epspot.control.state import Live
from epspot.errors import SourceUnavailable
from epspot.ports import Clock, Prices, Sites, Weather
from epspot.services.advance import Controller, advance
from epspot.services.keep_tariffs import follows_market
from epspot.site import Site

HOUR_S = 3600
BEHIND_S = HOUR_S
AHEAD_S = 48 * HOUR_S
MOST_HOURS = 60
"""What is kept of each series: it is stored with every decision."""
_PRICE_DIGITS, _TEMPERATURE_DIGITS = 3, 1
_PLACE_DIGITS = 1  # about ten kilometres: as near as weather is the same

Series: TypeAlias = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Outlooks:
    """What it takes to look ahead."""

    controller: Controller
    sites: Sites
    prices: Prices
    weather: Weather
    clock: Clock


class Need(NamedTuple):
    """What a site must know of the hours to come."""

    prices: bool
    temperatures: bool


def needs_outlook(site: Site, live: Live) -> Need:
    """Tell what a site needs: prices for a cap or a session that goes by them, temperatures for motor heaters.

    An outlet that can only be switched is taken to be a motor heater's: its next session must not wait for the weather.
    """
    wishes = [s.wishes for s in live.sessions.values()]
    return Need(
        prices=site.uses_prices or any(w.cheapest for w in wishes),
        temperatures=any(w.heats_engine for w in wishes) or any(not o.modulated for o in site.outlets),
    )


def refresh_outlook(world: Outlooks) -> tuple[int, list[str]]:
    """Tell every site that needs it what has changed; return how many were told, and what failed.

    What can't be had now stays as it is known. A source is asked once for each area and place.
    """
    sources = _Sources(world, world.clock.now())
    told, failed = 0, []
    for site_id in world.sites.all():
        try:
            told += _refresh(world, site_id, sources)
        except Exception as error:  # noqa: BLE001 - one site's trouble is not the others'
            failed.append(f"{site_id}: {error!r}")
    return told, [*sources.failed, *failed]


def _refresh(world: Outlooks, site_id: str, sources: "_Sources") -> bool:
    """Tell one site, if there is anything new to tell."""
    site, live = world.controller.lives.load(site_id)
    need = needs_outlook(site, live)
    follows = need.prices or follows_market(world.controller.registry, site)
    prices = sources.prices(site.price_area) if follows else ()
    temperatures = sources.temperatures(site.latitude, site.longitude) if need.temperatures else ()
    outlook = OutlookReceived(
        sources.now,
        prices=_news(live.prices, prices, sources.start),
        temperatures=_news(live.temperatures, temperatures, sources.start),
    )
    if not outlook.prices and not outlook.temperatures:
        return False
    advance(world.controller, site_id, outlook)
    return True


@dataclass
class _Sources:
    """The sources during one run: each is asked once for the same, and its trouble is noted once."""

    world: Outlooks
    now: float
    failed: list[str] = field(default_factory=list)
    _known: dict[str, Series] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """From when on an outlook is wanted: a whole hour."""
        return int(self.now - BEHIND_S) // HOUR_S * HOUR_S

    def prices(self, area: str) -> Series:
        """Tell an area's hourly prices; nothing if they can't be had."""

        def ask() -> Iterable[tuple[int, float]]:
            return self.world.prices.series(area, self.start, self.now + AHEAD_S)

        return self._once(f"prices {area}", ask, _PRICE_DIGITS)

    def temperatures(self, latitude: float, longitude: float) -> Series:
        """Tell a place's hourly temperatures; nothing if they can't be had."""
        # Adding 0.0 makes one place of 0.0 and -0.0.
        at = (round(latitude, _PLACE_DIGITS) + 0.0, round(longitude, _PLACE_DIGITS) + 0.0)

        def ask() -> Iterable[tuple[int, float]]:
            return self.world.weather.forecast(*at, self.start, self.now + AHEAD_S)

        return self._once(f"weather {at[0]} {at[1]}", ask, _TEMPERATURE_DIGITS)

    def _once(self, name: str, ask: Callable[[], Iterable[tuple[int, float]]], digits: int) -> Series:
        if name not in self._known:
            try:
                self._known[name] = hourly_means(ask(), digits)
            except Exception as error:  # noqa: BLE001 - one source's trouble is not the others'
                self._known[name] = ()
                self.failed.append(f"{name}: {error if isinstance(error, SourceUnavailable) else repr(error)}")
        return self._known[name]


def hourly_means(series: Iterable[tuple[int, float]], digits: int) -> Series:
    """Make one value of each hour's, rounded: the mean."""
    means = []
    for hour, group in groupby(series, lambda entry: entry[0] // HOUR_S):
        values = [value for _, value in group]
        means.append((hour * HOUR_S, round(sum(values) / len(values), digits)))
    return tuple(means)


def _news(known: Sequence[tuple[int, float]], told: Series, start: int) -> Series:
    """Join what is told to what is known from ``start`` on; nothing if that is no news.

    What is known and not told anew stays: a source that tells less today has not taken anything back.
    """
    since = {at: value for at, value in known if at >= start}
    joined = since | dict(told)
    return () if joined == since else tuple(sorted(joined.items()))[:MOST_HOURS]
