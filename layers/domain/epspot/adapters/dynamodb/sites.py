"""Which site a bridge or an outlet belongs to."""

from collections.abc import Callable, Sequence
from time import monotonic

from pynamodb.exceptions import DoesNotExist

from epspot.adapters.dynamodb.items import CoreItem

_FRESH_S = 60.0
_MOST = 4096


class DynamoSites:
    """``Sites`` on the table ``core``; answers are kept for a minute, since things in the ground rarely move."""

    def __init__(self, tick: Callable[[], float] = monotonic) -> None:
        self._tick = tick
        self._known: dict[str, tuple[float, str]] = {}

    def all(self) -> Sequence[str]:
        """List all sites."""
        return [item.site for item in CoreItem.query("SITES")]

    def of_bridge(self, bridge: str) -> str | None:
        """Find the site of a bridge."""
        return self._of("BRIDGE", bridge)

    def of_outlet(self, outlet: str) -> str | None:
        """Find the site of an outlet."""
        return self._of("OUTLET", outlet)

    def _of(self, kind: str, name: str) -> str | None:
        key = f"{kind}#{name}"
        until, site = self._known.get(key, (0.0, ""))
        if self._tick() < until:
            return site
        try:
            item = CoreItem.get(key, kind)
        except DoesNotExist:
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        if item.site is not None:
            self._known[key] = (self._tick() + _FRESH_S, item.site)
        return item.site
