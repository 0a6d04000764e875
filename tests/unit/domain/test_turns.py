"""Waiting in order, and turns when not all fit."""

from math import ceil

import pytest

from epspot.control.admission import served_s
from epspot.control.due import due_at
from epspot.control.state import Phase
from epspot.site import Policy
from tests.unit.domain.world import NOW, Yard, fuse, outlet, queue, site

TURN_S = 900


def crowd(n: int, places: int, **policy: object) -> Yard:
    """Make ``n`` single-phase outlets on one phase where ``places`` fit, all started in order, a second apart."""
    yard = Yard(
        site(
            *(outlet(f"o{i:02}") for i in range(n)),
            fuses=[fuse(rating_a=6.5 * places)],
            policy=Policy(**policy),  # type: ignore[arg-type]
        ),
        heard=False,
    )
    yard.frame()
    yard.after(1).frame()
    for i in range(n):
        yard.after(1).start(f"o{i:02}")
    yard.run(30, every=10)
    return yard


def active(yard: Yard) -> set[str]:
    return {s.outlet for s in yard.live.sessions.values() if s.phase is Phase.ACTIVE}


def test_who_does_not_fit_waits_in_order() -> None:
    """The queue is in order of arrival, and is told."""
    yard = crowd(5, 2)
    assert active(yard) == {"o00", "o01"}
    assert [s.outlet for s in queue(yard.live.sessions.values())] == ["o02", "o03", "o04"]
    assert [f.about for f in yard.told("session.queued")] == ["s-o02", "s-o03", "s-o04"]
    assert yard.at("o02").reason == "main/L1"


def test_who_waits_gets_the_place_that_becomes_free() -> None:
    """When a session ends, the first in the queue gets its place at once, not at the next turn."""
    yard = crowd(3, 2)
    yard.after(10).stop("s-o00")
    yard.after(10).frame()
    yard.after(10).frame()
    assert active(yard) == {"o01", "o02"}
    assert yard.limits_a() == {"o01": 6.5, "o02": 6.5}


def test_turns_change_at_the_boundary_and_not_within() -> None:
    """Nobody's turn is cut short; at the boundary who waits is served and the others wait."""
    yard = crowd(4, 2)
    yard.run(NOW + TURN_S - 1 - yard.now, every=30)
    assert active(yard) == {"o00", "o01"}
    yard.after(1).tick()
    assert active(yard) == {"o02", "o03"}
    assert [f.about for f in yard.told("session.waiting")] == ["s-o00", "s-o01"]
    assert yard.limits_a() == {}  # the decreases are not seen yet
    yard.after(10).frame()
    assert yard.limits_a() == {"o02": 6.5, "o03": 6.5}


def test_nobody_s_turn_ends_while_nobody_waits() -> None:
    """Without a queue a boundary changes nothing."""
    yard = crowd(2, 2)
    yard.run(3 * TURN_S)
    assert active(yard) == {"o00", "o01"}
    assert yard.told("session.waiting") == []


def test_who_has_just_begun_keeps_its_minimum_time() -> None:
    """A session that got current shortly before the boundary keeps it, whoever waits."""
    yard = crowd(3, 2, min_on_s=300)
    yard.run(NOW + TURN_S - 100 - yard.now, every=30)
    yard.stop("s-o00")
    yard.after(10).frame()  # o02 gets its place, 90 s before the boundary
    yard.after(10).frame()
    yard.start("o00", "again")
    yard.run(NOW + TURN_S + 30 - yard.now, every=30)
    assert active(yard) == {"o00", "o02"}


@pytest.mark.parametrize(("n", "places"), [(2, 1), (4, 3), (5, 2), (7, 3), (9, 1)])
def test_everyone_has_a_turn_soon(n: int, places: int) -> None:
    """With W waiting and S places, everyone has had a turn within ceil(W / S) turns (I5), again and again."""
    yard = crowd(n, places)
    turns = ceil((n - places) / places)
    rounds = 2
    had: list[set[str]] = []
    for _ in range(rounds * turns + 1):
        yard.run(NOW + (len(had) + 1) * TURN_S - 1 - yard.now, every=60)
        had.append(set(yard.limits_a()))
        yard.run(2, every=1)
    for first in range(rounds * turns - turns + 1):
        served = set().union(*had[first : first + turns + 1])
        assert served == {f"o{i:02}" for i in range(n)}


def test_arrivals_starve_nobody() -> None:
    """Somebody new in every turn does not keep anyone from their own."""
    yard = crowd(4, 1)
    had: set[str] = set()
    for turn in range(1, 5):
        yard.run(NOW + turn * TURN_S - 20 - yard.now, every=60)
        had |= active(yard)
        leaving = next(iter(active(yard)))
        if turn < 4:
            yard.stop(yard.session(leaving).id)
            yard.after(5).frame()
            yard.start(leaving, f"new-{turn}")
        had |= active(yard)
    assert had == {"o00", "o01", "o02", "o03"}


def test_a_newcomer_starts_with_the_least_service_present() -> None:
    """Being new is no merit: a newcomer counts as served as long as the least served who is there."""
    yard = crowd(3, 2)
    yard.run(300)
    yard.stop("s-o00")
    yard.after(10).frame()
    yard.start("o00", "new")
    least = min(served_s(s, yard.now) for s in yard.live.sessions.values() if s.id != "new")
    assert yard.live.sessions["new"].served_s == pytest.approx(least)


def test_a_fuse_with_too_many_unknown_lets_nobody_in() -> None:
    """Outlets that may be drawing unseen take places: with more of them than places, nobody is let in."""
    yard = Yard(
        site(
            *(outlet(f"a{i}") for i in range(2)),
            *(outlet(f"b{i}", bridge="b2") for i in range(3)),
            fuses=[fuse(rating_a=100, max_sessions=1)],
        ),
        heard=False,
    )
    yard.frame("b1")
    yard.frame("b1")
    yard.start("a0")
    yard.start("a1")
    assert yard.limits_a() == {}
    assert yard.at("a0").reason == "main/sessions"


# ------------------------------------------------------------------ when to look


def test_a_site_where_nothing_can_happen_is_not_looked_at() -> None:
    """Before anything is heard, and with nothing counted, time changes nothing."""
    yard = Yard(site(outlet("a")), heard=False)
    assert due_at(yard.site, yard.live) is None


def test_a_site_is_looked_at_before_a_turn_ends() -> None:
    """With somebody waiting, the next boundary is when to look, in whole minutes."""
    yard = crowd(3, 2)
    assert due_at(yard.site, yard.live) == NOW + 780  # silence would come first
    yard.run(600)
    assert due_at(yard.site, yard.live) == NOW + TURN_S


@pytest.mark.parametrize("seconds", [0, 30, 800, 2000])
def test_looking_when_due_is_enough(seconds: float) -> None:
    """Up to a minute before its due time a site that hears nothing stays as it is; looked at when due, it goes on."""
    yard = crowd(3, 2)
    yard.after(seconds).tick()
    for _ in range(20):
        due = due_at(yard.site, yard.live)
        if due is None:
            break
        assert due > yard.now
        before = yard.live
        if due - 61 > yard.now:
            yard.now = due - 61
            yard.tick()
            assert yard.live == before
        yard.now = due + 1
        yard.tick()
