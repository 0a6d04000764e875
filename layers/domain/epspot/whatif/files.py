"""What an owner brings: a site, changes to it, and the visits of its past (the forms: docs/examples/whatif/README.md).

Everything that can't be read is told in one line that names the place.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from math import inf, isfinite
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from epspot.services.what_if import Visit
from epspot.site import PHASES, Site

_T = TypeVar("_T")
_NEEDED = ("outlet", "plugged_at", "leaves_at", "needs_wh")
_ALLOWED = ("max_a", "conductors", "group", "ready_by")
_ALL = "*"


class NotReadable(ValueError):
    """A file is not of the form that it must have; the text says where and how."""


# ------------------------------------------------------------------ sites


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object. Raises NotReadable."""
    try:
        told = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise NotReadable(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise NotReadable(f"{path} is no JSON: {error}") from error
    return _object(told, str(path))


def site_of(told: Mapping[str, Any], where: str) -> Site:
    """Read a site: the system's own form, in which some may be said more shortly. Raises NotReadable or InvalidSite."""
    return _read(Site, _in_full(told, where), where).checked()


def _in_full(told: Mapping[str, Any], where: str) -> dict[str, Any]:
    fuses = [_fuse_in_full(_object(f, f"{where}: fuses")) for f in _list(told.get("fuses"), f"{where}: fuses")]
    outlets = _list(told.get("outlets"), f"{where}: outlets")
    full = [_outlet_in_full(n, _object(o, f"{where}: outlets")) for n, o in enumerate(outlets, 1)]
    return {"id": "site", "name": "site"} | dict(told) | {"fuses": fuses, "outlets": full}


def _fuse_in_full(told: dict[str, Any]) -> dict[str, Any]:
    """Let one number stand for three phases that are alike; without a parent it is the main fuse."""
    alike = {n: [v] * 3 for n in ("rating_a", "other_a") if isinstance(v := told.get(n), int | float)}
    return {"parent": None} | told | alike


def _outlet_in_full(number: int, told: dict[str, Any]) -> dict[str, Any]:
    """Give an outlet a number, a bridge and a module, which don't matter here."""
    usual = {"number": str(number), "bridge": "bridge", "module": f"M{number}"}
    phases = told.get("phases")
    if isinstance(phases, list):
        told = told | {"phases": [PHASES.index(p) if p in PHASES else p for p in phases]}
    return usual | told


def changed(told: Mapping[str, Any], changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Change a site as it was told: of the policy, fuses and outlets what is named, all else as a whole.

    Raises NotReadable.
    """
    after = dict(told) | dict(changes)
    if "policy" in changes:
        policy = _object(changes["policy"], f"{where}: policy")
        after["policy"] = _object(told.get("policy", {}), "policy") | policy
    for name in ("fuses", "outlets"):
        if name in changes:
            after[name] = _changed_parts(told.get(name, []), changes[name], f"{where}: {name}")
    return after


def _changed_parts(parts: Any, changes: Any, where: str) -> list[dict[str, Any]]:
    """Change parts by their ids: ``*`` means all, null takes one away, and what is not there yet is added."""
    by_id = {part["id"]: dict(part) for part in _list(parts, where) if "id" in _object(part, where)}
    for part_id, change in _object(changes, where).items():
        if change is None and part_id in by_id:
            del by_id[part_id]
            continue
        for i in [*by_id] if part_id == _ALL else [part_id]:
            by_id[i] = {"id": i} | by_id.get(i, {}) | _object(change, f"{where}.{part_id}")
    return [*by_id.values()]


# ------------------------------------------------------------------ records


def _read(kind: type[_T], told: Any, where: str) -> _T:
    read: _T = _reader(kind)(told, where)
    return read


_Reader = Callable[[Any, str], Any]


def _reader(kind: Any) -> _Reader:
    """Find how a kind is read, from its own definition."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        given = next(k for k in inner if k is not type(None))
        return lambda told, where: None if told is None else _reader(given)(told, where)
    if origin is tuple:
        return lambda told, where: _tuple(inner, told, where)
    if origin is not None:
        return lambda told, where: {k: _reader(inner[1])(v, f"{where}.{k}") for k, v in _object(told, where).items()}
    if is_dataclass(kind):
        return lambda told, where: _record(kind, told, where)
    if issubclass(kind, tuple):
        return lambda told, where: _named_tuple(kind, told, where)
    return _PLAIN[kind]


def _record(kind: Any, told: Any, where: str) -> Any:
    body, hints = _object(told, where), get_type_hints(kind)
    name = body.get("id", body.get("name"))
    if kind is not Site and isinstance(name, str):
        where = f"{where} {name}"
    needed = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    if missing := [n for n in needed if n not in body]:
        raise NotReadable(f"{where} lacks {', '.join(missing)}")
    if unknown := [n for n in body if n not in hints]:
        raise NotReadable(f"{where} has the unknown {', '.join(unknown)}; known are {', '.join(hints)}")
    between = ": " if kind is Site else "."
    return kind(**{n: _reader(hints[n])(v, f"{where}{between}{n}") for n, v in body.items()})


def _tuple(inner: tuple[Any, ...], told: Any, where: str) -> tuple[Any, ...]:
    values = _list(told, where)
    if inner[-1] is Ellipsis:
        return tuple(_reader(inner[0])(v, where) for v in values)
    if len(values) != len(inner):
        raise NotReadable(f"{where} must be {len(inner)} values, for L1, L2 and L3")
    return tuple(_reader(kind)(v, where) for kind, v in zip(inner, values, strict=True))


def _named_tuple(kind: Any, told: Any, where: str) -> Any:
    hints = get_type_hints(kind)
    values = _list(told, where)
    if len(values) > len(hints):
        raise NotReadable(f"{where} has more than {', '.join(hints)}")
    return kind(*(_reader(hint)(v, where) for hint, v in zip(hints.values(), values, strict=False)))


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotReadable(f"{where} must be a JSON object")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise NotReadable(f"{where} must be a JSON array")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise NotReadable(f"{where} must be a text that is not empty")
    return value


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise NotReadable(f"{where} must be true or false")
    return value


def _whole(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotReadable(f"{where} must be a whole number")
    return value


def _number(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise NotReadable(f"{where} must be a number")
    return float(value)


_PLAIN: dict[Any, _Reader] = {str: _text, bool: _truth, int: _whole, float: _number}


# ------------------------------------------------------------------ visits


def read_visits(path: Path, zone: ZoneInfo) -> list[tuple[int, Visit]]:
    """Read a table of visits, each with its line; times without an offset are those of the zone. Raises NotReadable."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise NotReadable(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NotReadable(f"{path} is not UTF-8 text: save it as UTF-8") from error
    return [*_visits(path, csv.DictReader(text.splitlines()), zone)]


def _visits(path: Path, table: "csv.DictReader[str]", zone: ZoneInfo) -> Iterator[tuple[int, Visit]]:
    columns = table.fieldnames or ()
    if missing := [c for c in _NEEDED if c not in columns]:
        raise NotReadable(f"{path}, line 1: the columns lack {', '.join(missing)}")
    if unknown := [c for c in columns if c not in _NEEDED + _ALLOWED]:
        raise NotReadable(
            f"{path}, line 1: the unknown columns {', '.join(unknown)}; known are {', '.join(_NEEDED + _ALLOWED)}"
        )
    for row in table:
        yield table.line_num, _visit(row, columns, zone, f"{path}, line {table.line_num}")


def _visit(row: Mapping[str, Any], columns: Sequence[str], zone: ZoneInfo, where: str) -> Visit:
    if None in row or None in row.values():
        raise NotReadable(f"{where}: there must be {len(columns)} columns, {','.join(columns)}")
    ready_by, conductors = row.get("ready_by"), row.get("conductors")
    return Visit(
        outlet=row["outlet"],
        plugged_at=time_of(row["plugged_at"], zone, f"{where}: plugged_at"),
        leaves_at=time_of(row["leaves_at"], zone, f"{where}: leaves_at"),
        needs_wh=_parsed(row["needs_wh"], f"{where}: needs_wh"),
        max_a=_parsed(row["max_a"], f"{where}: max_a") if row.get("max_a") else inf,
        conductors=_first(conductors, f"{where}: conductors") if conductors else None,
        group=row.get("group", ""),
        ready_by=time_of(ready_by, zone, f"{where}: ready_by") if ready_by else None,
    )


def time_of(text: str, zone: ZoneInfo, where: str) -> float:
    """Read a time. Raises NotReadable."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise NotReadable(f"{where}: {text!r} is not a time such as 2026-01-05T08:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()


def _parsed(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = inf
    if not isfinite(number):
        raise NotReadable(f"{where}: {text!r} is not a number")
    return number


def _first(text: str, where: str) -> tuple[int, ...]:
    """Read how many of its outlet's conductors a load uses: it uses the first ones."""
    if text not in ("1", "2", "3"):
        raise NotReadable(f"{where}: {text!r} is not 1, 2 or 3")
    return tuple(range(int(text)))
