"""The last resort: what the bridge switches off by itself, whether or not the cloud answers."""

import math
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from iot.bridge.settings import FuseLimit
from iot.contract import USUAL_GUARD, Currents, GuardLimits

DRAWS_A = 0.5
"""From this current on, a phase counts as drawing."""

_BUCKET_S, _BUCKETS = 10.0, 90
_GAP_S = 3.0
_HEAVY = 1.3


def allowed_a(limit_a: float) -> float:
    """Tell what may flow under a limit: the limit plus 5 %, at least 0.5 A."""
    return limit_a + max(DRAWS_A, 0.05 * limit_a)


class PowerGuard:
    """Watches one module against the outlet's maximum current.

    Unless the outlet's own tolerances say otherwise: above 150 % trips at once (``instant``), above 110 % +
    0.5 A for 7 s (``seconds``), and so does a mean of 15 minutes above 105 % (``mean``).
    """

    __slots__ = ("_buckets", "_charge_as", "_last", "_over_since", "_start", "_sums_as")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: after a trip, or when the module was out of sight."""
        self._over_since: float | None = None
        self._last: float | None = None
        self._start = 0.0
        self._charge_as = self._sums_as = (0.0, 0.0, 0.0)
        self._buckets: deque[Currents] = deque([self._charge_as] * _BUCKETS)

    def check(self, now: float, current_a: Currents, max_a: float, limits: GuardLimits = USUAL_GUARD) -> str | None:
        """Name the rule that is broken; None: none is."""
        worst = max(current_a)
        if worst > limits.instant * max_a:
            return "instant"
        if worst <= limits.seconds * max_a + limits.seconds_a:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = now
        elif now - self._over_since >= limits.seconds_s:
            return "seconds"
        return "mean" if self._mean_a(now, current_a) > limits.mean * max_a else None

    def _mean_a(self, now: float, current_a: Currents) -> float:
        """Tell the highest phase's mean of the last 15 minutes when a bucket is full; 0 between."""
        if self._last is None:
            self._last = self._start = now
        dt = min(now - self._last, _GAP_S)
        self._last = now
        a, b, c = self._charge_as
        self._charge_as = (a + current_a[0] * dt, b + current_a[1] * dt, c + current_a[2] * dt)
        if now - self._start < _BUCKET_S:
            return 0.0
        oldest, newest, sums = self._buckets.popleft(), self._charge_as, self._sums_as
        self._buckets.append(newest)
        self._sums_as = (
            sums[0] + newest[0] - oldest[0],
            sums[1] + newest[1] - oldest[1],
            sums[2] + newest[2] - oldest[2],
        )
        self._start, self._charge_as = now, (0.0, 0.0, 0.0)
        return max(self._sums_as) / (_BUCKET_S * _BUCKETS)


class Compliance:
    """Watches whether a load follows its limit.

    A load may draw what any limit of the last seconds allowed, so that a decrease upon a decrease gives it
    time for each, and one that follows none of them is caught in the time for the first.
    """

    __slots__ = ("_comply_s", "_excess_since", "_limits")

    def __init__(self, comply_s: float) -> None:
        self._comply_s = comply_s
        self._limits: deque[tuple[float, float]] = deque()
        self._excess_since: float | None = None

    def limit(self, now: float, limit_a: float) -> None:
        """Note the limit that holds from now on."""
        if not self._limits or self._limits[-1][1] != limit_a:
            self._limits.append((now, limit_a))
        while len(self._limits) > 1 and self._limits[1][0] <= now - self._comply_s:
            self._limits.popleft()

    def forgive(self) -> None:
        """Stop counting: nothing is asked of the load now."""
        self._excess_since = None

    def breached(self, now: float, current_a: Currents) -> bool:
        """Tell whether the load has drawn too much for too long."""
        worst = max(current_a)
        if not self._limits or worst <= allowed_a(self._limits[-1][1]):
            self._excess_since = None
            return False
        if self._excess_since is None:
            self._excess_since = now
        if now - self._excess_since < self._comply_s:
            return False
        return worst > self.allows_a(now)

    def allows_a(self, now: float) -> float:
        """Tell what may flow by the largest limit of the last seconds."""
        while len(self._limits) > 1 and self._limits[1][0] <= now - self._comply_s:
            self._limits.popleft()
        return allowed_a(max((limit_a for _, limit_a in self._limits), default=math.inf))


class Share(NamedTuple):
    """What a module that can be shed draws of each *feeder* phase."""

    current_a: Currents
    unruly: bool = False
    """It draws more than its own limit allows."""


class FuseGuard:
    """Sheds modules while a fuse is exceeded.

    Times are those at which the current was *measured*. A meter that has a new value every ten seconds so needs
    two of them to say that the fuse is exceeded: one that is read again is not a second one, and neither sheds
    nor tells what the last shedding has helped.
    """

    __slots__ = ("_fast_s", "_heavy_since", "_over_since", "_shed_at", "_slow_s", "limit")

    def __init__(self, limit: FuseLimit, slow_s: float, fast_s: float) -> None:
        self.limit = limit
        self._slow_s = slow_s
        self._fast_s = fast_s
        self._over_since: list[float | None] = [None, None, None]
        self._heavy_since: list[float | None] = [None, None, None]
        self._shed_at = [-math.inf] * 3

    def check(self, at: float, measured_a: Currents | None, shares: Mapping[str, Share]) -> str | None:
        """Name the module to shed now; None: none.

        On the phase that is most over, the least harmful one. A silent meter neither sheds nor forgives.
        """
        if measured_a is None:
            return None
        excess_a = [a - rating_a for a, rating_a in zip(measured_a, self.limit.rating_a, strict=True)]
        due = [phase for phase in range(3) if self._is_due(at, phase, measured_a[phase])]
        for phase in sorted(due, key=lambda p: -excess_a[p]):
            if (module := _least_harmful(phase, excess_a[phase], shares)) is not None:
                return module
        return None

    def relieved(self, now: float, current_a: Currents) -> None:
        """Take note that a module with this share is shed: its phases are given time to show it."""
        for phase, a in enumerate(current_a):
            if a >= DRAWS_A:
                self._shed_at[phase] = now

    def _is_due(self, at: float, phase: int, measured_a: float) -> bool:
        rating_a = self.limit.rating_a[phase]
        over = self._over_since[phase] = _since(self._over_since[phase], at, measured_a > rating_a)
        heavy = self._heavy_since[phase] = _since(self._heavy_since[phase], at, measured_a > _HEAVY * rating_a)
        slow = over is not None and at - over >= self._slow_s
        fast = heavy is not None and at - heavy >= self._fast_s
        return (slow or fast) and at - self._shed_at[phase] >= self._slow_s


def _least_harmful(phase: int, excess_a: float, shares: Mapping[str, Share]) -> str | None:
    """Choose what to shed on a phase.

    First one that breaks its own limit, the largest of those; else the smallest whose current is enough; else
    the largest.
    """
    drawing = {m: s for m, s in sorted(shares.items()) if s.current_a[phase] >= DRAWS_A}
    unruly = [m for m, s in drawing.items() if s.unruly]
    enough = [m for m, s in drawing.items() if s.current_a[phase] >= excess_a]
    if enough and not unruly:
        return min(enough, key=lambda m: drawing[m].current_a[phase])
    return max(unruly or drawing, key=lambda m: drawing[m].current_a[phase], default=None)


def _since(before: float | None, now: float, holds: bool) -> float | None:  # noqa: FBT001
    if not holds:
        return None
    return now if before is None else before
