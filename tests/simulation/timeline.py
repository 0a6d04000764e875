"""What will happen, in order of time, and in order of asking within a second."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf


class Timeline:
    """Simulated time in whole seconds, and a heap of what is to come."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._heap: list[tuple[float, int, bool, Callable[[], None]]] = []
        self._numbers = count()

    def after(self, seconds: float, what: Callable[[], None], *, concurrent: bool = False) -> None:
        """Let something happen; ``concurrent``: it may also run in the midst of another that is due with it."""
        at = self.now + max(0, round(seconds))
        heappush(self._heap, (at, next(self._numbers), concurrent, what))

    @property
    def next_at(self) -> float:
        """Tell when the next thing happens."""
        return self._heap[0][0] if self._heap else inf

    def run_due(self) -> None:
        """Let everything happen whose time has come."""
        while self._heap and self._heap[0][0] <= self.now:
            heappop(self._heap)[3]()

    def run_concurrent(self) -> bool:
        """Let the next due thing happen now if it may; tell whether it did."""
        if not self._heap or self._heap[0][0] > self.now or not self._heap[0][2]:
            return False
        heappop(self._heap)[3]()
        return True
