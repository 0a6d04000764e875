"""The cheapest time before a departure, and how long a motor heater runs."""

from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from epspot.control.prices import Prices, cheapest_slots, price_at
from epspot.control.warmth import heating_s

UNKNOWN = 10_000.0
"""Dearer than anything in these tests."""

series = st.builds(
    lambda start, steps: tuple((start + sum(s for s, _ in steps[:n]), p) for n, (_, p) in enumerate(steps)),
    st.integers(-4, 12),
    st.lists(st.tuples(st.integers(1, 4), st.integers(-3, 3).map(float)), max_size=6),
)


def length(slots: tuple[tuple[float, float], ...]) -> float:
    return sum(end - start for start, end in slots)


def cost(prices: Prices, seconds: tuple[int, ...]) -> float:
    """Add up what these seconds cost."""
    return sum(UNKNOWN if (p := price_at(prices, s)) is None else p for s in seconds)


# ------------------------------------------------------------------ one price


def test_a_price_holds_until_the_next() -> None:
    """The last one holds for as long as the one before it; before and after that nothing is known."""
    prices = ((100, 5.0), (110, 7.0), (130, 9.0))
    assert [price_at(prices, at) for at in (99.9, 100, 109.9, 110, 130, 149.9, 150)] == [None, 5, 5, 7, 9, 9, None]


def test_a_lone_price_holds_for_an_hour() -> None:
    """With nothing to compare a price is that of an hour; without any, nothing is known."""
    assert [price_at(((0, 5.0),), at) for at in (0, 3599, 3600)] == [5, 5, None]
    assert price_at((), 0) is None


# ------------------------------------------------------------------ the cheapest time


@pytest.mark.parametrize(
    ("prices", "needed_s", "slots"),
    [
        ([5, 1, 3, 2], 20, ((10, 20), (30, 40))),
        ([5, 1, 2, 3], 20, ((10, 30),)),
        ([5, 5, 5, 5], 15, ((0, 15),)),
        ([5, 1, 5, 9], 15, ((5, 20),)),
        ([9, 1, 5, 9], 15, ((10, 25),)),
        ([5, 9, 1, 5], 20, ((20, 40),)),
        ([5, 9, 5, 5], 10, ((0, 10),)),
        ([1, 5, 1, 9], 25, ((0, 15), (20, 30))),
        ([1, 2, 3, 4], 40, ((0, 40),)),
        ([1, 2, 3, 4], 99, ((0, 40),)),
        ([1, 2, 3, 4], 0, ()),
        ([1, 2, 3, 4], -5, ()),
    ],
)
def test_the_cheapest_time_is_chosen(
    prices: list[float], needed_s: float, slots: tuple[tuple[float, float], ...]
) -> None:
    """Cheapest first, merged; of equal prices what adjoins, then the earliest; all of it when time is short."""
    assert cheapest_slots([(10 * n, p) for n, p in enumerate(prices)], 0, 40, needed_s) == slots


def test_what_is_not_known_comes_last() -> None:
    """Time without a price is used only when all that has one is, wherever it lies."""
    prices = ((10, 500.0), (20, 600.0))
    assert cheapest_slots(prices, 0, 100, 20) == ((10, 30),)
    assert cheapest_slots(prices, 0, 100, 25) == ((5, 30),)
    assert cheapest_slots((), 0, 100, 25) == ((0, 25),)


def test_after_the_departure_there_is_no_time() -> None:
    """When it should have been ready by now, nothing is left to choose."""
    assert cheapest_slots(((0, 1.0),), 50, 50, 10) == ()
    assert cheapest_slots(((0, 1.0),), 60, 50, 10) == ()


@given(series, st.integers(0, 8), st.integers(1, 8), st.integers(1, 8))
@example(((0, 1.0), (2, 1.0)), 1, 8, 3)
def test_nothing_is_cheaper(prices: Prices, now: int, span: int, needed: int) -> None:
    """No other choice of as many seconds costs less."""
    ready_by = now + span
    slots = cheapest_slots(prices, now, ready_by, needed)
    chosen = tuple(s for start, end in slots for s in range(int(start), int(end)))
    assert len(chosen) == min(needed, span)
    least = min(cost(prices, seconds) for seconds in combinations(range(now, ready_by), min(needed, span)))
    assert cost(prices, chosen) == least


@given(series, st.floats(-5, 20), st.floats(0, 30), st.floats(-1, 40))
def test_slots_make_up_what_is_needed(prices: Prices, now: float, span: float, needed: float) -> None:
    """Slots are in order, apart, within the time, and as long together as is needed and possible."""
    slots = cheapest_slots(prices, now, now + span, needed)
    assert length(slots) == pytest.approx(max(0.0, min(needed, span)), abs=1e-9)
    assert all(now <= start < end <= now + span for start, end in slots)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(slots))


@given(series, st.integers(0, 8), st.integers(1, 12), st.integers(1, 12))
def test_a_choice_stands_while_it_is_followed(prices: Prices, now: int, span: int, needed: int) -> None:
    """Whoever follows the choice for a second, and then chooses anew, needs no more than before."""
    ready_by = now + span
    first = cheapest_slots(prices, now, ready_by, needed)
    uses = any(start <= now < end for start, end in first)
    then = cheapest_slots(prices, now + 1, ready_by, needed - uses)
    assert length(then) == length(first) - uses


# ------------------------------------------------------------------ motor heaters


@pytest.mark.parametrize(
    ("celsius", "minutes"),
    [(30, 0), (10.1, 0), (10, 20), (5, 40), (0, 60), (-10, 80), (-15, 90), (-20, 120), (-40, 120)],
)
def test_an_engine_is_heated_by_the_weather(celsius: float, minutes: float) -> None:
    """The colder it is, the longer; never above +10 °C, and never for more than two hours."""
    assert heating_s(celsius) == pytest.approx(minutes * 60)


@given(st.floats(-80, 60), st.floats(0, 20))
def test_colder_is_never_shorter(celsius: float, colder_by: float) -> None:
    """The time never falls with the temperature, and is never negative."""
    assert heating_s(celsius - colder_by) >= heating_s(celsius) >= 0
