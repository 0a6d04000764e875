"""What goes into frames and histories: no more than the cloud does not know yet."""

from collections import deque
from collections.abc import Mapping

from iot.bridge.settings import Deadbands
from iot.contract import Reading, Row

HISTORY_ROWS = 400
"""Rows in one message, by the contract."""


def differs(a: Reading | None, b: Reading | None, within: Deadbands) -> bool:
    """Tell whether two readings differ beyond the deadbands, or at all in what is counted or switched."""
    if a is None or b is None:
        return a is not b
    return (
        (a.plug, a.relay, a.energy_wh, a.limit_a, a.faults) != (b.plug, b.relay, b.energy_wh, b.limit_a, b.faults)
        or any(abs(x - y) > within.current_a for x, y in zip(a.current_a, b.current_a, strict=True))
        or any(abs(x - y) > within.voltage_v for x, y in zip(a.voltage_v, b.voltage_v, strict=True))
        or abs(a.power_w - b.power_w) > within.power_w
        or abs(a.temperature_c - b.temperature_c) > within.temperature_c
        or abs(a.link_pct - b.link_pct) > within.link_pct
    )


class FrameLog:
    """Remembers the last frame that held every module, and lists what has changed since.

    A module that was listed once is listed until the next such frame: one that is no longer listed would read
    as unchanged, while the frame that told otherwise may be lost.
    """

    __slots__ = ("_deadbands", "_full", "_listed", "_since_full", "base", "keyframe_every")

    def __init__(self, deadbands: Deadbands, keyframe_every: int) -> None:
        self._deadbands = deadbands
        self.keyframe_every = keyframe_every
        self.base = 0
        self._since_full = 0
        self._full: dict[str, Reading | None] = {}
        self._listed: set[str] = set()

    def told(self, module: str) -> None:
        """Take note that an event told of a module: it is listed from now on, so that frames confirm or correct it."""
        self._listed.add(module)

    def next(self, seq: int, shown: Mapping[str, Reading | None], *, full: bool) -> dict[str, Reading | None]:
        """Choose the modules of the frame with this number, and count it."""
        self._since_full += 1
        if full or self.base == 0 or self._since_full >= self.keyframe_every or shown.keys() != self._full.keys():
            self.base, self._since_full = seq, 0
            self._full, self._listed = dict(shown), set()
            return dict(shown)
        self._listed |= {m for m, r in shown.items() if differs(r, self._full[m], self._deadbands)}
        return {m: r for m, r in shown.items() if m in self._listed}


class HistoryLog:
    """Notes the registers of a time without connection on a monotonic grid."""

    __slots__ = ("_last", "_next_at", "_rows", "_step_s")

    def __init__(self, step_s: float, rows_max: int) -> None:
        self._step_s = step_s
        self._next_at: float | None = None
        self._last: dict[str, int] = {}
        self._rows: deque[tuple[str, float, int]] = deque(maxlen=rows_max)

    def offline(self, now: float, registers: Mapping[str, int]) -> None:
        """Note what has changed when a quarter hour is full; the first call begins the grid."""
        if self._next_at is None:
            self._next_at, self._last = now + self._step_s, dict(registers)
        for module in registers.keys() - self._last.keys():
            self._last[module] = registers[module]
        if now >= self._next_at:
            self._note(now, registers)
            self._next_at += self._step_s * (1 + (now - self._next_at) // self._step_s)

    def online(self, now: float, registers: Mapping[str, int]) -> None:
        """Note the last row of an offline time, if there was one."""
        if self._next_at is not None:
            self._note(now, registers)
            self._next_at = None

    def take(self, now: float) -> tuple[Row, ...]:
        """Take out the rows of one message, oldest first."""
        rows = [self._rows.popleft() for _ in range(min(HISTORY_ROWS, len(self._rows)))]
        return tuple(Row(module, int(now - at), energy_wh) for module, at, energy_wh in rows)

    def _note(self, now: float, registers: Mapping[str, int]) -> None:
        for module, energy_wh in sorted(registers.items()):
            if self._last.get(module) != energy_wh:
                self._rows.append((module, now, energy_wh))
                self._last[module] = energy_wh
