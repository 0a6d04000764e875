"""A site's past under other conditions, in cases that can be worked out by hand."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.control.invariants import violations
from epspot.control.state import Live
from epspot.errors import InvalidRequest
from epspot.ports import SessionRecord
from epspot.services.what_if import Visit, WhatIf, check, visits_of, visits_of_journal, what_if
from epspot.site import Cap, PeakTariff, Policy, Principle, Site, Window
from tests.unit.domain.world import NOW, fuse, outlet, site
from tests.unit.services.kept import Kept

HOUR_S = 3600.0
HOUR_AT_16_A_WH = 16 * 230.0


def sound(of: Site, before: Live, after: Live) -> None:
    """Hold every step to the invariants."""
    assert violations(of, before, after) == []


def played(of: Site, *visits: Visit, prices: tuple[tuple[int, float], ...] = ()) -> WhatIf:
    return what_if(of, visits, prices, watch=sound)


def visit(at: str, begin_h: float, end_h: float, hours: float, **more: object) -> Visit:
    """Make a visit that needs so many hours at 16 A on one phase."""
    needs_wh = hours * HOUR_AT_16_A_WH
    return Visit(at, NOW + begin_h * HOUR_S, NOW + end_h * HOUR_S, needs_wh, **more)  # type: ignore[arg-type]


def two_on(rating_a: float, **policy: object) -> Site:
    return site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=rating_a)], policy=Policy(**policy))  # type: ignore[arg-type]


# ------------------------------------------------------------------ figures by hand


def test_two_cars_share_a_fuse_until_both_are_done() -> None:
    """At 8 A each, an hour at 16 A takes two; the fuse is full all that time, on its one phase."""
    figures = played(two_on(16), visit("a", 0, 3, 1), visit("b", 0, 3, 1)).figures
    assert figures.sessions == 2
    assert figures.needed_wh == figures.delivered_wh == pytest.approx(2 * HOUR_AT_16_A_WH)
    assert (figures.unmet_wh, figures.delivered_share, figures.jain) == pytest.approx((0.0, 1.0, 1.0))
    assert (figures.first_wait_p95_s, figures.waited_p95_s, figures.turns) == (0.0, 0.0, 2)
    assert figures.peak_a == pytest.approx((16.0, 0.0, 0.0))
    assert figures.peak_w == pytest.approx(HOUR_AT_16_A_WH)
    assert figures.at_limit_h == pytest.approx({"main/L1": 2.0})


def test_what_is_not_delivered_in_time_is_unmet() -> None:
    """One leaves after an hour with half of what it needs; the other has all the fuse from then on."""
    done = played(two_on(16), visit("a", 0, 1, 1), visit("b", 0, 4, 1))
    assert [s.delivered_wh / HOUR_AT_16_A_WH for s in done.served] == pytest.approx([0.5, 1.0])
    assert done.figures.unmet_wh == pytest.approx(HOUR_AT_16_A_WH / 2)
    assert done.figures.jain == pytest.approx(1.5**2 / (2 * 1.25))
    assert done.figures.at_limit_h == pytest.approx({"main/L1": 1.5})


def test_who_does_not_fit_waits_for_its_turn() -> None:
    """At 10 A there is room for one: quarter by quarter in turn, half an hour's need each."""
    done = played(two_on(10), visit("a", 0, 1, 5 / 16), visit("b", 0, 1, 5 / 16))
    assert [s.first_wait_s for s in done.served] == [0.0, 900.0]
    assert [s.waited_s for s in done.served] == [900.0, 1800.0]
    assert [s.delivered_wh for s in done.served] == pytest.approx([1150.0, 1150.0])
    figures = done.figures
    assert (figures.first_wait_p50_s, figures.first_wait_p95_s) == (0.0, 900.0)
    assert (figures.waited_p50_s, figures.waited_p95_s) == (900.0, 1800.0)
    assert (figures.turns, figures.peak_a[0]) == (4, 10.0)


def test_who_never_gets_current_has_waited_for_as_long_as_it_stayed() -> None:
    """The first has come first, and there is room for one."""
    done = played(two_on(10, principle="first_come"), visit("a", 0, 2, 2), visit("b", 0.5, 2, 1))
    assert [s.first_wait_s for s in done.served] == [0.0, 1.5 * HOUR_S]
    assert done.served[1].delivered_wh == 0.0
    assert done.figures.jain == pytest.approx(0.5)


def test_three_phases_and_one() -> None:
    """A load on one conductor of three loads one phase, and its peak counts once."""
    of = site(outlet("a", phase=None), outlet("b", phase=1), fuses=[fuse(rating_a=40)])
    figures = played(of, visit("a", 0, 2, 1, conductors=(0,)), visit("b", 0, 2, 1)).figures
    assert figures.peak_a == pytest.approx((16.0, 16.0, 0.0))
    assert figures.peak_w == pytest.approx(2 * HOUR_AT_16_A_WH)


def test_a_load_takes_no_more_than_it_can() -> None:
    """A heater of 4 A is content, and what it leaves goes to the other once that is seen."""
    done = played(two_on(16), visit("a", 0, 3, 0.5, max_a=4.0), visit("b", 0, 1, 1))
    assert done.served[0].delivered_wh == pytest.approx(0.5 * HOUR_AT_16_A_WH)
    # 8 A for the first minute, then 16 A less the 6 A that the heater's outlet can't go below.
    assert done.served[1].delivered_wh == pytest.approx(230 * (8 * 61 + 10 * 3539) / 3600, rel=2e-3)


def test_the_other_load_counts_to_the_limit_but_not_to_the_peak() -> None:
    """Of 16 A the building has 6."""
    of = site(outlet("a"), fuses=[fuse(rating_a=16, other_a=(6.0, 6.0, 6.0))])
    figures = played(of, visit("a", 0, 1, 2)).figures
    assert figures.peak_a == pytest.approx((10.0, 0.0, 0.0))
    assert figures.at_limit_h == pytest.approx({"main/L1": 1.0})


def test_a_fuse_is_at_its_limit_only_when_nothing_is_left() -> None:
    """16 A of 20 are not the limit."""
    assert played(two_on(20), visit("a", 0, 1, 1)).figures.at_limit_h == {}


def test_who_waits_for_a_day_is_not_forgotten() -> None:
    """Its bridge has nothing to tell all that time, and is heard all the same."""
    of = site(
        outlet("a"),
        outlet("b", bridge="b2"),
        fuses=[fuse(rating_a=10)],
        policy=Policy(principle="first_come", standby_s=60),
    )
    done = played(of, visit("a", 0, 20, 20), visit("b", 0.5, 40, 1))
    assert done.served[1].first_wait_s == 19.5 * HOUR_S
    assert done.served[1].delivered_wh == pytest.approx(HOUR_AT_16_A_WH)


def test_registers_move_while_nothing_else_does() -> None:
    """At least every quarter of an hour the controller learns what has flowed."""
    known: dict[float, int] = {}

    def note(_: Site, __: Live, after: Live) -> None:
        if after.readings:
            known[after.readings["b1"].at] = after.readings["b1"].modules["A"].energy_wh

    what_if(two_on(16), [visit("a", 0, 2, 2)], watch=note)
    assert [round(known[NOW + n * 900] / 920) for n in range(9)] == [*range(9)]


def test_an_outlet_that_starts_by_itself_is_no_exception() -> None:
    """The visit's own session is the only one."""
    of = site(outlet("a", autostart=True, paid_by="outlet"))
    assert played(of, visit("a", 0, 1, 1)).figures.turns == 1


def test_visits_of_days_follow_one_another() -> None:
    """Nothing hangs over a week without anybody, at either bridge."""
    of = site(outlet("a"), outlet("b", bridge="b2"), fuses=[fuse(rating_a=16)])
    done = played(of, *(visit(o, 24 * day, 24 * day + 9, 1) for day in (0, 1, 8) for o in ("a", "b")))
    assert [s.delivered_wh for s in done.served] == pytest.approx([HOUR_AT_16_A_WH] * 6)
    assert done.figures.turns == 6
    assert done.figures.at_limit_h == pytest.approx({"main/L1": 6.0})


def test_a_stay_of_days_keeps_its_current() -> None:
    """No lease runs out, neither while it draws for three days nor while it stands full for ten."""
    of = site(outlet("a", phase=None), fuses=[fuse(rating_a=16)])
    long = visit("a", 0, 13 * 24, 3 * 72 * 6 / 16, max_a=6.0)
    done = played(of, long, visit("a", 14 * 24, 15 * 24, 1))
    assert [s.delivered_wh for s in done.served] == pytest.approx([72 * 6 * 690, HOUR_AT_16_A_WH])
    assert [s.waited_s for s in done.served] == [0.0, 0.0]
    assert done.figures.peak_a == pytest.approx((16.0, 16.0, 16.0))


def test_one_leaves_in_the_moment_in_which_the_next_comes() -> None:
    """The outlet is free at once."""
    done = played(two_on(16), visit("a", 0, 1, 1), visit("a", 1, 2, 1))
    assert [s.delivered_wh for s in done.served] == pytest.approx([HOUR_AT_16_A_WH] * 2)
    assert done.figures.turns == 2


# ------------------------------------------------------------------ other conditions


def test_readiness_serves_who_leaves_first() -> None:
    """Only those who have said when they leave can be served by it."""
    of = two_on(10, principle="readiness")
    cars = [visit("a", 0, 8, 2), visit("b", 0.25, 2, 0.9)]
    told = [replace(v, ready_by=v.leaves_at) for v in cars]
    assert played(of, *cars).served[1].delivered_wh < cars[1].needs_wh - 100
    assert [s.delivered_wh for s in played(of, *told).served] == pytest.approx([v.needs_wh for v in cars])


def test_a_time_to_be_ready_may_be_far_ahead() -> None:
    """Users may say at most a week; who stays longer is served all the same."""
    long = visit("a", 0, 9 * 24, 1)
    done = played(two_on(16, principle="readiness"), replace(long, ready_by=long.leaves_at))
    assert done.served[0].delivered_wh == pytest.approx(HOUR_AT_16_A_WH)


def test_a_cap_holds_in_its_window() -> None:
    """8 A for the first of the two hours that the visit lasts, by local time."""
    free = two_on(16)
    local = free.local(NOW)
    minute = 60 * local.hour + local.minute
    of = replace(free, caps=(Cap("evening", limit_a=8.0, windows=(Window(start_min=minute, end_min=minute + 60),)),))
    done = played(of, visit("a", 0, 2, 4))
    assert done.served[0].delivered_wh == pytest.approx(1.5 * HOUR_AT_16_A_WH)


def test_a_cap_holds_while_electricity_is_dear() -> None:
    """Nothing at 90 öre, everything at 50."""
    of = replace(two_on(16), caps=(Cap("dear", limit_a=0.0, above_ore=80.0),))
    prices = ((int(NOW - HOUR_S), 90.0), (int(NOW + HOUR_S), 50.0))
    done = played(of, visit("a", 0, 3, 1), prices=prices)
    assert done.served[0].first_wait_s == HOUR_S
    assert done.served[0].delivered_wh == pytest.approx(HOUR_AT_16_A_WH)


def test_a_peak_tariff_keeps_the_power_down() -> None:
    """The hour's mean stays at the power that costs nothing."""
    of = replace(two_on(16), caps=(Cap("peak", peak=PeakTariff(least_w=1840.0)),))
    done = played(of, visit("a", 0, 4, 2))
    assert done.served[0].delivered_wh == pytest.approx(4 * 1840.0, rel=0.05)


@pytest.mark.parametrize("principle", Principle)
def test_every_principle_keeps_the_invariants(principle: Principle) -> None:
    """On a tree with two bridges, where not everybody fits."""
    of = site(
        outlet("a", on="g", phase=None),
        outlet("b", on="g", phase=1, bridge="b2"),
        outlet("c", on="g", bridge="b2"),
        outlet("d"),
        fuses=[fuse(rating_a=25), fuse("g", 16, "main", max_sessions=2)],
        policy=Policy(principle=principle.value),
    )
    cars = [visit(o, 0.3 * n, 3 + n, 2 + n) for n, o in enumerate("abcd")]
    done = played(of, *(replace(v, ready_by=v.leaves_at) for v in cars))
    assert all(0 < s.delivered_wh <= s.visit.needs_wh for s in done.served)


@st.composite
def pasts(draw: st.DrawFn) -> list[Visit]:
    """Draw up to six visits at four outlets, one at a time at each."""
    visits, free_h = [], dict.fromkeys("abcd", 0.0)
    for _ in range(draw(st.integers(1, 6))):
        where = draw(st.sampled_from("abcd"))
        begin_h = free_h[where] + draw(st.integers(0, 20)) / 10
        free_h[where] = begin_h + draw(st.integers(1, 40)) / 10
        visits.append(visit(where, begin_h, free_h[where], draw(st.integers(1, 30)) / 10))
    return visits


def four_on(rating_a: float, principle: str) -> Site:
    return site(*map(outlet, "abcd"), fuses=[fuse(rating_a=rating_a)], policy=Policy(principle=principle))


@settings(max_examples=30, deadline=None)
@given(pasts(), st.integers(24, 40), st.integers(0, 30))
def test_with_a_larger_main_fuse_nobody_gets_less(past: list[Visit], rating_a: int, more_a: int) -> None:
    """Where all fit and share alike; and nobody ever gets more than it needs, or than its outlet can give."""
    small, large = (played(four_on(a, "equal"), *past).served for a in (rating_a, rating_a + more_a))
    for before, after in zip(small, large, strict=True):
        assert after.delivered_wh >= before.delivered_wh - 1
        stay_h = (after.visit.leaves_at - after.visit.plugged_at) / HOUR_S
        assert after.delivered_wh <= min(after.visit.needs_wh, stay_h * HOUR_AT_16_A_WH) + 1e-3


@settings(max_examples=30, deadline=None)
@given(pasts(), st.integers(6, 40), st.sampled_from(["equal", "turns", "first_come", "priority", "readiness"]))
def test_what_is_delivered_is_what_has_flowed(past: list[Visit], rating_a: int, principle: str) -> None:
    """The sums agree, nobody gets more than it needs, and the fuse is never loaded with more than it may carry."""
    done = played(four_on(rating_a, principle), *past)
    figures = done.figures
    assert len(done.served) == figures.sessions == len(past)
    assert figures.delivered_wh + figures.unmet_wh == pytest.approx(figures.needed_wh)
    assert all(0 <= s.delivered_wh <= s.visit.needs_wh for s in done.served)
    assert figures.peak_a[0] <= rating_a + 1e-6
    for s in done.served:
        assert 0 <= s.first_wait_s <= s.waited_s + 1e-6 <= s.visit.leaves_at - s.visit.plugged_at + 1e-5


# ------------------------------------------------------------------ visits


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (visit("x", 0, 1, 1), "outlet x does not exist"),
        (visit("a", 1, 1, 1), "must end after it begins"),
        (visit("a", 0, inf, 1), "must end after it begins"),
        (visit("a", 0, 1, 0), "needs_wh is 0"),
        (visit("a", 0, 1, 1, max_a=0.0), "max_a is 0"),
        (visit("a", 0, 1, 1, conductors=(1,)), "1 of 3 conductors"),
        (visit("b", 0.5, 1, 1), "before the one before it has ended"),
    ],
)
def test_visits_that_cannot_be_are_refused(wrong: Visit, says: str) -> None:
    """With the outlet and what is wrong."""
    with pytest.raises(InvalidRequest, match=says):
        what_if(two_on(16), [visit("b", 0, 2, 1), wrong])


def test_every_visit_within_another_is_named() -> None:
    """Also the second."""
    visits = [visit("a", 0, 9, 1), visit("a", 1, 2, 1), visit("a", 3, 4, 1), visit("a", 9, 10, 1)]
    assert [n for n, _ in check(two_on(16), visits)] == [1, 2]


def test_a_past_without_visits_has_figures_too() -> None:
    """Nothing was needed, and all of it was delivered."""
    figures = what_if(two_on(16), []).figures
    assert (figures.sessions, figures.delivered_share, figures.jain, figures.peak_w) == (0, 1.0, 1.0, 0.0)


def test_ended_sessions_with_energy_are_visits() -> None:
    """Those that live, had nothing or are doubtful in time are none."""
    ended = SessionRecord("1", "u", "s", "a", "1", NOW, "ended", energy_wh=500, ended_at=NOW + 60)
    others = [
        replace(ended, ended_at=None, state="active"),
        replace(ended, energy_wh=0),
        replace(ended, ended_at=NOW),
    ]
    earlier = replace(ended, outlet="b", requested_at=NOW - 60, energy_wh=700)
    assert visits_of([ended, *others, earlier]) == [
        Visit("b", NOW - 60, NOW + 60, 700),
        Visit("a", NOW, NOW + 60, 500),
    ]


def test_a_journal_tells_its_visits_with_the_conductors_that_they_used() -> None:
    """From the request, or where it began by itself, to the end; in whatever order and how often its entries come."""
    yard = Kept().let_happen()
    visits = visits_of_journal(yard.site, [*yard.entries[::-1], *yard.entries])
    assert [(v.outlet, v.needs_wh) for v in visits] == [("a", 700), ("b", 300)]
    assert [(v.plugged_at - NOW, v.leaves_at - NOW) for v in visits] == [(0, 420), (360, 420)]
    assert visits[0].conductors == (0, 1, 2)
    assert visits_of_journal(replace(yard.site, id="another"), yard.entries) == []
