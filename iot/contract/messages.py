"""The messages of contract version 1 and their wire form.

Values here are in SI units (A, V, W, Wh, deg C); the wire carries whole numbers in the units that the schemas
name, so that a frame of 50 active three-phase modules fits one 5 KB billing unit of AWS IoT.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag, StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeAlias, cast

import fastjsonschema

from iot.contract.errors import InvalidMessage

VERSION = 1
MAX_BYTES = 32 * 1024
"""A larger message is refused unread. 400 modules of 70 bytes fit."""

FRAME_MAX_AGE_S = 60
"""A frame is useless, and must not be acted on, after this."""

Currents: TypeAlias = tuple[float, float, float]


class Plug(IntEnum):
    """What stands in the outlet."""

    NONE = 0
    PLUGGED = 1
    ASKING = 2


class Fault(IntFlag):
    """What a module knows to be wrong with itself or its load."""

    WELDED_RELAY = 1
    OVER_TEMPERATURE = 2
    VOLTAGE = 4
    REGISTER = 8
    RESIDUAL_CURRENT = 16
    UNLOCKED = 32
    INTERNAL = 64


class EventKind(StrEnum):
    """What an event tells."""

    PLUGGED = "plugged"
    UNPLUGGED = "unplugged"
    OVER_CURRENT = "over_current"
    LIMIT_BREACH = "limit_breach"
    RELAY = "relay"
    TARGET_REACHED = "target_reached"
    FAULT = "fault"
    MODULE_LOST = "module_lost"
    MODULE_FOUND = "module_found"
    SHED = "shed"


class Reading(NamedTuple):
    """The six senses of one module at one moment."""

    plug: Plug
    relay: bool
    """True = closed, as the contact itself feeds back."""
    current_a: Currents
    """Per conductor of the outlet; one with a single phase uses the first. Wiring to feeder phases is the cloud's."""
    voltage_v: Currents
    power_w: float
    energy_wh: int
    """The module's own cumulative register."""
    temperature_c: float
    limit_a: float
    """The limit that the module now applies."""
    faults: Fault
    link_pct: int
    """Quality of the power-line link."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the modules of one bridge read; see frame.v1.json."""

    bridge: str
    boot: str
    seq: int
    base: int
    at: int
    rev: int
    modules: Mapping[str, Reading | None]
    meter_a: Currents | None = None
    has_meter: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a module; see event.v1.json."""

    bridge: str
    boot: str
    seq: int
    at: int
    rev: int
    kind: EventKind
    module: str
    reading: Reading | None = None
    rule: str | None = None


class Row(NamedTuple):
    """A register value of an offline time."""

    module: str
    age_s: int
    energy_wh: int


@dataclass(frozen=True, slots=True)
class History:
    """Registers of an offline time; see history.v1.json."""

    bridge: str
    boot: str
    seq: int
    at: int
    rows: tuple[Row, ...]


class GuardLimits(NamedTuple):
    """The power guard's tolerances over ``max_a``."""

    instant: float = 1.5
    """Above this factor the relay opens at once."""
    seconds: float = 1.1
    seconds_a: float = 0.5
    seconds_s: float = 7.0
    """Above ``seconds`` times max_a plus ``seconds_a`` it opens after this long."""
    mean: float = 1.05
    """Above this factor as a mean of 15 minutes it opens."""


USUAL_GUARD = GuardLimits()


@dataclass(frozen=True, slots=True)
class Setting:
    """The desired state of one module."""

    limit_a: float
    relay: bool
    max_a: float
    fallback_a: float = 0.0
    until_wh: int | None = None
    until_s: int | None = None
    conductors: tuple[int, ...] | None = None
    """The outlet's own conductors (0, 1, 2; sorted) that may carry current; None: all."""
    guard: GuardLimits = USUAL_GUARD


@dataclass(frozen=True, slots=True)
class Command:
    """The whole desired state of a bridge's modules; see command.v1.json."""

    rev: int
    boot: str
    seq: int
    ttl_s: int
    interval_s: int
    modules: Mapping[str, Setting] = field(default_factory=dict)
    full: bool = False


Upward: TypeAlias = Frame | Event | History


# ------------------------------------------------------------------ wire


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _centi(value: float) -> int:
    return round(value * 100)


def _reading_out(r: Reading) -> list[int]:
    return [
        int(r.plug),
        int(r.relay),
        *(_centi(a) for a in r.current_a),
        *(round(v * 10) for v in r.voltage_v),
        round(r.power_w),
        r.energy_wh,
        round(r.temperature_c),
        _centi(r.limit_a),
        int(r.faults),
        r.link_pct,
    ]


def _reading_in(wire: list[int]) -> Reading:
    w = [int(value) for value in wire]  # JSON Schema takes 1.0 for an integer
    if not 0 <= w[0] <= Plug.ASKING:
        raise InvalidMessage("schema", f"plug is {w[0]}, not 0, 1 or 2")
    return Reading(
        Plug(w[0]),
        w[1] == 1,
        (w[2] / 100, w[3] / 100, w[4] / 100),
        (w[5] / 10, w[6] / 10, w[7] / 10),
        float(w[8]),
        w[9],
        float(w[10]),
        w[11] / 100,
        Fault(w[12] & 127),
        w[13],
    )


def _head(message: Upward) -> dict[str, Any]:
    return {
        "v": VERSION,
        "bridge": message.bridge,
        "boot": message.boot,
        "seq": message.seq,
        "at": message.at,
    }


def encode(message: Upward | Command) -> bytes:
    """Render a message in its wire form (UTF-8 JSON without spaces)."""
    match message:
        case Frame():
            body = _head(message) | {"base": message.base, "rev": message.rev}
            if message.has_meter:
                body["meter"] = None if message.meter_a is None else [_centi(a) for a in message.meter_a]
            body["modules"] = {m: None if r is None else _reading_out(r) for m, r in message.modules.items()}
        case Event():
            body = _head(message) | {
                "rev": message.rev,
                "kind": message.kind.value,
                "module": message.module,
            }
            if message.reading is not None:
                body["reading"] = _reading_out(message.reading)
            if message.rule is not None:
                body["rule"] = message.rule
        case History():
            body = _head(message) | {"rows": [list(row) for row in message.rows]}
        case Command():
            body = {
                "v": VERSION,
                "rev": message.rev,
                "boot": message.boot,
                "seq": message.seq,
                "ttl_s": message.ttl_s,
                "interval_s": message.interval_s,
            }
            if message.full:
                body["full"] = True
            body["modules"] = {m: _setting_out(s) for m, s in message.modules.items()}
    return _dump(body)


def _setting_out(s: Setting) -> dict[str, Any]:
    out: dict[str, Any] = {
        "limit_a": round(s.limit_a, 2),
        "relay": s.relay,
        "max_a": s.max_a,
        "fallback_a": s.fallback_a,
    }
    if s.until_wh is not None:
        out["until_wh"] = s.until_wh
    if s.until_s is not None:
        out["until_s"] = s.until_s
    if s.conductors is not None:
        out["conductors"] = list(s.conductors)
    if s.guard != USUAL_GUARD:
        out["guard"] = list(s.guard)
    return out


def _setting_in(wire: Mapping[str, Any]) -> Setting:
    s = dict(wire)
    for target in ("until_wh", "until_s"):
        if target in s:
            s[target] = int(s[target])
    if "conductors" in s:
        s["conductors"] = tuple(int(c) for c in s["conductors"])
    if "guard" in s:
        s["guard"] = GuardLimits(*s["guard"])
    return Setting(**s)


@cache
def _validator(kind: str) -> Any:
    schema = json.loads(files("iot.contract").joinpath(f"schemas/{kind}.v{VERSION}.json").read_text("utf-8"))
    return fastjsonschema.compile(schema)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _checked(kind: str, payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_BYTES:
        raise InvalidMessage("oversized", f"{len(payload)} bytes; at most {MAX_BYTES} are read")
    try:
        body = json.loads(payload, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidMessage("not_json", str(error)[:200]) from None
    if not isinstance(body, dict):
        raise InvalidMessage("not_json", "the message is not a JSON object")
    if body.get("v") != VERSION:
        raise InvalidMessage("version", f"v is {str(body.get('v'))[:20]!r}; this side speaks {VERSION}")
    try:
        _validator(kind)(body)
    except fastjsonschema.JsonSchemaValueException as error:
        raise InvalidMessage("schema", error.message[:200]) from None
    return cast("dict[str, Any]", body)


def decode_frame(payload: bytes) -> Frame:
    """Read a frame. Raises InvalidMessage."""
    b = _checked("frame", payload)
    if b["base"] > b["seq"]:
        raise InvalidMessage("schema", f"base {b['base']} is later than seq {b['seq']}")
    meter = b.get("meter")
    return Frame(
        bridge=b["bridge"],
        boot=b["boot"],
        seq=int(b["seq"]),
        base=int(b["base"]),
        at=b["at"],
        rev=int(b["rev"]),
        modules={m: None if w is None else _reading_in(w) for m, w in b["modules"].items()},
        meter_a=None if meter is None else (meter[0] / 100, meter[1] / 100, meter[2] / 100),
        has_meter="meter" in b,
    )


def decode_event(payload: bytes) -> Event:
    """Read an event. Raises InvalidMessage."""
    b = _checked("event", payload)
    return Event(
        bridge=b["bridge"],
        boot=b["boot"],
        seq=int(b["seq"]),
        at=b["at"],
        rev=int(b["rev"]),
        kind=EventKind(b["kind"]),
        module=b["module"],
        reading=_reading_in(b["reading"]) if "reading" in b else None,
        rule=b.get("rule"),
    )


def decode_history(payload: bytes) -> History:
    """Read a history message. Raises InvalidMessage."""
    b = _checked("history", payload)
    return History(
        bridge=b["bridge"],
        boot=b["boot"],
        seq=int(b["seq"]),
        at=b["at"],
        rows=tuple(Row(m, int(age_s), int(wh)) for m, age_s, wh in b["rows"]),
    )


def decode_command(payload: bytes) -> Command:
    """Read a command. Raises InvalidMessage."""
    b = _checked("command", payload)
    return Command(
        rev=int(b["rev"]),
        boot=b["boot"],
        seq=int(b["seq"]),
        ttl_s=int(b["ttl_s"]),
        interval_s=int(b["interval_s"]),
        full=b.get("full", False),
        modules={m: _setting_in(s) for m, s in b["modules"].items()},
    )
