"""``Prices`` and ``Weather``: in memory, from files and from services, which stand on this machine."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from epspot.adapters.prices import FilePrices, NordpoolPrices
from epspot.adapters.weather import FileWeather, MetWeather
from epspot.errors import SourceUnavailable
from epspot.ports import Prices, Weather
from tests.fakes import FakeClock, FakePrices, FakeWeather
from tests.loopback import Served, served
from tests.outlooks import iso, met, nordpool

DAY = date(2026, 11, 24)
FIRST = int(datetime(2026, 11, 23, 23, tzinfo=UTC).timestamp())
"""When the market's day begins."""
HOUR = 3600
PRICES = [(FIRST + n * 900, float(n % 7) - 1.5) for n in range(96)]
CELSIUS = [(FIRST + n * HOUR, n / 10 - 3) for n in range(24)]


def write(path: Path, column: str, series: Sequence[tuple[int, float]]) -> None:
    rows = [f"start,{column}", *(f"{iso(at)},{value}" for at, value in series)]
    path.write_text("\n".join(rows), encoding="utf-8")


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Run a Nord Pool that has published one day."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    known = dict(PRICES)
    with served(nordpool({DAY: lambda at: known[at] * 10})) as server:
        yield server


@pytest.fixture
def service() -> Iterator[Served]:
    """Run a MET Norway that forecasts one day."""
    with served(lambda _: met(dict(CELSIUS))) as server:
        yield server


@pytest.fixture(params=["memory", "file", "nordpool"])
def prices(request: pytest.FixtureRequest, tmp_path: Path, market: Served) -> Prices:
    """Give each kind of ``Prices``, with the same prices of SE3."""
    write(tmp_path / "SE3.csv", "ore_per_kwh", PRICES)
    kinds: dict[str, Prices] = {
        "memory": FakePrices({"SE3": PRICES}),
        "file": FilePrices(tmp_path),
        "nordpool": NordpoolPrices(market.url),
    }
    return kinds[request.param]


@pytest.fixture(params=["memory", "file", "met"])
def weather(request: pytest.FixtureRequest, tmp_path: Path, service: Served) -> Weather:
    """Give each kind of ``Weather``, with the same forecast."""
    write(tmp_path / "59.3_18.1.csv", "celsius", CELSIUS)
    kinds: dict[str, Weather] = {
        "memory": FakeWeather(CELSIUS),
        "file": FileWeather(tmp_path),
        "met": MetWeather("epspot.example/1.0", service.url, FakeClock(float(FIRST)).now),
    }
    return kinds[request.param]


@pytest.mark.parametrize(("start_h", "end_h"), [(0, 24), (5, 7), (5.1, 6.9), (-3, 1), (20, 48), (24, 30)])
def test_prices_are_those_that_begin_within_the_time(prices: Prices, start_h: float, end_h: float) -> None:
    """What is known of the time comes in order, in öre per kWh; of the rest nothing."""
    start, end = FIRST + start_h * HOUR, FIRST + end_h * HOUR
    assert list(prices.series("SE3", start, end)) == [(at, p) for at, p in PRICES if start <= at < end]


@pytest.mark.parametrize(("start_h", "end_h"), [(0, 24), (5, 7), (5.1, 6.9), (-3, 1), (20, 48), (24, 30)])
def test_temperatures_are_those_that_begin_within_the_time(weather: Weather, start_h: float, end_h: float) -> None:
    """What is forecast for the time comes in order, in degrees Celsius; of the rest nothing."""
    start, end = FIRST + start_h * HOUR, FIRST + end_h * HOUR
    assert list(weather.forecast(59.3, 18.1, start, end)) == [(at, c) for at, c in CELSIUS if start <= at < end]


def test_prices_that_cannot_be_had_say_so(tmp_path: Path) -> None:
    """Every kind raises SourceUnavailable with a text, and nothing else."""
    kinds: list[Prices] = [FakePrices(away=True), FilePrices(tmp_path), NordpoolPrices("http://127.0.0.1:1")]
    for kind in kinds:
        with pytest.raises(SourceUnavailable, match=r"."):
            kind.series("SE3", FIRST, FIRST + HOUR)


def test_weather_that_cannot_be_had_says_so(tmp_path: Path) -> None:
    """Every kind raises SourceUnavailable with a text, and nothing else."""
    kinds: list[Weather] = [FakeWeather(away=True), FileWeather(tmp_path), MetWeather("x", "http://127.0.0.1:1/")]
    for kind in kinds:
        with pytest.raises(SourceUnavailable, match=r"."):
            kind.forecast(59.3, 18.1, FIRST, FIRST + HOUR)


@pytest.mark.parametrize("day", [date(2027, 3, 28), date(2026, 10, 25)])
def test_a_day_of_another_length_is_whole(market: Served, day: date) -> None:
    """On the days on which clocks are changed no quarter is missing or doubled."""
    market.answer = nordpool({day + timedelta(days=n): float for n in (-1, 0, 1)})
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
    start = int(noon) - 24 * HOUR
    told = NordpoolPrices(market.url).series("SE3", start, start + 48 * HOUR)
    assert [at for at, _ in told[: 34 * 4]] == [start + n * 900 for n in range(34 * 4)]
