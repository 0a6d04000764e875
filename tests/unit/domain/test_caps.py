"""Limits that an owner chooses below the fuses: fixed, by the clock, by the price, by the month's peaks, by balance."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from epspot.control import caps
from epspot.control.draft import Draft
from epspot.control.due import due_at
from epspot.control.state import Demand, Phase
from epspot.site import Cap, Outlet, PeakTariff, Policy, Site, Window
from tests.unit.domain.street import Street
from tests.unit.domain.world import NOW, Yard, fuse, outlet, site

HOUR_S, DAY_S = 3600, 86_400
STOCKHOLM = ZoneInfo("Europe/Stockholm")
# NOW is Friday 15 January 2027, 9.00 in Stockholm.


def local(*time: int) -> float:
    return datetime(*time, tzinfo=STOCKHOLM).timestamp()  # type: ignore[misc,arg-type]


def capped(*caps_: Cap, outlets: int = 2, rating_a: float = 63, **policy: object) -> Yard:
    """Make single-phase outlets on L1 under caps, all with a session."""
    names = "abcd"[:outlets]
    yard = Yard(
        site(
            *(outlet(o) for o in names),
            fuses=[fuse(rating_a=rating_a)],
            caps=caps_,
            policy=Policy(**policy),  # type: ignore[arg-type]
        )
    )
    for o in names:
        yard.start(o)
    yard.run(20, every=10)
    return yard


# ------------------------------------------------------------------ fixed


def test_a_fixed_cap_limits_what_our_outlets_draw() -> None:
    """Two share the 20 A of a cap, and are told its name."""
    yard = capped(Cap("rent", 20))
    assert yard.limits_a() == {"a": 10, "b": 10}
    assert (yard.reason("a"), yard.reason("b")) == ("cap:rent", "cap:rent")


def test_who_does_not_fit_below_a_cap_waits_with_its_name() -> None:
    """An outlet whose minimum is above what a cap leaves waits for that cap."""
    yard = capped(Cap("rent", 20), outlets=4)
    assert yard.limits_a() == {"a": 6.66, "b": 6.66, "c": 6.66}
    assert yard.reason("d") == "cap:rent"
    assert yard.session("d").phase is Phase.QUEUED


def test_a_cap_on_a_fuse_leaves_the_others_alone() -> None:
    """A cap on one row of outlets is that row's."""
    yard = Yard(
        site(
            outlet("a", on="row"),
            outlet("b"),
            fuses=[fuse(rating_a=63), fuse("row", 32, "main")],
            caps=[Cap("row_rent", 8, fuse="row")],
        )
    )
    yard.start("a")
    yard.start("b")
    assert yard.limits_a() == {"a": 8, "b": 16}


def test_the_lowest_of_cap_and_fuse_is_the_reason() -> None:
    """A cap above what the fuse carries binds nobody."""
    yard = capped(Cap("rent", 40), rating_a=20)
    assert yard.limits_a() == {"a": 10, "b": 10}
    assert yard.reason("a") == "main/L1"


def test_a_cap_of_nothing_stops_all() -> None:
    """With a cap of 0 A everybody waits for it."""
    yard = capped(Cap("closed", 0))
    assert yard.limits_a() == {}
    assert {yard.reason("a"), yard.reason("b")} == {"cap:closed"}


def test_what_a_silent_bridge_holds_above_a_cap_is_unmet() -> None:
    """A cap that begins while an outlet can't be commanded is exceeded until its lease is over, and says so."""
    yard = Yard(
        site(
            outlet("a", bridge="b1"),
            outlet("b", bridge="b2"),
            fuses=[fuse(rating_a=63)],
            caps=[Cap("rent", 10, windows=(Window(start_min=9 * 60 + 15),))],
        )
    )
    yard.start("b")
    yard.start("a")
    unmet = {}
    for minute in range(1, 18):  # b2 is silent after twelve, its lease over after fifteen
        yard.after(60).frame("b1")
        unmet[minute] = caps.unmet(Draft(yard.site, yard.live, yard.now))
    assert unmet[14] == set()
    assert yard.live.bridges["b2"].silent
    assert unmet[15] == {"rent"}
    assert yard.limits_a() == {"a": 10}
    assert unmet[17] == set()


# ------------------------------------------------------------------ by the clock


@pytest.mark.parametrize(
    ("window", "at", "holds"),
    [
        (Window(start_min=420, end_min=1140), (2027, 1, 15, 7, 0), True),
        (Window(start_min=420, end_min=1140), (2027, 1, 15, 18, 59), True),
        (Window(start_min=420, end_min=1140), (2027, 1, 15, 19, 0), False),
        (Window(days=(0, 1, 2, 3, 4)), (2027, 1, 15, 23, 59), True),
        (Window(days=(0, 1, 2, 3, 4)), (2027, 1, 16, 0, 0), False),
        (Window(months=(11, 12, 1, 2, 3)), (2027, 4, 1, 0, 0), False),
        (Window(months=(11, 12, 1, 2, 3)), (2027, 3, 31, 23, 59), True),
        # Over midnight: Friday's window ends on Saturday, Sunday's on Monday.
        (Window(days=(4,), start_min=1320, end_min=360), (2027, 1, 15, 22, 0), True),
        (Window(days=(4,), start_min=1320, end_min=360), (2027, 1, 16, 5, 59), True),
        (Window(days=(4,), start_min=1320, end_min=360), (2027, 1, 16, 6, 0), False),
        (Window(days=(4,), start_min=1320, end_min=360), (2027, 1, 15, 5, 59), False),
        (Window(days=(6,), start_min=1320, end_min=360), (2027, 1, 18, 3, 0), True),
        # The night to the first of a month belongs to the month before, and over New Year to December.
        (Window(months=(1,), start_min=1320, end_min=360), (2027, 2, 1, 3, 0), True),
        (Window(months=(1,), start_min=1320, end_min=360), (2027, 1, 1, 3, 0), False),
        (Window(months=(12,), start_min=1320, end_min=360), (2027, 1, 1, 3, 0), True),
    ],
)
def test_a_window_is_in_local_time(window: Window, at: tuple[int, ...], holds: bool) -> None:  # noqa: FBT001 - a table
    """Weekdays, months and minutes are the site's own, and a window over midnight is its first day's."""
    assert window.holds(datetime(*at, tzinfo=STOCKHOLM)) is holds  # type: ignore[misc,arg-type]


def timed(*windows: Window, **more: object) -> Site:
    return site(outlet("a"), caps=[Cap("rent", 6, windows=windows, **more)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "window",
    [
        Window(start_min=150, end_min=180),
        Window(start_min=150, end_min=240),
        Window(start_min=60, end_min=150),
        Window(days=(6,), start_min=1380, end_min=165),
        Window(days=(5,)),
        Window(months=(4, 5)),
    ],
)
@pytest.mark.parametrize("day", [(2027, 3, 27), (2027, 10, 30), (2027, 3, 30)], ids=["spring", "autumn", "April"])
def test_nothing_changes_before_the_next_change(window: Window, day: tuple[int, int, int]) -> None:
    """From one look to the next the same caps are in force, also where clocks are put forward or back at night."""
    place, at = timed(window), local(*day, 12)
    end = at + 2 * DAY_S
    while at < end:
        following = caps.next_change(place, at)
        assert at < following <= at + DAY_S
        minutes = range(int(at), int(min(following, end)), 60)
        assert {caps.in_force(place, (), m) for m in minutes} == {caps.in_force(place, (), at)}
        at = following


def test_the_hours_of_the_night_when_clocks_change() -> None:
    """A window of 2.30 to 3.00 holds twice when clocks are put back, and not at all when they are put forward."""
    place = timed(Window(start_min=150, end_min=180))

    def held_min(*day: int) -> int:
        return sum(bool(caps.in_force(place, (), local(*day, 0) + 60 * m)) for m in range(6 * 60))

    assert (held_min(2027, 3, 27), held_min(2027, 3, 28), held_min(2027, 10, 31)) == (30, 0, 60)


def test_a_window_s_edges_change_the_limits() -> None:
    """At the edge the limit falls and later rises again, by the clock alone; the site is looked at then."""
    yard = capped(Cap("day", 6, windows=(Window(start_min=9 * 60 + 10, end_min=9 * 60 + 20),)), outlets=1)
    assert yard.limits_a() == {"a": 16}
    assert due_at(yard.site, yard.live) == NOW + 600
    yard.run(NOW + 600 - yard.now)
    assert (yard.limits_a(), yard.reason("a")) == ({"a": 6}, "cap:day")
    assert due_at(yard.site, yard.live) == NOW + 1200
    yard.now = NOW + 1200
    yard.tick()
    assert (yard.limits_a(), yard.reason("a")) == ({"a": 16}, "outlet")


# ------------------------------------------------------------------ by the price


def test_a_price_ceiling_holds_while_it_is_dearer() -> None:
    """Above the owner's price nobody charges; at it, and while no price is known, everybody may."""
    yard = capped(Cap("dear", 0, above_ore=150), outlets=1)
    assert yard.limits_a() == {"a": 16}
    hour = int(NOW)
    yard.outlook(prices=((hour, 151.0), (hour + 900, 150.0), (hour + 1800, 300.0)))
    assert (yard.limits_a(), yard.reason("a")) == ({}, "cap:dear")
    yard.after(200).frame()
    assert due_at(yard.site, yard.live) == NOW + 900
    yard.run(NOW + 900 - yard.now)
    yard.run(20, every=10)
    assert yard.limits_a() == {"a": 16}
    yard.run(NOW + 1800 - yard.now)
    assert yard.limits_a() == {}
    yard.run(900)  # the last price holds for as long as the one before it
    yard.run(20, every=10)
    assert yard.limits_a() == {"a": 16}


def test_a_price_ceiling_has_windows_too() -> None:
    """A ceiling that is set for the night is no matter at nine in the morning."""
    yard = capped(Cap("dear", 0, above_ore=150, windows=(Window(start_min=1320, end_min=360),)), outlets=1)
    yard.outlook(prices=((int(NOW), 400.0),))
    assert yard.limits_a() == {"a": 16}


# ------------------------------------------------------------------ peaks


def tariffed(*, building_a: float = 10, outlets: int = 1, caps_: tuple[Cap, ...] = (), **peak: object) -> Street:
    """Make three-phase outlets beside a steady building, 6.9 kW unless told otherwise, under a peak tariff."""
    own = [outlet("abcd"[n], phase=None) for n in range(outlets)]
    cap = Cap("peak", peak=PeakTariff(**{"least_w": 12_000.0} | peak))  # type: ignore[arg-type]
    return Street(site(*own, fuses=[fuse(rating_a=80, other_a=(building_a,) * 3)], caps=[cap, *caps_]))


def mean_w(street: Street, seconds: float, begun: dict[str, float], building_a: float = 10) -> float:
    drawn = sum(car.charged_wh - begun.get(o, 0.0) for o, car in street.cars.items())
    return 690 * building_a + drawn * HOUR_S / seconds


@pytest.mark.parametrize("interval_s", [900, 3600])
@pytest.mark.parametrize("begins", [0.0, 0.25, 0.5, 0.8])
@pytest.mark.parametrize("every", [10, 60])
def test_an_interval_s_mean_ends_at_the_target(interval_s: int, begins: float, every: int) -> None:
    """Whenever a car begins, the whole site's mean of the hour or quarter stays at or below 12 kW, and is used."""
    street = tariffed(interval_s=interval_s)
    street.run(begins * interval_s, every=every)
    street.start("a")
    street.run(NOW + interval_s - street.now, every=every)
    first = mean_w(street, interval_s, {})
    assert first <= 12_000
    may = min(12_000, 690 * 10 + (1 - begins) * 16 * 690)
    assert first >= 0.94 * may
    begun = {"a": street.cars["a"].charged_wh}
    street.run(interval_s, every=every)
    assert mean_w(street, interval_s, begun) <= 12_000


def test_several_cars_share_what_a_peak_allows() -> None:
    """The allowed power is one number for all phases and outlets together."""
    street = tariffed(outlets=2, least_w=24_000.0)
    street.start("a")
    street.start("b")
    street.run(20, every=10)
    # 24 kW less the building's 6.9 are 74.3 A over all phases: 12.39 A on each of six conductors.
    assert street.limits_a() == {"a": pytest.approx(12.39, abs=0.01), "b": pytest.approx(12.39, abs=0.01)}
    assert street.reason("a") == "cap:peak"


def test_who_does_not_fit_below_a_peak_waits_for_it() -> None:
    """A three-phase minimum of 6 A is 4.14 kW: with less left below the target it waits."""
    street = tariffed(least_w=10_000.0)
    street.start("a")
    street.run(20, every=10)
    assert (street.limits_a(), street.reason("a")) == ({}, "cap:peak")


def test_a_building_that_makes_a_new_peak_by_itself_is_unmet() -> None:
    """Where the building alone is above the target, nothing is left to take, and that is said."""
    street = tariffed(building_a=20)
    street.run(60)
    assert caps.unmet(Draft(street.site, street.live, street.now)) == {"peak"}
    quiet = tariffed()
    quiet.run(60)
    assert caps.unmet(Draft(quiet.site, quiet.live, quiet.now)) == set()


def allowed(demand: Demand | None, at: float, peak: PeakTariff) -> float:
    """Tell what a site with this account may draw on from ``at``."""
    cap = Cap("peak", peak=peak)
    yard = Yard(site(outlet("a"), caps=[cap]))
    draft = Draft(yard.site, yard.live, at)
    draft.demand = {} if demand is None else {"peak": demand}
    return caps.allowed_w(draft, cap, peak)


def days(*w: float, today: float | None = None) -> tuple[tuple[int, float], ...]:
    """Make peaks of days before NOW's, and today's own."""
    this = datetime(2027, 1, 15, tzinfo=UTC).toordinal()
    found = [(this - 1 - n, power) for n, power in enumerate(w)]
    if today is not None:
        found.append((this, today))
    return tuple(sorted(found, key=lambda p: -p[1]))


@pytest.mark.parametrize(
    ("peaks", "count", "target_w"),
    [
        ((), 3, 2_000),  # nothing is free before there are peaks, but what is never avoided
        (days(9_000, 8_000, 7_000), 3, 7_000),  # up to the lowest that counts
        (days(9_000, 8_000), 3, 2_000),  # a third would count
        (days(9_000, 8_000, today=6_000), 3, 6_000),  # today's own costs nothing more
        (days(9_000, 8_000, 7_000, today=8_500), 3, 8_500),
        (days(9_000, 8_000, 7_000, today=5_000), 3, 7_000),
        (days(9_000, today=4_000), 1, 9_000),
    ],
)
def test_up_to_which_mean_power_costs_nothing_more(
    peaks: tuple[tuple[int, float], ...], count: int, target_w: float
) -> None:
    """The target is the lowest of the peaks that count, or today's own where each day has one."""
    demand = Demand(int(NOW), NOW, 0.0, 0.0, 2027 * 12 + 1, peaks)
    assert allowed(demand, NOW, PeakTariff(count=count, least_w=2_000)) == pytest.approx(target_w)


def test_where_a_day_may_have_several_peaks_today_s_own_is_one_of_them() -> None:
    """Without one a day, an hour is compared with the lowest that counts, whatever its day."""
    peaks = ((int(NOW) - 7200, 9_000.0), (int(NOW) - 3600, 6_000.0))
    demand = Demand(int(NOW), NOW, 0.0, 0.0, 2027 * 12 + 1, peaks)
    assert allowed(demand, NOW, PeakTariff(count=2, one_a_day=False)) == pytest.approx(6_000)
    assert allowed(demand, NOW, PeakTariff(count=3, one_a_day=False)) == 0


def test_what_is_spent_of_an_interval_is_taken_from_what_is_left() -> None:
    """After half an hour at 4 kW, 10 kW of target leave 16 kW for the other half."""
    demand = Demand(int(NOW), NOW, 0.0, 4_000.0, 2027 * 12 + 1)
    assert allowed(demand, NOW + 1800, PeakTariff(least_w=10_000)) == pytest.approx(16_000)


def test_at_night_only_a_part_counts() -> None:
    """In a night window with factor one half, twice the target may be drawn."""
    peak = PeakTariff(least_w=5_000, night=(Window(start_min=1320, end_min=360),), night_factor=0.5)
    assert allowed(None, local(2027, 1, 15, 23), peak) == pytest.approx(10_000)
    assert allowed(None, NOW, peak) == pytest.approx(5_000)


def peaks_after(street: Street) -> tuple[float, ...]:
    return tuple(w for _, w in street.live.demand["peak"].peaks)


def test_the_month_s_peaks_are_remembered_and_forgotten() -> None:
    """Each day's highest hour is kept, night hours at their part; with the new month they are gone."""
    night = Window(start_min=1320, end_min=360)
    street = tariffed(least_w=0.0, count=2, night=(night,), night_factor=0.5)
    street.run(HOUR_S)
    assert peaks_after(street) == (6_900,)
    street.now = local(2027, 1, 16, 2)
    street.run(HOUR_S)
    # Friday's hour is the higher; Saturday's counts half.
    assert peaks_after(street) == (6_900, 3_450)
    street.now = local(2027, 1, 30, 12)
    street.run(HOUR_S)
    assert peaks_after(street) == (6_900, 6_900, 3_450)  # one more than counts
    street.now = local(2027, 1, 31, 23)
    street.run(HOUR_S - 60)
    assert len(peaks_after(street)) == 3
    street.run(120)
    assert peaks_after(street) == ()


def test_only_the_tariff_s_hours_count() -> None:
    """Outside its windows a peak tariff limits nothing and remembers nothing."""
    street = tariffed(least_w=0.0, windows=(Window(start_min=7 * 60, end_min=10 * 60),))
    street.start("a")
    street.run(20, every=10)
    assert (street.limits_a(), street.reason("a")) == ({}, "cap:peak")
    street.now = local(2027, 1, 15, 10)
    street.run(30, every=10)
    assert street.limits_a() == {"a": 16}
    street.run(2 * HOUR_S)
    assert peaks_after(street) == (6_900,)


def test_a_new_interval_is_looked_at() -> None:
    """The site is looked at when an interval ends."""
    street = tariffed()
    street.run(HOUR_S - 120)
    assert due_at(street.site, street.live) == NOW + HOUR_S


# ------------------------------------------------------------------ the main meter, and balance


def metered(own_a: float, building_a: float) -> tuple[float, float, float]:
    return (own_a + building_a, 0.0, 0.0)


def test_what_the_main_meter_leaves_is_ours() -> None:
    """Under 25 A, a building that is measured at 12 A leaves 13 A; at 20 A not the minimum, and the car waits."""
    yard = Yard(site(outlet("a"), outlet("b", phase=1), fuses=[fuse(rating_a=25)], meter="b1"))
    yard.frame(meter_a=metered(0, 12))
    yard.start("a")
    yard.after(10).frame(meter_a=metered(13, 12))
    assert (yard.limits_a(), yard.reason("a")) == ({"a": 13}, "main/L1")
    yard.after(10).frame(meter_a=metered(13, 20))
    assert yard.limits_a() == {}
    yard.after(10).frame(meter_a=metered(0, 20))
    assert (yard.session("a").phase, yard.reason("a")) == (Phase.QUEUED, "main/L1")
    yard.after(10).frame(meter_a=metered(0, 5))
    assert yard.limits_a() == {"a": 16}


def phases_of(yard: Yard) -> list[float]:
    load = [0.0, 0.0, 0.0]
    for o, a in yard.limits_a().items():
        for p in yard.site.outlet[o].phases:
            load[p] += a
    return load


@pytest.mark.parametrize(
    ("wired", "most_a", "expected"),
    [
        ([0, 1], 10, {"a": 10, "b": 10}),  # nothing on L3
        ([0, 0, 1, 2], 10, {"a": 13, "b": 13, "c": 16, "d": 16}),  # 26 A on L1, 16 A on the others
        ([None, 0], 8, {"a": 16, "b": 8}),
        ([0, 1, 2], 4, {"a": 16, "b": 16, "c": 16}),
    ],
)
def test_the_main_fuse_s_phases_are_kept_together(
    wired: list[int | None], most_a: float, expected: dict[str, float]
) -> None:
    """The outlets make the main fuse's phases differ by no more than the owner allows."""
    outlets = [
        Outlet("abcd"[n], str(n), "main", (0, 1, 2) if p is None else (p,), 16.0, "b1", f"M{n}")
        for n, p in enumerate(wired)
    ]
    yard = Yard(site(*outlets, fuses=[fuse(rating_a=63)], policy=Policy(max_imbalance_a=most_a)))
    for o in outlets:
        yard.start(o.id)
    yard.run(60, every=10)
    assert yard.limits_a() == expected
    load = phases_of(yard)
    assert max(load) - min(load) <= most_a
    unequal = [o for o, a in expected.items() if a < 16]
    assert {yard.reason(o) for o in unequal} <= {"cap:imbalance"}


def test_another_interval_makes_no_peak_of_the_old_one() -> None:
    """Energy of an hour is not that of a quarter; the month's peaks stay."""
    tariff = PeakTariff(least_w=2_000)
    yard = Yard(
        site(outlet("a"), fuses=[fuse(rating_a=63, other_a=(20, 20, 20))], caps=[Cap("peak", peak=tariff)], meter="b1")
    )
    for n in range(70):
        yard.after(60).frame(meter_a=(9.0, 9.0, 9.0) if n < 60 else (3.0, 3.0, 3.0))
    peaks = yard.live.demand["peak"].peaks
    yard.site = replace(yard.site, caps=(Cap("peak", peak=replace(tariff, interval_s=900)),), revision=2).checked()
    for _ in range(20):
        yard.after(60).frame(meter_a=(3.0, 3.0, 3.0))
    after = yard.live.demand["peak"]
    assert after.interval_s == 900
    assert max(w for _, w in after.peaks) == max(w for _, w in peaks) < 1.03 * 9 * 3 * 230
