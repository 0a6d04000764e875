"""A site as one JSON document: what its owner reads, changes, and brings from another place.

``document_of`` and ``site_in`` are exact inverses. A document has the form ``SiteDocument`` of the API, which is checked
where it comes in; what else may be wrong with it is told here and by ``Site.checked``, all of it at once.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple, TypeAlias, TypeVar, get_type_hints

from epspot.errors import InvalidSite
from epspot.site import (
    PHASES,
    Cap,
    Fuse,
    Group,
    GuardLimits,
    Outlet,
    PeakTariff,
    Policy,
    Site,
    Station,
    Window,
    is_planned,
    planned_at,
)

Document: TypeAlias = Mapping[str, Any]
_T = TypeVar("_T")
_PLAIN = (
    "id",
    "owner",
    "revision",
    "name",
    "address",
    "latitude",
    "longitude",
    "time_zone",
    "price_area",
    "meter_bridge",
)
_NUMBER = re.compile(r"outlet ([^\s:]+)")


class Reading(NamedTuple):
    """A site that was read from a document."""

    site: Site
    places: Mapping[str, str]
    """Where each outlet stands in the document, by its id: ``outlets[3]``. A new one knows no other name as yet."""


# ------------------------------------------------------------------ writing


def document_of(site: Site) -> dict[str, Any]:
    """Write all of a site that can be set, and its id, owner and revision."""
    return {name: getattr(site, name) for name in _PLAIN} | {
        "outline": [list(corner) for corner in site.outline],
        "policy": _record(site.policy) | {"weights": dict(site.policy.weights)},
        "caps": [_cap(c) for c in site.caps],
        "fuses": [_record(f) for f in site.fuses],
        "groups": [_record(g) for g in site.groups],
        "stations": [_record(s) for s in site.stations],
        "outlets": [outlet_document(site, o) for o in site.outlets],
        "bridges": list(site.bridges),
    }


def outlet_document(site: Site, outlet: Outlet) -> dict[str, Any]:
    """Write an outlet; one without a module as yet has null for bridge and module."""
    told = _record(outlet) | {
        "phases": [PHASES[p] for p in outlet.phases],
        "guard": dict(zip(GuardLimits._fields, outlet.guard, strict=True)),
    }
    return told | ({"bridge": None, "module": None} if is_planned_in(site.id, outlet) else {})


def is_planned_in(site: str, outlet: Outlet) -> bool:
    """Tell whether an outlet has no module as yet."""
    return (outlet.bridge, outlet.module) == planned_at(site, outlet.id)


def _cap(cap: Cap) -> dict[str, Any]:
    told = _record(cap) | {"windows": [_record(w) for w in cap.windows]}
    if cap.peak is not None:
        told["peak"] = _record(cap.peak) | {n: [_record(w) for w in getattr(cap.peak, n)] for n in ("windows", "night")}
    return told


def _record(thing: Any) -> dict[str, Any]:
    told = {f.name: getattr(thing, f.name) for f in fields(thing)}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in told.items()}


# ------------------------------------------------------------------ reading


def new_document(told: Document) -> dict[str, Any]:
    """Make of a document, perhaps another site's, that of a new site: nothing in it has an id, a bridge or a module.

    In the place of fuses it may have a ``grid_connection``, which becomes the main fuse. Raises InvalidSite.
    """
    own = ("id", "owner", "revision", "bridges", "meter_bridge", "grid_connection")
    made = {name: v for name, v in told.items() if name not in own}
    if ("grid_connection" in told) == ("fuses" in told):
        raise InvalidSite(["A new site has either grid_connection or fuses."])
    if "grid_connection" in told:
        made["fuses"] = [dict(told["grid_connection"]) | {"id": "main", "parent": None}]
    bound = ("id", "bridge", "module")
    made["outlets"] = [{n: v for n, v in o.items() if n not in bound} for o in told.get("outlets", ())]
    return made


def site_in(told: Document, present: Site, new_id: Callable[[], str]) -> Reading:
    """Make the site that a document describes of the present one. Raises InvalidSite with every problem by its path.

    What is left out is as usual. Outlets are told apart by ``id``; those without one are new, and get one of ``new_id``.
    Which bridges a site has is not changed by naming others: a bridge claims itself.
    """
    bridges = tuple(told.get("bridges", present.bridges))
    outlets = [_outlet(o, present, new_id) for o in told.get("outlets", ())]
    problems = [*_foreign(told, present), *_bridges(bridges, outlets, present)]
    problems += [p for i, o in enumerate(told.get("outlets", ())) for p in _bound(f"outlets[{i}]", o, present)]
    if problems:
        raise InvalidSite(problems)
    plain: dict[str, Any] = {name: told[name] for name in _PLAIN[3:] if name in told}
    plain |= {name: float(plain[name]) for name in ("latitude", "longitude") if name in plain}
    site = Site(
        **plain,
        id=present.id,
        owner=present.owner,
        revision=present.revision,
        bridges=bridges,
        outline=tuple((float(a), float(b)) for a, b in told.get("outline", ())),
        policy=_made(Policy, told.get("policy", {})),
        caps=tuple(_cap_in(c) for c in told.get("caps", ())),
        fuses=tuple(_made(Fuse, {"parent": None} | dict(f)) for f in told["fuses"]),
        groups=tuple(_made(Group, g) for g in told.get("groups", ())),
        stations=tuple(_made(Station, s) for s in told.get("stations", ())),
        outlets=tuple(outlets),
    )
    return Reading(site, {o.id: f"outlets[{i}]" for i, o in enumerate(outlets)})


def named(problems: Iterable[str], places: Mapping[str, str]) -> list[str]:
    """Say of problems with outlets where those stand, since the caller may not know their ids."""
    return [_NUMBER.sub(lambda m: places.get(m[1], m[0]), p) for p in problems]


def _foreign(told: Document, present: Site) -> Iterable[str]:
    for name in ("id", "owner"):
        if told.get(name) not in (None, getattr(present, name)):
            yield f"{name}: this is the document of another site; make a new site of it, or leave {name} out"


def _bridges(bridges: Sequence[str], outlets: Sequence[Outlet], present: Site) -> Iterable[str]:
    for i, b in enumerate(bridges):
        if b not in present.of_bridge or is_planned(b):
            yield f"bridges[{i}]: bridge {b} is not this site's: ask for an invitation, with which it claims itself"
    for b in sorted({*present.bridges} - {*bridges}):
        if n := sum(o.bridge == b for o in outlets):
            yield f"bridges: {b} can't be left out, since {n} outlets are there"


def _bound(where: str, told: Document, present: Site) -> Iterable[str]:
    """Tell what is wrong with where an outlet is said to be."""
    if told.get("id") not in (None, *present.outlet):
        yield f"{where}.id: no outlet of this site has this id; leave it out for a new one"
    bridge, module = told.get("bridge"), told.get("module")
    if (bridge is None) != (module is None):
        yield f"{where}: bridge and module go together; an outlet that has no module as yet has neither"
    elif bridge is not None and (bridge not in present.of_bridge or is_planned(bridge)):
        yield f"{where}.bridge: bridge {bridge} is not this site's: ask for an invitation, with which it claims itself"


def _outlet(told: Document, present: Site, new_id: Callable[[], str]) -> Outlet:
    id_ = told.get("id") or new_id()
    was = present.outlet.get(id_)
    bridge, module = planned_at(present.id, id_) if was is None else (was.bridge, was.module)
    if "bridge" in told or "module" in told:
        planned = planned_at(present.id, id_)
        bridge, module = (told.get("bridge") or planned[0], told.get("module") or planned[1])
    phases = tuple(PHASES.index(p) for p in told["phases"])
    usual = GuardLimits()._asdict()
    guard = GuardLimits(**{name: float(v) for name, v in (usual | told.get("guard", {})).items()})
    return _made(Outlet, dict(told) | {"id": id_, "bridge": bridge, "module": module, "phases": phases, "guard": guard})


def _cap_in(told: Document) -> Cap:
    made = dict(told)
    if "windows" in told:
        made["windows"] = _windows(told["windows"])
    if (peak := told.get("peak")) is not None:
        made["peak"] = _made(PeakTariff, peak | {n: _windows(peak[n]) for n in ("windows", "night") if n in peak})
    return _made(Cap, made)


def _windows(told: Iterable[Document]) -> tuple[Window, ...]:
    return tuple(_made(Window, w) for w in told)


def _made(kind: type[_T], told: Document) -> _T:
    """Make a part of what is told of it; numbers that may have decimals are floats, whatever JSON has made of them."""
    floats = _floats(kind)  # type: ignore[arg-type]  # a type is hashable
    return kind(**{name: _exact(v, is_float=name in floats) for name, v in told.items()})


def _exact(value: Any, *, is_float: bool) -> Any:
    if isinstance(value, list | tuple) and not isinstance(value, GuardLimits):
        return tuple(_exact(v, is_float=is_float) for v in value)
    if isinstance(value, Mapping):
        return {k: _exact(v, is_float=is_float) for k, v in value.items()}
    return float(value) if is_float and isinstance(value, int) else value


@cache
def _floats(kind: type) -> frozenset[str]:
    return frozenset(name for name, hint in get_type_hints(kind).items() if "float" in str(hint))
