"""Which sites are told what electricity will cost and how cold it will be, and what happens when nobody knows."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from epspot.control.events import OutlookReceived
from epspot.control.state import Live, SessionState, Wishes
from epspot.registry.kinds import Put
from epspot.registry.tariffs import TARIFF_VERSION, TariffVersion
from epspot.services import refresh_outlook as service
from epspot.services.advance import Controller, advance
from epspot.services.refresh_outlook import MOST_HOURS, Need, Outlooks, hourly_means, needs_outlook, refresh_outlook
from epspot.services.register_site import register_site
from epspot.site import Cap, Fuse, Outlet, Site
from epspot.tariffs import Market, Rate, Tariff, document_of
from tests.fakes import FakeClock, FakeCommands, FakeLives, FakePrices, FakeWeather

HOUR = 3600
NOW = 1_800_000_000.0
"""A whole hour."""
DEAR = Cap("dear", limit_a=0.0, above_ore=100.0)
CHEAPEST, HEATER = Wishes(cheapest=True), Wishes(heats_engine=True)


def site_of(name: str = "s", *caps: Cap, modulated: bool = True, **more: Any) -> Site:
    """Make a site of one outlet."""
    outlet = Outlet(f"{name}-1", "1", "main", (0,), 16.0, f"{name}-b1", "M1", modulated=modulated)
    return Site(name, "Garden", (Fuse("main", None, (25.0,) * 3),), (outlet,), caps=caps, **more)


def live_of(name: str = "s", *wishes: Wishes, **more: Any) -> Live:
    """Make a state in which sessions have these wishes."""
    sessions = {f"x{n}": SessionState(f"x{n}", f"{name}-1", NOW, wishes=w) for n, w in enumerate(wishes)}
    return Live(name, sessions=sessions, revision=1, **more)


def hours(count: int, value: float = 50.0, start: float = NOW) -> list[tuple[int, float]]:
    """Make a series of whole hours."""
    return [(int(start) + n * HOUR, value + n) for n in range(count)]


@dataclass
class Place:
    """Sites, sources and what the sites were told."""

    lives: FakeLives = field(default_factory=FakeLives)
    prices: FakePrices = field(default_factory=lambda: FakePrices({"SE3": hours(24), "SE4": hours(24, 80.0)}))
    weather: FakeWeather = field(default_factory=lambda: FakeWeather(hours(24, -12.0)))
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    told: list[tuple[str, OutlookReceived]] = field(default_factory=list)
    breaks: set[str] = field(default_factory=set)
    """Sites whose step fails."""

    def open(self, site: Site, *wishes: Wishes) -> None:
        """Take in a site."""
        self.lives.create(site, live_of(site.id, *wishes))

    def run(self) -> tuple[int, list[str]]:
        """Look ahead."""
        world = Outlooks(
            Controller(self.lives, FakeCommands(), registry=self.lives.registry),
            self.lives.sites,
            self.prices,
            self.weather,
            self.clock,
        )
        return refresh_outlook(world)

    def advance(self, world: Controller, site: str, event: OutlookReceived) -> None:
        """Stand in for the step: what is told is known, and empty means as before."""
        assert world.lives is self.lives
        if site in self.breaks:
            raise RuntimeError("broken")
        self.told.append((site, event))
        live = self.lives.load(site)[1]
        self.lives._lives[site] = replace(
            live, prices=event.prices or live.prices, temperatures=event.temperatures or live.temperatures
        )


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """Stand in for the step."""
    made = Place()
    monkeypatch.setattr(service, "advance", made.advance)
    return made


# ------------------------------------------------------------------ who needs it


@pytest.mark.parametrize(
    ("site", "live", "need"),
    [
        (site_of(), live_of(), Need(prices=False, temperatures=False)),
        (site_of(), live_of("s", Wishes()), Need(prices=False, temperatures=False)),
        (site_of("s", DEAR), live_of(), Need(prices=True, temperatures=False)),
        (site_of("s", Cap("low", limit_a=6.0)), live_of(), Need(prices=False, temperatures=False)),
        (site_of(), live_of("s", Wishes(), CHEAPEST), Need(prices=True, temperatures=False)),
        (site_of(), live_of("s", HEATER), Need(prices=False, temperatures=True)),
        (site_of(modulated=False), live_of(), Need(prices=False, temperatures=True)),
    ],
)
def test_who_needs_an_outlook(site: Site, live: Live, need: Need) -> None:
    """A price cap or a session that wants the cheapest needs prices, a motor heater the weather."""
    assert needs_outlook(site, live) == need


@pytest.mark.parametrize(("market", "asked"), [(None, []), (Market(Decimal(300)), ["SE3"])])
def test_a_tariff_that_follows_the_market_needs_prices(place: Place, market: Market | None, asked: list[str]) -> None:
    """A site one of whose outlets is paid for by the spot price is told it; one with fixed prices is not."""
    document = document_of(Tariff("Spot", energy=(Rate(Decimal(30), market=market),)))
    version = TariffVersion("t", "o", 1, document, NOW)
    place.lives.registry.commit([Put(TARIFF_VERSION, None, version)])
    site = site_of(owner="o")
    place.open(replace(site, outlets=(replace(site.outlets[0], tariff="t"),)))
    assert place.run() == (len(asked), [])
    assert place.prices.asked == asked


def test_a_site_that_needs_nothing_is_left_alone(place: Place) -> None:
    """Nobody is asked and nothing is written where nothing depends on it."""
    place.open(site_of())
    assert place.run() == (0, [])
    assert (place.told, place.prices.asked, place.weather.asked) == ([], [], [])


# ------------------------------------------------------------------ what is told


def test_a_site_is_told_what_it_needs(place: Place) -> None:
    """Prices of its area and temperatures of its place, each in order, go in one event."""
    place.open(site_of("s", DEAR, price_area="SE4"), HEATER)
    assert place.run() == (1, [])
    assert place.told == [("s", OutlookReceived(NOW, tuple(hours(24, 80.0)), tuple(hours(24, -12.0))))]


def test_only_what_is_needed_is_told(place: Place) -> None:
    """A motor heater's site is not told prices, and not the other way round."""
    place.open(site_of("a", DEAR))
    place.open(site_of("b", modulated=False))
    place.run()
    assert [(name, bool(event.prices), bool(event.temperatures)) for name, event in place.told] == [
        ("a", True, False),
        ("b", False, True),
    ]


def test_the_controller_knows_what_was_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the real step the outlook becomes the site's, and telling it again is no news."""
    monkeypatch.setattr(service, "advance", advance)
    register_site(place.lives, place.clock, site_of("s", DEAR, modulated=False))
    assert place.run() == (1, [])
    live = place.lives.load("s")[1]
    assert (live.prices, live.temperatures) == (tuple(hours(24)), tuple(hours(24, -12.0)))
    assert place.run() == (0, [])


def test_what_is_known_is_not_told_again(place: Place) -> None:
    """Without anything new a later run writes nothing, though the window has moved."""
    place.open(site_of("s", DEAR), HEATER)
    place.run()
    place.clock.at += 3 * HOUR
    assert place.run() == (0, [])
    assert len(place.told) == 1


def test_a_change_is_told(place: Place) -> None:
    """One other price in the hours to come is news; what is past is left out."""
    place.open(site_of("s", DEAR))
    place.run()
    place.clock.at += 3 * HOUR
    changed = hours(24)
    changed[20] = (changed[20][0], 7.0)
    place.prices.known = {"SE3": changed}
    assert place.run() == (1, [])
    assert place.told[1][1].prices == tuple(changed[2:])


def test_the_next_day_joins_what_is_known(place: Place) -> None:
    """New hours come behind the known, and what a source no longer tells stays."""
    place.open(site_of("s", DEAR))
    place.run()
    place.prices.known = {"SE3": [(at + 24 * HOUR, price) for at, price in hours(10, 9.0)]}
    place.run()
    assert place.told[1][1].prices == (*hours(24), *hours(10, 9.0, NOW + 24 * HOUR))


def test_an_outlook_reaches_from_the_last_hour_to_two_days_ahead(place: Place) -> None:
    """At whatever minute it is asked, the running hour and the one before it are there, and never too many."""
    place.prices.known = {"SE3": hours(200, start=NOW - 100 * HOUR)}
    place.clock.at = NOW + 7 * 60
    place.open(site_of("s", DEAR))
    place.run()
    prices = place.told[0][1].prices
    assert (prices[0][0], prices[-1][0]) == (NOW - HOUR, NOW + 48 * HOUR)
    assert len(prices) == 50 <= MOST_HOURS


def test_quarters_become_hours() -> None:
    """Four quarters are kept as their mean, and an hour of which only a part is told as the mean of that."""
    quarters = [(0, 10.0), (900, 20.0), (1800, 40.0), (2700, 31.0), (3600, 1.0), (4500, 2.0)]
    assert hourly_means(quarters, 3) == ((0, 25.25), (3600, 1.5))
    assert hourly_means([(0, 1.0), (900, 1.0), (1800, 2.0)], 1) == ((0, 1.3),)


# ------------------------------------------------------------------ asking


def test_a_source_is_asked_once(place: Place) -> None:
    """Sites of one area, and sites less than about ten kilometres apart, share an answer."""
    for n, (latitude, longitude) in enumerate([(59.329, 18.069), (59.311, 18.111), (59.26, 18.069)]):
        place.open(site_of(f"s{n}", DEAR, modulated=False, latitude=latitude, longitude=longitude))
    assert place.run() == (3, [])
    assert place.prices.asked == ["SE3"]
    assert place.weather.asked == [(59.3, 18.1)]


def test_a_silent_source_is_told_of_once(place: Place) -> None:
    """What can't be had is one failure, whoever needs it; what can be had is told."""
    for name in ("a", "b"):
        place.open(site_of(name, DEAR, modulated=False))
    place.weather.away = True
    assert place.run() == (2, ["weather 59.3 18.1: the weather is away"])
    assert [(bool(e.prices), bool(e.temperatures)) for _, e in place.told] == [(True, False), (True, False)]
    assert place.weather.asked == [(59.3, 18.1)]


def test_a_source_that_is_silent_for_long_takes_nothing_back(place: Place) -> None:
    """Days after the last answer what was known is known still, and nothing is written."""
    place.open(site_of("s", DEAR))
    place.run()
    known = place.lives.load("s")[1].prices
    place.prices.away = True
    place.clock.at += 100 * HOUR
    assert place.run() == (0, ["prices SE3: the market is away"])
    place.prices.away = False
    assert place.run() == (0, [])
    assert place.lives.load("s")[1].prices == known == tuple(hours(24))


def test_a_source_that_breaks_is_one_failure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a source raises, the other one is told."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(place.prices, "series", fail)
    place.open(site_of("s", DEAR), HEATER)
    assert place.run() == (1, ["prices SE3: ZeroDivisionError('oops')"])


def test_one_site_s_trouble_is_not_the_others(place: Place) -> None:
    """A site whose step fails is named, and the others are told."""
    for name in ("a", "b", "c"):
        place.open(site_of(name, DEAR))
    place.breaks = {"b"}
    assert place.run() == (2, ["b: RuntimeError('broken')"])
    assert [name for name, _ in place.told] == ["a", "c"]
