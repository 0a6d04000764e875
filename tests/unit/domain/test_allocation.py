"""Who is let in and how the current is shared, on random fuse trees."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.control.allocation import Admission, Claim, Share, admit, floor_a, share
from tests.unit.domain.trees import Problem, exact_rates, problems

TOLERANCE_A = 1e-6
thorough = settings(max_examples=200, deadline=None)


def let_in(problem: Problem) -> Admission:
    return admit(problem.network, problem.load, problem.network.sessions(()), problem.claims)


def solved(problem: Problem) -> tuple[list[Claim], dict[str, Share], list[float]]:
    """Solve, and add up what each fuse-phase then carries."""
    admitted = let_in(problem).admitted
    shares = share(problem.network, problem.load, admitted)
    load = problem.network.load(((o, s.current_a) for o, s in shares.items()), problem.load)
    return admitted, shares, load


@thorough
@given(problems())
def test_no_fuse_carries_more_than_may_be_planned(problem: Problem) -> None:
    """Where current is handed out, every fuse-phase above stays within what may be planned."""
    admitted, _, load = solved(problem)
    for c in {c for claim in admitted for c in problem.network.paths[claim.outlet]}:
        assert load[c] <= problem.network.planning_a[c] + TOLERANCE_A


@thorough
@given(problems())
def test_each_gets_nothing_or_what_is_of_use(problem: Problem) -> None:
    """Who is let in gets between its min and its max; who is not gets nothing, with a reason."""
    entry = let_in(problem)
    shares = share(problem.network, problem.load, entry.admitted)
    for claim in entry.admitted:
        assert claim.min_a - TOLERANCE_A <= shares[claim.outlet].current_a <= claim.max_a + TOLERANCE_A
    assert {c.outlet for c in problem.claims} == shares.keys() | entry.refused.keys()
    assert not shares.keys() & entry.refused.keys()


@thorough
@given(problems())
def test_nobody_is_refused_who_would_fit(problem: Problem) -> None:
    """The reason of a refusal is a fuse above that has no room for the smallest useful current, or no place."""
    entry = let_in(problem)
    network = problem.network
    load = network.load(((c.outlet, c.min_a) for c in entry.admitted), problem.load)
    counts = network.sessions(c.outlet for c in entry.admitted)
    least = {c.outlet: c.min_a for c in problem.claims}
    for o, by in entry.refused.items():
        above = {network.names[c]: c for c in network.paths[o]}
        places = {f"{network.fuse_names[f]}/sessions": f for f in network.fuses[o]}
        if by in above:
            assert load[above[by]] + least[o] > network.planning_a[above[by]]
        else:
            assert counts[places[by]] == network.max_sessions[places[by]]


@thorough
@given(problems())
def test_number_of_sessions_is_kept(problem: Problem) -> None:
    """No fuse lets in more sessions than it may have."""
    network = problem.network
    counts = network.sessions(c.outlet for c in let_in(problem).admitted)
    for n, most in zip(counts, network.max_sessions, strict=True):
        assert most is None or n <= most


@thorough
@given(problems(), st.integers(0, 6))
def test_a_fuse_with_too_many_sessions_lets_nobody_in(problem: Problem, present: int) -> None:
    """Where more sessions are counted than allowed, nobody is let in beside them."""
    network = problem.network
    sessions = [present] * len(network.fuse_names)
    for claim in admit(network, problem.load, sessions, problem.claims).admitted:
        for f in network.fuses[claim.outlet]:
            most = network.max_sessions[f]
            assert most is None or present < most


@thorough
@given(problems())
def test_shares_are_fair_and_waste_nothing(problem: Problem) -> None:
    """Who gets less than its max stands under a full fuse-phase where nobody who grew has more per weight."""
    admitted, shares, load = solved(problem)
    network = problem.network
    for claim in admitted:
        got, by = shares[claim.outlet]
        if got >= claim.max_a - TOLERANCE_A:
            continue
        assert by is not None
        c = network.names.index(by)
        assert c in network.paths[claim.outlet]
        assert load[c] >= network.planning_a[c] - TOLERANCE_A
        for other in admitted:
            theirs = shares[other.outlet].current_a
            if c in network.paths[other.outlet] and theirs > other.min_a + TOLERANCE_A:
                assert theirs / other.weight <= got / claim.weight + TOLERANCE_A


@thorough
@given(problems())
def test_who_is_limited_by_nothing_has_all_that_it_asks_for(problem: Problem) -> None:
    """A share without a reason is the claim's max."""
    admitted, shares, _ = solved(problem)
    for claim in admitted:
        got, by = shares[claim.outlet]
        assert by is not None or got == pytest.approx(claim.max_a)


@thorough
@given(problems(most_fuses=4, most_claims=7))
def test_shares_equal_the_definition(problem: Problem) -> None:
    """The fast algorithm gives what exact arithmetic by the definition gives."""
    admitted, shares, _ = solved(problem)
    exact = exact_rates(problem, admitted)
    assert {o: s.current_a for o, s in shares.items()} == pytest.approx(
        {o: float(a) for o, a in exact.items()}, abs=TOLERANCE_A
    )


@thorough
@given(problems())
def test_shares_where_the_load_has_risen(problem: Problem) -> None:
    """Who can't be refused any more keeps its min where even that doesn't fit, and so do all under that fuse."""
    shares = share(problem.network, problem.load, problem.claims)
    exact = exact_rates(problem, problem.claims)
    assert {o: s.current_a for o, s in shares.items()} == pytest.approx(
        {o: float(a) for o, a in exact.items()}, abs=TOLERANCE_A
    )


@thorough
@given(problems(), st.randoms())
def test_shares_do_not_depend_on_the_order(problem: Problem, random: Random) -> None:
    """The same claims in another order get the same."""
    admitted, shares, _ = solved(problem)
    shuffled = [*admitted]
    random.shuffle(shuffled)
    again = share(problem.network, problem.load, shuffled)
    assert {o: s.current_a for o, s in again.items()} == pytest.approx(
        {o: s.current_a for o, s in shares.items()}, abs=TOLERANCE_A
    )


@given(problems())
def test_the_same_problem_has_the_same_solution(problem: Problem) -> None:
    """Nothing but the problem decides: solved again it comes out bit for bit the same."""
    again = Problem.of(problem.fuses, problem.outlets, problem.load, problem.claims)
    assert solved(problem) == solved(again)


@thorough
@given(problems(), st.sampled_from((0.25, 0.5, 2.0, 8.0)))
def test_everything_larger_gives_everything_larger(problem: Problem, by: float) -> None:
    """With every current n times as large, the same are let in and everybody gets n times as much."""
    _, shares, _ = solved(problem)
    _, scaled, _ = solved(problem.scaled(by))
    assert {o: s.current_a for o, s in scaled.items()} == pytest.approx(
        {o: s.current_a * by for o, s in shares.items()}, abs=TOLERANCE_A * by
    )


@given(st.lists(st.floats(0, 63), max_size=50), st.sampled_from((0.01, 1e-6)))
def test_rounding_never_adds_up_to_more(currents: list[float], step_a: float) -> None:
    """A sum of rounded shares is not above the sum of the shares, beyond rounding errors."""
    assert sum(floor_a(a, step_a) for a in currents) <= sum(currents) + len(currents) * step_a * 1.1e-3


def test_rounding_errors_do_not_cost_a_step() -> None:
    """A share that is a whole number of steps but for a rounding error stays what it is."""
    assert floor_a(5.999999999, 0.01) == 6.0
    assert floor_a(6.6666, 0.01) == 6.66
