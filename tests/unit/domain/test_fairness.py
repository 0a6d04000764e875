"""What holds on any fuse tree under any principles: no line is exceeded, nothing is wasted, and nobody is passed over."""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from math import ceil
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.control.allocation import TURN
from epspot.control.principles import Contest, Division, divide
from epspot.control.state import Phase
from epspot.site import Cap, Network, Policy, Principle, Site
from tests.unit.domain.trees import Problem, problems
from tests.unit.domain.world import NOW, Yard, fuse, outlet, queue, site

TOLERANCE_A = 1e-6
TURN_S = 900
some = settings(max_examples=100, deadline=None)


@st.composite
def contests(draw: st.DrawFn) -> Contest:
    """Draw a tree with a principle for each fuse, perhaps a cap and a power cap, and an order for each principle."""
    problem: Problem = draw(problems(most_fuses=5, most_claims=8))
    caps = [Cap("c", 10.0, fuse=draw(st.sampled_from(problem.fuses)).id)] if draw(st.booleans()) else []
    network = Network.of(problem.fuses, problem.outlets, caps)
    lines = {c: draw(st.integers(0, 120)) / 4 for own in network.caps.values() for c in own}
    principles = [draw(st.sampled_from(Principle)) for _ in problem.fuses]
    names = [c.outlet for c in problem.claims]
    return Contest(
        network=network.limited(lines),
        load=[*problem.load, *[0.0] * len(lines)],
        sessions=network.sessions(()),
        principles=principles,
        claims={c.outlet: c for c in problem.claims},
        orders={p: draw(st.permutations(names)) for p in {*principles}},
        needed_a={o: draw(st.integers(0, 40)) / 2 for o in names},
    )


def loads(contest: Contest, division: Division) -> list[float]:
    network = contest.network
    drawn = [(network.paths[o], s.current_a) for o, s in division.shares.items()]
    return network.load_on(drawn, contest.load)


@some
@given(contests())
def test_no_line_is_exceeded(contest: Contest) -> None:
    """Whatever the principles, every fuse-phase and cap above somebody with current stays within its limit."""
    division = divide(contest)
    carried = loads(contest, division)
    for c in {c for o in division.shares for c in contest.network.paths[o]}:
        assert carried[c] <= contest.network.planning_a[c] + TOLERANCE_A


@some
@given(contests())
def test_everybody_has_nothing_or_what_is_of_use(contest: Contest) -> None:
    """Who is let in gets at least its min and at most its max; everybody else has a reason."""
    division = divide(contest)
    for o, share in division.shares.items():
        claim = contest.claims[o]
        assert claim.min_a - TOLERANCE_A <= share.current_a <= claim.max_a + TOLERANCE_A
    assert {*division.shares} | {*division.refused} == {*contest.claims}
    assert not {*division.shares} & {*division.refused}
    assert sorted(division.order) == sorted(contest.claims)


@some
@given(contests())
def test_nothing_is_wasted(contest: Contest) -> None:
    """Who has less than it can use names a line above it that is full; who has all names none."""
    division = divide(contest)
    network = contest.network
    carried = loads(contest, division)
    for o, share in division.shares.items():
        if share.limited_by is None:
            assert share.current_a >= contest.claims[o].max_a - TOLERANCE_A
            continue
        own = [c for c in network.paths[o] if network.names[c] == share.limited_by]
        assert any(carried[c] >= network.planning_a[c] - TOLERANCE_A for c in own)


@some
@given(contests())
def test_nobody_is_refused_who_fits(contest: Contest) -> None:
    """Who is refused for a line would not fit there beside the minimums of those let in; for a turn only where places are kept free."""
    division = divide(contest)
    network = contest.network
    least = network.load_on([(network.paths[o], contest.claims[o].min_a) for o in division.shares], contest.load)
    for o, by in division.refused.items():
        if by == TURN:
            assert {Principle.TURNS, Principle.READINESS} & {*contest.principles}
        elif not by.endswith("/sessions"):
            own = [c for c in network.paths[o] if network.names[c] == by]
            assert any(least[c] + contest.claims[o].min_a > network.planning_a[c] for c in own)


@some
@given(contests(), st.randoms(use_true_random=False))
def test_the_order_of_the_outlets_is_no_matter(contest: Contest, random: Random) -> None:
    """Only what each principle says orders: the same claims listed otherwise get the same."""
    names = [*contest.claims]
    random.shuffle(names)
    shuffled = contest._replace(claims={o: contest.claims[o] for o in names})
    one, other = divide(contest), divide(shuffled)
    assert one.refused == other.refused
    assert {o: s.current_a for o, s in one.shares.items()} == pytest.approx(
        {o: s.current_a for o, s in other.shares.items()}, abs=TOLERANCE_A
    )


@some
@given(contests(), st.randoms(use_true_random=False))
def test_who_came_first_is_no_matter_to_equal_shares(contest: Contest, random: Random) -> None:
    """Where all are let in, equal shares do not depend on the order at all."""
    contest = contest._replace(
        principles=[Principle.EQUAL] * len(contest.principles), orders={Principle.EQUAL: [*contest.claims]}
    )
    names = [*contest.claims]
    random.shuffle(names)
    one, other = divide(contest), divide(contest._replace(orders={Principle.EQUAL: names}))
    if one.refused or other.refused:
        return
    assert {o: s.current_a for o, s in one.shares.items()} == pytest.approx(
        {o: s.current_a for o, s in other.shares.items()}, abs=TOLERANCE_A
    )


@some
@given(contests(), st.sampled_from(Principle), st.integers(1, 4))
def test_a_group_s_choice_is_nobody_s_loss(contest: Contest, choice: Principle, at: int) -> None:
    """Where the same are let in, whatever one fuse chooses for its own, nobody outside gets less."""
    equal = [Principle.EQUAL] * len(contest.principles)
    at %= len(equal)
    inside = {o for o in contest.claims if at in contest.network.chains[o]}
    chosen = [choice if f == at or at in _above(contest.network, f) else p for f, p in enumerate(equal)]
    orders = {p: [*contest.claims] for p in (Principle.EQUAL, choice)}
    before = divide(contest._replace(principles=equal, orders=orders))
    after = divide(contest._replace(principles=chosen, orders=orders))
    if before.refused.keys() != after.refused.keys():
        return
    for o in before.shares.keys() - inside:
        assert after.shares[o].current_a >= before.shares[o].current_a - TOLERANCE_A


def _above(network: Network, at: int) -> list[int]:
    found, parent = [], network.parents[at]
    while parent is not None:
        found.append(parent)
        parent = network.parents[parent]
    return found


# ------------------------------------------------------------------ turns, through whole steps


Day: TypeAlias = tuple[tuple[tuple[int, int], ...], ...]
"""People who come and go: for each turn, seconds into it and the outlet where one starts or stops."""

days = st.lists(
    st.lists(st.tuples(st.integers(5, 880), st.integers(0, 7)), max_size=3).map(lambda told: tuple(sorted(told))),
    min_size=4,
    max_size=9,
).map(tuple)


def live_through(yard: Yard, day: Day, outlets: Sequence[str]) -> Iterator[set[str]]:
    """Let a day pass; at the end of each turn, give the sessions that have had current in it."""
    for n, turn in enumerate(day):
        had = on(yard)
        for seconds, which in turn:
            yard.run(NOW + n * TURN_S + seconds - yard.now, every=300)
            come_or_go(yard, outlets[which % len(outlets)])
            yard.run(4, every=2)
            had |= on(yard)
        yard.run(NOW + (n + 1) * TURN_S - 1 - yard.now, every=300)
        yield had | on(yard)
        yard.run(2, every=1)


def come_or_go(yard: Yard, outlet_: str) -> None:
    session = yard.live.session_at(outlet_)
    if session is None:
        yard.start(outlet_, f"{outlet_}-{yard.now:.0f}")
    elif session.phase is not Phase.STOPPING:
        yard.stop(session.id)


def on(yard: Yard) -> set[str]:
    return {s.id for s in yard.live.sessions.values() if s.phase is Phase.ACTIVE}


def smallest_full_set(least_a: float, most_a: float, n: int, room_a: float) -> int:
    """Find, by trying all, how few of ``n`` alike can leave no room for another: each takes from least to most."""
    for size in range(1, n + 1):
        taken = [least_a, most_a]
        for each in combinations_with_replacement(taken, size):
            if sum(each[:-1]) + least_a <= room_a < sum(min(a, room_a) for a in each) + least_a:
                return size
    return n


@settings(max_examples=25, deadline=None)
@given(
    day=days, principle=st.sampled_from(("equal", "turns")), n=st.integers(3, 8), room_a=st.sampled_from((8, 13, 25))
)
def test_whoever_waits_has_its_turn_soon(day: Day, principle: str, n: int, room_a: int) -> None:
    """With S in the smallest full set, the W-th of those who wait has current within ceil(W / S) turns (I5).

    Whoever comes and goes meanwhile; but for those who have just begun, whom the minimum on-time keeps for one turn more.
    Under turns each takes all that it can use, so that fewer are a full set.
    """
    names = [f"o{i}" for i in range(n)]
    yard = Yard(
        site(*(outlet(o) for o in names), fuses=[fuse(rating_a=room_a)], policy=Policy(principle=principle, min_on_s=0))
    )
    full = smallest_full_set(6, 16 if principle == "turns" else 6, n, room_a)
    for o in names:
        yard.after(1).start(o)
    left: dict[str, int] = {}
    for had in live_through(yard, day, names):
        waiting = [s.id for s in queue(yard.live.sessions.values())]
        left = {s: turns - 1 for s, turns in left.items() if s in yard.live.sessions and s not in had}
        assert all(turns > 0 for turns in left.values())
        for place, session in enumerate(waiting, start=1):
            left.setdefault(session, ceil(place / full))


TREES = (
    site(
        outlet("a", on="row"),
        outlet("b", on="row", phase=None),
        outlet("c", on="row", phase=1),
        outlet("d", phase=None),
        outlet("e", phase=1, modulated=False, max_a=10.0),
        outlet("f", phase=2),
        fuses=[fuse(rating_a=14), fuse("row", 10, "main")],
        policy=Policy(min_on_s=0),
    ),
    site(
        outlet("a", on="row"),
        outlet("b", on="row"),
        outlet("c", on="row", phase=None),
        outlet("d", on="far"),
        outlet("e", on="far", phase=None),
        fuses=[
            fuse(rating_a=20),
            fuse("row", 16, "main", principle="turns"),
            fuse("far", 9, "main", max_sessions=1),
        ],
        policy=Policy(min_on_s=0),
    ),
)


@pytest.mark.parametrize("tree", TREES, ids=["wirings", "principles"])
@settings(max_examples=12, deadline=None)
@given(day=days)
def test_nobody_is_passed_over_for_ever(tree: Site, day: Day) -> None:
    """On a tree with any wiring too, the W-th of those who wait has current within W turns."""
    names = [o.id for o in tree.outlets]
    yard = Yard(tree)
    for o in names:
        yard.after(1).start(o)
    left: dict[str, int] = {}
    for had in live_through(yard, day, names):
        waiting = [s.id for s in queue(yard.live.sessions.values())]
        left = {s: turns - 1 for s, turns in left.items() if s in yard.live.sessions and s not in had}
        assert all(turns > 0 for turns in left.values())
        for place, session in enumerate(waiting, start=1):
            left.setdefault(session, place)
