"""The last resort: what the bridge switches off by itself, whether or not the cloud answers."""

from collections import deque
from collections.abc import Mapping

from iot.contract import Currents

DRAWS_A = 0.5
"""From this current on, a phase counts as drawing."""

_INSTANT = 1.5
_SECONDS, _SECONDS_A, _SECONDS_S = 1.1, 0.5, 7.0
_MEAN, _BUCKET_S, _BUCKETS = 1.05, 10.0, 90
_GAP_S = 3.0
_HEAVY = 1.3


def allowed_a(limit_a: float) -> float:
    """Tell what may flow under a limit: the limit plus 5 %, at least 0.5 A."""
    return limit_a + max(DRAWS_A, 0.05 * limit_a)


class PowerGuard:
    """Watches one module against the outlet's maximum current.

    Above 150 % trips at once (``instant``), above 110 % + 0.5 A for 7 s (``seconds``), and so does a mean of
    15 minutes above 105 % (``mean``).
    """

    __slots__ = ("_buckets", "_charge_as", "_last", "_over_since", "_start")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: after a trip, or when the module was out of sight."""
        self._over_since: float | None = None
        self._last: float | None = None
        self._start = 0.0
        self._charge_as = (0.0, 0.0, 0.0)
        self._buckets: deque[Currents] = deque(maxlen=_BUCKETS)

    def check(self, now: float, current_a: Currents, max_a: float) -> str | None:
        """Name the rule that is broken; None: none is."""
        worst = max(current_a)
        if worst > _INSTANT * max_a:
            return "instant"
        if worst <= _SECONDS * max_a + _SECONDS_A:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = now
        elif now - self._over_since >= _SECONDS_S:
            return "seconds"
        return "mean" if self._mean_a(now, current_a) > _MEAN * max_a else None

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
        self._buckets.append(self._charge_as)
        self._start, self._charge_as = now, (0.0, 0.0, 0.0)
        return max(sum(bucket[phase] for bucket in self._buckets) for phase in range(3)) / (_BUCKET_S * _BUCKETS)


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
        while len(self._limits) > 1 and self._limits[1][0] <= now - self._comply_s:
            self._limits.popleft()
        return worst > allowed_a(max(limit_a for _, limit_a in self._limits))


class MainGuard:
    """Sheds modules while the main meter is above the main fuse."""

    __slots__ = ("_fast_s", "_heavy_since", "_over_since", "_rating_a", "_shed_at", "_slow_s")

    def __init__(self, rating_a: Currents, slow_s: float, fast_s: float) -> None:
        self._rating_a = rating_a
        self._slow_s = slow_s
        self._fast_s = fast_s
        self._over_since: list[float | None] = [None, None, None]
        self._heavy_since: list[float | None] = [None, None, None]
        self._shed_at: float | None = None

    def check(self, now: float, meter_a: Currents | None, loads_a: Mapping[str, Currents]) -> str | None:
        """Name the module to shed now: the largest on the phase that is most over; None: none.

        ``loads_a`` holds what each module that can be shed draws of each *feeder* phase. A silent meter
        neither sheds nor forgives.
        """
        if meter_a is None:
            return None
        due: list[int] = []
        for phase, (a, rating_a) in enumerate(zip(meter_a, self._rating_a, strict=True)):
            over = self._over_since[phase] = _since(self._over_since[phase], now, a > rating_a)
            heavy = self._heavy_since[phase] = _since(self._heavy_since[phase], now, a > _HEAVY * rating_a)
            slow = over is not None and now - over >= self._slow_s
            fast = heavy is not None and now - heavy >= self._fast_s
            if slow or fast:
                due.append(phase)
        if not due or (self._shed_at is not None and now - self._shed_at < self._slow_s):
            return None
        for phase in sorted(due, key=lambda p: self._rating_a[p] - meter_a[p]):
            drawing = [m for m, a in loads_a.items() if a[phase] >= DRAWS_A]
            if drawing:
                self._shed_at = now
                return max(sorted(drawing), key=lambda m: loads_a[m][phase])
        return None


def _since(before: float | None, now: float, holds: bool) -> float | None:  # noqa: FBT001
    if not holds:
        return None
    return now if before is None else before
