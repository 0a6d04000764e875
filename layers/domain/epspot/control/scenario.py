"""One allocation problem as JSON, and its solution: the interface of ``python -m epspot.control``."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from epspot.control.allocation import Claim, admit, floor_a, share
from epspot.errors import InvalidRequest
from epspot.site import NONE_A, PHASES, Fuse, Network, Outlet, Site

_PRINCIPLES = ("equal",)
_BEYOND = 1e9
"""No current, energy, weight or time comes near it; NaN is not below it either."""
_T = TypeVar("_T")


class Problem(NamedTuple):
    """A checked scenario."""

    network: Network
    other_a: list[float]
    outlets: Mapping[str, Outlet]
    claims: list[Claim]
    """In the order in which they are served."""
    wants: Mapping[str, float | None]


class Solution(NamedTuple):
    """Allowances per outlet with a session (0 = waits), who waits in order, and each one's reason."""

    allowances_a: dict[str, float]
    waiting: list[str]
    limited_by: dict[str, str]


def solve(problem: Problem) -> Solution:
    """Decide who is admitted, what each gets, and why."""
    network = problem.network
    entry = admit(network, problem.other_a, network.sessions(()), problem.claims)
    shares = share(network, problem.other_a, entry.admitted)
    allowances, reasons = {}, {}
    for claim in problem.claims:
        o = claim.outlet
        if o in entry.refused:
            allowances[o], reasons[o] = 0.0, entry.refused[o]
        else:
            current, by = shares[o]
            allowances[o] = floor_a(current, 1e-6)
            reasons[o] = by or reason_of_own(problem.outlets[o], problem.wants[o])
    return Solution(allowances, [c.outlet for c in problem.claims if c.outlet in entry.refused], reasons)


def reason_of_own(outlet: Outlet, wants_a: float | None) -> str:
    """Name what limits a session that no fuse limits."""
    return "wants" if wants_a is not None and wants_a < outlet.max_a else "outlet"


# ------------------------------------------------------------------ reading


def read(body: Any) -> Problem:
    """Read a scenario (DESIGN: fuses, outlets, sessions, policy). Raises InvalidRequest or InvalidSite."""
    top = _object(body, "the scenario", ("fuses", "outlets", "sessions"), ("at", "policy"))
    if "at" in top:
        _time(top["at"], "at")
    _policy(top.get("policy", {}))
    fuses = tuple(_fuse(f, i) for i, f in enumerate(_list(top["fuses"], "fuses")))
    outlets = tuple(_outlet(o, i) for i, o in enumerate(_list(top["outlets"], "outlets")))
    # Here the other load is measured, not what the owner plans with: it may be above the rating.
    planned = tuple(replace(f, other_a=NONE_A) for f in fuses)
    site = Site(id="scenario", name="scenario", fuses=planned, outlets=outlets).well_formed()
    sessions = [_session(s, i, site) for i, s in enumerate(_list(top["sessions"], "sessions"))]
    taken = [s.claim.outlet for s in sessions]
    for o in taken:
        if taken.count(o) > 1:
            raise InvalidRequest(f"outlet {o} has more than one session; it can have one")
    sessions.sort(key=lambda s: (s.served, s.since, s.claim.outlet))
    return Problem(
        network=site.network,
        other_a=[a for f in fuses for a in f.other_a],
        outlets=site.outlet,
        claims=[s.claim for s in sessions],
        wants={s.claim.outlet: s.wants_a for s in sessions},
    )


class _Session(NamedTuple):
    claim: Claim
    served: float
    since: datetime
    wants_a: float | None


def _policy(body: Any) -> None:
    policy = _object(body, "policy", (), ("principle", "turn_minutes"))
    principle = policy.get("principle", "equal")
    if principle not in _PRINCIPLES:
        raise InvalidRequest(f"policy.principle {principle!r} is not known; use one of {', '.join(_PRINCIPLES)}")
    _number(policy.get("turn_minutes", 15), "policy.turn_minutes", above=0)


def _fuse(body: Any, i: int) -> Fuse:
    name = f"fuses[{i}]"
    f = _object(body, name, ("id", "parent", "rating_a"), ("other_a", "max_sessions"))
    most = f.get("max_sessions")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool)):
        raise InvalidRequest(f"{name}.max_sessions must be a whole number or null")
    parent = f["parent"]
    return Fuse(
        id=_text(f["id"], f"{name}.id"),
        parent=None if parent is None else _text(parent, f"{name}.parent"),
        rating_a=_amperes(f["rating_a"], f"{name}.rating_a"),
        other_a=_amperes(f.get("other_a", [0, 0, 0]), f"{name}.other_a"),
        max_sessions=most,
        planning_factor=1.0,
    )


def _outlet(body: Any, i: int) -> Outlet:
    name = f"outlets[{i}]"
    o = _object(body, name, ("id", "fuse", "phases", "max_a"), ("min_a", "modulated"))
    modulated = o.get("modulated", True)
    if not isinstance(modulated, bool):
        raise InvalidRequest(f"{name}.modulated must be true or false")
    phases = _list(o["phases"], f"{name}.phases")
    if not all(p in PHASES for p in phases):
        raise InvalidRequest(f"{name}.phases must name {', '.join(PHASES)}")
    id_ = _text(o["id"], f"{name}.id")
    max_a = _number(o["max_a"], f"{name}.max_a", above=0)
    return Outlet(
        id=id_,
        number=id_,
        fuse=_text(o["fuse"], f"{name}.fuse"),
        phases=tuple(PHASES.index(p) for p in phases),
        min_a=_number(o.get("min_a", 6 if modulated else max_a), f"{name}.min_a", above=0),
        max_a=max_a,
        modulated=modulated,
        bridge="scenario",
        module=id_,
    )


def _session(body: Any, i: int, site: Site) -> _Session:
    name = f"sessions[{i}]"
    s = _object(body, name, ("outlet", "since"), ("wants_a", "served_wh", "weight", "ready_by", "needs_wh"))
    outlet = site.outlet.get(s["outlet"]) if isinstance(s["outlet"], str) else None
    if outlet is None:
        raise InvalidRequest(f"{name}.outlet {s['outlet']!r} is not among the outlets")
    wants = _optional(s.get("wants_a"), lambda v: _number(v, f"{name}.wants_a", above=0))
    weight = _number(s.get("weight", 1), f"{name}.weight", above=0)
    served = _number(s.get("served_wh", 0), f"{name}.served_wh", least=0)
    _optional(s.get("ready_by"), lambda v: _time(v, f"{name}.ready_by"))
    _optional(s.get("needs_wh"), lambda v: _number(v, f"{name}.needs_wh", least=0))
    most = outlet.max_a if wants is None or not outlet.modulated else min(wants, outlet.max_a)
    least = outlet.least_a
    claim = Claim(outlet.id, least, max(least, most), weight)
    return _Session(claim, served / weight, _time(s["since"], f"{name}.since"), wants)


def _object(body: Any, name: str, needed: tuple[str, ...], allowed: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise InvalidRequest(f"{name} must be a JSON object")
    if missing := [k for k in needed if k not in body]:
        raise InvalidRequest(f"{name} lacks {', '.join(missing)}")
    if unknown := [str(k) for k in body if k not in needed and k not in allowed]:
        raise InvalidRequest(f"{name} has the unknown {', '.join(unknown)}; known are {', '.join(needed + allowed)}")
    return body


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidRequest(f"{name} must be a JSON array")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"{name} must be a text that is not empty")
    return value


def _number(value: Any, name: str, *, above: float | None = None, least: float | None = None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _BEYOND:
        raise InvalidRequest(f"{name} must be a number")
    if above is not None and value <= above:
        raise InvalidRequest(f"{name} is {value:g}; it must be above {above:g}")
    if least is not None and value < least:
        raise InvalidRequest(f"{name} is {value:g}; it must be at least {least:g}")
    return float(value)


def _amperes(value: Any, name: str) -> tuple[float, float, float]:
    if not isinstance(value, list) or len(value) != len(PHASES):
        raise InvalidRequest(f"{name} must be three numbers, for L1, L2 and L3")
    one, two, three = (_number(v, name, least=0) for v in value)
    return (one, two, three)


def _time(value: Any, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{name} must be a time such as 2026-01-05T08:00:00Z") from None
    if at.tzinfo is None:
        raise InvalidRequest(f"{name} must say its time zone, such as a Z at the end")
    return at


def _optional(value: Any, read_it: Callable[[Any], _T]) -> _T | None:
    return None if value is None else read_it(value)
