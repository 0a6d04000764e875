"""Messages on their wire: they come out as they went in, fit, and are refused with a reason when they are bad."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot.contract import (
    MAX_BYTES,
    Command,
    Event,
    EventKind,
    Fault,
    Frame,
    GuardLimits,
    History,
    InvalidMessage,
    Plug,
    Reading,
    Row,
    Setting,
    decode_command,
    decode_event,
    decode_frame,
    decode_history,
    encode,
)

ONE_MESSAGE_BYTES = 5 * 1024

# ------------------------------------------------------------------ whatever can be said

bridges = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,31}\Z")
boots = st.from_regex(r"\A[0-9a-f]{8}\Z")
modules = st.from_regex(r"\A[A-Za-z0-9]{1,12}\Z")
counts = st.integers(1, 2**31)
times = st.integers(0, 2**33)
hundredths = st.integers(0, 40_000).map(lambda n: n / 100)
tenths = st.integers(0, 5000).map(lambda n: n / 10)
currents = st.tuples(hundredths, hundredths, hundredths)
readings = st.builds(
    Reading,
    st.sampled_from(Plug),
    st.booleans(),
    currents,
    st.tuples(tenths, tenths, tenths),
    st.integers(0, 50_000).map(float),
    st.integers(0, 2**40),
    st.integers(-40, 120).map(float),
    hundredths,
    st.integers(0, 127).map(Fault),
    st.integers(0, 100),
)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    seq = draw(counts)
    has_meter = draw(st.booleans())
    return Frame(
        bridge=draw(bridges),
        boot=draw(boots),
        seq=seq,
        base=draw(st.integers(1, seq)),
        at=draw(times),
        rev=draw(st.integers(0, 2**31)),
        modules=draw(st.dictionaries(modules, st.none() | readings, max_size=8)),
        meter_a=draw(st.none() | currents) if has_meter else None,
        has_meter=has_meter,
    )


kinds = st.sampled_from(EventKind)
rules = st.none() | st.sampled_from(["instant", "seconds", "mean", "phase", "energy", "time"])
fuses = st.none() | st.text(min_size=1, max_size=64)
events = kinds.flatmap(
    lambda kind: st.builds(
        Event,
        bridges,
        boots,
        counts,
        times,
        counts,
        st.just(kind),
        modules,
        st.none() | readings,
        fuses if kind is EventKind.SHED else rules,
    )
)
rows = st.builds(Row, modules, st.integers(0, 10**6), st.integers(0, 2**40))
histories = st.builds(History, bridges, boots, counts, times, st.lists(rows, max_size=20).map(tuple))
targets = st.none() | st.integers(0, 2**40)
conductors = st.none() | st.sets(st.integers(0, 2), min_size=1).map(lambda c: tuple(sorted(c)))
guards = st.builds(GuardLimits, st.floats(1.05, 3), st.floats(1, 2), st.floats(0, 5), st.floats(1, 60), st.floats(1, 2))
settings = st.builds(
    Setting,
    hundredths,
    st.booleans(),
    hundredths,
    hundredths,
    targets,
    targets,
    conductors,
    st.just(GuardLimits()) | guards,
)
commands = st.builds(
    Command,
    counts,
    boots,
    counts,
    st.integers(1, 86_400),
    st.integers(1, 3600),
    st.dictionaries(modules, settings, max_size=8),
    st.booleans(),
)


@given(frames())
def test_a_frame_comes_out_as_it_went_in(frame: Frame) -> None:
    """Nothing of a frame is lost on the wire, down to a hundredth of an ampere."""
    assert decode_frame(encode(frame)) == frame


@given(events)
def test_an_event_comes_out_as_it_went_in(event: Event) -> None:
    """Nothing of an event is lost on the wire."""
    assert decode_event(encode(event)) == event


@given(histories)
def test_a_history_comes_out_as_it_went_in(history: History) -> None:
    """Nothing of a history is lost on the wire."""
    assert decode_history(encode(history)) == history


@given(commands)
def test_a_command_comes_out_as_it_went_in(command: Command) -> None:
    """Nothing of a command is lost on the wire."""
    assert decode_command(encode(command)) == command


def test_what_is_as_usual_is_not_sent() -> None:
    """A command of today is the same bytes as before there were conductors and tolerances."""
    plain = Command(1, "0123abcd", 7, 900, 60, {"M1": Setting(6, relay=True, max_a=16)})
    assert json.loads(encode(plain))["modules"] == {"M1": {"limit_a": 6, "relay": True, "max_a": 16, "fallback_a": 0.0}}
    told = Setting(6, relay=True, max_a=16, conductors=(0, 2), guard=GuardLimits(seconds_s=12))
    wire = json.loads(encode(Command(1, "0123abcd", 7, 900, 60, {"M1": told})))["modules"]["M1"]
    assert wire["conductors"] == [0, 2]
    assert wire["guard"] == [1.5, 1.1, 0.5, 12, 1.05]


# ------------------------------------------------------------------ size


def busy(i: int) -> Reading:
    """Make a reading with as many digits as an active three-phase module has."""
    a = 31.5 + i / 100
    return Reading(
        Plug.ASKING, True, (a, a, a), (229.9, 230.1, 231.4), 21_740.0, 48_123_456, 41.0, 32.0, Fault.VOLTAGE, 100
    )


def test_fifty_active_modules_fit_one_message() -> None:
    """A frame of 50 active three-phase modules with a main meter costs one message of 5 KB."""
    frame = Frame(
        bridge="bridge-0123456789",
        boot="89abcdef",
        seq=123_456,
        base=123_456,
        at=1_800_000_000,
        rev=123_456,
        modules={f"M{i:04}": busy(i) for i in range(50)},
        meter_a=(199.99, 199.99, 199.99),
        has_meter=True,
    )
    assert len(encode(frame)) <= ONE_MESSAGE_BYTES


def test_a_full_command_fits() -> None:
    """Everything that can be said of 100 modules is one message that the bridge reads."""
    said = Setting(31.99, True, 32.0, 31.99, 48_123_456, 86_400, (0, 1, 2), GuardLimits(2.75, 1.95, 0.25, 59.5, 1.95))
    command = Command(123_456, "89abcdef", 123_456, 900, 60, {f"M{i:04}": said for i in range(100)}, full=True)
    assert len(encode(command)) <= MAX_BYTES


# ------------------------------------------------------------------ bad ones

READING = [1, 1, 600, 0, 0, 2300, 2300, 2300, 1380, 1000, 20, 600, 0, 90]
HEAD: dict[str, Any] = {"v": 1, "bridge": "b1", "boot": "0123abcd", "seq": 7, "at": 0}
GOOD: dict[Callable[[bytes], Any], dict[str, Any]] = {
    decode_frame: HEAD | {"base": 7, "rev": 0, "modules": {"M1": READING, "M2": None}},
    decode_event: HEAD | {"rev": 0, "kind": "plugged", "module": "M1"},
    decode_history: HEAD | {"rows": [["M1", 900, 1000]]},
    decode_command: {
        "v": 1,
        "rev": 1,
        "boot": "0123abcd",
        "seq": 7,
        "ttl_s": 900,
        "interval_s": 60,
        "modules": {"M1": {"limit_a": 6, "relay": True, "max_a": 16, "fallback_a": 0}},
    },
}


def reason(decode: Callable[[bytes], Any], payload: bytes | dict[str, Any]) -> str:
    with pytest.raises(InvalidMessage) as refusal:
        decode(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    assert refusal.value.detail
    return refusal.value.reason


@pytest.mark.parametrize("decode", GOOD)
def test_the_examples_are_good(decode: Callable[[bytes], Any]) -> None:
    """What is spoilt below is good before."""
    assert decode(json.dumps(GOOD[decode]).encode())


@pytest.mark.parametrize("decode", GOOD)
@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"frame"', b"NaN", b'{"v":1', b"[" * 20_000],
    ids=lambda p: p[:6].hex() or "empty",
)
def test_what_is_no_json_object_is_refused(decode: Callable[[bytes], Any], payload: bytes) -> None:
    """Bytes that are no JSON object are refused as such, whatever they are."""
    assert reason(decode, payload) == "not_json"


@pytest.mark.parametrize("decode", GOOD)
def test_an_oversized_message_is_refused_unread(decode: Callable[[bytes], Any]) -> None:
    """More than 32 KB are refused without a look inside."""
    good = json.dumps(GOOD[decode]).encode()
    assert decode(good + b" " * (MAX_BYTES - len(good)))
    assert reason(decode, good + b" " * (MAX_BYTES + 1 - len(good))) == "oversized"


@pytest.mark.parametrize("decode", GOOD)
@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_an_unknown_version_is_refused(decode: Callable[[bytes], Any], version: object) -> None:
    """Another version than 1, or none, is refused as a version."""
    assert reason(decode, GOOD[decode] | {"v": version}) == "version"


@pytest.mark.parametrize("decode", GOOD)
def test_every_part_is_needed_and_no_other_is_known(decode: Callable[[bytes], Any]) -> None:
    """A message that lacks a part, or has one that nobody knows, is refused by its schema."""
    for key in GOOD[decode].keys() - {"v"}:
        assert reason(decode, {k: v for k, v in GOOD[decode].items() if k != key}) == "schema"
    assert reason(decode, GOOD[decode] | {"user": "somebody"}) == "schema"


@pytest.mark.parametrize(
    ("decode", "spoilt"),
    [
        (decode_frame, {"bridge": "B1"}),
        (decode_frame, {"bridge": "b1\n"}),
        (decode_frame, {"boot": "xyz"}),
        (decode_frame, {"seq": 0}),
        (decode_frame, {"seq": 1.5}),
        (decode_frame, {"base": 8}),
        (decode_frame, {"rev": -1}),
        (decode_frame, {"meter": [1, 2]}),
        (decode_frame, {"modules": {"M1": READING[:-1]}}),
        (decode_frame, {"modules": {"M1": [*READING, 0]}}),
        (decode_frame, {"modules": {"M1": [9, *READING[1:]]}}),
        (decode_frame, {"modules": {"M1": [-1, *READING[1:]]}}),
        (decode_frame, {"modules": {"M-1": READING}}),
        (decode_frame, {"modules": {f"M{i}": None for i in range(401)}}),
        (decode_event, {"kind": "party"}),
        (decode_event, {"rule": "law"}),
        (decode_event, {"rule": "main"}),
        (decode_event, {"kind": "shed", "rule": ""}),
        (decode_event, {"kind": "shed", "rule": "x" * 65}),
        (decode_event, {"kind": "shed", "rule": 1}),
        (decode_event, {"reading": [3, *READING[1:]]}),
        (decode_history, {"rows": [["M1", -1, 1000]]}),
        (decode_history, {"rows": [["M1", 900]]}),
        (decode_history, {"rows": [["M1", 900, 1]] * 401}),
        (decode_command, {"rev": 0}),
        (decode_command, {"ttl_s": 0}),
        (decode_command, {"ttl_s": 86_401}),
        (decode_command, {"modules": {"M1": {"limit_a": 6}}}),
        (decode_command, {"modules": {"M1": GOOD[decode_command]["modules"]["M1"] | {"limit_a": -1}}}),
        (decode_command, {"modules": {"M1": GOOD[decode_command]["modules"]["M1"] | {"user": "x"}}}),
    ],
)
def test_what_the_schema_forbids_is_refused(decode: Callable[[bytes], Any], spoilt: dict[str, Any]) -> None:
    """Each value out of its bounds is refused by the schema."""
    assert reason(decode, GOOD[decode] | spoilt) == "schema"


@pytest.mark.parametrize(
    "spoilt",
    [
        *({"conductors": c} for c in ([], [3], [-1], [0, 0], [1, 0], [0, 1, 2, 2], [0.5], ["0"], [True], 0, None)),
        {"guard": [1.5, 1.1, 0.5, 7]},
        {"guard": [1.5, 1.1, 0.5, 7, 1.05, 0]},
        {"guard": [1.5, 1.1, 0.5, 7, "1"]},
        {"guard": None},
        *({"guard": [x, 1.1, 0.5, 7, 1.05]} for x in (1.04, 3.1)),
        *({"guard": [1.5, x, 0.5, 7, 1.05]} for x in (0.99, 2.1)),
        *({"guard": [1.5, 1.1, x, 7, 1.05]} for x in (-0.1, 5.1)),
        *({"guard": [1.5, 1.1, 0.5, x, 1.05]} for x in (0.9, 61)),
        *({"guard": [1.5, 1.1, 0.5, 7, x]} for x in (0.99, 2.1)),
    ],
)
def test_a_setting_has_its_bounds(spoilt: dict[str, Any]) -> None:
    """Conductors are a sorted list of the outlet's own, and no tolerance makes a guard useless."""
    good = GOOD[decode_command]["modules"]["M1"]
    assert reason(decode_command, GOOD[decode_command] | {"modules": {"M1": good | spoilt}}) == "schema"


@pytest.mark.parametrize("part", range(len(READING)))
def test_a_reading_is_whole_numbers(part: int) -> None:
    """The wire carries whole numbers only: a fraction or a word in a reading is refused."""
    for value in (0.5, "1", None, True):
        spoilt = [*READING[:part], value, *READING[part + 1 :]]
        assert reason(decode_frame, GOOD[decode_frame] | {"modules": {"M1": spoilt}}) == "schema"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_do_more_than_be_refused(payload: bytes) -> None:
    """Whatever arrives, it is a message or it is refused with a reason: nothing else is raised."""
    for decode in GOOD:
        try:
            decode(payload)
        except InvalidMessage as refusal:
            assert refusal.reason in {"not_json", "oversized", "version", "schema"}  # noqa: PT017 - or no error
