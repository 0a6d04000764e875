"""The cloud's clock."""

from time import time


class SystemClock:
    """``Clock`` of this machine."""

    def now(self) -> float:
        """Tell the time in epoch seconds."""
        return time()
