"""Temperatures out of files and from MET Norway; its server stands on this machine."""

from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from epspot.adapters.weather import FileWeather, MetWeather, NoWeather
from epspot.errors import SourceUnavailable
from tests.fakes import FakeClock
from tests.loopback import Answer, Asked, Served, served
from tests.outlooks import met

NOON = 1_795_521_600
HOUR = 3600
CHANGED = formatdate(NOON - 1800, usegmt=True)
AGENT = "epspot.example/1.0 post@epspot.example"


def cold(asked: Asked) -> Answer:
    """Answer with five degrees of frost that fall by one each hour, good for half an hour."""
    celsius = {NOON + n * HOUR: -5.0 - n for n in range(6)}
    told = met(celsius, Expires=formatdate(NOON + 1800, usegmt=True), Last_Modified=CHANGED)
    if asked.headers.get("If-Modified-Since") == CHANGED:
        return Answer(status=304, headers={"Expires": formatdate(NOON + 2 * HOUR, usegmt=True)})
    return told


@pytest.fixture
def service() -> Iterator[Served]:
    """Run a MET Norway."""
    with served(cold) as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    """Set the adapter's clock to noon."""
    return FakeClock(float(NOON))


@pytest.fixture
def weather(service: Served, clock: FakeClock) -> MetWeather:
    """Make the adapter of the server on this machine."""
    return MetWeather(AGENT, f"{service.url}/weatherapi/locationforecast/2.0/compact", clock.now)


Ask = Callable[[], object]


@pytest.fixture
def ask(weather: MetWeather) -> Ask:
    """Give the means to ask for two hours at one place."""
    return lambda: weather.forecast(59.329312, 18.068612, NOON, NOON + 2 * HOUR)


def test_a_forecast_is_read(ask: Ask) -> None:
    """The air temperatures of the documented answer come by hour."""
    assert ask() == [(NOON, -5.0), (NOON + HOUR, -6.0)]


def test_the_service_s_terms_are_kept(ask: Ask, service: Served) -> None:
    """The request says who asks, takes gzip, and names the place by four decimals."""
    ask()
    (asked,) = service.asked
    assert asked.path == "/weatherapi/locationforecast/2.0/compact"
    assert dict(asked.query) == {"lat": "59.3293", "lon": "18.0686"}
    assert asked.headers["User-Agent"] == AGENT
    assert asked.headers["Accept-Encoding"] == "gzip"
    assert "If-Modified-Since" not in asked.headers


def test_an_answer_is_kept_until_it_expires(ask: Ask, service: Served, clock: FakeClock) -> None:
    """Before its Expires nothing is asked; then only for what has changed, and the new Expires counts."""
    first = ask()
    clock.at = NOON + 1799.0
    assert ask() == first
    assert len(service.asked) == 1
    clock.at = NOON + 1800.0
    assert ask() == first
    assert service.asked[1].headers["If-Modified-Since"] == CHANGED
    clock.at = NOON + 2 * HOUR - 1.0
    assert ask() == first
    assert len(service.asked) == 2


def test_each_place_is_kept_by_itself(ask: Ask, weather: MetWeather, service: Served) -> None:
    """Another place is asked for although the first is fresh."""
    ask()
    weather.forecast(65.6, 22.2, NOON, NOON + HOUR)
    assert [asked.query["lat"] for asked in service.asked] == ["59.3293", "65.6000"]


def test_what_has_no_expiry_is_asked_again(ask: Ask, service: Served) -> None:
    """An answer without a usable Expires is good for the moment only."""
    for headers in ({}, {"Expires": "soon"}):
        service.answer = lambda _, headers=headers: met({NOON: 1.0}, **headers)  # type: ignore[misc]
        assert ask() == [(NOON, 1.0)]
    assert len(service.asked) == 2


def test_a_deprecated_answer_is_still_an_answer(ask: Ask, service: Served) -> None:
    """Status 203 means that the version will end, not that it is wrong."""
    service.answer = lambda _: met({NOON: 1.0})._replace(status=203)
    assert ask() == [(NOON, 1.0)]


@pytest.mark.parametrize(("status", "advice"), [(403, "WEATHER_SOURCE"), (429, "asked again later")])
def test_a_service_that_refuses_is_left_alone(
    ask: Ask, service: Served, clock: FakeClock, status: int, advice: str
) -> None:
    """A refusal says what to do, and for ten minutes nothing more is asked."""
    service.answer = lambda _: Answer(status=status)
    with pytest.raises(SourceUnavailable, match=advice):
        ask()
    clock.at += 599
    with pytest.raises(SourceUnavailable, match="left alone"):
        ask()
    assert len(service.asked) == 1
    clock.at += 1
    service.answer = cold
    assert ask() == [(NOON, -5.0), (NOON + HOUR, -6.0)]


def test_a_service_in_trouble_is_unavailable(ask: Ask, service: Served) -> None:
    """A server's own error is told with its status, and it may be asked again at once."""
    service.answer = lambda _: Answer(status=502)
    with pytest.raises(SourceUnavailable, match="MET Norway answers 502"):
        ask()
    service.answer = cold
    assert ask() == [(NOON, -5.0), (NOON + HOUR, -6.0)]


def test_a_service_that_is_away_is_unavailable() -> None:
    """A server that does not take the connection is told of."""
    with pytest.raises(SourceUnavailable, match="MET Norway does not answer"):
        MetWeather(AGENT, "http://127.0.0.1:1/compact").forecast(59.3, 18.1, NOON, NOON + HOUR)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"properties": {}}',
        b'{"properties": {"timeseries": [{"time": "soon"}]}}',
        b'{"properties": {"timeseries": [{"time": "2026-11-24T12:00:00Z", "data": {"instant": {"details": {}}}}]}}',
    ],
)
def test_an_answer_of_another_form_is_unavailable(ask: Ask, service: Served, body: bytes) -> None:
    """What can't be read is never taken for a temperature."""
    service.answer = lambda _: Answer(body)
    with pytest.raises(SourceUnavailable, match="another form"):
        ask()


def test_a_file_is_named_by_its_place(tmp_path: Path) -> None:
    """A place's file has its coordinates to one decimal, and says so when it is missing."""
    (tmp_path / "59.3_-18.1.csv").write_text("start,celsius\n2026-11-24T13:00:00+01:00,-12.5\n", encoding="utf-8")
    weather = FileWeather(tmp_path)
    assert weather.forecast(59.3293, -18.0686, NOON, NOON + HOUR) == [(NOON, -12.5)]
    with pytest.raises(SourceUnavailable, match=r"65\.6_22\.2\.csv can't be read"):
        weather.forecast(65.6, 22.2, NOON, NOON + HOUR)


def test_without_a_source_nothing_is_known() -> None:
    """Where no weather is wanted, there is none."""
    assert list(NoWeather().forecast(59.3, 18.1, NOON, NOON + HOUR)) == []
