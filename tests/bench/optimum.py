"""The fair allocation by linear programs, to hold the allocator to: slow, plain, and without any code of EpSpot.

The weighted max-min fair allocation is the lexicographic maximum of the smallest current per weight, the second
smallest, and so on. Each level is a linear program: raise t as far as it goes while every claim that is still free
gets at least its weight times t. Where the optimum has a price on that (a dual that isn't zero), the claim can't
have more in any optimum, so it stays there; the rest go on to the next level.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

PHASES = ("L1", "L2", "L3")
_PRICED = 1e-7


@dataclass(frozen=True, slots=True)
class Asked:
    """One admitted claim: its bounds in ampere, its weight, and the fuse-phases above it."""

    outlet: str
    least_a: float
    most_a: float
    weight: float
    above: tuple[str, ...]


def fair_shares_a(scenario: Mapping[str, Any], admitted: Collection[str]) -> dict[str, float]:
    """Find the exact allowances of the admitted outlets of a scenario, A."""
    asked = claims_of(scenario, admitted)
    return _Levels(asked, room_of(scenario)).solve() if asked else {}


def room_of(scenario: Mapping[str, Any]) -> dict[str, float]:
    """Tell what each fuse-phase has left beside the other load, A."""
    return {
        f"{f['id']}/{p}": f["rating_a"][i] - f.get("other_a", (0, 0, 0))[i]
        for f in scenario["fuses"]
        for i, p in enumerate(PHASES)
    }


def claims_of(scenario: Mapping[str, Any], admitted: Collection[str]) -> list[Asked]:
    """Read what the admitted ask for: up to what they want, but never less than is of any use."""
    parent = {f["id"]: f["parent"] for f in scenario["fuses"]}
    outlets = {o["id"]: o for o in scenario["outlets"]}
    found = []
    for s in scenario["sessions"]:
        o = outlets[s["outlet"]]
        if o["id"] not in admitted:
            continue
        least, most = o["min_a"], o["max_a"]
        if not o["modulated"]:
            least = most
        elif s["wants_a"] is not None:
            most = max(least, min(most, s["wants_a"]))
        above = tuple(f"{f}/{p}" for f in _chain(o["fuse"], parent) for p in o["phases"])
        found.append(Asked(o["id"], least, most, s["weight"], above))
    return found


def _chain(fuse: str, parent: Mapping[str, str | None]) -> list[str]:
    chain = [fuse]
    while (up := parent[chain[-1]]) is not None:
        chain.append(up)
    return chain


class _Levels:
    """The linear program of one problem: a column per claim and one for t; a row per fuse-phase and per claim."""

    def __init__(self, asked: Sequence[Asked], room_a: Mapping[str, float]) -> None:
        self.asked = asked
        used = {c for a in asked for c in a.above}
        self.fuses = [c for c in room_a if c in used]
        self.room = [room_a[c] for c in self.fuses]
        self.highs = quiet()
        self.highs.passModel(self._program())

    def _program(self) -> highspy.HighsLp:
        n, m = len(self.asked), len(self.fuses)
        number = {c: i for i, c in enumerate(self.fuses)}
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = n + 1, m + n
        program.sense_ = highspy.ObjSense.kMaximize
        program.col_cost_ = np.array([0.0] * n + [1.0])
        program.col_lower_ = np.array([a.least_a for a in self.asked] + [0.0])
        program.col_upper_ = np.array([a.most_a for a in self.asked] + [highspy.kHighsInf])
        program.row_lower_ = np.array([-highspy.kHighsInf] * m + [0.0] * n)
        program.row_upper_ = np.array(self.room + [highspy.kHighsInf] * n)
        rows = [[number[c] for c in a.above] + [m + i] for i, a in enumerate(self.asked)]
        rows.append([m + i for i in range(n)])
        values = [[1.0] * len(r) for r in rows[:-1]] + [[-a.weight for a in self.asked]]
        set_columns(program, rows, values)
        return program

    def solve(self) -> dict[str, float]:
        """Go up level by level until every claim has stopped."""
        free = set(range(len(self.asked)))
        shares = {}
        while free:
            level, stopped = self._raise(free)
            for i in stopped:
                a = self.asked[i]
                current = min(a.most_a, max(a.least_a, a.weight * level))
                shares[a.outlet] = current
                self.highs.changeColBounds(i, current, current)
                self.highs.changeRowBounds(len(self.fuses) + i, -highspy.kHighsInf, highspy.kHighsInf)
            free -= stopped
        return shares

    def _raise(self, free: set[int]) -> tuple[float, set[int]]:
        """Find the next level, and who stops there."""
        solution = optimum_of(self.highs)
        prices = solution.row_dual[len(self.fuses) :]
        stopped = {i for i in free if abs(prices[i]) * self.asked[i].weight > _PRICED}
        if not stopped:
            raise ArithmeticError("the linear program stops nobody")
        return solution.col_value[-1], stopped


# ------------------------------------------------------------------ the solver


def quiet() -> highspy.Highs:
    """Make a solver that prints nothing and is as exact as it can be."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("primal_feasibility_tolerance", 1e-9)
    highs.setOptionValue("dual_feasibility_tolerance", 1e-9)
    return highs


def set_columns(program: highspy.HighsLp, rows: Sequence[Sequence[int]], values: Sequence[Sequence[float]]) -> None:
    """Set a program's matrix, given each column's rows and values."""
    matrix = program.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kColwise
    matrix.start_ = np.cumsum([0, *(len(r) for r in rows)])
    matrix.index_ = np.array([i for r in rows for i in r])
    matrix.value_ = np.array([v for column in values for v in column])


def optimum_of(highs: highspy.Highs) -> highspy.HighsSolution:
    """Solve; raises ArithmeticError when there is no optimum."""
    highs.run()
    if (status := highs.getModelStatus()) != highspy.HighsModelStatus.kOptimal:
        raise ArithmeticError(f"the linear program has no optimum: {status}")
    return highs.getSolution()
