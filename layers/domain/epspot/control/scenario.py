"""One allocation problem and its solution: what ``python -m epspot.control`` solves."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from epspot.control.allocation import Claim, floor_a
from epspot.control.principles import Contest, balanced_division
from epspot.site import Network, Outlet, Principle


class Problem(NamedTuple):
    """A checked scenario."""

    network: Network
    """With the limits of its caps as they are at the scenario's time."""
    other_a: Sequence[float]
    outlets: Mapping[str, Outlet]
    claims: Sequence[Claim]
    """In the order in which they are served, where a principle has no order of its own in ``orders``."""
    wants: Mapping[str, float | None]
    principles: Sequence[Principle] = ()
    """Of each fuse; none: by weight, everywhere."""
    orders: Mapping[Principle, Sequence[str]] = {}
    needed_a: Mapping[str, float] = {}
    max_imbalance_a: float | None = None


class Solution(NamedTuple):
    """Allowances per outlet with a session (0 = waits), who waits in order, and each one's reason."""

    allowances_a: dict[str, float]
    waiting: list[str]
    limited_by: dict[str, str]


def solve(problem: Problem) -> Solution:
    """Decide who is admitted, what each gets, and why."""
    network = problem.network
    principles = problem.principles or [Principle.PRIORITY] * len(network.fuse_names)
    listed = [c.outlet for c in problem.claims]
    contest = Contest(
        network=network,
        load=network.load_on((), problem.other_a),
        sessions=network.sessions(()),
        principles=principles,
        claims={c.outlet: c for c in problem.claims},
        orders={p: problem.orders.get(p, listed) for p in principles},
        needed_a=problem.needed_a,
    )
    division = balanced_division(contest, problem.max_imbalance_a)
    allowances, reasons = {}, {}
    for o in division.order:
        if o in division.refused:
            allowances[o], reasons[o] = 0.0, division.refused[o]
        else:
            current, by = division.shares[o]
            allowances[o] = floor_a(current, 1e-6)
            reasons[o] = by or reason_of_own(problem.outlets[o], problem.wants[o])
    return Solution(allowances, [o for o in division.order if o in division.refused], reasons)


def reason_of_own(outlet: Outlet, wants_a: float | None) -> str:
    """Name what limits a session that no fuse limits."""
    return "wants" if wants_a is not None and wants_a < outlet.max_a else "outlet"
