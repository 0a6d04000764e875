"""How a site and its state are written: compact JSON, compressed, with a schema version beside it.

An item of 50 busy outlets stays near one kilobyte, which is what a write is paid by. Floats keep their exact value, so
that a state that is read again is the state that was written.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Any, TypeVar

from epspot.control.state import (
    Alarm,
    Appetite,
    BridgeState,
    Demand,
    End,
    Live,
    OutletState,
    Phase,
    Plug,
    Reading,
    Readings,
    SessionState,
    Wishes,
)
from epspot.site import Cap, Fuse, Group, GuardLimits, Outlet, PeakTariff, Policy, Site, Station, Window

SCHEMA = 1
_T = TypeVar("_T")


class UnknownSchema(RuntimeError):
    """An item was written by a newer version than this one."""


def pack(body: Any) -> bytes:
    """Write JSON compactly and compress it."""
    return zlib.compress(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(), 6)


def unpack(data: bytes, schema: int) -> Any:
    """Read what ``pack`` wrote. Raises UnknownSchema."""
    if schema != SCHEMA:
        raise UnknownSchema(f"item of schema {schema}; this version reads {SCHEMA}")
    return json.loads(zlib.decompress(data))


# ------------------------------------------------------------------ state


def decision_out(live: Live) -> bytes:
    """Write everything of a state but its readings."""
    return pack(
        {
            "revision": live.revision,
            "at": live.at,
            "turn": live.turn,
            "outlets": _table(OutletState, live.outlets),
            "bridges": _table(BridgeState, live.bridges),
            "sessions": _table(SessionState, live.sessions),
            "other_a": live.other_a,
            "fell_to_a": live.fell_to_a,
            "found": live.found,
            "watched_until": live.watched_until,
            "listened": live.listened,
            "over_since": live.over_since,
            "alarms": _table(Alarm, live.alarms),
            "demand": _table(Demand, live.demand),
            "prices": live.prices,
            "temperatures": live.temperatures,
        }
    )


def decision_in(site: str, version: int, data: bytes, schema: int, look_at: int | None = None) -> Live:
    """Read a state; its readings come apart."""
    b = unpack(data, schema)
    return Live(
        site=site,
        version=version,
        revision=b["revision"],
        at=b["at"],
        turn=b["turn"],
        outlets=_things(OutletState, b["outlets"]),
        bridges=_things(BridgeState, b["bridges"]),
        sessions=_things(SessionState, b["sessions"]),
        other_a=_triple(b["other_a"]),
        fell_to_a=None if (fell := b.get("fell_to_a")) is None else _triple(fell),
        found=tuple(b["found"]),
        watched_until=b["watched_until"],
        listened=b.get("listened", {}),
        over_since=b.get("over_since", {}),
        alarms=_things(Alarm, b.get("alarms", {})),
        demand=_things(Demand, b.get("demand", {})),
        prices=_tuples(b.get("prices", ())),
        temperatures=_tuples(b.get("temperatures", ())),
        look_at=look_at,
    )


_IDS = "ids"


def _table(kind: type, things: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Write things field by field: alike values stand together and compress well.

    A field in which all are as their kind has it is left out, so that a kind may grow.
    """
    told = {f.name: [getattr(t, f.name) for t in things.values()] for f in fields(kind)}
    usual = {f.name: _usual(f) for f in fields(kind)}
    columns = {n: [_out(v) for v in values] for n, values in told.items() if any(v != usual[n] for v in values)}
    return {_IDS: list(things)} | columns


def _things(kind: type[_T], table: dict[str, list[Any]]) -> dict[str, _T]:
    """Read what ``_table`` wrote; a field that this version does not know is left out."""
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # they are dataclasses
    columns = {n: values for n, values in table.items() if n in known}
    return {
        name: kind(**{n: _IN[n](values[i]) if n in _IN else values[i] for n, values in columns.items()})
        for i, name in enumerate(table.get(_IDS, ()))
    }


def _usual(f: Field[Any]) -> Any:
    return f.default_factory() if callable(f.default_factory) else f.default


def _out(value: Any) -> Any:
    """Write a record as an object that holds what is not as usual."""
    if not is_dataclass(value):
        return value
    return {f.name: v for f in fields(value) if (v := getattr(value, f.name)) != _usual(f)}


def _tuples(value: Any) -> Any:
    """Make tuples of JSON's arrays, however deep."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value


def _record_in(kind: type[_T]) -> Callable[[dict[str, Any]], _T]:
    return lambda told: kind(**{name: _tuples(v) for name, v in told.items()})


_IN: dict[str, Callable[[Any], Any]] = {
    "earlier": _tuples,
    "conductors": _tuples,
    "held_conductors": _tuples,
    "trips": _tuples,
    "fell_from_wh": _tuples,
    "peaks": _tuples,
    "phase": Phase,
    "end": lambda told: None if told is None else End(told),
    "wishes": _record_in(Wishes),
    "appetite": _record_in(Appetite),
}
"""How a field is read that JSON does not hold as it is."""


def readings_out(r: Readings) -> bytes:
    """Write the readings of one bridge."""
    return pack(
        {
            "boot": r.boot,
            "seq": r.seq,
            "base": r.base,
            "at": r.at,
            "modules": r.modules,
            "lost": sorted(r.lost),
            "confirmed_at": r.confirmed_at,
            "meter_a": r.meter_a,
        }
    )


def readings_in(data: bytes, schema: int) -> Readings:
    """Read the readings of one bridge."""
    b = unpack(data, schema)
    return Readings(
        boot=b["boot"],
        seq=b["seq"],
        base=b["base"],
        at=b["at"],
        modules={m: _reading_in(v) for m, v in b["modules"].items()},
        lost=frozenset(b["lost"]),
        confirmed_at=b["confirmed_at"],
        meter_a=None if b["meter_a"] is None else _triple(b["meter_a"]),
    )


def _reading_in(v: list[Any]) -> Reading:
    return Reading(Plug(v[0]), v[1], _triple(v[2]), _triple(v[3]), *v[4:])


def _triple(values: list[float]) -> tuple[float, float, float]:
    one, two, three = values
    return (one, two, three)


# ------------------------------------------------------------------ site


def site_out(site: Site) -> bytes:
    """Write a site's configuration."""
    own = {f.name: getattr(site, f.name) for f in fields(site) if f.name != "id"}
    parts = {name: [_record(part) for part in own[name]] for name in ("fuses", "outlets", "groups", "stations")}
    return pack(own | parts | {"policy": _record(site.policy), "caps": [_cap_out(c) for c in site.caps]})


def site_in(site_id: str, data: bytes, schema: int) -> Site:
    """Read a site's configuration."""
    b = unpack(data, schema)
    return Site(
        **b
        | {
            "id": site_id,
            "policy": Policy(**b["policy"]),
            "fuses": tuple(Fuse(**_parts(f)) for f in b["fuses"]),
            "outlets": tuple(_outlet_in(o) for o in b["outlets"]),
            "caps": tuple(_cap_in(c) for c in b["caps"]),
            "groups": tuple(Group(**g) for g in b.get("groups", ())),
            "stations": tuple(Station(**s) for s in b.get("stations", ())),
            "bridges": tuple(b.get("bridges", ())),
            "outline": _tuples(b.get("outline", ())),
        }
    )


def _record(thing: Any) -> dict[str, Any]:
    """Write all of a thing: what is usual now may be another thing in a later version."""
    return {f.name: getattr(thing, f.name) for f in fields(thing)}


def _parts(told: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuples(v) for name, v in told.items()}


def _outlet_in(told: dict[str, Any]) -> Outlet:
    o = _parts(told)
    return Outlet(**o | ({"guard": GuardLimits(*o["guard"])} if "guard" in o else {}))


def _cap_out(cap: Cap) -> dict[str, Any]:
    told = _record(cap) | {"windows": [_record(w) for w in cap.windows]}
    if cap.peak is not None:
        told["peak"] = _record(cap.peak) | {n: [_record(w) for w in getattr(cap.peak, n)] for n in ("windows", "night")}
    return told


def _cap_in(told: dict[str, Any]) -> Cap:
    peak = told.get("peak")
    if peak is not None:
        peak = PeakTariff(**peak | {n: _windows(peak[n]) for n in ("windows", "night")})
    return Cap(**told | {"windows": _windows(told["windows"]), "peak": peak})


def _windows(told: list[dict[str, Any]]) -> tuple[Window, ...]:
    return tuple(Window(**_parts(w)) for w in told)
