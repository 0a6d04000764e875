"""What is wrong with a tariff: every problem by name, so that all can be mended at once."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from epspot.site.rules import DAY_MIN, Window, window_problems
from epspot.tariffs.model import FEES, Rate, Tariff

MOST_ORE = 100_000_000
MOST_WINDOWS = 24
"""In all rates of one fee."""
_DECIMALS = 4
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEK = 7


def problems_of(tariff: Tariff) -> list[str]:
    """List what is wrong with a tariff; nothing, if a session can be priced by it at any time."""
    return [
        *_bounds(tariff),
        *(problem for fee in FEES for problem in _fee(fee, tariff.rates(fee))),
    ]


def _bounds(tariff: Tariff) -> Iterator[str]:
    if not tariff.name.strip():
        yield "name: the tariff has none"
    if not 0 <= tariff.vat <= 1:
        yield "vat: it is 0 to 1; 0.25 is 25 %"
    for name in ("hour_free_s", "idle_grace_s", "least_ore"):
        if getattr(tariff, name) < 0:
            yield f"{name}: it is below 0"
    if tariff.most_ore is not None and tariff.most_ore < tariff.least_ore:
        yield f"most_ore: {tariff.most_ore} is below least_ore, {tariff.least_ore}"


def _fee(fee: str, rates: tuple[Rate, ...]) -> Iterator[str]:
    for i, rate in enumerate(rates):
        yield from (f"{fee}[{i}]{problem}" for problem in _rate(fee, rate))
    windows = [(w, f"{fee}[{i}].windows[{k}]") for i, r in enumerate(rates) for k, w in enumerate(r.windows)]
    bad = [f"{where}: {problem}" for w, where in windows for problem in window_problems(w)]
    yield from bad
    if len(windows) > MOST_WINDOWS:
        yield f"{fee}: {len(windows)} windows; at most {MOST_WINDOWS}"
    elif rates and not bad:
        yield from _gaps(fee, [w for w, _ in windows])


def _rate(fee: str, rate: Rate) -> Iterator[str]:
    market = rate.market
    amounts = {".ore": rate.ore}
    if market is not None:
        if fee != "energy":
            yield ".market: only the price per kWh can follow the market"
        amounts[".market.otherwise_ore"] = market.otherwise_ore
        amounts[".market.least_ore"] = market.least_ore
        if market.most_ore is not None:
            amounts[".market.most_ore"] = market.most_ore
            if market.most_ore < market.least_ore:
                yield ".market.most_ore: it is below least_ore"
    for name, ore in amounts.items():
        least = -MOST_ORE if name == ".ore" and market is not None else 0
        if not least <= ore <= MOST_ORE:
            yield f"{name}: {ore} is not {least} to {MOST_ORE}"
        elif round(ore, _DECIMALS) != ore:
            yield f"{name}: {ore} has more than {_DECIMALS} decimals"


def _gaps(fee: str, windows: list[Window]) -> Iterator[str]:
    """Tell of a time at which no price holds, and of one at which several do: the first of each."""
    found: dict[str, str] = {}
    for at in _times(windows):
        held = sum(w.holds(at) for w in windows)
        if held != 1:
            what = "no price holds" if held == 0 else "more than one window holds"
            day = f"{_DAYS[at.weekday()]} {at.date().isoformat()}"
            found.setdefault(what, f"{fee}: {what} at {at:%H:%M} on {day}, for example")
    yield from found.values()


def _times(windows: list[Window]) -> Iterable[datetime]:
    """List times that stand for all: at each border, each weekday of each month, also as the month's first day.

    On the first, a window over midnight that belongs to the month before still holds.
    """
    borders = sorted({0} | {m % DAY_MIN for w in windows for m in (w.start_min, w.end_min)})
    return (day + timedelta(minutes=m) for day in _REPRESENTATIVES for m in borders)


def _representative_days() -> list[datetime]:
    firsts: dict[tuple[int, int], datetime] = {}
    for year in range(2027, 2027 + 28):
        for month in range(1, 13):
            first = datetime(year, month, 1)  # noqa: DTZ001 - by a clock on the wall
            firsts.setdefault((month, first.weekday()), first)
    within = [datetime(2027, month, day) for month in range(1, 13) for day in range(8, 8 + _WEEK)]  # noqa: DTZ001
    return [*within, *firsts.values()]


_REPRESENTATIVES = _representative_days()
