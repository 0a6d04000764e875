"""The main meter's customer port, byte by byte and on a pseudo terminal."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iot.bridge.links import Measured, SlowMeterLink
from iot.bridge.meters import P1Meter, Telegrams, main_meter
from iot.contract import Currents
from iot.simulator.p1 import P1Port, sealed, telegram

SOUND = telegram((1.6, 20.0, 0.3), at=1_700_000_000)
AMPERES = (1.6, 20.0, 0.3)
FRAGMENTS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"/", b"!", b"\r\n", b"!0000\r\n", b"1-0:31.7.0(", SOUND, SOUND[:150], SOUND[150:], b"\xff" * 9]),
)


def lines(*phases: str) -> bytes:
    return sealed([f"1-0:{code}.7.0({value})" for code, value in zip((31, 51, 71), phases, strict=False) if value])


# ------------------------------------------------------------------ telegrams


def test_a_sound_telegram_tells_the_currents() -> None:
    """Of each phase, to a tenth of an ampere."""
    telegrams = Telegrams()
    assert telegrams.feed(SOUND) == AMPERES
    assert telegrams.counts == {"sound": 1}


def test_a_telegram_written_by_hand_is_read() -> None:
    """The simulated meter is not the only one that is understood."""
    assert Telegrams().feed(b"/123456789\r\n1-0:31.7.0(002.5*A)\r\n!3C4E\r\n") == (2.5, 0, 0)


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_it_does_not_matter_how_a_telegram_is_cut(size: int) -> None:
    """A serial line knows no messages."""
    telegrams = Telegrams()
    stream = SOUND * 3
    told = [telegrams.feed(stream[i : i + size]) for i in range(0, len(stream), size)]
    assert [t for t in told if t][-1] == AMPERES
    assert telegrams.counts == {"sound": 3}


@pytest.mark.parametrize("at", [5, 40, 150, len(SOUND) - 3])
def test_a_broken_byte_is_seen(at: int) -> None:
    """The checksum covers everything, and what follows is read again."""
    telegrams = Telegrams()
    broken = SOUND[:at] + (b"0" if SOUND[at : at + 1] != b"0" else b"1") + SOUND[at + 1 :]
    assert telegrams.feed(broken) is None
    assert telegrams.counts == {"checksum": 1}
    assert telegrams.feed(SOUND) == AMPERES


def test_half_a_telegram_does_not_spoil_the_next() -> None:
    """Whichever half: the port was opened in the middle, or lost the end."""
    for half in (SOUND[:150], SOUND[150:-8]):
        telegrams = Telegrams()
        assert telegrams.feed(half) is None
        assert telegrams.feed(SOUND) == AMPERES
        assert telegrams.counts == {"sound": 1, "incomplete": 1}
    telegrams = Telegrams()
    assert telegrams.feed(SOUND[150:]) is None
    assert telegrams.feed(SOUND) == AMPERES
    assert telegrams.counts == {"sound": 1, "garbage": 1}


def test_garbage_is_not_kept() -> None:
    """A line at the wrong speed does not fill the memory."""
    telegrams = Telegrams()
    for _ in range(100):
        telegrams.feed(b"\x00\xff/x" * 500)
    assert len(telegrams._buffer) <= 8192
    assert telegrams.counts["garbage"] >= 20
    telegrams.feed(b"!\r\n")
    assert telegrams.feed(SOUND) == AMPERES


@pytest.mark.parametrize(
    ("data", "current_a"),
    [
        (lines("-03.5*A", "-000*A", "016*A"), (3.5, 0, 16)),
        (lines("5*A"), (5, 0, 0)),
        (lines("0.01*A", "1.25*A", "63.999*A"), (0.01, 1.25, 63.999)),
    ],
)
def test_what_meters_may_say(data: bytes, current_a: Currents) -> None:
    """A sign is left out, since a fuse feels none; a single-phase meter has no other phases."""
    assert Telegrams().feed(data) == current_a


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (lines("", "1*A", "1*A"), "incomplete"),
        (lines("1*A", "", "1*A"), "incomplete"),
        (lines("*A", "1*A", "1*A"), "unreadable"),
        (lines("1*A", "1*A", ""), "incomplete"),
        (sealed(["1-0:1.7.0(0001.000*kW)"]), "incomplete"),
        (lines("1*A", "nan*A", "1*A"), "unreadable"),
        (lines("1*A", "inf*A", "1*A"), "unreadable"),
        (lines("1*A", "99999*A", "1*A"), "unreadable"),
        (lines("1*A", "1*kA", "1*A"), "unreadable"),
        (lines("1*A", "1*A*A", "1*A"), "unreadable"),
        (lines("1*A", "+1*A", "1*A"), "unreadable"),
        (lines("1*A", "1", "1*A"), "unreadable"),
        (lines("1*A", "one*A", "1*A"), "unreadable"),
        (SOUND[: SOUND.index(b"!")] + b"!\r\n", "unreadable"),
    ],
)
def test_what_can_t_be_right_is_not_used(data: bytes, what: str) -> None:
    """Though its checksum is: a missing phase is never zero, and no number is ten thousand ampere."""
    telegrams = Telegrams()
    assert telegrams.feed(data) is None
    assert telegrams.counts == {what: 1}


def test_a_phase_is_not_lost_without_being_missed() -> None:
    """A meter that has shown three phases does not become a single-phase one."""
    telegrams = Telegrams()
    assert telegrams.feed(SOUND) == AMPERES
    assert telegrams.feed(lines("5*A")) is None
    assert telegrams.counts == {"sound": 1, "incomplete": 1}


@settings(max_examples=200, deadline=None)
@given(st.lists(FRAGMENTS, max_size=12))
def test_nothing_that_comes_ever_raises(fragments: list[bytes]) -> None:
    """And after an end of line and a sound telegram all is well again."""
    telegrams = Telegrams()
    for fragment in fragments:
        assert telegrams.feed(fragment) in (None, AMPERES)
    assert telegrams.feed(b"\r\n" + SOUND) == AMPERES


# ------------------------------------------------------------------ the meter


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_value_ages_until_it_means_nothing() -> None:
    """It is told with its age; after 25 s there is none."""
    clock = Clock()
    meter = P1Meter("/dev/none", clock=clock)
    assert meter.newest() is None
    meter.hear(SOUND)
    clock.now += 9
    assert meter.newest() == Measured(AMPERES, 9)
    meter.hear(SOUND[:-3] + b"0\r\n")
    clock.now += 16
    assert meter.sample() == AMPERES
    clock.now += 0.1
    assert (meter.sample(), meter.newest()) == (None, None)
    meter.hear(SOUND)
    assert meter.newest() == Measured(AMPERES, 0)


def wait_for(holds: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[P1Port]:
    made = P1Port(lambda: AMPERES, tmp_path / "ttyP1", pace_s=0.05)
    yield made
    made.stop()


def test_a_real_port_is_read_and_may_come_and_go(port: P1Port, tmp_path: Path) -> None:
    """The agent's meter on a serial line that is not there at first, speaks, breaks off and comes back."""
    meter = P1Meter(str(tmp_path / "ttyP1"), stale_s=0.5, retry_s=0.05)
    meter.start()
    try:
        wait_for(lambda: meter.counts.get("port", 0) > 1)
        assert meter.sample() is None
        port.start()
        wait_for(lambda: meter.sample() == AMPERES)
        port.push(b"\x00\xff\x11\x13garbage\r\n!\r\n")
        before = meter.counts["port"]
        port.unplug()
        wait_for(lambda: meter.sample() is None)
        wait_for(lambda: meter.counts["port"] > before)
        port.plug()
        wait_for(lambda: meter.sample() == AMPERES)
        assert meter.counts["sound"] > 1
    finally:
        meter.stop()
    assert not meter._thread.is_alive()


def test_a_config_makes_a_meter_that_listens(port: P1Port, tmp_path: Path) -> None:
    """And one that is not known is refused when the agent starts."""
    port.start()
    meter = main_meter({"kind": "p1", "port": str(tmp_path / "ttyP1")})
    assert isinstance(meter, SlowMeterLink)
    assert isinstance(meter, P1Meter)
    try:
        wait_for(lambda: meter.sample() == AMPERES)
    finally:
        meter.stop()
    with pytest.raises(ValueError, match="pulse"):
        main_meter({"kind": "pulse"})
    with pytest.raises(KeyError, match="port"):
        main_meter({"kind": "p1"})
