"""The simulated customer port of a meter."""

import os
import time
from pathlib import Path

from iot.simulator.p1 import P1Port, crc16, sealed, telegram


def test_the_checksum_is_the_standards() -> None:
    """The check value of CRC-16/ARC."""
    assert crc16(b"123456789") == 0xBB3D


def test_a_telegram_looks_like_a_meters() -> None:
    """A head, an empty line, a line for each value, and the checksum of all of it."""
    data = telegram((1.6, 20.0, 0.25), at=1_767_225_599)
    head, empty, *values, seal, end = data.decode("ascii").split("\r\n")
    assert (head[0], empty, end) == ("/", "", "")
    assert "0-0:1.0.0(260101005959W)" in values
    assert [v for v in values if v.endswith("*A)")] == [
        "1-0:31.7.0(001.6*A)",
        "1-0:51.7.0(020.0*A)",
        "1-0:71.7.0(000.2*A)",
    ]
    assert seal == f"!{crc16(data[: data.index(b'!') + 1]):04X}"
    assert sealed(values) == data


def test_what_nobody_listens_to_is_lost(tmp_path: Path) -> None:
    """The meter never waits; a silent one pushes nothing, and a cable that is out leads nowhere."""
    current_a: list[tuple[float, float, float] | None] = [None]
    port = P1Port(lambda: current_a[0], tmp_path / "tty", pace_s=0.001)
    port.push(b"nowhere")
    port.start()
    path = tmp_path / "tty"
    try:
        listener = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        time.sleep(0.1)
        try:
            heard = os.read(listener, 10)
        except BlockingIOError:
            heard = b""
        assert heard == b""
        current_a[0] = (1.0, 2.0, 3.0)
        time.sleep(1)
        assert port._thread.is_alive()
        assert os.read(listener, 4096).startswith(b"/SIM5")
        os.close(listener)
        port.unplug()
        port.unplug()
        assert not path.is_symlink()
        port.plug()
        port.plug()
        assert path.exists()
    finally:
        port.stop()
    assert not path.is_symlink()
