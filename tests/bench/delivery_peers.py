"""What others deliver of a delivery problem: acnportal's algorithms, and the optimum of one who knows the future."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import highspy
import numpy as np

from tests.bench.delivery_problem import VOLTAGE_V, Arrival, Outcome, Problem, Served
from tests.bench.optimum import optimum_of, quiet, set_columns
from tests.bench.peers import ask_acnportal

SETTINGS = ("pilots", "continuous")
"""acnportal's two ways with a smallest useful current (acnportal_worker.py); which is better depends."""


def run_peers(problem: Problem) -> dict[str, Outcome]:
    """Let acnportal's algorithms serve everybody, in each setting; outcomes by ``<algorithm>_<setting>``. Raises NoPeer.

    Least laxity knows when everybody will leave, and so does every algorithm in the setting ``continuous``.
    """
    with ThreadPoolExecutor() as pool:
        answers = pool.map(lambda setting: ask_acnportal(_job(problem, setting))["answers"], SETTINGS)
        return {
            f"{name}_{setting}": Outcome.of(_served(problem, answer))
            for setting, by_name in zip(SETTINGS, answers, strict=True)
            for name, answer in by_name.items()
        }


def _served(problem: Problem, answer: Sequence[tuple[float, float]]) -> list[Served]:
    return [Served(a.needs_wh, wh, wait_s) for a, (wh, wait_s) in zip(problem.arrivals, answer, strict=True)]


def _job(problem: Problem, setting: str) -> dict[str, Any]:
    """Describe the problem to the worker: every arrival is a station of its own, since vehicles differ."""
    rating = {(f.id, p): f.rating_a[p] for f in problem.fuses for p in range(3)}
    return {
        "kind": "deliver",
        "setting": setting,
        "period_s": problem.period_s,
        "stations": [
            {"id": str(n), "min_a": a.min_a, "max_a": a.max_a, "volts": VOLTAGE_V * len(a.phases)}
            for n, a in enumerate(problem.arrivals)
        ],
        "constraints": [
            {"name": f"{fuse}/{phase}", "limit_a": rating[fuse, phase], "stations": [str(n) for n in numbers]}
            for (fuse, phase), numbers in problem.under().items()
            if numbers
        ],
        "arrivals": [{"at_s": a.at_s, "leaves_s": a.leaves_s, "needs_wh": a.needs_wh} for a in problem.arrivals],
    }


def optimum_wh(problem: Problem) -> float:
    """Find the most energy that anybody could deliver who knew everything beforehand.

    Time is cut wherever somebody comes or goes. In between, any course of currents can be replaced by its mean
    without breaking an upper limit, so one current per vehicle and piece is exact. That a vehicle needs ``min_a`` is
    left out: with it the optimum can only be less.
    """
    highs = quiet()
    highs.passModel(_program(problem))
    optimum_of(highs)
    return float(highs.getInfo().objective_function_value)


class _Piece(NamedTuple):
    """A column of the program: the mean current of one arrival between two cuts."""

    number: int
    cut: int
    arrival: Arrival
    length_s: float


def _pieces(problem: Problem) -> list[_Piece]:
    cuts = sorted({at_s for a in problem.arrivals for at_s in (a.at_s, a.leaves_s)})
    place = {at_s: k for k, at_s in enumerate(cuts)}
    lengths_s = [end - begin for begin, end in pairwise(cuts)]
    return [
        _Piece(n, k, a, lengths_s[k])
        for n, a in enumerate(problem.arrivals)
        for k in range(place[a.at_s], place[a.leaves_s])
    ]


def _program(problem: Problem) -> highspy.HighsLp:
    """Write the linear program: a row for what each arrival needs, and one for each fuse, phase and piece of time."""
    pieces = _pieces(problem)
    wh_per_a = [p.arrival.wh_per_a_s * p.length_s for p in pieces]
    rows = [[p.number] for p in pieces]
    values = [[wh] for wh in wh_per_a]
    upper = [a.needs_wh for a in problem.arrivals]
    for limit_a, columns in _limits(problem, pieces):
        for c in columns:
            rows[c].append(len(upper))
            values[c].append(1.0)
        upper.append(limit_a)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(pieces), len(upper)
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_ = np.array(wh_per_a)
    program.col_lower_ = np.zeros(len(pieces))
    program.col_upper_ = np.array([p.arrival.max_a for p in pieces])
    program.row_lower_ = np.full(len(upper), -highspy.kHighsInf)
    program.row_upper_ = np.array(upper)
    set_columns(program, rows, values)
    return program


def _limits(problem: Problem, pieces: Sequence[_Piece]) -> Iterator[tuple[float, list[int]]]:
    """List what a fuse may carry on a phase in a piece of time, with the columns that load it.

    Where all at their largest current stay within it, nothing needs to be said.
    """
    rating = {f.id: f.rating_a for f in problem.fuses}
    above = problem.above()
    loads: dict[tuple[str, int, int], list[int]] = {}
    for column, p in enumerate(pieces):
        for fuse in above[p.arrival.outlet]:
            for phase in p.arrival.phases:
                loads.setdefault((fuse, phase, p.cut), []).append(column)
    for (fuse, phase, _), columns in loads.items():
        if sum(pieces[c].arrival.max_a for c in columns) > rating[fuse][phase]:
            yield rating[fuse][phase], columns
