"""How each principle lets sessions in and shares among them, through whole steps."""

from dataclasses import replace

import pytest

from epspot.control.state import Phase
from epspot.site import Fuse, Outlet, Policy
from tests.unit.domain.street import Street
from tests.unit.domain.world import NOW, Yard, fuse, outlet, site

TURN_S = 900


def yard_of(*outlets: Outlet, rating_a: float = 25, fuses: tuple[Fuse, ...] = (), **policy: object) -> Yard:
    return Yard(
        site(*outlets, fuses=fuses or [fuse(rating_a=rating_a)], policy=Policy(**policy))  # type: ignore[arg-type]
    )


def same(ids: str, **more: object) -> list[Outlet]:
    """Make single-phase outlets of 6 to 16 A on L1."""
    return [outlet(i, **more) for i in ids]  # type: ignore[arg-type]


def start_all(yard: Yard, ids: str) -> None:
    for o in ids:
        yard.after(1).start(o)


def run_to(yard: Yard, seconds: float, every: float = 30) -> None:
    """Let time pass until so many seconds after the first turn's begin."""
    yard.run(NOW + seconds - yard.now, every=every)


def active(yard: Yard) -> set[str]:
    return {s.outlet for s in yard.live.sessions.values() if s.phase is Phase.ACTIVE}


# ------------------------------------------------------------------ first come, first served


def test_first_come_gives_the_first_all_that_it_can_use() -> None:
    """Everybody who fits has its minimum, and the first what is left; who does not fit waits for a fuse, not a turn."""
    yard = yard_of(*same("abcd"), rating_a=20, principle="first_come")
    start_all(yard, "abcd")
    yard.run(30, every=10)
    assert yard.limits_a() == {"a": 8, "b": 6, "c": 6}
    assert yard.reason("d") == "main/L1"


def test_first_come_never_takes_a_place_away() -> None:
    """Whoever waits does so until somebody is done, over any number of turns; then the next in the order moves up."""
    yard = yard_of(*same("abcd"), rating_a=20, principle="first_come")
    start_all(yard, "abcd")
    run_to(yard, 5 * TURN_S)
    assert yard.limits_a() == {"a": 8, "b": 6, "c": 6}
    assert yard.told("session.waiting") == []
    yard.stop("s-a")
    yard.run(30, every=10)
    assert yard.limits_a() == {"b": 8, "c": 6, "d": 6}


def test_first_come_is_not_disturbed_by_a_turn_s_begin() -> None:
    """That somebody got current shortly before a turn begins takes nothing from those who came before it."""
    yard = yard_of(*same("abcd"), rating_a=20, principle="first_come")
    start_all(yard, "ab")
    run_to(yard, 700)
    start_all(yard, "cd")
    run_to(yard, 890, every=10)
    rev = yard.live.bridges["b1"].rev
    run_to(yard, 960, every=10)
    assert yard.limits_a() == {"a": 8, "b": 6, "c": 6}
    assert yard.live.bridges["b1"].rev == rev


# ------------------------------------------------------------------ turns


def test_turns_give_few_all_that_they_can_use() -> None:
    """The first gets its full current, the second the rest, and who would fit at its minimum waits for its turn."""
    yard = yard_of(*same("abc"), principle="turns")
    start_all(yard, "abc")
    yard.run(30, every=10)
    assert yard.limits_a() == {"a": 16, "b": 9}
    assert yard.reason("b") == "main/L1"
    assert yard.reason("c") == "turn"


def test_who_would_not_fit_at_its_minimum_either_does_not_wait_for_a_turn() -> None:
    """Where not even the minimum fits beside the minimums of the others, the fuse is the reason."""
    yard = yard_of(*same("abc"), rating_a=16, principle="turns")
    start_all(yard, "abc")
    yard.run(30, every=10)
    assert yard.limits_a() == {"a": 16}
    assert yard.reason("b") == "turn"  # 6 + 6 A are within 16 A
    assert yard.reason("c") == "turn"
    tight = yard_of(*same("abc"), rating_a=11, principle="turns")
    start_all(tight, "abc")
    assert (tight.reason("b"), tight.reason("c")) == ("main/L1", "main/L1")


def test_turns_begin_with_the_clock_and_who_has_waited_has_full_power() -> None:
    """Nothing changes before the quarter; then who waited has all that it can use for the whole turn."""
    yard = yard_of(*same("abc"), principle="turns")
    start_all(yard, "abc")
    run_to(yard, TURN_S - 1)
    assert yard.limits_a() == {"a": 16, "b": 9}
    for seconds in (30, 400, TURN_S - 2):
        run_to(yard, TURN_S + seconds, every=10)
        assert yard.limits_a() == {"c": 16, "a": 9}


def test_nobody_loses_a_turn_that_it_has_just_got() -> None:
    """Who stays from the turn before takes what is left, however large it is."""
    yard = yard_of(outlet("a", max_a=20.0), *same("bc"), principle="turns")
    yard.loads["a"].wants_a = 20
    start_all(yard, "abc")
    run_to(yard, TURN_S - 1)
    assert yard.limits_a() == {"a": 20}
    run_to(yard, TURN_S + 300, every=10)
    assert yard.limits_a() == {"b": 16, "c": 9}
    run_to(yard, 2 * TURN_S - 1, every=10)
    assert yard.limits_a() == {"b": 16, "c": 9}
    run_to(yard, 2 * TURN_S + 300, every=10)
    assert active(yard) == {"a"}


def test_a_turn_that_has_just_begun_outlasts_the_clock() -> None:
    """Who has had current for less than the minimum on-time keeps it at a turn's begin."""
    yard = yard_of(*same("ab"), rating_a=16, principle="turns", min_on_s=300)
    start_all(yard, "a")
    run_to(yard, 650)
    yard.stop("s-a")
    start_all(yard, "b")  # its turn begins when the current of a is seen to be over
    yard.run(30, every=10)
    yard.start("a", "again")
    run_to(yard, TURN_S + 30, every=10)
    assert active(yard) == {"b"}
    run_to(yard, 2 * TURN_S + 30)
    assert active(yard) == {"a"}


# ------------------------------------------------------------------ priority


def test_priority_shares_current_by_weight() -> None:
    """With room for everybody's minimum, 24 A are shared 2 : 1 : 1; within the limits of each."""
    yard = yard_of(*same("abc"), rating_a=24, principle="priority", weights={"staff": 2.0})
    yard.start("a", group="staff")
    start_all(yard, "bc")
    yard.run(60, every=10)
    assert yard.limits_a() == {"a": 12, "b": 6, "c": 6}


def test_priority_shares_time_by_weight() -> None:
    """With one place, over many turns, time is in the proportion of the weights: 3 : 1 : 1."""
    yard = yard_of(*same("abc"), rating_a=8, principle="priority", weights={"staff": 3.0})
    yard.start("a", group="staff")
    start_all(yard, "bc")
    turns = {"a": 0, "b": 0, "c": 0}
    for n in range(1, 41):
        run_to(yard, n * TURN_S - 1, every=60)
        turns[active(yard).pop()] += 1
        run_to(yard, n * TURN_S + 1, every=1)
    assert turns == {"a": pytest.approx(24, abs=1), "b": pytest.approx(8, abs=1), "c": pytest.approx(8, abs=1)}


def test_weights_count_under_priority_only() -> None:
    """Under equal shares a group's weight changes nothing."""
    yard = yard_of(*same("ab"), rating_a=24, principle="equal", weights={"staff": 3.0})
    yard.start("a", group="staff")
    start_all(yard, "b")
    yard.run(30, every=10)
    assert yard.limits_a() == {"a": 12, "b": 12}


def test_who_comes_late_to_priority_takes_no_head_start() -> None:
    """A session that was planned for hours counts from its begin like a newcomer: nobody waits for hours on its account."""
    yard = yard_of(*same("ab"), rating_a=8, principle="priority")
    start_all(yard, "a")
    yard.start("b", start_at=NOW + 20 * TURN_S + 100)
    run_to(yard, 20 * TURN_S, every=60)
    had = []
    for n in range(21, 27):
        run_to(yard, n * TURN_S + 850, every=50)
        had.append(active(yard).pop())
    assert had.count("a") == had.count("b")


# ------------------------------------------------------------------ readiness


def test_readiness_serves_who_has_least_time_to_spare() -> None:
    """Of three, the one whose departure leaves the least slack beyond its need has the only place."""
    yard = yard_of(*same("abc"), rating_a=8, principle="readiness")
    run_to(yard, 890)
    # At 16 A and 230 V a session gets 3.68 kWh an hour.
    yard.start("a", ready_by=NOW + 8 * 3600, needs_wh=3_680)  # 7 h to spare
    yard.start("b", ready_by=NOW + 6 * 3600, needs_wh=3_680)  # 5 h
    yard.start("c", ready_by=NOW + 9 * 3600, needs_wh=7 * 3_680)  # 2 h
    run_to(yard, 2 * TURN_S + 20, every=10)  # a had got it first, and keeps its minimum on-time at the first begin
    assert active(yard) == {"c"}


def test_readiness_gives_each_what_it_needs_first() -> None:
    """The one in a hurry gets the current that makes it ready, 12 A, and the others share what is left."""
    yard = yard_of(*same("abc"), rating_a=25, principle="readiness")
    yard.start("a", ready_by=NOW + 2 * 3600, needs_wh=12 * 230 * 2)
    yard.start("b", ready_by=NOW + 24 * 3600, needs_wh=1_000)
    yard.start("c", ready_by=NOW + 24 * 3600, needs_wh=1_000)
    yard.after(10).frame()
    yard.after(10).frame()
    limits = yard.limits_a()
    assert limits["a"] == pytest.approx(12, abs=0.1)
    assert limits["b"] == limits["c"] == pytest.approx(6.5, abs=0.1)


def test_a_need_that_cannot_be_met_is_told_once() -> None:
    """Needing 10 kWh in two hours of 3.68 kW, 2.64 kWh will be missing: told at the start, and not again."""
    yard = yard_of(*same("a"), principle="readiness")
    done = yard.start("a", ready_by=NOW + 2 * 3600, needs_wh=10_000)
    told = [f for f in done.facts if f.kind == "session.short"]
    assert [(f.about, f.detail["needs_wh"], f.detail["missing_wh"]) for f in told] == [("s-a", 10_000, 2_640)]
    yard.run(1800)
    yard.change("s-a", ready_by=NOW + 2 * 3600 + 60, needs_wh=10_000)
    assert len(yard.told("session.short")) == 1
    yard.change("s-a", ready_by=NOW + 12 * 3600, needs_wh=10_000)
    assert not yard.session("a").cut_short


def test_what_others_need_before_is_counted() -> None:
    """Two that each need the fuse's 8 A for an hour can't both be ready in one: both are told what one of them will lack."""
    yard = yard_of(*same("ab"), rating_a=8, principle="readiness")
    need = 8 * 230
    assert [f.kind for f in yard.start("a", ready_by=NOW + 3600, needs_wh=need).facts] == ["session.active"]
    done = yard.start("b", ready_by=NOW + 3600, needs_wh=need)
    told = {f.about: f.detail["missing_wh"] for f in done.facts if f.kind == "session.short"}
    assert told == {"s-a": need, "s-b": need}
    yard.stop("s-b")
    yard.run(60, every=10)
    yard.change("s-a", ready_by=NOW + 3600 + 120, needs_wh=need)
    assert not yard.session("a").cut_short


def test_who_has_no_departure_is_not_starved() -> None:
    """Beside one that is always in a hurry, one that never told of any departure has had much of half a day's time."""
    street = Street(site(*same("ab"), fuses=[fuse(rating_a=8)], policy=Policy(principle="readiness")))
    street.start("b")
    served = 0
    for n in range(1, 9):
        street.start("a", f"hurry-{n}", ready_by=NOW + n * 3 * 3600, needs_wh=11_000)  # twice what it can get
        for _ in range(12):
            street.run(890, every=89)
            served += street.session("b").phase is Phase.ACTIVE
            street.run(10)
        street.stop(f"hurry-{n}")
        street.run(30, every=10)
    assert served > 12


# ------------------------------------------------------------------ down the tree


def two_rows(principle: str | None, main: str = "equal") -> Yard:
    """Make four outlets on L1 of a main fuse of 30 A, two of them on a row with a principle of its own."""
    return yard_of(
        *same("ab", on="row"),
        *same("xy", on="other"),
        fuses=(
            fuse(rating_a=30, principle=main),
            fuse("row", 30, "main", principle=principle),
            fuse("other", 30, "main"),
        ),
    )


@pytest.mark.parametrize(("principle", "own"), [(None, (7.5, 7.5)), ("first_come", (9, 6)), ("turns", (9, 6))])
def test_a_group_s_principle_is_nobody_else_s_loss(principle: str | None, own: tuple[float, float]) -> None:
    """A row of two has 15 A of 30 A in all, whatever its own principle does with it; the others have theirs."""
    yard = two_rows(principle)
    start_all(yard, "abxy")
    yard.run(60, every=10)
    limits = yard.limits_a()
    assert (limits["a"], limits["b"]) == own
    assert (limits["x"], limits["y"]) == (7.5, 7.5)


def test_a_group_within_first_come_shares_what_its_places_get() -> None:
    """The main fuse gives 6 A to each and 6 A more to the first: the row has 18 A, and shares them equally."""
    yard = two_rows("equal", main="first_come")
    start_all(yard, "abxy")
    yard.run(60, every=10)
    assert yard.limits_a() == {"a": 9, "b": 9, "x": 6, "y": 6}


def test_a_group_chooses_who_takes_its_place() -> None:
    """Of three places the row's two have one half the time; by the row's own weights, b has it three times as often."""
    yard = yard_of(
        *same("ab", on="row"),
        *same("xy"),
        fuses=(fuse(rating_a=20), fuse("row", 8, "main", principle="priority")),
        weights={"staff": 3.0},
    )
    start_all(yard, "axy")
    yard.start("b", group="staff")
    turns = {"a": 0, "b": 0, "x": 0, "y": 0}
    for n in range(1, 41):
        run_to(yard, n * TURN_S - 1, every=60)
        for o in active(yard):
            turns[o] += 1
        run_to(yard, n * TURN_S + 1, every=1)
    assert turns == {"a": pytest.approx(10, abs=1), "b": pytest.approx(30, abs=1), "x": 40, "y": 40}


def test_a_change_of_principle_drops_nobody_who_may_stay() -> None:
    """From equal shares to first come, and back: the same have current, only their shares differ."""
    yard = yard_of(*same("abcd"), rating_a=20)
    start_all(yard, "abcd")
    yard.run(30, every=10)
    before = active(yard)
    assert len(before) == 3
    for n, principle in enumerate(("first_come", "priority", "readiness", "equal"), start=2):
        yard.site = replace(yard.site, policy=Policy(principle=principle), revision=n).checked()
        yard.after(10).tick()
        yard.run(30, every=10)
        assert active(yard) == before
    assert yard.told("session.waiting") == []


def test_who_has_no_time_to_spare_any_more_does_not_wait_for_the_turn() -> None:
    """The moment is planned for: another who has hours left makes room."""
    yard = Yard(site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=8)], policy=Policy(principle="readiness")))
    yard.start("a", ready_by=NOW + 36_000, needs_wh=2_000)
    yard.after(305).frame()
    need = 16 * 230 * 3
    yard.start("b", ready_by=yard.now + 3 * 3600 + 200, needs_wh=need)
    assert yard.limits_a() == {"a": 8}
    yard.run(240, every=20)
    assert yard.limits_a() == {"b": 8}
