"""How a site and its state are written: compact JSON, compressed, with a schema version beside it.

An item of 50 busy outlets stays near one kilobyte, which is what a write is paid by. Floats keep their exact value, so
that a state that is read again is the state that was written.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from epspot.control.state import (
    BridgeState,
    End,
    Live,
    OutletState,
    Phase,
    Plug,
    Reading,
    Readings,
    SessionState,
)
from epspot.site import Fuse, Outlet, Policy, Site

SCHEMA = 1


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
            "found": live.found,
            "watched_until": live.watched_until,
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
        outlets={o: OutletState(**s) for o, s in _rows(OutletState, b["outlets"])},
        bridges={i: BridgeState(**s | {"earlier": tuple(s["earlier"])}) for i, s in _rows(BridgeState, b["bridges"])},
        sessions={i: _session_in(s) for i, s in _rows(SessionState, b["sessions"])},
        other_a=_triple(b["other_a"]),
        found=tuple(b["found"]),
        watched_until=b["watched_until"],
        look_at=look_at,
    )


def _session_in(s: dict[str, Any]) -> SessionState:
    end = s["end"]
    return SessionState(**s | {"phase": Phase(s["phase"]), "end": None if end is None else End(end)})


def _table(kind: type, things: Mapping[str, Any]) -> list[list[Any]]:
    """Write things field by field, in the order of their kind: alike values stand together and compress well."""
    return [list(things), *([getattr(t, f.name) for t in things.values()] for f in fields(kind))]


def _rows(kind: type, table: list[list[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read what ``_table`` wrote, thing by thing."""
    names, *columns = table
    known = [f.name for f in fields(kind)]
    for i, name in enumerate(names):
        yield name, {field: values[i] for field, values in zip(known, columns, strict=True)}


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
    return pack(
        {
            "name": site.name,
            "revision": site.revision,
            "meter_bridge": site.meter_bridge,
            "policy": _record(site.policy),
            "fuses": [_record(f) for f in site.fuses],
            "outlets": [_record(o) for o in site.outlets],
        }
    )


def site_in(site_id: str, data: bytes, schema: int) -> Site:
    """Read a site's configuration."""
    b = unpack(data, schema)
    return Site(
        id=site_id,
        name=b["name"],
        revision=b["revision"],
        meter_bridge=b["meter_bridge"],
        policy=Policy(**b["policy"]),
        fuses=tuple(
            Fuse(**f | {"rating_a": _triple(f["rating_a"]), "other_a": _triple(f["other_a"])}) for f in b["fuses"]
        ),
        outlets=tuple(Outlet(**o | {"phases": tuple(o["phases"])}) for o in b["outlets"]),
    )


def _record(thing: Any) -> dict[str, Any]:
    return {f.name: getattr(thing, f.name) for f in fields(thing)}
