"""Read a scenario: one allocation problem as JSON (its form: docs/control.md)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any, NamedTuple, TypeVar

from epspot.control import caps, plans
from epspot.control.allocation import Claim
from epspot.control.draft import Draft
from epspot.control.scenario import Problem
from epspot.control.state import Demand, Live
from epspot.errors import InvalidRequest
from epspot.site import NONE_A, PHASES, Cap, Fuse, Outlet, PeakTariff, Policy, Principle, Site, Window
from epspot.site.rules import ALWAYS, DAY_MIN

_PRINCIPLES = tuple(p.value for p in Principle)
_BEYOND = 1e9
"""No current, energy, weight or time comes near it; NaN is not below it either."""
_T = TypeVar("_T")


def read(body: Any) -> Problem:
    """Read a scenario. Raises InvalidRequest or InvalidSite."""
    top = _object(
        body, "the scenario", ("fuses", "outlets", "sessions"), ("at", "policy", "caps", "prices", "time_zone")
    )
    at = _time(top["at"], "at") if "at" in top else datetime.fromtimestamp(0, UTC)
    fuses = tuple(_fuse(f, i) for i, f in enumerate(_list(top["fuses"], "fuses")))
    site = _site(top, fuses)
    sessions = [_session(s, i, site) for i, s in enumerate(_list(top["sessions"], "sessions"))]
    taken = [s.claim.outlet for s in sessions]
    for o in taken:
        if taken.count(o) > 1:
            raise InvalidRequest(f"outlet {o} has more than one session; it can have one")
    now = at.timestamp()
    sessions.sort(key=lambda s: (s.served, s.since, s.claim.outlet))
    return Problem(
        network=site.network.limited(_limits(top, site, fuses, now)),
        other_a=[a for f in fuses for a in f.other_a],
        outlets=site.outlet,
        claims=[s.claim for s in sessions],
        wants={s.claim.outlet: s.wants_a for s in sessions},
        principles=_principles(site),
        orders=_orders(site, sessions, now),
        needed_a={s.claim.outlet: s.needed_a(site.outlet[s.claim.outlet], now) for s in sessions if s.ready_by},
        max_imbalance_a=site.policy.max_imbalance_a,
    )


def _site(top: Mapping[str, Any], fuses: tuple[Fuse, ...]) -> Site:
    # Here the other load is measured, not what the owner plans with: it may be above the rating.
    site = Site(
        id="scenario",
        name="scenario",
        fuses=tuple(replace(f, other_a=NONE_A) for f in fuses),
        outlets=tuple(_outlet(o, i) for i, o in enumerate(_list(top["outlets"], "outlets"))),
        policy=_policy(top.get("policy", {})),
        caps=tuple(_cap(c, i) for i, c in enumerate(_list(top.get("caps", []), "caps"))),
        time_zone=_text(top.get("time_zone", "Europe/Stockholm"), "time_zone"),
        meter_bridge="scenario",
    )
    return site.well_formed()


def _principles(site: Site) -> list[Principle]:
    """Name each fuse's principle; the weights of a scenario's sessions count under ``equal`` too."""
    own = [site.principle[f.id] for f in site.fuses]
    return [Principle.PRIORITY if p is Principle.EQUAL else p for p in own]


def _orders(site: Site, sessions: list["_Session"], now: float) -> dict[Principle, list[str]]:
    """Put the sessions in the order of the principles that have another one than the least served first."""

    def spare_s(s: "_Session") -> float:
        return s.spare_s(site.outlet[s.claim.outlet], now)

    first_come = sorted(sessions, key=lambda s: (s.since, s.claim.outlet))
    readiness = sorted(sessions, key=lambda s: (spare_s(s), s.served, s.since, s.claim.outlet))
    return {
        Principle.FIRST_COME: [s.claim.outlet for s in first_come],
        Principle.READINESS: [s.claim.outlet for s in readiness],
    }


def _limits(top: Mapping[str, Any], site: Site, fuses: tuple[Fuse, ...], now: float) -> dict[int, float]:
    """Tell what the caps allow at the scenario's time."""
    prices = [
        (round(_time(_list(p, "prices")[0], "prices").timestamp()), _number(p[1], "prices"))
        for p in _list(top.get("prices", []), "prices")
    ]
    main = next((f for f in fuses if f.parent is None), None)
    live = Live(
        site.id,
        other_a=NONE_A if main is None else main.other_a,
        prices=tuple(sorted(prices)),
        demand={
            c["name"]: _demand(c["peak"], f"caps[{i}].peak", now)
            for i, c in enumerate(top.get("caps", []))
            if c.get("peak") is not None
        },
    )
    return caps.limits(Draft(site, live, now))


class _Session(NamedTuple):
    claim: Claim
    served: float
    since: datetime
    wants_a: float | None
    ready_by: datetime | None
    needs_wh: float | None

    def _left_s(self, now: float) -> float:
        assumed = self.since.timestamp() + plans.ASSUMED_STAY_S
        return (assumed if self.ready_by is None else self.ready_by.timestamp()) - now

    def _needs_wh(self) -> float:
        return plans.ASSUMED_NEED_WH if self.needs_wh is None else self.needs_wh

    def spare_s(self, outlet: Outlet, now: float) -> float:
        """Tell for how long it could do without current."""
        return self._left_s(now) - self._needs_wh() / (plans.NOMINAL_V * len(outlet.phases) * outlet.max_a) * 3600

    def needed_a(self, outlet: Outlet, now: float) -> float:
        """Tell the current that makes it ready just in time."""
        left = self._left_s(now)
        if left <= 0:
            return outlet.max_a
        return self._needs_wh() / (left / 3600) / (plans.NOMINAL_V * len(outlet.phases))


def _policy(body: Any) -> Policy:
    policy = _object(body, "policy", (), ("principle", "turn_minutes", "max_imbalance_a"))
    _number(policy.get("turn_minutes", 15), "policy.turn_minutes", above=0)
    return Policy(
        principle=_principle(policy.get("principle", "equal"), "policy.principle") or "equal",
        max_imbalance_a=_optional(
            policy.get("max_imbalance_a"), lambda v: _number(v, "policy.max_imbalance_a", above=0)
        ),
    )


def _principle(value: Any, name: str) -> str | None:
    if value is not None and value not in _PRINCIPLES:
        raise InvalidRequest(f"{name} {value!r} is not known; use one of {', '.join(_PRINCIPLES)}")
    return None if value is None else str(value)


def _cap(body: Any, i: int) -> Cap:
    name = f"caps[{i}]"
    c = _object(body, name, ("name",), ("limit_a", "fuse", "windows", "above_ore", "peak"))
    if (c.get("limit_a") is None) == (c.get("peak") is None):
        raise InvalidRequest(f"{name} must have either limit_a or peak")
    return Cap(
        name=_text(c["name"], f"{name}.name"),
        limit_a=_optional(c.get("limit_a"), lambda v: _number(v, f"{name}.limit_a", least=0)),
        fuse=_optional(c.get("fuse"), lambda v: _text(v, f"{name}.fuse")),
        windows=_windows(c.get("windows"), f"{name}.windows", ALWAYS),
        above_ore=_optional(c.get("above_ore"), lambda v: _number(v, f"{name}.above_ore")),
        peak=_optional(c.get("peak"), lambda v: _peak(v, f"{name}.peak")),
    )


def _peak(body: Any, name: str) -> PeakTariff:
    p = _object(body, name, (), (*_PEAK, "windows", "night", "peaks_w", "spent_wh", "power_w"))
    usual = PeakTariff()
    return replace(
        usual,
        count=round(_number(p.get("count", usual.count), f"{name}.count", least=1)),
        interval_s=round(_number(p.get("interval_s", usual.interval_s), f"{name}.interval_s", above=0)),
        one_a_day=bool(p.get("one_a_day", usual.one_a_day)),
        night_factor=_number(p.get("night_factor", usual.night_factor), f"{name}.night_factor", least=0),
        least_w=_number(p.get("least_w", usual.least_w), f"{name}.least_w", least=0),
        windows=_windows(p.get("windows"), f"{name}.windows", ALWAYS),
        night=_windows(p.get("night"), f"{name}.night", ()),
    )


_PEAK = ("count", "interval_s", "one_a_day", "night_factor", "least_w")


def _demand(body: Any, name: str, now: float) -> Demand:
    """Read what has been drawn in the running interval, and the peaks of earlier days."""
    peak = _peak(body, name)
    peaks = [_number(w, f"{name}.peaks_w", least=0) for w in _list(body.get("peaks_w", []), f"{name}.peaks_w")]
    return Demand(
        start=int(now // peak.interval_s) * peak.interval_s,
        at=now,
        wh=_number(body.get("spent_wh", 0), f"{name}.spent_wh", least=0),
        w=_number(body.get("power_w", 0), f"{name}.power_w", least=0),
        month=0,
        peaks=tuple(enumerate(sorted(peaks, reverse=True), 1)),
    )


def _windows(body: Any, name: str, usual: tuple[Window, ...]) -> tuple[Window, ...]:
    return usual if body is None else tuple(_window(w, f"{name}[{i}]") for i, w in enumerate(_list(body, name)))


def _window(body: Any, name: str) -> Window:
    w = _object(body, name, (), ("days", "months", "start", "end"))
    usual = Window()
    return Window(
        days=_numbers(w.get("days"), f"{name}.days", usual.days),
        months=_numbers(w.get("months"), f"{name}.months", usual.months),
        start_min=_minute(w.get("start", "00:00"), f"{name}.start"),
        end_min=_minute(w.get("end", "24:00"), f"{name}.end"),
    )


def _numbers(body: Any, name: str, usual: tuple[int, ...]) -> tuple[int, ...]:
    return usual if body is None else tuple(round(_number(n, name, least=0)) for n in _list(body, name))


def _minute(value: Any, name: str) -> int:
    if value == "24:00":
        return DAY_MIN
    try:
        at = time.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{name} must be a time of day such as 17:30") from None
    return at.hour * 60 + at.minute


def _fuse(body: Any, i: int) -> Fuse:
    name = f"fuses[{i}]"
    f = _object(body, name, ("id", "parent", "rating_a"), ("other_a", "max_sessions", "principle"))
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
        principle=_principle(f.get("principle"), f"{name}.principle"),
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
    ready_by = _optional(s.get("ready_by"), lambda v: _time(v, f"{name}.ready_by"))
    needs = _optional(s.get("needs_wh"), lambda v: _number(v, f"{name}.needs_wh", least=0))
    most = outlet.max_a if wants is None or not outlet.modulated else min(wants, outlet.max_a)
    least = outlet.least_a
    claim = Claim(outlet.id, least, max(least, most), weight)
    return _Session(claim, served / weight, _time(s["since"], f"{name}.since"), wants, ready_by, needs)


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
