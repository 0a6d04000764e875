"""How fast simulated time passes: site-days a minute on one core, with 30 outlets.

What-if plays the busiest weeks of the Trondheim record at the garages that have 30 outlets together, with a main fuse
that carries half of what would be drawn without limits. The fault simulation lives sites of its own with 30 outlets.
Both count processor time, not what else the machine does.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from time import process_time

from epspot.services.what_if import what_if
from epspot.site import Principle
from tests.bench.delivery import site_of, visits_of
from tests.bench.delivery_problem import WEEKS, Problem, peaks_a, trondheim_problem
from tests.bench.figures import Figure
from tests.simulation.plan import random_plan
from tests.simulation.run import simulate

OUTLETS = 30
MAIN_SHARE = 0.5
PRINCIPLES = (Principle.EQUAL, Principle.TURNS)
GOAL = ">= 300"
LEVELS = ("none", "heavy")
WORLDS = 2
WORLD_DAYS = 1.0
"""Of each world, beside what it takes to heal and end."""


def garages(of: Problem, outlets: int = OUTLETS) -> Problem:
    """Keep garages of a problem, the largest first, as long as they have at most so many outlets together."""
    sizes: dict[str, int] = {}
    for o in of.outlets:
        sizes[o.fuse] = sizes.get(o.fuse, 0) + 1
    kept: set[str] = set()
    for garage in sorted(sizes, key=lambda g: (-sizes[g], g)):
        if sizes[garage] + sum(sizes[g] for g in kept) <= outlets:
            kept.add(garage)
    places = tuple(o for o in of.outlets if o.fuse in kept)
    here = {o.id for o in places}
    return replace(
        of,
        fuses=tuple(f for f in of.fuses if f.parent is None or f.id in kept),
        outlets=places,
        arrivals=tuple(a for a in of.arrivals if a.outlet in here),
    )


def weeks_of_thirty() -> Problem:
    """Make the problem that what-if plays."""
    few = garages(trondheim_problem(1.0))
    peaks = peaks_a(few)
    most = MAIN_SHARE * max(peaks[few.fuses[0].id, p] for p in range(3))
    return replace(few, fuses=tuple(replace(f, rating_a=(most,) * 3) if f.parent is None else f for f in few.fuses))


def site_days_a_minute(days: float, live: Callable[[], object]) -> float:
    """Tell how many site-days pass in a minute of processor time."""
    begun = process_time()
    live()
    return days * 60 / (process_time() - begun)


def played() -> Iterator[Figure]:
    """Measure what-if under two principles: the usual one, and the one that changes most often."""
    problem = weeks_of_thirty()
    visits = visits_of(problem)
    for principle in PRINCIPLES:
        site = site_of(problem, principle)
        pace = site_days_a_minute(7 * WEEKS, lambda site=site: what_if(site, visits))  # type: ignore[misc]
        goal = GOAL if principle is Principle.EQUAL else None
        yield Figure(f"what_if_{principle}_site_days_per_minute", round(pace), "days", goal)


def simulated() -> Iterator[Figure]:
    """Measure the fault simulation on the first worlds that have 30 outlets."""
    seeds = [s for s in range(1000) if len(random_plan(Random(f"{s}/plan")).site.outlets) == OUTLETS][:WORLDS]
    for level in LEVELS:

        def live(level: str = level) -> None:
            for seed in seeds:
                simulate(seed, WORLD_DAYS, level)

        pace = site_days_a_minute(WORLD_DAYS * len(seeds), live)
        yield Figure(f"simulation_{level}_site_days_per_minute", round(pace, 1), "days")


def measure() -> list[Figure]:
    """Measure what-if, then the fault simulation."""
    return [*played(), *simulated()]
