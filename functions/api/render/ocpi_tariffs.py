"""Tariffs as OCPI 2.2.1 has them: prices without VAT in kronor, restricted to days and times of the local week.

OCPI has no months: a tariff that differs between them is published as it is in the present one, and ends with it. The
hour fee runs also while a load is done, so that PARKING_TIME costs both; the grace before the idle fee, which OCPI has no
form for, is told in the text.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from epspot.registry.tariffs import TariffVersion
from epspot.tariffs import FEES, Tariff, price_now
from epspot.tariffs.model import ZONE
from functions.api.render import ocpi
from functions.api.schemas.public_data import DAYS

_DIMENSIONS = {"FLAT": ("start",), "ENERGY": ("energy",), "TIME": ("hour",), "PARKING_TIME": ("hour", "idle")}
_MONTHS = 12
_DAY_MIN = 24 * 60
_ORE = 100
_PERCENT = 100
_DECIMALS = 4
_SECOND_WEEK = 8
"""The first day of a week in which the clock is never set."""


class _Run(NamedTuple):
    """Minutes of a day through which a price holds."""

    start_min: int
    end_min: int
    ore: Fraction


def tariff(version: TariffVersion, party: str, now: float) -> dict[str, Any]:
    """Render a tariff that does not follow the market."""
    told = version.tariff
    rendered: dict[str, Any] = {
        "country_code": ocpi.COUNTRY,
        "party_id": party,
        "id": version.id,
        "currency": "SEK",
        "tariff_alt_text": [{"language": "sv", "text": _text(told)[:512]}],
        "elements": [*_elements(told, _month(now))] or [_element("FLAT", Fraction(0), told, {})],
        "last_updated": ocpi.time(updated_at(version, now)),
    }
    for name, ore in (("min_price", told.least_ore or None), ("max_price", told.most_ore)):
        if ore is not None:
            rendered[name] = {"excl_vat": _without_vat(Fraction(ore), told), "incl_vat": ore / _ORE}
    if _differs_by_month(told):
        next_ = (_month(now) + timedelta(days=31)).replace(day=1)
        rendered["end_date_time"] = ocpi.time(next_.timestamp())
    return rendered


def updated_at(version: TariffVersion, now: float) -> float:
    """Tell when what is published of a tariff was last changed."""
    began = _month(now).timestamp() if _differs_by_month(version.tariff) else 0.0
    return max(version.valid_from, began)


def _text(told: Tariff) -> str:
    grace = f" Tomgångsavgiften tas ut efter {told.idle_grace_s / 60:g} minuter." if told.idle_grace_s else ""
    return f"{told.name}.{grace}"


def _month(now: float) -> datetime:
    """Tell when the present month began, by Swedish time."""
    local = datetime.fromtimestamp(now, UTC).astimezone(ZONE)
    return datetime(local.year, local.month, 1, tzinfo=ZONE)


def _differs_by_month(told: Tariff) -> bool:
    return any(len({*w.months}) < _MONTHS for fee in FEES for r in told.rates(fee) for w in r.windows)


# ------------------------------------------------------------------ elements


def _elements(told: Tariff, month: datetime) -> Iterator[dict[str, Any]]:
    """Render each price with when it holds; of one kind the first that fits is taken."""
    for kind, fees in _DIMENSIONS.items():
        if not any(told.rates(fee) for fee in fees):
            continue
        if told.hour_free_s and "hour" in fees and told.hour:
            yield from _of_kind(kind, fees[1:], told, month, {"max_duration": told.hour_free_s})
        yield from _of_kind(kind, fees, told, month, {})


def _of_kind(
    kind: str, fees: tuple[str, ...], told: Tariff, month: datetime, within: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Put the days together on which the same price holds at the same time."""
    days: dict[_Run, list[str]] = {}
    for name, day in zip(DAYS, _week(month), strict=True):
        for run in _runs(told, fees, day):
            days.setdefault(run, []).append(name)
    for run, on in days.items():
        times: dict[str, Any] = {}
        if (run.start_min, run.end_min) != (0, _DAY_MIN):
            times = {"start_time": _clock(run.start_min), "end_time": _clock(run.end_min)}
        if len(on) < len(DAYS):
            times["day_of_week"] = on
        yield _element(kind, run.ore, told, within | times)


def _week(month: datetime) -> list[datetime]:
    """List a Monday to Sunday in the second and third weeks of a month."""
    first = month.replace(day=_SECOND_WEEK)
    monday = first + timedelta(days=-first.weekday() % len(DAYS))
    return [monday + timedelta(days=n) for n in range(len(DAYS))]


def _runs(told: Tariff, fees: tuple[str, ...], day: datetime) -> list[_Run]:
    """Divide a day by the price of some fees together."""
    windows = [w for fee in fees for r in told.rates(fee) for w in r.windows]
    borders = sorted({0, _DAY_MIN} | {m for w in windows for m in (w.start_min, w.end_min)})
    runs: list[_Run] = []
    for start, end in pairwise(borders):
        at = datetime.combine(day.date(), time(start // 60, start % 60), ZONE).timestamp()
        ore = _price(told, fees, at)
        if runs and runs[-1].ore == ore:
            runs[-1] = runs[-1]._replace(end_min=end)
        else:
            runs.append(_Run(start, end, ore))
    return runs


def _price(told: Tariff, fees: tuple[str, ...], at: float) -> Fraction:
    now = price_now(told, at)
    known = {"start": now.start_ore, "hour": now.hour_ore, "energy": now.energy_ore, "idle": now.idle_ore}
    return sum((ore for fee in fees if (ore := known[fee]) is not None), Fraction(0))


def _element(kind: str, ore: Fraction, told: Tariff, restrictions: dict[str, Any]) -> dict[str, Any]:
    component = {
        "type": kind,
        "price": _without_vat(ore, told),
        "vat": float(told.vat * _PERCENT),
        "step_size": 1,
    }
    return {"price_components": [component]} | ({"restrictions": restrictions} if restrictions else {})


def _without_vat(ore: Fraction, told: Tariff) -> float:
    """Tell kronor without VAT, to a hundredth of an öre."""
    return float(round(ore / (1 + Fraction(told.vat)) / _ORE, _DECIMALS))


def _clock(minute: int) -> str:
    """Render a minute of the day; the day's end is 00:00."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"
