"""Who waits knows where it stands, and when it may expect its turn."""

from dataclasses import replace

import pytest

from epspot.adapters.dynamodb import codec
from epspot.control.draft import Draft
from epspot.control.queueing import NEVER, Expectation, expectation
from epspot.control.state import Phase
from epspot.site import Cap, Policy, Window
from tests.unit.domain.street import Street
from tests.unit.domain.world import NOW, Yard, fuse, outlet, site

TURN_S = 900


def waiting(n: int, places: int, **policy: object) -> Yard:
    """Make ``n`` sessions for which ``places`` have room, started a second apart."""
    yard = Yard(
        site(
            *(outlet(f"o{i}") for i in range(n)),
            fuses=[fuse(rating_a=6.5 * places)],
            policy=Policy(**policy),  # type: ignore[arg-type]
        )
    )
    for i in range(n):
        yard.after(1).start(f"o{i}")
    return yard


def positions(yard: Yard) -> dict[str, int]:
    return {s.outlet: s.position for s in yard.live.sessions.values() if s.position is not None}


def expected(yard: Yard, outlet_: str) -> Expectation:
    return expectation(Draft(yard.site, yard.live, yard.now), yard.session(outlet_))


# ------------------------------------------------------------------ positions


def test_those_who_wait_are_numbered_in_their_order() -> None:
    """The first of those who wait is number one, and each is told once, with the reason."""
    yard = waiting(5, 2)
    assert positions(yard) == {"o2": 1, "o3": 2, "o4": 3}
    told = [(f.about, f.detail["position"], f.detail["reason"]) for f in yard.told("session.queued")]
    assert told == [("s-o2", 1, "main/L1"), ("s-o3", 2, "main/L1"), ("s-o4", 3, "main/L1")]
    yard.run(600, every=30)
    assert yard.told("session.moved") == []


def test_everybody_behind_moves_up_once() -> None:
    """When one leaves the queue, those behind it are told their new number, once; those before it nothing."""
    yard = waiting(6, 2)
    yard.after(1).stop("s-o3")
    assert positions(yard) == {"o2": 1, "o4": 2, "o5": 3}
    yard.run(300, every=10)
    assert [(f.about, f.detail["position"]) for f in yard.told("session.moved")] == [("s-o4", 2), ("s-o5", 3)]


def test_who_has_current_or_rests_has_no_number() -> None:
    """A number is only of those who wait: it is gone with a turn, a pause, and a plan."""
    yard = waiting(4, 2)
    yard.pause("s-o2")
    assert positions(yard) == {"o3": 1}
    yard.stop("s-o0")
    yard.run(30, every=10)
    assert positions(yard) == {}
    assert yard.session("o3").phase is Phase.ACTIVE


def test_each_fuse_has_its_own_queue() -> None:
    """Who waits for one row's fuse stands behind those of that row only."""
    yard = Yard(
        site(
            *(outlet(o, on="row1") for o in "abc"),
            *(outlet(o, on="row2", phase=1) for o in "xyz"),
            fuses=[fuse(rating_a=63), fuse("row1", 8, "main"), fuse("row2", 8, "main")],
        )
    )
    for o in "axbycz":
        yard.after(1).start(o)
    assert positions(yard) == {"b": 1, "c": 2, "y": 1, "z": 2}


def test_who_waits_for_the_main_fuse_stands_behind_all_rows() -> None:
    """For what a row's fuse and the main fuse both lack, everybody who waits before is in front."""
    yard = Yard(
        site(
            *(outlet(o, on="row") for o in "abc"),
            outlet("x"),
            fuses=[fuse(rating_a=8), fuse("row", 8, "main")],
        )
    )
    for o in "abcx":
        yard.after(1).start(o)
    assert positions(yard) == {"b": 1, "c": 2, "x": 3}


def test_a_queue_survives_being_written_and_read() -> None:
    """The state that is read again has the same queue, and goes on in the same order."""
    yard = waiting(5, 2)
    before = positions(yard)
    read = codec.decision_in("s", 0, codec.decision_out(yard.live), codec.SCHEMA)
    yard.live = replace(read, readings=yard.live.readings)
    yard.facts.clear()
    yard.after(10).frame()
    assert positions(yard) == before
    assert [f.kind for f in yard.facts] == []
    yard.run(NOW + TURN_S + 10 - yard.now, every=10)
    assert positions(yard) == {"o4": 1, "o0": 2, "o1": 3}


def test_a_queue_survives_a_new_configuration() -> None:
    """Another name for the site, another outlet, a larger fuse: everybody keeps its place, or gets current."""
    yard = waiting(5, 2)
    yard.site = replace(yard.site, name="another", revision=2)
    yard.after(1).tick()
    assert positions(yard) == {"o2": 1, "o3": 2, "o4": 3}
    yard.site = replace(yard.site, fuses=(fuse(rating_a=19.5),), revision=3)
    yard.after(1).tick()
    yard.run(20, every=10)
    assert positions(yard) == {"o3": 1, "o4": 2}
    assert yard.told("session.waiting") == []


# ------------------------------------------------------------------ expectations


def test_the_next_turn_is_expected_by_as_many_as_have_one() -> None:
    """With two places, numbers one and two expect the next turn, three and four the one after it."""
    yard = waiting(6, 2)
    assert [expected(yard, f"o{i}").likely_at for i in (2, 3, 4, 5)] == [
        NOW + TURN_S,
        NOW + TURN_S,
        NOW + 2 * TURN_S,
        NOW + 2 * TURN_S,
    ]


@pytest.mark.parametrize("principle", ["equal", "turns"])
@pytest.mark.parametrize(("n", "places", "leave_at"), [(4, 1, 0), (5, 2, 0), (7, 3, 400), (4, 1, 800), (6, 2, 880)])
def test_the_latest_is_kept(principle: str, n: int, places: int, leave_at: int) -> None:
    """What is promised at any time is never broken, also where somebody who has just begun keeps its minimum time."""
    yard = waiting(n, places, principle=principle)
    if leave_at:
        yard.run(NOW + leave_at - yard.now, every=40)
        yard.stop("s-o0")
    promised: dict[str, float] = {}
    while yard.now < NOW + (n + 2) * TURN_S:
        yard.run(45, every=45)
        for s in yard.live.sessions.values():
            if s.phase is Phase.ACTIVE:
                promised.pop(s.id, None)
            elif s.position is not None:
                latest = expected(yard, s.outlet).latest_at
                assert latest is not None
                promised[s.id] = min(promised.get(s.id, latest), latest)
                assert yard.now <= promised[s.id] + 60, f"{s.id} was promised its turn by {promised[s.id] - NOW:.0f}"


def test_without_turns_who_is_done_first_makes_room() -> None:
    """Under first come the next expects the place that becomes free first; nothing promises it."""
    street = Street(site(*(outlet(o) for o in "abc"), fuses=[fuse(rating_a=16)], policy=Policy(principle="first_come")))
    street.start("a", until_wh=8 * 230 * 4)
    street.start("b", until_wh=6 * 230)
    street.start("c")
    street.run(10, every=10)
    assert street.limits_a() == {"a": 10, "b": 6}
    likely, latest = expected(street, "c")
    assert likely == pytest.approx(NOW + 3600, abs=20)
    assert latest is None


def test_priority_promises_nobody_a_latest() -> None:
    """By weight somebody else may always come before."""
    yard = waiting(3, 1, principle="priority")
    likely, latest = expected(yard, "o1")
    assert (likely, latest) == (NOW + TURN_S, None)


def test_who_waits_for_a_cap_expects_its_end() -> None:
    """The clock that ends a cap is what is waited for."""
    cap = Cap("morning", 0, windows=(Window(start_min=8 * 60, end_min=9 * 60 + 30),))
    yard = Yard(site(outlet("a"), caps=[cap]))
    yard.start("a")
    assert expected(yard, "a") == (NOW + 1800, None)


def test_who_does_not_wait_expects_nothing() -> None:
    """With current there is nothing to expect."""
    yard = waiting(2, 2)
    assert expected(yard, "o0") == NEVER
