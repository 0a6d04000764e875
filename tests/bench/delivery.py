"""What share of the energy that is needed EpSpot delivers, beside acnportal and the optimum of one who knows the future.

The cooperative of the Trondheim record in its busiest weeks, with a main fuse that carries ever less of what would be
drawn without limits (delivery_problem). EpSpot is its real controller with its usual settings, played by
``epspot.services.what_if``; it learns that a vehicle is full as it would at a real outlet. Departures are told to it
under readiness only; acnportal's least laxity knows them always, and the optimum knows every arrival as well.
"""

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from importlib import metadata
from typing import NamedTuple

from epspot.services.what_if import Visit, WhatIf, what_if
from epspot.site import Fuse, Outlet, Policy, Principle, Site
from tests.bench.delivery_problem import Outcome, Problem, Served, trondheim_problem
from tests.bench.figures import Figure
from tests.bench.peers import PYTHON, NoPeer

SHARES = (1.0, 0.5, 0.35, 0.25)
PRINCIPLES = (Principle.EQUAL, Principle.TURNS, Principle.FIRST_COME, Principle.READINESS)
GOAL_SHARE = 0.5
OF_OPTIMUM, JAIN = ">= 99", {Principle.TURNS: ">= 0.95"}
MONDAY = 1_798_416_000.0
"""When the first week begins here: a Monday, and the start of a turn."""
_BRIDGES = 2


def site_of(problem: Problem, principle: Principle) -> Site:
    """Build the site: fuses that may carry all of their rating, outlets on two bridges by turns."""
    return Site(
        id="delivery",
        name="Delivery",
        fuses=tuple(Fuse(f.id, f.parent, f.rating_a, planning_factor=1.0) for f in problem.fuses),
        outlets=tuple(
            Outlet(o.id, str(n), o.fuse, o.phases, o.max_a, f"bridge-{n % _BRIDGES}", f"M{n}")
            for n, o in enumerate(problem.outlets)
        ),
        policy=Policy(principle=principle.value),
    ).checked()


def visits_of(problem: Problem, *, ready_by: bool = False) -> list[Visit]:
    """Let everybody come and go as the problem says; ``ready_by``: all say when they will leave."""
    return [
        Visit(
            outlet=a.outlet,
            plugged_at=MONDAY + a.at_s,
            leaves_at=MONDAY + a.leaves_s,
            needs_wh=a.needs_wh,
            max_a=a.max_a,
            ready_by=MONDAY + a.leaves_s if ready_by else None,
        )
        for a in problem.arrivals
    ]


def served_by(done: WhatIf) -> list[Served]:
    """Tell what became of everybody in the words of the score."""
    return [Served(s.visit.needs_wh, s.delivered_wh, s.first_wait_s) for s in done.served]


def deliver(main_share: float, principle: Principle) -> Outcome:
    """Let EpSpot serve everybody."""
    problem = trondheim_problem(main_share)
    visits = visits_of(problem, ready_by=principle is Principle.READINESS)
    return Outcome.of(served_by(what_if(site_of(problem, principle), visits)))


def optimum(main_share: float) -> float | None:
    """Find the best share of the energy; None, and a word about it, without a solver."""
    try:
        from tests.bench.delivery_peers import optimum_wh  # noqa: PLC0415 - the solver may be missing
    except ImportError as missing:
        print(f"delivery: the optimum is not found: {missing}", file=sys.stderr)
        return None
    problem = trondheim_problem(main_share)
    return optimum_wh(problem) / problem.needed_wh


def peers(main_share: float) -> dict[str, Outcome]:
    """Let acnportal serve everybody; nothing, and a word about it, when it can't be run."""
    try:
        from tests.bench.delivery_peers import run_peers  # noqa: PLC0415 - the solver may be missing

        return run_peers(trondheim_problem(main_share))
    except (ImportError, NoPeer) as reason:
        print(f"delivery: no peer is measured: {reason}", file=sys.stderr)
        return {}


def peer_name() -> str | None:
    """Name acnportal with its version; None: it isn't installed."""
    packages = PYTHON.parents[1].glob("lib/*/site-packages")
    found = metadata.distributions(name="acnportal", path=[str(p) for p in packages])
    return next((f"acnportal {d.version}" for d in found), None)


class Row(NamedTuple):
    """All that is measured with one main fuse."""

    main_share: float
    best: float | None
    own: dict[Principle, Outcome]
    others: dict[str, Outcome]
    peer: str | None

    def figures(self) -> Iterator[Figure]:
        """List them: the optimum, then EpSpot by principle, then acnportal by algorithm and setting."""
        percent = round(100 * self.main_share)
        has_goals = self.main_share == GOAL_SHARE
        if self.best is not None:
            yield Figure(f"optimum_{percent}", round(100 * self.best, 2), "%")
        for principle, outcome in self.own.items():
            if self.best is not None:
                of_optimum = round(100 * outcome.delivered_share / self.best, 2)
                yield Figure(f"of_optimum_{principle}_{percent}", of_optimum, "%", OF_OPTIMUM if has_goals else None)
            yield from _outcome(f"{principle}_{percent}", outcome, goal=JAIN.get(principle) if has_goals else None)
        for name, outcome in self.others.items():
            yield from _outcome(f"{name}_{percent}", outcome, peer=self.peer)


def _outcome(name: str, outcome: Outcome, *, goal: str | None = None, peer: str | None = None) -> Iterator[Figure]:
    yield Figure(f"delivered_{name}", round(100 * outcome.delivered_share, 2), "%", peer=peer)
    yield Figure(f"wait_p95_{name}", round(outcome.wait_p95_s), "s", peer=peer)
    yield Figure(f"jain_{name}", round(outcome.jain, 4), "", goal, peer)


def measure() -> list[Figure]:
    """Measure with each main fuse, EpSpot on all processors while acnportal runs beside it."""
    with ProcessPoolExecutor() as pool:
        own = {s: {p: pool.submit(deliver, s, p) for p in PRINCIPLES} for s in SHARES}
        rows = [Row(s, optimum(s), _results(own[s]), peers(s), peer_name()) for s in SHARES]
    return [figure for row in rows for figure in row.figures()]


def _results(futures: Mapping[Principle, Future[Outcome]]) -> dict[Principle, Outcome]:
    return {principle: future.result() for principle, future in futures.items()}
