"""Random fuse trees with claims, and a slow, exact solution of them to compare with."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from hypothesis import strategies as st

from epspot.control.allocation import Claim
from epspot.site import Fuse, Network, Outlet

WIRINGS = ((0,), (1,), (2,), (0, 1, 2), (1, 2, 0), (2, 0, 1))


class Problem(NamedTuple):
    """Claims under a fuse tree that carries ``load`` already."""

    fuses: tuple[Fuse, ...]
    outlets: tuple[Outlet, ...]
    network: Network
    load: list[float]
    claims: list[Claim]

    @classmethod
    def of(cls, fuses: Sequence[Fuse], outlets: Sequence[Outlet], load: list[float], claims: list[Claim]) -> "Problem":
        return cls(tuple(fuses), tuple(outlets), Network.of(fuses, outlets), load, claims)

    def scaled(self, by: float) -> "Problem":
        """Make every current ``by`` times as large."""
        fuses = [
            Fuse(f.id, f.parent, tuple(a * by for a in f.rating_a), f.max_sessions, 1.0)  # type: ignore[arg-type]
            for f in self.fuses
        ]
        claims = [Claim(c.outlet, c.min_a * by, c.max_a * by, c.weight) for c in self.claims]
        return Problem.of(fuses, self.outlets, [a * by for a in self.load], claims)


@st.composite
def problems(draw: st.DrawFn, *, most_fuses: int = 6, most_claims: int = 10) -> Problem:
    """Draw a tree of fuses, outlets with any wiring, other load and claims, in quarters of an ampere."""
    quarters = st.integers(1, 160).map(lambda q: q / 4)
    fuses = []
    for i in range(draw(st.integers(1, most_fuses))):
        parent = None if i == 0 else f"f{draw(st.integers(0, i - 1))}"
        rating = draw(st.one_of(quarters.map(lambda a: (a, a, a)), st.tuples(quarters, quarters, quarters)))
        fuses.append(Fuse(f"f{i}", parent, rating, draw(st.none() | st.integers(0, 4)), 1.0))
    outlets, claims = [], []
    for i in range(draw(st.integers(1, most_claims))):
        least, more = draw(st.integers(1, 64)) / 4, draw(st.integers(0, 64)) / 4
        on = f"f{draw(st.integers(0, len(fuses) - 1))}"
        outlets.append(Outlet(f"o{i}", f"{i}", on, draw(st.sampled_from(WIRINGS)), least + more, "b", f"M{i}", least))
        weight = draw(st.sampled_from((0.5, 1.0, 1.0, 1.0, 2.0, 3.0)))
        claims.append(Claim(f"o{i}", least, least + more, weight))
    load = [draw(st.integers(0, 20)) / 4 for _ in range(3 * len(fuses))]
    return Problem.of(fuses, outlets, load, claims)


# ------------------------------------------------------------------ slow


def exact_rates(problem: Problem, claims: Sequence[Claim]) -> dict[str, Fraction]:
    """Share by definition: find the lowest level that fills a fuse-phase, stop who stands there, and go on."""
    network = problem.network
    rates: dict[str, Fraction] = {}
    left = list(claims)
    while left:
        levels = {c: _full_at(problem, c, rates, left) for c in range(len(network.names))}
        level = min((v for v in levels.values() if v is not None), default=None)
        if level is None:
            return rates | {c.outlet: Fraction(c.max_a) for c in left}
        full = {c for c, v in levels.items() if v == level}
        stopped = [c for c in left if full & set(network.paths[c.outlet])]
        rates |= {c.outlet: _rate(c, level) for c in stopped}
        left = [c for c in left if c not in stopped]
    return rates


def _rate(claim: Claim, level: Fraction) -> Fraction:
    return min(max(Fraction(claim.weight) * level, Fraction(claim.min_a)), Fraction(claim.max_a))


def _full_at(problem: Problem, c: int, rates: dict[str, Fraction], left: list[Claim]) -> Fraction | None:
    """Find the highest level at which fuse-phase ``c`` is not overloaded, by bisection; None: every level."""
    paths = problem.network.paths
    here = [x for x in left if c in paths[x.outlet]]
    if not here:
        return None
    taken = Fraction(problem.load[c]) + sum((r for o, r in rates.items() if c in paths[o]), Fraction(0))
    room = Fraction(problem.network.planning_a[c]) - taken

    def drawn(level: Fraction) -> Fraction:
        return sum((_rate(x, level) for x in here), Fraction(0))

    bends = sorted({Fraction(a) / Fraction(x.weight) for x in here for a in (x.min_a, x.max_a)})
    if drawn(bends[-1]) <= room:
        return None
    if drawn(bends[0]) > room:
        return Fraction(0)
    low, high = 0, len(bends) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if drawn(bends[middle]) <= room else (low, middle)
    at, slope = drawn(bends[low]), (drawn(bends[high]) - drawn(bends[low])) / (bends[high] - bends[low])
    return bends[low] + (room - at) / slope
