"""The outdoor temperature: from files, or from MET Norway."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time

import urllib3

from epspot.adapters.series import Series, read_series, within
from epspot.errors import SourceUnavailable

MET_URL = "https://api.met.no/weatherapi/locationforecast/2.0/compact"
_RETRIES = urllib3.Retry(connect=1, read=1, redirect=3, status=0, other=0)
_TIMEOUT = urllib3.Timeout(connect=3, read=10)
_REST_S = 600
"""How long the service is left alone after it has refused."""
_OK, _DEPRECATED, _NOT_MODIFIED, _FORBIDDEN, _TOO_MANY = 200, 203, 304, 403, 429


class NoWeather:
    """``Weather`` where none is wanted: nothing is ever known."""

    def forecast(self, latitude: float, longitude: float, start: float, end: float) -> Series:  # noqa: ARG002 - the port's form
        """List nothing."""
        return ()


class FileWeather:
    """``Weather`` in a folder with a file for each place, ``59.3_18.1.csv``, of the form that ``series`` describes.

    A place is its latitude and longitude to one decimal. The column is ``celsius``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def forecast(self, latitude: float, longitude: float, start: float, end: float) -> Series:
        """List a place's temperatures as its file has them now."""
        return within(read_series(self._folder / f"{latitude:.1f}_{longitude:.1f}.csv", "celsius"), start, end)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the service told of a place, and until when it need not be asked again."""

    series: Series
    fresh_until: float
    last_modified: str | None


class MetWeather:
    """``Weather`` of MET Norway's Locationforecast 2.0, free of charge also for business, without a key.

    Its terms (api.met.no, terms of service) are kept here: a User-Agent that says who asks and how to reach them,
    coordinates of four decimals at most, no question before the last answer has expired, then only for what has
    changed, and no further question for a while when it has refused. The data is under CC BY 4.0: where it is shown,
    "Data from MET Norway" must stand beside it. Answers are kept as long as this object lives.
    """

    def __init__(self, user_agent: str, url: str = MET_URL, now: Callable[[], float] = time) -> None:
        self._user_agent = user_agent
        self._url = url
        self._now = now
        self._http = urllib3.PoolManager(retries=_RETRIES, timeout=_TIMEOUT)
        self._kept: dict[str, _Kept] = {}
        self._rests_until = 0.0

    def forecast(self, latitude: float, longitude: float, start: float, end: float) -> Series:
        """List what is forecast for a place; the service is asked only if what it told last has expired."""
        place = f"lat={latitude:.4f}&lon={longitude:.4f}"
        kept = self._kept.get(place)
        if kept is None or self._now() >= kept.fresh_until:
            kept = self._kept[place] = self._ask(place, kept)
        return within(kept.series, start, end)

    def _ask(self, place: str, kept: _Kept | None) -> _Kept:
        if self._now() < self._rests_until:
            raise SourceUnavailable(
                "MET Norway has just refused, and is left alone for a while: it is asked again later"
            )
        headers = {"User-Agent": self._user_agent, "Accept-Encoding": "gzip"}
        if kept is not None and kept.last_modified is not None:
            headers["If-Modified-Since"] = kept.last_modified
        try:
            answer = self._http.request("GET", f"{self._url}?{place}", headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise SourceUnavailable(f"MET Norway does not answer ({error}): it is asked again later") from error
        fresh_until = _expires(answer.headers, self._now())
        if answer.status == _NOT_MODIFIED and kept is not None:
            return replace(kept, fresh_until=fresh_until)
        if answer.status not in (_OK, _DEPRECATED):
            raise self._refusal(answer.status)
        return _Kept(_temperatures(answer.data), fresh_until, answer.headers.get("Last-Modified"))

    def _refusal(self, status: int) -> SourceUnavailable:
        if status in (_FORBIDDEN, _TOO_MANY):
            self._rests_until = self._now() + _REST_S
        if status == _FORBIDDEN:
            return SourceUnavailable(
                f"MET Norway refuses the User-Agent {self._user_agent!r}: name the product and how to reach you in"
                " WEATHER_SOURCE, such as met:example.com/1.0 post@example.com"
            )
        return SourceUnavailable(
            f"MET Norway answers {status}: it is asked again later; if that goes on, see status.met.no"
        )


def _expires(headers: Mapping[str, str], now: float) -> float:
    """Read until when an answer holds; at once, if it does not say."""
    try:
        return parsedate_to_datetime(headers["Expires"]).timestamp()
    except (KeyError, ValueError):
        return now


def _temperatures(body: bytes) -> Series:
    """Read an answer: properties.timeseries, each with time and data.instant.details.air_temperature."""
    try:
        steps = json.loads(body)["properties"]["timeseries"]
        return [(_epoch(step["time"]), float(step["data"]["instant"]["details"]["air_temperature"])) for step in steps]
    except (LookupError, TypeError, ValueError) as error:
        raise SourceUnavailable(
            f"MET Norway's answer has another form than expected ({error!r}): see whether Locationforecast has a newer version"
        ) from error


def _epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
