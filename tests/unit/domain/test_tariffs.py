"""Tariffs: what a session costs."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.site import Window
from epspot.tariffs import Market, Now, Price, Stretch, Tariff, document_of, price, price_now, problems_of, tariff_in
from epspot.tariffs.calculator import half_up
from tests.unit.domain.tariffs import DAY, NIGHT, at, oracle, prices, rate, sessions, tariff, tariffs

HALF_PAST_EIGHT = at("2026-06-03T08:30")
PLAIN = tariff(start=(rate(500),), hour=(rate(100),), energy=(rate(250),))


def hours(begin: str, end: str, energy_wh: int = 0, *, idle: bool = False) -> Stretch:
    """Make a stretch of Swedish times."""
    return Stretch(at(begin), at(end), energy_wh, idle)


def exact(tariff_: Tariff, stretches: list[Stretch], spot: tuple[tuple[int, float], ...] = ()) -> Fraction:
    """Tell what all lines of a session come to before they are rounded, without least and most."""
    told = price(replace(tariff_, least_ore=0, most_ore=None), stretches, spot)
    return sum((line.quantity * line.unit_ore for line in told.lines), Fraction(0))


def lines(told: Price, *names: str) -> list[tuple[Any, ...]]:
    """Tell some of what stands in the lines of a receipt."""
    return [tuple(getattr(line, name) for name in names) for line in told.lines]


# ------------------------------------------------------------------ examples


def test_a_receipt() -> None:
    """Every fee has its line, the total is their sum, and a fifth of it is VAT."""
    told = price(PLAIN, [hours("2026-06-03T08:30", "2026-06-03T10:00", 7_300)])
    assert lines(told, "what", "quantity", "unit", "unit_ore", "amount_ore") == [
        ("start", 1, "", 500, 500),
        ("hour", Fraction(3, 2), "h", 100, 150),
        ("energy", Fraction(73, 10), "kWh", 250, 1825),
    ]
    assert (told.total_ore, told.vat_ore, told.assumed) == (2475, 495, False)


def test_energy_is_priced_by_the_time_of_day() -> None:
    """A session over 22:00 has its energy divided by time between the two prices, each on a line of its own."""
    night_and_day = tariff(energy=(rate(300, *DAY), rate(100, *NIGHT)))
    told = price(night_and_day, [hours("2026-06-03T21:00", "2026-06-04T00:00", 9_000)])
    assert lines(told, "rate", "quantity", "amount_ore") == [(0, 3, 900), (1, 6, 600)]


def test_the_price_follows_the_market() -> None:
    """The spot price gets its VAT, then what the rate adds, within its bounds; the line tells the mean."""
    linked = tariff(energy=(rate(20, market=Market(Decimal(300), Decimal(50), Decimal(200))),))
    spot = ((int(HALF_PAST_EIGHT), 100.0), (int(HALF_PAST_EIGHT) + 3600, -40.0), (int(HALF_PAST_EIGHT) + 7200, 400.0))
    told = price(linked, [Stretch(HALF_PAST_EIGHT, HALF_PAST_EIGHT + 3 * 3600, 3_000)], spot)
    assert lines(told, "unit_ore", "amount_ore") == [(Fraction(145 + 50 + 200, 3), 395)]
    assert not told.assumed


def test_an_unknown_spot_price_is_told() -> None:
    """Where the spot price is not known the tariff's own price holds, and the answer says so."""
    linked = tariff(energy=(rate(20, market=Market(Decimal(300))),))
    told = price(linked, [Stretch(HALF_PAST_EIGHT, HALF_PAST_EIGHT + 7200, 2_000)], ((int(HALF_PAST_EIGHT), 100.0),))
    assert (told.total_ore, told.assumed) == (145 + 300, True)
    assert price_now(linked, HALF_PAST_EIGHT + 3600, ((int(HALF_PAST_EIGHT), 100.0),)).assumed
    assert price_now(linked, HALF_PAST_EIGHT, ((int(HALF_PAST_EIGHT), 100.0),)).energy_ore == 145


def test_free_time_and_grace() -> None:
    """The hour fee begins after the free time, the idle fee when the grace is used up, however it is divided."""
    fair = tariff(hour=(rate(600),), idle=(rate(1200),), hour_free_s=1800, idle_grace_s=900)
    told = price(
        fair,
        [
            hours("2026-06-03T08:00", "2026-06-03T09:00"),
            hours("2026-06-03T09:00", "2026-06-03T09:10", idle=True),
            hours("2026-06-03T09:20", "2026-06-03T09:30", idle=True),
        ],
    )
    assert lines(told, "what", "quantity") == [("hour", Fraction(50, 60)), ("idle", Fraction(5, 60))]


@pytest.mark.parametrize(
    ("energy_wh", "total", "last"),
    [(0, 1000, ("least", 1000)), (5_000, 1250, ("energy", 1250)), (20_000, 4000, ("most", -1000))],
)
def test_least_and_most(energy_wh: int, total: int, last: tuple[str, int]) -> None:
    """What is missing to the least, and what is above the most, has a line of its own."""
    told = price(
        tariff(energy=(rate(250),), least_ore=1000, most_ore=4000),
        [hours("2026-06-03T08:00", "2026-06-03T09:00", energy_wh)],
    )
    assert told.total_ore == total
    assert (told.lines[-1].what, told.lines[-1].amount_ore) == last


@pytest.mark.parametrize(
    ("begin", "end", "elapsed_h", "by_night_h"),
    [
        ("2026-03-29T00:00", "2026-03-30T00:00", 23, 7),
        ("2026-10-25T00:00", "2026-10-26T00:00", 25, 9),
        ("2026-12-31T12:00", "2027-01-01T12:00", 24, 8),
    ],
)
def test_days_with_other_lengths(begin: str, end: str, elapsed_h: int, by_night_h: int) -> None:
    """The hour that is missing is not paid for, the one that comes twice is, and a year's end is nothing special."""
    told = price(tariff(hour=(rate(1, *DAY), rate(2, *NIGHT))), [hours(begin, end)])
    assert [x.quantity for x in told.lines] == [elapsed_h - by_night_h, by_night_h]


@pytest.mark.parametrize(
    ("begin", "end", "in_it_h"),
    [
        ("2026-10-25T00:00+02:00", "2026-10-25T03:00+01:00", 1),
        ("2026-03-29T00:00+01:00", "2026-03-29T05:00+02:00", 0),
    ],
)
def test_windows_within_the_changed_hour(begin: str, end: str, in_it_h: int) -> None:
    """A window of half the hour that comes twice holds twice; one of half the hour that is missing, never."""
    odd = Window(start_min=2 * 60 + 30, end_min=3 * 60)
    rest = (Window(end_min=2 * 60 + 30), Window(start_min=3 * 60))
    told = price(tariff(hour=(rate(100, odd), rate(1, *rest))), [hours(begin, end)])
    assert sum(x.quantity for x in told.lines if x.rate == 0) == in_it_h


def test_a_change_of_month_at_midnight() -> None:
    """From the first of a month its own price holds, by Swedish time."""
    months = tariff(energy=(rate(100, Window(months=(12,))), rate(300, Window(months=tuple(range(1, 12))))))
    told = price(months, [hours("2026-12-31T23:00", "2027-01-01T02:00", 3_000)])
    assert lines(told, "rate", "quantity") == [(0, 1), (1, 2)]


def test_what_is_in_force() -> None:
    """For maps: each fee's price at a time; a fee that is not asked for has none."""
    both = tariff(start=(rate(500),), energy=(rate(300, *DAY), rate(100.5, *NIGHT)))
    now, later = (price_now(both, at(text)) for text in ("2026-06-03T21:59", "2026-06-03T22:00"))
    assert now == Now(Fraction(500), None, Fraction(300), None)
    assert later.energy_ore == Fraction(201, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [Stretch(10, 9)],
        [Stretch(0, 10, -1)],
        [Stretch(0, 10), Stretch(9, 20)],
    ],
)
def test_impossible_sessions_are_refused(wrong: list[Stretch]) -> None:
    """What can't have happened has no price."""
    with pytest.raises(ValueError, match="stretch"):
        price(PLAIN, wrong)


# ------------------------------------------------------------------ of every kind


@given(tariffs(), sessions(most_s=600), prices())
@settings(max_examples=60, deadline=None)
def test_it_equals_the_oracle(tariff_: Tariff, session: list[Stretch], spot: tuple[tuple[int, float], ...]) -> None:
    """Exact sums are those that a slow reckoning second by second comes to."""
    assert exact(tariff_, session, spot) == oracle(tariff_, session, spot)


@given(tariffs(), sessions(most_s=12 * 3600), prices())
@settings(max_examples=8, deadline=None)
def test_it_equals_the_oracle_over_whole_nights(
    tariff_: Tariff, session: list[Stretch], spot: tuple[tuple[int, float], ...]
) -> None:
    """The same for sessions that are likely to lie over midnight and over a change of the clock."""
    assert exact(tariff_, session, spot) == oracle(tariff_, session, spot)


@given(tariffs(), sessions(), prices(), st.data())
@settings(max_examples=100, deadline=None)
def test_any_division_costs_the_same(
    tariff_: Tariff, session: list[Stretch], spot: tuple[tuple[int, float], ...], data: st.DataObject
) -> None:
    """However a session is divided and in whatever order it is told, every line is the same, to the last digit."""
    finer = []
    for s in session:
        parts = sorted(data.draw(st.lists(st.integers(int(s.begin), int(s.end)), max_size=3)))
        cuts = [s.begin, *parts, s.end]
        for one, next_ in pairwise(cuts):
            if one == next_ and s.begin != s.end:
                continue
            share = Fraction(next_ - one) / Fraction(s.end - s.begin) if s.end > s.begin else Fraction(1)
            finer.append(Stretch(one, next_, s.energy_wh * share, s.idle))
            if s.begin == s.end:
                break
    shuffled = data.draw(st.permutations(finer))
    assert price(tariff_, shuffled, spot) == price(tariff_, session, spot)


@given(tariffs(), sessions(), prices())
@settings(max_examples=150, deadline=None)
def test_totals_are_sound(tariff_: Tariff, session: list[Stretch], spot: tuple[tuple[int, float], ...]) -> None:
    """A total is never negative, lies within least and most, is rounded once, and is what its lines come to."""
    told = price(tariff_, session, spot)
    most = floor(10**12) if tariff_.most_ore is None else tariff_.most_ore
    assert 0 <= tariff_.least_ore <= told.total_ore <= most
    assert sum(line.amount_ore for line in told.lines) == told.total_ore
    assert abs(told.vat_ore * 5 - told.total_ore) <= 2
    raw = exact(tariff_, session, spot)
    assert told.total_ore == half_up(min(max(raw, Fraction(tariff_.least_ore)), Fraction(most)))
    for line in told.lines:
        assert abs(line.amount_ore - line.quantity * line.unit_ore) < 1


@given(tariffs())
@settings(max_examples=60, deadline=None)
def test_tariffs_are_sound_and_their_documents_exact(tariff_: Tariff) -> None:
    """What divides the week without gap and overlap has no problems, and is read as it was written."""
    assert problems_of(tariff_) == []
    assert tariff_in(document_of(tariff_)) == tariff_


# ------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"energy": (rate(1, *DAY),)}, "energy: no price holds at 00:00 on Friday 2027-01-08, for example"),
        (
            {"hour": (rate(1), rate(2, *NIGHT))},
            "hour: more than one window holds at 00:00 on Friday 2027-01-08, for example",
        ),
        ({"start": (rate(-1),)}, "start[0].ore: -1 is not 0 to 100000000"),
        ({"idle": (rate(0.00001),)}, "idle[0].ore: 0.00001 has more than 4 decimals"),
        (
            {"hour": (rate(1, market=Market(Decimal(1))),)},
            "hour[0].market: only the price per kWh can follow the market",
        ),
        (
            {"energy": (rate(-10, market=Market(Decimal(1), Decimal(3), Decimal(2))),)},
            "energy[0].market.most_ore: it is below least_ore",
        ),
        (
            {"energy": (rate(1, Window(days=(7,))),)},
            "energy[0].windows[0]: a window has days of 0 (Monday) to 6 and months of 1 to 12",
        ),
        ({"energy": (rate(1, *[Window()] * 25),)}, "energy: 25 windows; at most 24"),
        ({"vat": Decimal(25)}, "vat: it is 0 to 1; 0.25 is 25 %"),
        ({"hour_free_s": -1}, "hour_free_s: it is below 0"),
        ({"least_ore": 5, "most_ore": 4}, "most_ore: 4 is below least_ore, 5"),
    ],
)
def test_each_problem_has_its_name(wrong: dict[str, object], problem: str) -> None:
    """What is wrong is told with where it stands."""
    assert problems_of(tariff(**wrong)) == [problem]


def test_all_problems_at_once() -> None:
    """Nobody mends one problem after the other."""
    wrong = replace(tariff(energy=(rate(1, *DAY),), hour=(rate(-1),)), name=" ", vat=Decimal(-1))
    assert [p.partition(":")[0] for p in problems_of(wrong)] == ["name", "vat", "hour[0].ore", "energy"]


def test_gaps_on_the_first_of_a_month() -> None:
    """A window over midnight belongs to the day before, also to the month before: what that leaves open is found."""
    winter, rest = (1, 2, 3, 11, 12), (4, 5, 6, 7, 8, 9, 10)
    over = Window(months=winter, start_min=22 * 60, end_min=6 * 60)
    day = Window(months=winter, start_min=6 * 60, end_min=22 * 60)
    (overlap, gap) = problems_of(tariff(energy=(rate(1, over, day), rate(2, Window(months=rest)))))
    assert "no price holds at 00:00 on" in gap
    assert "-11-01" in gap
    assert "-04-01" in overlap
