"""Share the current of a fuse tree: exactly, per phase, with a reason for every ampere.

Two questions, answered one after the other:

``admit``   who can get current at all: in the order given, whoever's smallest useful current still fits
``share``   how much each of the admitted gets: the weighted max-min fair allocation (progressive filling)

Progressive filling raises one water level L from zero. A claim of weight w gets clamp(w L, min, max) until a
fuse-phase above it is full; then everything under that fuse-phase stops where it is, and that fuse-phase is its
reason. The result is the only allocation in which nobody can get more without somebody with less per weight
getting less, and it leaves no ampere unused that anyone could take (Bertsekas and Gallager, Data Networks, §6.5.2).

Each fuse-phase is kept as a line, load(L) = fixed + slope L, which changes only when a claim starts to grow, reaches
its max or is stopped. So n claims under a tree of depth d cost O(n d log n).
"""

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from epspot.site import Network

EPSILON_A = 1e-9


class Claim(NamedTuple):
    """What one outlet asks for: between ``min_a`` and ``max_a``, or nothing."""

    outlet: str
    min_a: float
    max_a: float
    weight: float = 1.0


class Admission(NamedTuple):
    """Who gets in, in the order asked, and why the others don't."""

    admitted: list[Claim]
    refused: dict[str, str]


def admit(network: Network, load: Sequence[float], sessions: Sequence[int], claims: Iterable[Claim]) -> Admission:
    """Let in, one after the other, each claim whose ``min_a`` fits beside ``load`` and those before it.

    ``load`` is in ampere per fuse-phase, ``sessions`` the number already counted per fuse. Whoever doesn't fit is
    passed over, so that nobody waits while there is room. The reason is the first fuse that is in the way, seen
    from the outlet: ``<fuse>/sessions`` or ``<fuse>/<phase>``.
    """
    room = [p - a + EPSILON_A for p, a in zip(network.planning_a, load, strict=True)]
    places = [None if m is None else m - n for m, n in zip(network.max_sessions, sessions, strict=True)]
    admitted: list[Claim] = []
    refused: dict[str, str] = {}
    for claim in claims:
        outlet, least, _, _ = claim
        path = network.paths[outlet]
        for c in path:
            if room[c] < least:
                refused[outlet] = network.names[c]
                break
        else:
            limited = network.fuses[outlet]
            for f in limited:
                if places[f] <= 0:  # type: ignore[operator]  # limited fuses have a number
                    refused[outlet] = f"{network.fuse_names[f]}/sessions"
                    break
            else:
                for c in path:
                    room[c] -= least
                for f in limited:
                    places[f] -= 1  # type: ignore[operator]  # limited fuses have a number
                admitted.append(claim)
    return Admission(admitted, refused)


class Share(NamedTuple):
    """What a claim gets, and the fuse-phase that stopped it (None: it has all that it asks for)."""

    current_a: float
    limited_by: str | None


def share(network: Network, load: Sequence[float], claims: Sequence[Claim]) -> dict[str, Share]:
    """Divide what ``load`` leaves among admitted claims: weighted max-min fair, work-conserving.

    Every claim gets at least its ``min_a``; where even those don't fit (the caller's ``load`` rose), nobody there
    gets more.
    """
    filling = _Filling(network, load, claims)
    filling.run()
    return filling.result()


def floor_a(current_a: float, step_a: float) -> float:
    """Round down to a step, so that a sum of rounded shares never exceeds its fuse; rounding errors don't count."""
    per_a = round(1 / step_a)
    return int(current_a * per_a + 1e-3) / per_a


_WAITS, _GROWS, _DONE = 0, 1, 2


class _Filling:
    """The state of one progressive filling; a claim is known by its number."""

    def __init__(self, network: Network, load: Sequence[float], claims: Sequence[Claim]) -> None:
        n = len(claims)
        self.network = network
        self.claims = claims
        self.paths = [network.paths[c.outlet] for c in claims]
        self.state = [_WAITS] * n
        self.rate = [c.min_a for c in claims]
        self.stopped_by = [-1] * n
        constraints = len(network.names)
        self.fixed = list(load)
        self.slope = [0.0] * constraints
        self.growing = [0] * constraints
        self.full = [False] * constraints
        self.members: list[list[int]] = [[] for _ in range(constraints)]
        for i, (_, least, _, _) in enumerate(claims):
            for c in self.paths[i]:
                self.fixed[c] += least
                self.members[c].append(i)
        self.heap: list[tuple[float, int]] = []

    def run(self) -> None:
        starts = sorted((c.min_a / c.weight, i) for i, c in enumerate(self.claims) if c.max_a > c.min_a)
        ends = sorted((c.max_a / c.weight, i) for i, c in enumerate(self.claims) if c.max_a > c.min_a)
        s = e = 0
        heap = self.heap
        while e < len(ends):
            level = min(starts[s][0], ends[e][0]) if s < len(starts) else ends[e][0]
            if heap and heap[0][0] <= level:
                self._fill_next(level)
                continue
            if s < len(starts) and starts[s][0] == level:
                s = self._start(starts, s, level)
                continue
            self._finish(ends[e][1])
            e += 1

    def _start(self, starts: list[tuple[float, int]], s: int, level: float) -> int:
        """Let everything that starts at this level grow; put the lines that became steeper in the heap."""
        touched: set[int] = set()
        while s < len(starts) and starts[s][0] == level:
            i = starts[s][1]
            s += 1
            path = self.paths[i]
            for c in path:
                if self.full[c]:
                    self.state[i], self.stopped_by[i] = _DONE, c
                    break
            else:
                _, least, _, weight = self.claims[i]
                self.state[i] = _GROWS
                for c in path:
                    self.fixed[c] -= least
                    self.slope[c] += weight
                    self.growing[c] += 1
                touched.update(path)
        fresh = [(self._full_at(c, level), c) for c in touched]
        if len(fresh) > len(self.heap):
            self.heap += fresh
            heapify(self.heap)
        else:
            for entry in fresh:
                heappush(self.heap, entry)
        return s

    def _full_at(self, c: int, level: float) -> float:
        """Find the level at which a fuse-phase is full; never before the present one."""
        return max(level, (self.network.planning_a[c] - self.fixed[c]) / self.slope[c])

    def _fill_next(self, until: float) -> None:
        """Take the fuse-phase that seems to be full first; its line may have become flatter meanwhile."""
        level, c = heappop(self.heap)
        if self.full[c] or not self.growing[c]:
            return
        now = self._full_at(c, level)
        if now > level + EPSILON_A and (now > until or (self.heap and (now, c) > self.heap[0])):
            heappush(self.heap, (now, c))
            return
        self.full[c] = True
        for i in self.members[c]:
            if self.state[i] == _GROWS:
                self._stop(i, self.claims[i].weight * now)
                self.stopped_by[i] = c

    def _finish(self, i: int) -> None:
        if self.state[i] == _GROWS:
            self._stop(i, self.claims[i].max_a)

    def _stop(self, i: int, rate: float) -> None:
        weight = self.claims[i].weight
        self.state[i], self.rate[i] = _DONE, rate
        fixed, slope, growing = self.fixed, self.slope, self.growing
        for c in self.paths[i]:
            fixed[c] += rate
            slope[c] -= weight
            growing[c] -= 1

    def result(self) -> dict[str, Share]:
        names = self.network.names
        return {
            c.outlet: Share(rate, None if by < 0 else names[by])
            for c, rate, by in zip(self.claims, self.rate, self.stopped_by, strict=True)
        }
