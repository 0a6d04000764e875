"""SCIM 2.0: what a filter selects, and what a PATCH makes of a resource (RFC 7644 §3.4.2.2 and §3.5.2).

A resource is a mapping as in its JSON. Names of attributes are the same in whatever case they are written.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from epspot.errors import InvalidRequest

Resource: TypeAlias = Mapping[str, Any]

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
_EXACT = frozenset({"id", "externalid"})
"""Attributes whose values differ by case."""
_MOST_TOKENS = 200
_DEEPEST = 20


class BadScim(InvalidRequest):
    """A request that SCIM has a word of its own for."""

    code = "invalid_scim"

    def __init__(self, text: str, scim_type: str = "invalidValue") -> None:
        super().__init__(text)
        self.scim_type = scim_type


# ------------------------------------------------------------------ filters


@dataclass(frozen=True, slots=True)
class Compare:
    """An attribute and how its value must be."""

    path: tuple[str, ...]
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Both:
    """Both must hold, or (``either``) one of them."""

    one: "Filter"
    other: "Filter"
    either: bool = False


@dataclass(frozen=True, slots=True)
class Negated:
    """It must not hold."""

    filter: "Filter"


@dataclass(frozen=True, slots=True)
class Within:
    """Some element of a list must be so."""

    attribute: str
    filter: "Filter"


Filter: TypeAlias = Compare | Both | Negated | Within

_TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<sign>[()\[\]])|(?P<word>[^\s()\[\]"]+))')


def parse_filter(text: str) -> Filter:
    """Read a filter. Raises BadScim."""
    reader = _Reader(_tokens(text), text)
    found = reader.any_of()
    reader.end()
    return found


def matches(filter_: Filter, resource: Any) -> bool:
    """Tell whether a resource, or an element of a list in it, is as a filter wants it."""
    if isinstance(filter_, Both):
        one, other = matches(filter_.one, resource), matches(filter_.other, resource)
        return one or other if filter_.either else one and other
    if isinstance(filter_, Negated):
        return not matches(filter_.filter, resource)
    if isinstance(filter_, Within):
        return any(matches(filter_.filter, e) for e in _listed(value_of(resource, filter_.attribute)))
    values = [v for v in _values(resource, filter_.path) if v is not None and v != ""]
    exact = filter_.path[-1].lower() in _EXACT
    if filter_.operator == "ne":
        return not any(_holds("eq", v, filter_.value, exact=exact) for v in values)
    return any(_holds(filter_.operator, v, filter_.value, exact=exact) for v in values)


def equalities(filter_: Filter) -> Mapping[str, str]:
    """List what a resource must be equal to in any case, by its attribute in lower case: it may be looked up by that."""
    if isinstance(filter_, Compare) and filter_.operator == "eq" and isinstance(filter_.value, str):
        return {".".join(filter_.path).lower(): filter_.value}
    if isinstance(filter_, Within):
        return {f"{filter_.attribute.lower()}.{name}": text for name, text in equalities(filter_.filter).items()}
    if isinstance(filter_, Both) and not filter_.either:
        return {**equalities(filter_.other), **equalities(filter_.one)}
    return {}


def _values(resource: Any, path: Sequence[str]) -> list[Any]:
    found = _listed(resource)
    for name in path:
        found = [v for r in found for v in _listed(value_of(r, name))]
    # A list of objects stands for their values: emails eq "…" means emails.value.
    return [v.get("value") if isinstance(v, Mapping) else v for v in found]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def value_of(resource: Any, name: str) -> Any:
    """Read an attribute, in whatever case it is written; nothing, if there is none."""
    return resource.get(_name_in(resource, name)) if isinstance(resource, Mapping) else None


def _name_in(resource: Mapping[str, Any], name: str) -> str:
    """Find how a resource writes an attribute."""
    return next((n for n in resource if n.lower() == name.lower()), name)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "co": lambda a, b: b in a,
    "sw": lambda a, b: a.startswith(b),
    "ew": lambda a, b: a.endswith(b),
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


def _holds(operator: str, value: Any, wanted: Any, *, exact: bool) -> bool:
    if operator == "pr":
        return True
    if isinstance(value, bool) and isinstance(wanted, str):
        # Some directories write truth as a text.
        wanted = {"true": True, "false": False}.get(wanted.lower(), wanted)
    if type(value) is not type(wanted) and not _are_numbers(value, wanted):
        return False
    if isinstance(value, str) and not exact:
        value, wanted = value.casefold(), wanted.casefold()
    if operator != "eq" and not (isinstance(value, str) or _are_numbers(value, wanted)):
        return False
    if operator in {"co", "sw", "ew"} and not isinstance(value, str):
        return False
    return _COMPARISONS[operator](value, wanted)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or len(tokens) == _MOST_TOKENS:
            raise _bad_filter(text)
        tokens.append(found.group().strip())
        at = found.end()
    return tokens


def _bad_filter(text: str) -> BadScim:
    return BadScim(f'The filter {text[:80]!r} is not understood; such as: userName eq "anna".', "invalidFilter")


class _Reader:
    """Reads a filter from its tokens: ``or`` binds least, then ``and``, then ``not``."""

    def __init__(self, tokens: Sequence[str], text: str) -> None:
        self._tokens = list(tokens)
        self._text = text
        self._deep = 0

    def any_of(self) -> Filter:
        found = self._all_of()
        while self._take("or"):
            found = Both(found, self._all_of(), either=True)
        return found

    def end(self) -> None:
        if self._tokens:
            raise _bad_filter(self._text)

    def _all_of(self) -> Filter:
        found = self._one()
        while self._take("and"):
            found = Both(found, self._one())
        return found

    def _one(self) -> Filter:
        if self._take("not"):
            self._must("(")
            return Negated(self._inner(")"))
        if self._take("("):
            return self._inner(")")
        attribute = self._next()
        if self._take("["):
            return self._within(_plain(attribute))
        return self._compare(attribute)

    def _within(self, attribute: str) -> Filter:
        inner = self._inner("]")
        if self._tokens and self._tokens[0].startswith("."):
            # Not in the standard, but some directories ask for emails[type eq "work"].value eq "…".
            return Within(attribute, Both(inner, self._compare(self._next()[1:])))
        return Within(attribute, inner)

    def _inner(self, end: str) -> Filter:
        self._deep += 1
        if self._deep > _DEEPEST:
            raise _bad_filter(self._text)
        found = self.any_of()
        self._deep -= 1
        self._must(end)
        return found

    def _compare(self, attribute: str) -> Compare:
        path, operator = tuple(_plain(attribute).split(".")), self._next().lower()
        if not all(re.fullmatch(r"[A-Za-z$][\w$-]*", name) for name in path):
            raise _bad_filter(self._text)
        if operator == "pr":
            return Compare(path, operator)
        if operator not in {*_COMPARISONS, "ne"}:
            raise _bad_filter(self._text)
        try:
            value = json.loads(self._next())
        except ValueError:
            raise _bad_filter(self._text) from None
        return Compare(path, operator, value)

    def _next(self) -> str:
        if not self._tokens:
            raise _bad_filter(self._text)
        return self._tokens.pop(0)

    def _take(self, word: str) -> bool:
        if self._tokens and self._tokens[0].lower() == word:
            self._tokens.pop(0)
            return True
        return False

    def _must(self, word: str) -> None:
        if not self._take(word):
            raise _bad_filter(self._text)


def _plain(attribute: str) -> str:
    """Leave out the schema before an attribute."""
    return attribute.rpartition(":")[2] if attribute.lower().startswith(CORE.lower()) else attribute


# ------------------------------------------------------------------ patches


class Path(NamedTuple):
    """What an operation of a PATCH is about: an attribute, some of its elements, and a part of it or of them."""

    attribute: str
    filter: Filter | None = None
    sub: str | None = None


_PATH = re.compile(r"(?P<attribute>[A-Za-z$][\w$-]*)(?:\[(?P<filter>.*)\])?(?:\.(?P<sub>[A-Za-z$][\w$-]*))?", re.DOTALL)
_KNOWN_LISTS = frozenset({"emails", "members"})


def parse_path(text: str) -> Path | None:
    """Read a path; one into a schema that is not kept leads nowhere (None). Raises BadScim."""
    plain = _plain(text.strip())
    if plain.lower().startswith("urn:"):
        return None
    found = _PATH.fullmatch(plain)
    if found is None:
        raise BadScim(f"The path {text[:80]!r} is not understood.", "invalidPath")
    told = found["filter"]
    return Path(found["attribute"], None if told is None else parse_filter(told), found["sub"])


def patched(resource: Resource, operations: Sequence[Mapping[str, Any]]) -> Resource:
    """Carry out the operations of a PATCH, all or none. Raises BadScim."""
    for told in operations:
        operation = {name.lower(): value for name, value in told.items()}
        kind = str(operation.get("op", "")).lower()
        if kind not in {"add", "replace", "remove"}:
            raise BadScim("op must be add, replace or remove.", "invalidSyntax")
        path, value = operation.get("path"), operation.get("value")
        if path:
            resource = _applied(resource, kind, str(path), value)
        elif kind == "remove":
            raise BadScim("A removal needs a path.", "noTarget")
        elif isinstance(value, Mapping):
            for name, part in value.items():
                resource = _applied(resource, kind, name, part)
        else:
            raise BadScim("Without a path, value must be an object.")
    return resource


def _applied(resource: Resource, kind: str, text: str, value: Any) -> Resource:
    path = parse_path(text)
    if path is None or path.attribute.lower() == "schemas":
        return resource
    if path.attribute.lower() in {"id", "meta"}:
        raise BadScim(f"{path.attribute} can't be changed.", "mutability")
    name = _name_in(resource, path.attribute)
    present = resource.get(name)
    if name.lower() in _KNOWN_LISTS or isinstance(present, list | tuple):
        changed: Any = _list_patched(_listed(present) if present is not None else [], kind, path, value)
    elif path.filter is not None:
        raise BadScim(f"{path.attribute} is no list.", "invalidPath")
    elif path.sub is not None:
        part = {} if kind == "remove" else {path.sub: value}
        rest = present if isinstance(present, Mapping) else {}
        changed = {n: v for n, v in rest.items() if n.lower() != path.sub.lower()} | part
    elif kind == "add" and isinstance(present, Mapping) and isinstance(value, Mapping):
        changed = {**present, **value}
    else:
        changed = None if kind == "remove" else value
    return {**resource, name: changed}


def _list_patched(present: list[Any], kind: str, path: Path, value: Any) -> list[Any]:
    wanted = [] if value is None else _elements(value)
    if path.filter is None and path.sub is None:
        if kind == "replace":
            return wanted
        named = {_key(e) for e in wanted}
        if kind == "remove":
            # Some directories tell what to remove in the value.
            return [e for e in present if value is not None and _key(e) not in named]
        return [e for e in present if _key(e) not in named] + wanted
    chosen = [e for e in present if path.filter is None or matches(path.filter, e)]
    which = {id(e) for e in chosen}
    if kind == "remove" and path.sub is None:
        return [e for e in present if id(e) not in which]
    if not chosen:
        return _grown(present, kind, path, value)
    if path.sub is None and len(wanted) != 1:
        raise BadScim("What takes the place of an element must be one element.")
    return [_changed(e, kind, path, value) if id(e) in which else e for e in present]


def _changed(element: Any, kind: str, path: Path, value: Any) -> Any:
    if path.sub is None:
        return _elements(value)[0]
    rest = element if isinstance(element, Mapping) else {"value": element}
    part = {} if kind == "remove" else {path.sub: value}
    return {n: v for n, v in rest.items() if n.lower() != path.sub.lower()} | part


def _grown(present: list[Any], kind: str, path: Path, value: Any) -> list[Any]:
    """Add an element as its filter describes it; only an addition may."""
    if kind != "add":
        raise BadScim("Nothing there is as the filter wants it.", "noTarget")
    described = {} if path.filter is None else dict(equalities(path.filter))
    if path.sub is not None:
        return [*present, {**described, path.sub: value}]
    return [*present, {**described, **value} if isinstance(value, Mapping) else {**described, "value": value}]


def _elements(value: Any) -> list[Any]:
    return [e if isinstance(e, Mapping) else {"value": e} for e in _listed(value)]


def _key(element: Any) -> str | None:
    key = value_of(element, "value")
    if key is not None and not isinstance(key, str):
        raise BadScim("The value of an element must be a text.")
    return key


def truth(value: Any) -> bool:
    """Read a truth, which some directories write as a text. Raises BadScim."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise BadScim("active must be true or false.")
