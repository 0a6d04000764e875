"""Tariffs and sessions of every kind, and a slow oracle that prices them second by second."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from epspot.site import Window
from epspot.tariffs import FEES, Market, Rate, Stretch, Tariff

STOCKHOLM = ZoneInfo("Europe/Stockholm")
DAY = (Window(start_min=6 * 60, end_min=22 * 60),)
NIGHT = (Window(start_min=22 * 60, end_min=6 * 60),)


def at(text: str) -> float:
    """Tell an epoch time of one in Sweden, or as its offset says."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo is not None else time.replace(tzinfo=STOCKHOLM)).timestamp()


def rate(ore: float, *windows: Window, market: Market | None = None) -> Rate:
    """Make a rate; without windows it holds always."""
    return Rate(Decimal(str(ore)), windows or (Window(),), market)


def tariff(**fields: object) -> Tariff:
    """Make a tariff without a name of interest."""
    return Tariff("Garden", **fields)  # type: ignore[arg-type]


# ------------------------------------------------------------------ of every kind

amounts = st.decimals(0, 2000, places=2)
_BORDERS = st.lists(st.integers(1, 95), min_size=1, max_size=3, unique=True).map(
    lambda ns: [15 * n for n in sorted(ns)]
)
_WORKDAYS, _WEEKEND = (0, 1, 2, 3, 4), (5, 6)
_WINTER, _SUMMER = (1, 2, 3, 11, 12), (4, 5, 6, 7, 8, 9, 10)


@st.composite
def fees(draw: st.DrawFn, *, market: bool = False) -> tuple[Rate, ...]:
    """Make the rates of one fee: none, one, or several that divide the week or the year without gap and overlap."""
    kind = draw(st.sampled_from(("none", "one", "day", "week", "year")))
    windows: list[tuple[Window, ...]] = []
    if kind == "one":
        windows = [(Window(),)]
    elif kind == "day":
        windows = _day(draw(_BORDERS), Window().days)
    elif kind == "week":
        # What begins on Friday evening and goes over midnight would overlap: the weekday's last window ends at midnight.
        windows = [*_until_midnight(draw(_BORDERS), _WORKDAYS), (Window(days=_WEEKEND),)]
    elif kind == "year":
        windows = [(Window(months=_WINTER),), (Window(months=_SUMMER),)]
    linked = st.none() | st.builds(Market, amounts, amounts, st.none()) if market else st.none()
    return tuple(Rate(draw(amounts), w, draw(linked)) for w in windows)


def _day(borders: list[int], days: tuple[int, ...]) -> list[tuple[Window, ...]]:
    """Divide every day; the last window goes over midnight to the first."""
    ends = [*borders[1:], borders[0]]
    if len(borders) == 1:
        return [(Window(days=days),)]
    return [(Window(days=days, start_min=a, end_min=b),) for a, b in zip(borders, ends, strict=True)]


def _until_midnight(borders: list[int], days: tuple[int, ...]) -> list[tuple[Window, ...]]:
    cuts = [0, *borders, 24 * 60]
    return [(Window(days=days, start_min=a, end_min=b),) for a, b in pairwise(cuts)]


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Make a sound tariff."""
    least = draw(st.integers(0, 5000))
    return Tariff(
        name="Garden",
        start=draw(fees()),
        hour=draw(fees()),
        energy=draw(fees(market=True)),
        idle=draw(fees()),
        hour_free_s=draw(st.sampled_from((0, 600, 3601))),
        idle_grace_s=draw(st.sampled_from((0, 7, 900))),
        least_ore=least,
        most_ore=draw(st.none() | st.integers(least, least + 20_000)),
    )


BEGINS = [
    at("2026-03-28T20:00"),  # the night without 02:00
    at("2026-10-24T22:00"),  # the night with 02:00 twice
    at("2026-12-31T20:00"),
    at("2026-07-03T16:00"),  # a Friday
]


@st.composite
def sessions(draw: st.DrawFn, most_s: int = 40 * 3600) -> list[Stretch]:
    """Make a session of some stretches with whole seconds, with pauses between some of them."""
    now = draw(st.sampled_from(BEGINS)) + draw(st.integers(0, 8 * 3600))
    made = []
    for _ in range(draw(st.integers(1, 4))):
        end = now + draw(st.integers(0, most_s // 4))
        made.append(Stretch(now, end, draw(st.integers(0, 20_000)), draw(st.booleans())))
        now = end + draw(st.sampled_from((0, 0, 90)))
    return made


@st.composite
def prices(draw: st.DrawFn) -> tuple[tuple[int, float], ...]:
    """Make hourly spot prices about one of the times, some negative; perhaps none."""
    since = int(draw(st.sampled_from(BEGINS)))
    known = draw(st.lists(st.floats(-50, 400).map(lambda ore: round(ore, 2)), max_size=30))
    return tuple((since + n * 3600, ore) for n, ore in enumerate(known))


# ------------------------------------------------------------------ the oracle


def oracle(tariff_: Tariff, stretches: list[Stretch], spot: tuple[tuple[int, float], ...] = ()) -> Fraction:
    """Price a session second by second, without least and most and not rounded: slowly, and in its own way."""
    begin = min(int(s.begin) for s in stretches)
    total, grace = _held(tariff_, "start", begin, spot), tariff_.idle_grace_s
    for s in sorted(stretches, key=lambda s: (s.begin, s.end)):
        seconds = range(int(s.begin), int(s.end))
        for second in seconds:
            total += Fraction(s.energy_wh, 1000) / len(seconds) * _held(tariff_, "energy", second, spot)
            if second >= begin + tariff_.hour_free_s:
                total += _held(tariff_, "hour", second, spot) / 3600
            if s.idle and grace > 0:
                grace -= 1
            elif s.idle:
                total += _held(tariff_, "idle", second, spot) / 3600
        if not seconds:
            total += Fraction(s.energy_wh, 1000) * _held(tariff_, "energy", int(s.begin), spot)
    return total


def _held(tariff_: Tariff, fee: str, second: int, spot: tuple[tuple[int, float], ...]) -> Fraction:
    """Tell what a fee costs in a second."""
    assert fee in FEES
    held = [r for r in tariff_.rates(fee) if any(_holds(w, second) for w in r.windows)]
    if not tariff_.rates(fee):
        return Fraction(0)
    (only,) = held
    if only.market is None:
        return Fraction(only.ore)
    known = [ore for n, (since, ore) in enumerate(spot) if since <= second < since + 3600]
    if not known:
        return Fraction(only.market.otherwise_ore)
    return max(Fraction(str(known[0])) * Fraction(5, 4) + Fraction(only.ore), Fraction(only.market.least_ore))


def _holds(window: Window, second: int) -> bool:
    """Tell whether a window holds, by what the clocks on Swedish walls show."""
    shown = datetime.fromtimestamp(second, UTC).astimezone(STOCKHOLM)
    minute = shown.hour * 60 + shown.minute
    today, before = shown.date(), date.fromordinal(shown.date().toordinal() - 1)
    over_midnight = window.start_min >= window.end_min
    spans = [(today, window.start_min, 1440 if over_midnight else window.end_min)]
    if over_midnight:
        spans.append((before, 0, window.end_min))
    return any(
        day.weekday() in window.days and day.month in window.months and first <= minute < last
        for day, first, last in spans
    )
