"""How long it takes to decide who gets what, with everybody's reason; how exact that is; and what acnportal needs.

Exactness is the largest difference from the fair allocation that linear programs find (optimum.py), over random trees.
acnportal gets the same 300 claims under the same fuse-phases. All weights are alike there, since its algorithms know
none. Its round robin is what solves the same problem, in steps of an ampere (``pilots``) or a tenth of one
(``continuous``); first come and least laxity solve easier ones.
"""

import gc
import random
import sys
from statistics import median
from time import perf_counter
from typing import Any

from epspot.control.allocation import Claim
from epspot.control.scenario import Problem, solve
from epspot.control.scenario_json import read
from epspot.site import Fuse, Network, Outlet
from tests.bench.figures import Figure
from tests.bench.peers import NoPeer, ask_acnportal
from tests.bench.trees import scenarios

SIZES = (100, 1000, 4000)
GOALS = {1000: "<= 10"}
FANOUT = 8
REPEATS = 15
SEED = 1
TREES = 10_000
PEER_SIZE = 300
PEER_REPEATS = 3
_VOLTAGE_V = 230.0
_SAME_PROBLEM = "round_robin"
_WIRINGS = ((0,), (1,), (2,), (0, 1, 2), (1, 2, 0), (2, 0, 1))


def problem(n: int, seed: int = SEED) -> Problem:
    """Make ``n`` outlets with a session each on a random tree, rated so that most get in and few get their max."""
    rng = random.Random(seed)
    posts = n // FANOUT
    parents: list[str | None] = [None]
    parents += [f"f{rng.randrange(max(1, i // 3), i) if i > 1 else 0}" for i in range(1, posts)]
    outlets = [
        Outlet(
            id=f"o{i}",
            number=str(i),
            fuse=f"f{rng.randrange(posts)}",
            phases=rng.choice(_WIRINGS),
            max_a=rng.choice((16.0, 16.0, 32.0)),
            bridge="b",
            module=f"M{i}",
        )
        for i in range(n)
    ]
    below = [0] * posts
    for o in outlets:
        at: str | None = o.fuse
        while at is not None:
            below[int(at[1:])] += 1
            at = parents[int(at[1:])]
    fuses = []
    for i, parent in enumerate(parents):
        a = max(16.0, below[i] * rng.uniform(4.5, 9.0))
        fuses.append(Fuse(f"f{i}", parent, (a, a, a), planning_factor=1.0))
    claims = [Claim(o.id, o.min_a, o.max_a, rng.choice((1.0, 1.0, 2.0))) for o in outlets]
    rng.shuffle(claims)
    network = Network.of(fuses, outlets)
    return Problem(
        network, [0.0] * len(network.names), {o.id: o for o in outlets}, claims, {o.id: None for o in outlets}
    )


def median_ms(of: Problem, repeats: int = REPEATS) -> float:
    """Solve a problem several times; the median time."""
    solve(of)
    times = []
    for _ in range(repeats):
        gc.collect()
        start = perf_counter()
        solve(of)
        times.append((perf_counter() - start) * 1000)
    return median(times)


def speed() -> list[Figure]:
    """Measure each size, and how the cost grows."""
    figures, times = [], {}
    for n in SIZES:
        of = problem(n)
        times[n] = median_ms(of)
        admitted = 100 * (1 - len(solve(of).waiting) / n)
        figures.append(Figure(f"decide_{n}_outlets", round(times[n], 2), "ms", GOALS.get(n)))
        figures.append(Figure(f"admitted_of_{n}_outlets", round(admitted), "%"))
    figures.append(Figure("four_times_the_outlets_cost", round(times[4000] / times[1000], 2), "times", "<= 6"))
    return figures


# ------------------------------------------------------------------ exactness


def largest_difference_a(trees: int, seed: int = SEED) -> float:
    """Find how far any allowance on random trees is from the exact one, A. Raises ImportError without a solver."""
    from tests.bench.optimum import fair_shares_a  # noqa: PLC0415 - the solver may be missing

    worst = 0.0
    for scenario in scenarios(trees, seed):
        solution = solve(read(scenario))
        admitted = solution.allowances_a.keys() - set(solution.waiting)
        for outlet, exact_a in fair_shares_a(scenario, admitted).items():
            worst = max(worst, abs(exact_a - solution.allowances_a[outlet]))
    return worst


def exactness() -> list[Figure]:
    """Compare with the exact optimum; nothing, and a word about it, when there is no solver."""
    try:
        worst_a = largest_difference_a(TREES)
    except ImportError as missing:
        print(f"allocation: exactness is not measured: {missing}", file=sys.stderr)
        return []
    return [
        Figure("trees_checked", TREES, "trees"),
        Figure("largest_difference_a", round(worst_a, 6), "A", "<= 0.01"),
    ]


# ------------------------------------------------------------------ acnportal


def equal_weights(of: Problem) -> Problem:
    """Ask for the same with the same weight for all."""
    return of._replace(claims=[c._replace(weight=1.0) for c in of.claims])


def acnportal_job(of: Problem, repeats: int = PEER_REPEATS) -> dict[str, Any]:
    """Describe a problem to acnportal: a station per claim, a constraint per fuse-phase."""
    paths = of.network.paths
    return {
        "kind": "allocate",
        "repeats": repeats,
        "stations": [
            {"id": c.outlet, "min_a": c.min_a, "max_a": c.max_a, "volts": _VOLTAGE_V * len(of.outlets[c.outlet].phases)}
            for c in of.claims
        ],
        "constraints": [
            {
                "name": name,
                "limit_a": of.network.planning_a[i] - of.other_a[i],
                "stations": [c.outlet for c in of.claims if i in paths[c.outlet]],
            }
            for i, name in enumerate(of.network.names)
        ],
    }


def against_acnportal() -> list[Figure]:
    """Measure acnportal on the same problem; nothing, and a word about it, when it can't be run."""
    of = equal_weights(problem(PEER_SIZE))
    try:
        done = ask_acnportal(acnportal_job(of))
    except NoPeer as reason:
        print(f"allocation: no peer is measured: {reason}", file=sys.stderr)
        return []
    peer, answers = done["peer"], done["answers"]
    own_ms = median_ms(of)
    fastest_ms = min(a["median_ms"] for name, a in answers.items() if name.startswith(_SAME_PROBLEM))
    any_ms = min(a["median_ms"] for a in answers.values())
    theirs = answers[f"{_SAME_PROBLEM}_continuous"]["currents_a"]
    apart_a = max(abs(theirs[o] - a) for o, a in solve(of).allowances_a.items())
    return [
        Figure(f"decide_{PEER_SIZE}_outlets", round(own_ms, 2), "ms"),
        *(
            Figure(f"{name}_{PEER_SIZE}_outlets", round(answer["median_ms"]), "ms", peer=peer)
            for name, answer in answers.items()
        ),
        Figure(f"{_SAME_PROBLEM}_differs_{PEER_SIZE}_a", round(apart_a, 3), "A", peer=peer),
        Figure(f"times_faster_than_acnportal_{PEER_SIZE}", round(fastest_ms / own_ms), "times", ">= 100", peer),
        Figure(f"times_faster_than_its_fastest_{PEER_SIZE}", round(any_ms / own_ms), "times", peer=peer),
    ]


def measure() -> list[Figure]:
    """Measure EpSpot alone, then against the exact optimum, then against acnportal."""
    return [*speed(), *exactness(), *against_acnportal()]
