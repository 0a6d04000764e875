"""Main meters that the bridge reads by itself.

Swedish electricity meters push a telegram through their customer port (HAN, P1) every ten seconds, if the grid
company has opened it: DSMR P1 over a serial line of 115 200 baud, 8N1. The parser and the serial library are
imported where they are used, since only a bridge with such a meter needs them.
"""

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from iot.bridge.links import Measured, SlowMeterLink
from iot.contract import Currents

_log = logging.getLogger(__name__)
# What is wrong with a telegram is counted here; the parser would write a traceback every ten seconds.
logging.getLogger("dsmr_parser").setLevel(logging.CRITICAL)

_BAUD = 115_200
_END = re.compile(rb"!(?:[0-9A-F]{4})?\r?\n")
_LONGEST = 8192
"""Bytes without the end of a telegram that are kept; real ones are 1 KB."""
_MOST_A = 10_000.0
_READ_S = 1.0
_STALE_S, _RETRY_S = 25.0, 5.0


class Telegrams:
    """Cuts what a P1 port pushes into telegrams, and reads the currents of each sound one.

    Whatever comes is counted and raises nothing: ``sound``, ``checksum`` (its CRC16 is wrong), ``unreadable`` (a
    line is), ``incomplete`` (a part or a phase is missing), ``garbage`` (no telegram at all).
    """

    __slots__ = ("_buffer", "_parser", "_three", "counts")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._buffer = b""
        self._parser = _parser()
        self._three = False
        """It has shown three phases: one that is missing now is no sign of a single-phase meter."""

    def feed(self, data: bytes) -> Currents | None:
        """Take in what has come; returns the currents of the newest telegram that it completes, if one is sound."""
        newest = None
        self._buffer += data
        while end := _END.search(self._buffer):
            telegram, self._buffer = self._buffer[: end.end()], self._buffer[end.end() :]
            newest = self._telegram(telegram) or newest
        if len(self._buffer) > _LONGEST:
            self.counts["garbage"] += 1
            self._buffer = b""
        return newest

    def _telegram(self, data: bytes) -> Currents | None:
        start = data.rfind(b"/")
        if start < 0:
            self.counts["garbage"] += 1
            return None
        if data[:start].strip():
            self.counts["incomplete"] += 1
        what, current_a = self._read(data[start:].decode("latin-1"))
        self.counts[what] += 1
        return current_a

    def _read(self, text: str) -> tuple[str, Currents | None]:
        from dsmr_parser.exceptions import InvalidChecksumError  # noqa: PLC0415

        try:
            telegram = self._parser.parse(text, throw_ex=True)
            a, b, c = (_ampere(getattr(telegram, f"L{n}", None)) for n in (1, 2, 3))
        except InvalidChecksumError:
            return "checksum", None
        except Exception:  # noqa: BLE001 - whatever a broken line makes of the parser
            return "unreadable", None
        if a is not None and b is not None and c is not None:
            self._three = True
            return "sound", (a, b, c)
        if a is not None and b is None and c is None and not self._three:
            return "sound", (a, 0.0, 0.0)
        return "incomplete", None


def _parser() -> Any:
    """Make a parser that looks for the phase currents only: whatever else a meter tells can't be wrong then."""
    from dsmr_parser import obis_references as obis  # noqa: PLC0415
    from dsmr_parser.parsers import CosemParser, TelegramParser, ValueParser  # noqa: PLC0415

    references = (
        obis.INSTANTANEOUS_CURRENT_L1,
        obis.INSTANTANEOUS_CURRENT_L2,
        obis.INSTANTANEOUS_CURRENT_L3,
    )
    value = CosemParser(ValueParser(float))
    objects = [
        {"obis_reference": reference, "value_parser": value, "value_name": f"L{n}"}
        for n, reference in enumerate(references, 1)
    ]
    return TelegramParser({"checksum_support": True, "objects": objects})


def _ampere(line: Any) -> float | None:
    """Read a phase's current without its sign, since a fuse feels no direction; None: it is missing."""
    if line is None or line.value is None:
        return None
    current_a = abs(line.value)
    if line.unit != "A" or not current_a <= _MOST_A:
        raise ValueError(f"{line.value} {line.unit} is no current")
    return float(current_a)


class P1Meter:
    """``SlowMeterLink`` to the customer port of an electricity meter.

    A thread of its own listens. A port that is not there, goes and comes back is tried again and again.
    """

    def __init__(
        self,
        port: str,
        *,
        stale_s: float = _STALE_S,
        retry_s: float = _RETRY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Here as well, so that a bridge without it says so when it starts.
        import serial  # noqa: F401, PLC0415

        self._port = port
        self._stale_s = stale_s
        self._retry_s = retry_s
        self._clock = clock
        self._telegrams = Telegrams()
        self._newest: tuple[Currents, float] | None = None
        self._missing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"meter-{port}", daemon=True)

    @property
    def counts(self) -> Mapping[str, int]:
        """Tell what has come since the start: the counts of `Telegrams`, and ``port``: how often it failed."""
        return dict(self._telegrams.counts)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop listening."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def sample(self) -> Currents | None:
        """Read the newest current of each phase, A; None if it is too old."""
        measured = self.newest()
        return None if measured is None else measured.current_a

    def newest(self) -> Measured | None:
        """Read the newest currents with their age; None if they are too old."""
        if self._newest is None:
            return None
        current_a, at = self._newest
        age_s = self._clock() - at
        return Measured(current_a, age_s) if age_s <= self._stale_s else None

    def hear(self, data: bytes) -> None:
        """Take in what the port has pushed."""
        current_a = self._telegrams.feed(data)
        if current_a is not None:
            self._newest = current_a, self._clock()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 - a driver may raise anything
                self._telegrams.counts["port"] += 1
                if not self._missing:
                    _log.warning("the main meter's port %s fails: %s", self._port, error)
                self._missing = True
            self._stopping.wait(self._retry_s)

    def _listen(self) -> None:
        import serial  # noqa: PLC0415

        with serial.Serial(self._port, _BAUD, timeout=_READ_S) as port:
            _log.info("listening to the main meter at %s", self._port)
            self._missing = False
            while not self._stopping.is_set():
                self.hear(port.read(max(1, port.in_waiting)))


def main_meter(config: Mapping[str, Any]) -> SlowMeterLink:
    """Make and start the main meter of an agent's config.

    ``{"kind": "p1", "port": "/dev/ttyUSB0"}``, optional ``stale_s``: how old a value may be, s. Raises KeyError with
    the name of what is missing, ValueError for an unknown kind.
    """
    if config["kind"] != "p1":
        raise ValueError(f"a main meter of kind {config['kind']!r} is not known; p1 is")
    meter = P1Meter(config["port"], stale_s=config.get("stale_s", _STALE_S))
    meter.start()
    return meter
