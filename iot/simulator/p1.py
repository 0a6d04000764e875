"""The customer port (HAN, P1) of an electricity meter, on a pseudo terminal.

What listens to it opens a serial port, as beside a real meter: a path that leads to the pseudo terminal for as
long as the cable is in.
"""

import os
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from iot.contract import Currents
from iot.simulator.loads import NOMINAL_V

_PACE_S = 10.0
_POLYNOMIAL = 0xA001


def crc16(data: bytes) -> int:
    """Reckon the checksum of a telegram: CRC-16/ARC, from the ``/`` to the ``!``."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ _POLYNOMIAL if crc & 1 else crc >> 1
    return crc


def sealed(lines: list[str]) -> bytes:
    """Make a telegram of lines, with its head and its checksum."""
    text = "".join(f"{line}\r\n" for line in ["/SIM5\\EPSPOT", "", *lines])
    body = text.encode("ascii") + b"!"
    return body + f"{crc16(body):04X}\r\n".encode()


def telegram(current_a: Currents, at: float = 0.0) -> bytes:
    """Make the telegram that a Swedish three-phase meter pushes at an epoch time."""
    powers_kw = [a * NOMINAL_V / 1000 for a in current_a]
    lines = [
        # Swedish meters keep to normal time all the year.
        f"0-0:1.0.0({time.strftime('%y%m%d%H%M%S', time.gmtime(at + 3600))}W)",
        f"1-0:1.7.0({sum(powers_kw):08.3f}*kW)",
        "1-0:2.7.0(0000.000*kW)",
    ]
    lines += [f"1-0:{code}.7.0({kw:08.3f}*kW)" for code, kw in zip((21, 41, 61), powers_kw, strict=True)]
    lines += [f"1-0:{code}.7.0({NOMINAL_V:05.1f}*V)" for code in (32, 52, 72)]
    lines += [f"1-0:{code}.7.0({a:05.1f}*A)" for code, a in zip((31, 51, 71), current_a, strict=True)]
    return sealed(lines)


class P1Port:
    """Pushes what a meter measures through a pseudo terminal, at the pace of the wall clock.

    ``sample`` reads the meter; while it gives None, nothing is pushed. What nobody listens to is lost.
    """

    def __init__(self, sample: Callable[[], Currents | None], path: Path, *, pace_s: float = _PACE_S) -> None:
        self._sample = sample
        self._path = path
        self._pace_s = pace_s
        self._ends: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="p1", daemon=True)

    def start(self) -> None:
        """Put the cable in, and push."""
        self.plug()
        self._thread.start()

    def stop(self) -> None:
        """Stop pushing, and pull the cable."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self.unplug()

    def plug(self) -> None:
        """Put the cable in: the path leads to a port."""
        with self._lock:
            if self._ends is None:
                meter, port = os.openpty()
                tty.setraw(port)
                os.set_blocking(meter, False)
                self._ends = meter, port
                self._path.symlink_to(os.ttyname(port))

    def unplug(self) -> None:
        """Pull the cable: whoever listens is cut off, and the path is gone."""
        with self._lock:
            if self._ends is not None:
                self._path.unlink()
                for end in self._ends:
                    os.close(end)
                self._ends = None

    def push(self, data: bytes) -> None:
        """Push bytes, sound or not."""
        with self._lock:
            if self._ends is not None:
                try:
                    os.write(self._ends[0], data)
                except BlockingIOError:
                    # Nobody listens, as on a real line.
                    return

    def _run(self) -> None:
        while not self._stopping.wait(self._pace_s):
            current_a = self._sample()
            if current_a is not None:
                self.push(telegram(current_a, time.time()))
