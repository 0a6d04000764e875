"""How sites, states, events and outcomes look as plain JSON: one way for all, taken from their own definitions.

A field that is as its kind has it is left out, and one that this version does not know is passed over, so that what
one version wrote another can read. Numbers keep their exact value.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from hashlib import sha256
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Plain = Any
"""What is written as JSON without further ado."""

_T = TypeVar("_T")
_DIGITS = 16


def text(told: Plain, *, ordered: bool = True) -> str:
    """Write plain JSON compactly; ``ordered``: objects keep their order, else equal content has equal text."""
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False, sort_keys=not ordered)


def alike(one: Plain, other: Plain) -> bool:
    """Tell whether two contents are the same to the last bit, kinds of numbers included."""
    return one is other or text(one, ordered=False) == text(other, ordered=False)


def digest(told: Plain) -> str:
    """Name a content by itself."""
    return sha256(text(told, ordered=False).encode()).hexdigest()[:_DIGITS]


# ------------------------------------------------------------------ out


def out(value: Any) -> Plain:
    """Make plain JSON of a value: records become objects, sets lists; named tuples of numbers are arrays already.

    Raises TypeError if it has no plain form.
    """
    kind: Any = type(value)
    return _writer(kind)(value)


@cache
def _writer(kind: Any) -> Callable[[Any], Plain]:
    """Find how values of a kind are written."""
    if kind in _PLAIN or _is_plain(kind):
        return lambda value: value
    if is_dataclass(kind):
        return _record_writer(kind)
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, Mapping):
        return lambda value: {k: _out(v) for k, v in value.items()}
    if issubclass(kind, frozenset):
        return lambda value: sorted(map(_out, value))
    if issubclass(kind, tuple | list):
        return lambda value: list(map(_out, value))
    raise TypeError(f"{kind.__name__} has no plain form")


_PLAIN = frozenset((str, int, float, bool, type(None)))


def _out(value: Any) -> Plain:
    return value if type(value) in _PLAIN else out(value)


def _record_writer(kind: Any) -> Callable[[Any], Plain]:
    known = _fields(kind)
    return lambda value: {n: _out(v) for n, default in known if (v := getattr(value, n)) != default}


@cache
def _is_plain(kind: Any) -> bool:
    """Tell whether all that a named tuple can hold are numbers, texts and tuples of them."""
    return hasattr(kind, "_fields") and all(map(_holds_plain, get_type_hints(kind).values()))


def _holds_plain(hint: Any) -> bool:
    if inner := get_args(hint):
        return get_origin(hint) is tuple and all(map(_holds_plain, inner))
    return isinstance(hint, type) and issubclass(hint, int | float | str)


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    """List a record's fields, each with what it usually holds."""
    return tuple((f.name, _usual(f)) for f in fields(kind))


def _usual(f: Field[Any]) -> Any:
    return f.default_factory() if callable(f.default_factory) else f.default


def usual(kind: Any) -> dict[str, Plain]:
    """Tell what a record's fields hold if nothing is said of them."""
    return {n: out(default) for n, default in _fields(kind) if default is not MISSING}


# ------------------------------------------------------------------ in


def into(kind: type[_T], told: Plain) -> _T:
    """Read a value of a kind. Raises KeyError, TypeError or ValueError if it isn't one."""
    named: Any = kind
    read: _T = _reader(named)(told)
    return read


@cache
def _reader(kind: Any) -> Callable[[Plain], Any]:
    """Find how a kind is read."""
    if (origin := get_origin(kind)) is not None:
        return _reader_of_many(origin, get_args(kind))
    if not isinstance(kind, type):
        return lambda told: told
    if is_dataclass(kind):
        return _record(kind)
    if issubclass(kind, tuple):
        return _named_tuple(kind)
    return kind if issubclass(kind, Enum) else lambda told: told


def _reader_of_many(origin: Any, inner: tuple[Any, ...]) -> Callable[[Plain], Any]:
    if origin in (Union, UnionType):
        return _maybe(*(k for k in inner if k is not type(None)))
    if origin is tuple:
        return _tuple(inner)
    if origin is frozenset:
        return lambda told: frozenset(map(_reader(inner[0]), told))
    return lambda told: {k: _reader(inner[1])(v) for k, v in told.items()}


def _maybe(kind: Any) -> Callable[[Plain], Any]:
    return lambda told: None if told is None else _reader(kind)(told)


def _tuple(inner: tuple[Any, ...]) -> Callable[[Plain], Any]:
    if inner[-1] is Ellipsis:
        return lambda told: tuple(map(_reader(inner[0]), told))
    return lambda told: tuple(_reader(k)(v) for k, v in zip(inner, told, strict=True))


def _named_tuple(kind: Any) -> Callable[[Plain], Any]:
    readers = [_reader(hint) for hint in get_type_hints(kind).values()]
    return lambda told: kind(*(read(v) for read, v in zip(readers, told, strict=False)))


def _record(kind: type) -> Callable[[Plain], Any]:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
    return lambda told: kind(**{n: readers[n](v) for n, v in told.items() if n in readers})
