"""Spot prices: from files, or from Nord Pool."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from epspot.adapters.series import Series, read_series, within
from epspot.errors import SourceUnavailable

_MARKET = ZoneInfo("Europe/Oslo")
"""Nord Pool's days are those of Central European time."""
_STEP_MIN = 15
_TIMEOUT_S = 10
_SEK_PER_MWH_IN_ORE_PER_KWH = Decimal(10)
"""1 öre/kWh = 10 SEK/MWh."""


class NoPrices:
    """``Prices`` where none are wanted: nothing is ever known."""

    def series(self, area: str, start: float, end: float) -> Series:  # noqa: ARG002 - the port's form
        """List nothing."""
        return ()


class FilePrices:
    """``Prices`` in a folder with a file for each area, ``SE3.csv``, of the form that ``series`` describes.

    The column is ``ore_per_kwh``: öre per kWh without VAT.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def series(self, area: str, start: float, end: float) -> Series:
        """List an area's prices as its file has them now."""
        if not area.isalnum():
            raise SourceUnavailable(f"{area!r} is no price area: set the site's price_area to one such as SE3")
        return within(read_series(self._folder / f"{area}.csv", "ore_per_kwh"), start, end)


class NordpoolPrices:
    """``Prices`` of Nord Pool's day-ahead market, in its own quarters, fetched with the package ``nordpool``.

    The data is Nord Pool's. Whoever runs this answers for having the right to use it (nordpoolgroup.com, terms and
    conditions); a supplier's prices in files need no such right.
    """

    def __init__(self, api_url: str | None = None) -> None:
        self._api_url = api_url

    def series(self, area: str, start: float, end: float) -> Series:
        """List an area's prices of the market's days as far as they are published."""
        known: list[tuple[int, float]] = []
        for day in _days(start, end):
            published = self._day(area, day)
            if known and not published:
                break  # nor are the days after it
            known += published
        return within(known, start, end)

    def _day(self, area: str, day: date) -> Series:
        # Dear to import, and only needed here.
        from nordpool import elspot  # noqa: PLC0415
        from requests import RequestException  # noqa: PLC0415

        market = elspot.Prices(currency="SEK", timeout=_TIMEOUT_S)
        if self._api_url is not None:
            market.API_URL = self._api_url
        if area not in market.AREAS:
            raise SourceUnavailable(f"Nord Pool has no area {area}: set the site's price_area to one such as SE3")
        try:
            told = market.fetch(end_date=day, areas=[area], resolution=_STEP_MIN)
            return () if told is None else _entries(told["areas"][area]["values"])
        except RequestException as error:
            # A subclass of it stands for JSON that can't be read, too.
            raise SourceUnavailable(
                f"Nord Pool does not answer for {area} on {day} ({error}): it is asked again"
            ) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise SourceUnavailable(
                f"Nord Pool's answer for {area} on {day} has another form than expected ({error!r}): see whether there is"
                " a newer version of the package nordpool, or give prices in files"
            ) from error


def _days(start: float, end: float) -> Sequence[date]:
    """List the market's days that hold any of a time."""
    first = datetime.fromtimestamp(start, _MARKET).date()
    last = datetime.fromtimestamp(end - 1, _MARKET).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _entries(values: Sequence[Mapping[str, Any]]) -> Series:
    return [(int(v["start"].timestamp()), _ore_per_kwh(v["value"])) for v in values]


def _ore_per_kwh(sek_per_mwh: float) -> float:
    return float(Decimal(str(sek_per_mwh)) / _SEK_PER_MWH_IN_ORE_PER_KWH)
