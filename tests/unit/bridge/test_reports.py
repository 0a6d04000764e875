"""What is told, and when."""

from hypothesis import given
from hypothesis import strategies as st

from iot.bridge.core import BridgeSettings
from iot.contract import Event, Frame, History, Plug, Setting, Upward, decode_frame, encode
from tests.unit.bridge.rig import Rig, charging, on, reading


def test_the_first_frame_after_a_connection_is_full() -> None:
    """The cloud needs a whole state to begin with."""
    rig = Rig(modules=("M1", "M2"))
    rig.step()
    [frame] = rig.frames
    assert (frame.seq, frame.base, set(frame.modules)) == (1, 1, {"M1", "M2"})
    assert decode_frame(encode(frame)).modules.keys() == frame.modules.keys()


def test_frames_come_at_the_interval_that_the_command_says() -> None:
    """A watched bridge is told to send more often."""
    rig = Rig()
    rig.step()
    rig.run(130)
    assert len(rig.frames) == 3
    rig.order(rev=1, interval_s=10, modules={})
    rig.run(3)
    before = len(rig.frames)
    rig.run(40)
    assert len(rig.frames) - before == 4


def test_what_has_not_changed_is_left_out() -> None:
    """Small changes of current and voltage are not worth a byte."""
    rig = charging()
    rig.run(60)
    rig.sent.clear()
    rig.order(modules=on(), ttl_s=10_000, full=True)
    rig.run(3)
    full = rig.frames[-1]
    assert full.base == full.seq
    rig.draws["M1"] = 9.3
    rig.run(60)
    assert rig.frames[-1].modules == {}
    assert rig.frames[-1].base == full.seq


def test_a_module_that_was_listed_stays_listed() -> None:
    """Until the next full frame, even if it is as it was."""
    rig = charging()
    rig.order(modules=on(), ttl_s=10_000, full=True)
    rig.run(3)
    rig.draws["M1"] = 8
    rig.run(61)
    assert "M1" in rig.frames[-1].modules
    rig.draws["M1"] = 9
    rig.run(61)
    assert "M1" in rig.frames[-1].modules


def test_a_register_that_moved_is_always_told() -> None:
    """Energy has no deadband."""
    rig = charging()
    rig.set(energy_wh=1001)
    rig.run(61)
    assert "M1" in rig.frames[-1].modules


def test_every_tenth_frame_is_full() -> None:
    """So that a cloud that missed one is whole again soon."""
    rig = Rig()
    rig.run(60 * 25)
    assert [i for i, f in enumerate(rig.frames) if f.base == f.seq] == [0, 10, 20]


def test_edges_are_told_at_once_but_not_in_a_stream() -> None:
    """A current that comes and goes each second makes one frame in two seconds."""
    rig = charging()
    rig.run(10)
    rig.sent.clear()
    for i in range(20):
        rig.draws["M1"] = 9.0 * (i % 2)
        rig.step()
    assert 9 <= len(rig.frames) <= 10


def test_a_current_about_the_threshold_is_no_edge() -> None:
    """There is a hysteresis between drawing and not drawing."""
    rig = charging(draws=0.55)
    rig.run(5)
    rig.sent.clear()
    for i in range(20):
        rig.draws["M1"] = 0.55 - 0.1 * (i % 2)
        rig.step()
    assert rig.frames == []


def test_a_new_revision_is_told_when_it_is_followed() -> None:
    """The cloud sees a decrease as soon as every load follows it."""
    rig = charging(limit_a=14, draws=13)
    rig.run(5)
    rig.sent.clear()
    rig.order(rev=2, modules=on(8))
    rig.run(4)
    assert rig.frames == []
    rig.draws["M1"] = 8
    rig.run(2)
    [frame] = rig.frames
    shown = frame.modules["M1"]
    assert shown is not None
    assert (frame.rev, shown.limit_a, shown.current_a[0]) == (2, 8, 8)


def test_an_outstanding_decrease_is_told_every_ten_seconds() -> None:
    """Here the module itself does not take the limit."""
    rig = charging(limit_a=14, draws=7)
    rig.obeys = False
    rig.run(3)
    rig.sent.clear()
    rig.order(rev=2, modules=on(8))
    rig.run(41)
    assert 3 <= len(rig.frames) <= 5


def test_a_rising_main_meter_is_told_at_once() -> None:
    """Near the rating every second counts."""
    rig = Rig(BridgeSettings("b1", main_rating_a=(40, 40, 40)))
    rig.meter = (20, 20, 20)
    rig.run(5)
    rig.meter = (25, 20, 20)
    rig.run(5)
    assert len(rig.frames) == 1
    rig.meter = (33, 20, 20)
    rig.step()
    assert len(rig.frames) == 2
    assert rig.frames[-1].meter_a == (33, 20, 20)
    rig.meter = None
    rig.run(61)
    assert (rig.frames[-1].has_meter, rig.frames[-1].meter_a) == (True, None)


def test_nothing_is_numbered_while_disconnected() -> None:
    """Frames that nobody can see are not made."""
    rig = charging()
    seq = rig.bridge.seq
    rig.bridge.disconnected(rig.now)
    rig.run(200)
    assert (rig.sent, rig.bridge.seq) == ([], seq)


def test_events_wait_for_the_connection() -> None:
    """They come before the greeting frame, whose readings are newer, numbered then, and only the last 200."""
    rig = charging()
    rig.bridge.disconnected(rig.now)
    for i in range(300):
        rig.set(plug=Plug.PLUGGED if i % 2 else Plug.NONE)
        rig.step()
    seq = rig.bridge.seq
    rig.bridge.connected(rig.now)
    rig.step()
    assert isinstance(rig.sent[-1], Frame)
    assert [m.seq for m in rig.sent] == list(range(seq + 1, seq + 1 + len(rig.sent)))
    assert len(rig.all(Event)) == 200
    assert rig.events[-1][0] == "plugged"


def test_a_reading_that_an_order_may_have_overtaken_is_not_shown() -> None:
    """While a module is silent and was told something since, no frame says that it is off."""
    rig = Rig()
    rig.run(3)
    rig.order(rev=5, modules={"M1": Setting(16, relay=True, max_a=16)})
    rig.step()
    rig.readings["M1"] = None  # it has closed its relay, and nobody sees it
    rig.order(rev=6, modules={"M1": Setting(0, relay=False, max_a=16)})
    rig.run(20)
    assert rig.frames[-1].rev == 6
    assert rig.frames[-1].modules["M1"] is None
    assert all(f.modules.get("M1") is None for f in rig.frames if f.rev == 6)


def test_history_tells_registers_by_the_quarter_hour() -> None:
    """One row where the register moved, and one at the reconnection; ages are monotonic."""
    rig = charging()
    rig.bridge.disconnected(rig.now)
    rig.run(100)
    rig.set(energy_wh=2000)
    rig.run(1800)
    rig.set(energy_wh=2500)
    rig.run(99)
    rig.bridge.connected(rig.now)
    rig.step()
    assert rig.rows == [("M1", 1100, 2000), ("M1", 0, 2500)]


def test_a_long_history_is_told_in_pieces() -> None:
    """At most 400 rows in a message, one message in a step."""
    rig = Rig(modules=tuple(f"M{i}" for i in range(150)), connect=False)
    for i in range(4):
        for module in rig.readings:
            rig.readings[module] = reading(wh=1000 + i)
        rig.run(900, dt=900)
    rig.bridge.connected(rig.now)
    rig.step()
    assert [len(h.rows) for h in rig.all(History)] == [400]
    rig.run(3)
    assert [len(h.rows) for h in rig.all(History)] == [400, 50]


@given(st.lists(st.tuples(st.sampled_from("pucdlqr"), st.floats(0.2, 5)), max_size=60))
def test_numbers_rise_by_one_and_every_message_is_valid(happenings: list[tuple[str, float]]) -> None:
    """Whatever happens, the upward messages count without a gap and keep to the contract."""
    rig = Rig(modules=("M1", "M2"))
    for what, dt in happenings:
        match what:
            case "p":
                rig.readings["M1"] = reading(plug=Plug.ASKING)
            case "u":
                rig.readings["M1"] = reading(plug=Plug.NONE)
            case "c":
                rig.bridge.connected(rig.now)
            case "d":
                rig.bridge.disconnected(rig.now)
            case "l":
                rig.readings["M2"] = None
            case "q":
                rig.readings["M2"] = reading(wh=int(rig.now))
            case _:
                rig.order(rev=rig.bridge.rev + 1, modules=on())
        rig.draws["M1"] = dt * 4
        rig.step(dt)
    sent: list[Upward] = rig.sent
    assert [m.seq for m in sent] == list(range(1, len(sent) + 1))
    for frame in rig.frames:
        assert decode_frame(encode(frame)).base <= frame.seq
