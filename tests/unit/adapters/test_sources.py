"""Which adapter a setting stands for."""

from pathlib import Path

import pytest

from epspot.adapters.prices import FilePrices, NoPrices, NordpoolPrices
from epspot.adapters.weather import FileWeather, MetWeather, NoWeather
from epspot.bootstrap import World
from epspot.settings import MissingSettings, Settings, WrongSetting


def world(**environment: str) -> World:
    """Build the world of an environment that has whatever else is needed."""
    with pytest.raises(MissingSettings) as lacking:
        Settings.from_environment({})
    needed = str(lacking.value).removeprefix("the environment lacks ").split(", ")
    return World(Settings.from_environment(dict.fromkeys(needed, "x") | environment))


def test_without_a_setting_nothing_is_asked() -> None:
    """By default nobody on the internet is asked for anything."""
    for made in (world(), world(PRICES_SOURCE="", WEATHER_SOURCE="none")):
        assert isinstance(made.prices, NoPrices)
        assert isinstance(made.weather, NoWeather)


def test_a_setting_names_its_source() -> None:
    """Files, Nord Pool and MET Norway are chosen by name; what stands behind the colon reaches the adapter."""
    files = world(PRICES_SOURCE="file:a/b", WEATHER_SOURCE="file:c:d")
    assert isinstance(files.prices, FilePrices)
    assert files.prices._folder == Path("a/b")
    assert isinstance(files.weather, FileWeather)
    assert files.weather._folder == Path("c:d")
    services = world(PRICES_SOURCE="nordpool", WEATHER_SOURCE="met:epspot.example/1.0 mailto:post@epspot.example")
    assert isinstance(services.prices, NordpoolPrices)
    assert isinstance(services.weather, MetWeather)
    assert services.weather._user_agent == "epspot.example/1.0 mailto:post@epspot.example"


@pytest.mark.parametrize("source", ["file", "file:", "met", "met:", "met: ", "nordpool:x", "none:x", "entsoe"])
def test_a_setting_that_means_nothing_is_named(source: str) -> None:
    """A wrong source is refused when it is first needed, with the key and what it may be."""
    made = world(PRICES_SOURCE=source, WEATHER_SOURCE=source)
    with pytest.raises(WrongSetting, match=r"PRICES_SOURCE is .* must be none, nordpool or file:"):
        _ = made.prices
    with pytest.raises(WrongSetting, match=r"WEATHER_SOURCE is .* must be none, met:"):
        _ = made.weather
