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

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from types import MappingProxyType
from typing import NamedTuple

from epspot.site import Network

EPSILON_A = 1e-9
TURN = "turn"


class Claim(NamedTuple):
    """What one outlet asks for: between ``min_a`` and ``max_a``, or nothing."""

    outlet: str
    min_a: float
    max_a: float
    weight: float = 1.0
    path: tuple[int, ...] | None = None
    """The lines that it loads, if not all of its outlet's."""


class Admission(NamedTuple):
    """Who gets in, in the order asked, and why the others don't."""

    admitted: list[Claim]
    refused: dict[str, str]


def admit(
    network: Network,
    load: Sequence[float],
    sessions: Sequence[int],
    claims: Iterable[Claim],
    reserve: Mapping[int, Mapping[str, float]] = MappingProxyType({}),
) -> Admission:
    """Let in, one after the other, each claim whose ``min_a`` fits beside ``load`` and those before it.

    ``load`` is in ampere per line, ``sessions`` the number already counted per fuse. Whoever doesn't fit is passed
    over, so that nobody waits while there is room. The reason is the first line that is in the way, seen from the
    outlet: ``<fuse>/sessions``, ``<fuse>/<phase>`` or ``cap:<name>``.

    ``reserve`` tells for some lines what each outlet keeps free for itself there once it is let in, so that few get
    much: who is refused for that alone waits for its ``turn``.
    """
    entrance = _Entrance(network, load, sessions, reserve)
    admitted: list[Claim] = []
    refused: dict[str, str] = {}
    for claim in claims:
        reason = entrance.refuse(claim)
        if reason is None:
            admitted.append(claim)
        else:
            refused[claim.outlet] = reason
    return Admission(admitted, refused)


class _Entrance:
    """What is left for those who come next."""

    def __init__(
        self,
        network: Network,
        load: Sequence[float],
        sessions: Sequence[int],
        reserve: Mapping[int, Mapping[str, float]],
    ) -> None:
        self._network = network
        self._room = [p - a + EPSILON_A for p, a in zip(network.planning_a, load, strict=True)]
        self._places = [None if m is None else m - n for m, n in zip(network.max_sessions, sessions, strict=True)]
        self._reserve = reserve
        self._least_room = list(self._room) if reserve else self._room
        """What would be left if everybody took no more than its least."""

    def refuse(self, claim: Claim) -> str | None:
        """Say why a claim is not let in; None: it is, and has taken its room."""
        network, room, least = self._network, self._room, claim.min_a
        path = claim.path or network.paths[claim.outlet]
        for c in path:
            if room[c] < least:
                return self._reason(c, path, least)
        limited = network.fuses[claim.outlet]
        for f in limited:
            if self._places[f] <= 0:  # type: ignore[operator]  # limited fuses have a number
                return f"{network.fuse_names[f]}/sessions"
        if network.sums and (short := self._short(path, least)) is not None:
            return self._reason(short, path, least)
        if self._reserve:
            self._take_reserve(claim, path)
        else:
            for c in path:
                room[c] -= least
        for f in limited:
            self._places[f] -= 1  # type: ignore[operator]  # limited fuses have a number
        return None

    def _short(self, path: Sequence[int], least: float) -> int | None:
        """Find a line that a path has more than once, and that has not room for each time."""
        return next((c for c in set(path) if self._room[c] < least * path.count(c)), None)

    def _reason(self, c: int, path: Sequence[int], least: float) -> str:
        if self._reserve:
            c = next((i for i in path if self._least_room[i] < least * path.count(i)), -1)
        return TURN if c < 0 else self._network.names[c]

    def _take_reserve(self, claim: Claim, path: Sequence[int]) -> None:
        most = min(self._room[c] / path.count(c) for c in path)
        for c in path:
            kept = self._reserve[c].get(claim.outlet, 0.0) if c in self._reserve else 0.0
            self._room[c] -= max(claim.min_a, min(kept, most))
            self._least_room[c] -= claim.min_a


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


def share_in_order(network: Network, load: Sequence[float], claims: Sequence[Claim]) -> dict[str, Share]:
    """Divide what ``load`` leaves among admitted claims: everybody its ``min_a``, the rest in the order given.

    Each in turn takes all that it can use. Nothing is left that anyone could take, since a line that has stopped
    somebody stays full.
    """
    room = [p - a for p, a in zip(network.planning_a, load, strict=True)]
    paths = [c.path or network.paths[c.outlet] for c in claims]
    for claim, path in zip(claims, paths, strict=True):
        for c in path:
            room[c] -= claim.min_a
    shares = {}
    for claim, path in zip(claims, paths, strict=True):
        tightest = min(path, key=lambda c: room[c] / path.count(c))
        more = max(0.0, min(claim.max_a - claim.min_a, room[tightest] / path.count(tightest)))
        for c in path:
            room[c] -= more
        has_all = claim.min_a + more >= claim.max_a - EPSILON_A
        shares[claim.outlet] = Share(claim.min_a + more, None if has_all else network.names[tightest])
    return shares


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
        self.paths = [c.path or network.paths[c.outlet] for c in claims]
        self.state = [_WAITS] * n
        self.rate = [c.min_a for c in claims]
        self.stopped_by = [-1] * n
        constraints = len(network.names)
        self.fixed = list(load)
        self.slope = [0.0] * constraints
        self.growing = [0] * constraints
        self.full = [False] * constraints
        self.members: list[list[int]] = [[] for _ in range(constraints)]
        for i, claim in enumerate(claims):
            least = claim.min_a
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
                _, least, _, weight, _ = self.claims[i]
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
            c.outlet: Share(rate, None if by < 0 or rate >= c.max_a - EPSILON_A else names[by])
            for c, rate, by in zip(self.claims, self.rate, self.stopped_by, strict=True)
        }
