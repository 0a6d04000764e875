"""How long it takes to decide who gets what, with everybody's reason."""

import gc
import random
from statistics import median
from time import perf_counter

from epspot.control.allocation import Claim
from epspot.control.scenario import Problem, solve
from epspot.site import Fuse, Network, Outlet
from tests.bench.figures import Figure

SIZES = (100, 1000, 4000)
GOALS = {1000: "<= 10"}
FANOUT = 8
REPEATS = 15
SEED = 1
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


def measure() -> list[Figure]:
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
