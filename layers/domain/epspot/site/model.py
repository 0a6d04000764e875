"""What stands in the ground: one place with one grid connection, and whether it is sound and safe."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from epspot.errors import InvalidSite
from epspot.site.network import IMBALANCE, Network
from epspot.site.parts import KINDS, PHASES, Fuse, Group, Outlet, Policy, Station
from epspot.site.rules import Cap, Principle, window_problems

MAX_OUTLETS = 1000
"""More would outgrow one item and one transaction (docs/data-model.md)."""

_SLACK_A = 1e-6  # rounding of sums
_BRIDGE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
_MODULE = re.compile(r"[A-Za-z0-9]{1,12}\Z")
_MOST_INTERVAL_S, _MOST_LEASE_S = 3600, 86_400
_MOST_A, _MOST_MODULES = 400, 400
_MOST_CAPS = 20
_WARM = 0.9
_MOST_WEIGHT = 100
_LEAST_MARGIN_A = 0.5
_PRINCIPLES = tuple(p.value for p in Principle)
_CAP = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")
_GUARD_BOUNDS = {"instant": (1.05, 3), "seconds": (1, 2), "seconds_a": (0, 5), "seconds_s": (1, 60), "mean": (1, 2)}
"""As the hardware contract has them."""


@dataclass(frozen=True)
class Site:
    """One place with one grid connection."""

    id: str
    name: str
    fuses: tuple[Fuse, ...]
    outlets: tuple[Outlet, ...]
    policy: Policy = field(default_factory=Policy)
    revision: int = 1
    meter_bridge: str | None = None
    """The bridge whose frames carry the grid connection's currents, if one is measured."""
    caps: tuple[Cap, ...] = ()
    time_zone: str = "Europe/Stockholm"
    price_area: str = "SE3"
    """Of the electricity market (Nord Pool)."""
    latitude: float = 59.33
    longitude: float = 18.07
    owner: str = ""
    address: str = ""
    outline: tuple[tuple[float, float], ...] = ()
    """Corners (latitude, longitude) of the place on a map."""
    groups: tuple[Group, ...] = ()
    stations: tuple[Station, ...] = ()
    bridges: tuple[str, ...] = ()
    """Those that have been claimed; also such as serve no outlet yet."""

    @cached_property
    def outlet(self) -> dict[str, Outlet]:
        """Outlets by id."""
        return {o.id: o for o in self.outlets}

    @cached_property
    def fuse(self) -> dict[str, Fuse]:
        """Fuses by id."""
        return {f.id: f for f in self.fuses}

    @cached_property
    def group(self) -> dict[str, Group]:
        """Groups by id."""
        return {g.id: g for g in self.groups}

    @cached_property
    def station(self) -> dict[str, Station]:
        """Stations by id."""
        return {s.id: s for s in self.stations}

    def groups_above(self, group: str | None) -> tuple[Group, ...]:
        """List a group and those that it is in, the widest first."""
        found: list[Group] = []
        while group is not None:
            found.append(self.group[group])
            group = found[-1].parent
        return tuple(reversed(found))

    def is_public(self, outlet: Outlet) -> bool:
        """Tell whether everyone may use an outlet."""
        return outlet.public or any(g.public for g in self.groups_above(outlet.group))

    def tariff_of(self, outlet: Outlet) -> str | None:
        """Tell the tariff of an outlet: its own, or that of the nearest group that has one."""
        of_groups = (g.tariff for g in reversed(self.groups_above(outlet.group)))
        return outlet.tariff or next((t for t in of_groups if t), None)

    def place_of(self, outlet: Outlet) -> tuple[float, float]:
        """Tell where an outlet is: (latitude, longitude)."""
        station = None if outlet.station is None else self.station[outlet.station]
        for at in (outlet, station):
            if at is not None and at.latitude is not None and at.longitude is not None:
                return at.latitude, at.longitude
        return self.latitude, self.longitude

    @cached_property
    def main(self) -> Fuse:
        """The main fuse."""
        return next(f for f in self.fuses if f.parent is None)

    @cached_property
    def of_bridge(self) -> dict[str, dict[str, Outlet]]:
        """Each bridge's outlets by their module's id."""
        found: dict[str, dict[str, Outlet]] = {b: {} for b in self.bridges}
        for o in self.outlets:
            found.setdefault(o.bridge, {})[o.module] = o
        return found

    @cached_property
    def network(self) -> Network:
        """The fuse tree, made ready for adding up."""
        balanced = self.policy.max_imbalance_a is not None
        return Network.of(self.fuses, self.outlets, self.caps, balanced=balanced)

    @cached_property
    def principle(self) -> dict[str, Principle]:
        """How the current of each fuse is divided, by the fuse's id."""
        found: dict[str, Principle] = {}
        for f in self.fuses:
            at, chosen = f, f.principle
            while chosen is None and at.parent is not None:
                at = self.fuse[at.parent]
                chosen = at.principle
            found[f.id] = Principle(chosen or self.policy.principle)
        return found

    @cached_property
    def warm_a(self) -> tuple[float, ...]:
        """What each fuse-phase may carry before it is looked at closely: 90 % of its rating, or all that was planned."""
        return tuple(max(_WARM * r, p) for f in self.fuses for r, p in zip(f.rating_a, f.planning_a, strict=True))

    @cached_property
    def uses_prices(self) -> bool:
        """Whether a cap depends on what electricity costs."""
        return any(c.above_ore is not None for c in self.caps)

    def local(self, at: float) -> datetime:
        """Tell the site's local time at an epoch time."""
        return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(self.time_zone))

    def well_formed(self) -> "Site":
        """Return the site itself if its parts fit together, else raise InvalidSite with every problem."""
        if problems := [*_form(self)] or [*_caps(self)]:
            raise InvalidSite(problems)
        return self

    def checked(self) -> "Site":
        """Return the site itself if it is sound and safe, else raise InvalidSite with every problem."""
        problems = [*_form(self)]
        if not problems:
            problems = [*_names(self), *_policy(self), *_caps(self), *_choices(self), *_order(self)]
        if (n := len(self.outlets)) > MAX_OUTLETS:
            problems.append(f"{n} outlets; a site holds at most {MAX_OUTLETS}: divide it by its fuses")
        if not problems:
            problems += [*_fallbacks(self)]
        if problems:
            raise InvalidSite(problems)
        return self


def _form(site: Site) -> Iterable[str]:
    ids = [f.id for f in site.fuses]
    yield from (f"fuse {i} stands twice" for i in sorted({i for i in ids if ids.count(i) > 1}))
    roots = [f.id for f in site.fuses if f.parent is None]
    if len(roots) != 1:
        yield f"there must be one main fuse, not {len(roots)}: {', '.join(roots) or 'every fuse has a parent'}"
    parents = {f.id: f.parent for f in site.fuses}
    for f in site.fuses:
        if f.parent is not None and f.parent not in parents:
            yield f"fuse {f.id} hangs under {f.parent}, which does not exist"
        elif loops(f.id, parents):
            yield f"fuse {f.id} is above itself"
        if min(f.rating_a) <= 0:
            yield f"fuse {f.id} has a rating of {min(f.rating_a):g} A; it must be above 0"
        if not 0 < f.planning_factor <= 1:
            yield f"fuse {f.id} has a planning factor of {f.planning_factor:g}; it must be above 0 and at most 1"
        if f.max_sessions is not None and f.max_sessions < 0:
            yield f"fuse {f.id} allows {f.max_sessions} sessions"
    yield from _outlets(site, parents)


def loops(one: str, parents: dict[str, str | None]) -> bool:
    """Tell whether something in a tree is above itself, by each one's parent."""
    seen = {one}
    above = parents[one]
    while above is not None:
        if above in seen:
            return True
        seen.add(above)
        above = parents.get(above)
    return False


def _outlets(site: Site, fuses: dict[str, str | None]) -> Iterable[str]:
    seen: set[str] = set()
    modules: set[tuple[str, str]] = set()
    for o in site.outlets:
        if o.id in seen:
            yield f"outlet {o.id} stands twice"
        if (o.bridge, o.module) in modules:
            yield f"outlet {o.id}: module {o.module} of bridge {o.bridge} stands at another outlet already"
        seen.add(o.id)
        modules.add((o.bridge, o.module))
        if o.fuse not in fuses:
            yield f"outlet {o.id} hangs under fuse {o.fuse}, which does not exist"
        if len(o.phases) not in (1, 3) or len(set(o.phases)) != len(o.phases) or not {*o.phases} <= {0, 1, 2}:
            yield f"outlet {o.id} must be wired to one phase or to three different ones of L1, L2, L3"
        if not 0 < o.min_a <= o.max_a:
            yield f"outlet {o.id}: min_a {o.min_a:g} must be above 0 and at most max_a {o.max_a:g}"
        if o.fallback_a and not o.least_a <= o.fallback_a <= o.max_a:
            yield f"outlet {o.id}: fallback_a {o.fallback_a:g} must be 0, or {o.least_a:g} to {o.max_a:g}"


def _names(site: Site) -> Iterable[str]:
    """Bridges and modules must be named as the hardware contract allows, or no command would be obeyed."""
    for o in site.outlets:
        if not _BRIDGE.match(o.bridge):
            yield f"outlet {o.id}: bridge {o.bridge!r} must be 1 to 32 lower-case letters, digits and hyphens"
        if not _MODULE.match(o.module):
            yield f"outlet {o.id}: module {o.module!r} must be 1 to 12 letters and digits"
        if o.max_a > _MOST_A:
            yield f"outlet {o.id}: max_a {o.max_a:g} is above {_MOST_A}, the most that a command can say"
    for b, modules in site.of_bridge.items():
        if len(modules) > _MOST_MODULES:
            yield f"bridge {b} has {len(modules)} modules; a command holds at most {_MOST_MODULES}"
    if site.meter_bridge is not None and site.meter_bridge not in site.of_bridge:
        yield f"the main meter's bridge {site.meter_bridge} serves no outlet here"


def _policy(site: Site) -> Iterable[str]:
    """Hold times to what leases need: several frames within half of one."""
    p = site.policy
    yield from _sharing(site)
    for name in (
        "turn_s",
        "standby_s",
        "full_s",
        "plug_wait_s",
        "fast_interval_s",
        "unused_s",
        "wake_s",
        "trips_before_alarm",
    ):
        if getattr(p, name) < 1:
            yield f"policy.{name} is {getattr(p, name)}; it must be at least 1"
    if not 0 <= p.min_on_s <= p.turn_s:
        yield f"policy.min_on_s is {p.min_on_s}; it must be 0 to turn_s ({p.turn_s})"
    if not p.fast_interval_s <= p.interval_s <= _MOST_INTERVAL_S:
        yield f"policy.interval_s is {p.interval_s}; it must be {p.fast_interval_s} to {_MOST_INTERVAL_S}"
    if not 4 * p.interval_s <= p.lease_s <= _MOST_LEASE_S:
        yield f"policy.lease_s is {p.lease_s}; it must be {4 * p.interval_s} (four intervals) to {_MOST_LEASE_S}"


def _sharing(site: Site) -> Iterable[str]:
    """Check how current is to be shared."""
    p = site.policy
    for where, principle in (("policy", p.principle), *((f"fuse {f.id}", f.principle) for f in site.fuses)):
        if principle is not None and principle not in _PRINCIPLES:
            yield f"{where}: principle {principle!r} is not known; use one of {', '.join(_PRINCIPLES)}"
    for group, weight in p.weights.items():
        if not 0 < weight <= _MOST_WEIGHT:
            yield f"policy.weights[{group!r}] is {weight:g}; it must be above 0 and at most {_MOST_WEIGHT}"
    if p.max_imbalance_a is not None and p.max_imbalance_a <= 0:
        yield f"policy.max_imbalance_a is {p.max_imbalance_a:g}; it must be above 0, or left out"
    if p.unused_margin_a < _LEAST_MARGIN_A:
        yield f"policy.unused_margin_a is {p.unused_margin_a:g}; it must be at least {_LEAST_MARGIN_A}"


def _caps(site: Site) -> Iterable[str]:
    """Check what the owner has chosen beside the fuses."""
    names = [c.name for c in site.caps]
    if len(names) > _MOST_CAPS:
        yield f"{len(names)} caps; a site has at most {_MOST_CAPS}"
    for c in site.caps:
        where = f"cap {c.name}"
        if not _CAP.match(c.name) or c.name == IMBALANCE or names.count(c.name) > 1:
            yield f"{where}: a name is 1 to 32 lower-case letters, digits, _ and -, stands once, and is not {IMBALANCE}"
        if c.fuse is not None and c.fuse not in site.fuse:
            yield f"{where} is on fuse {c.fuse}, which does not exist"
        if (c.limit_a is None) == (c.peak is None):
            yield f"{where} must have either limit_a or peak"
        if c.limit_a is not None and c.limit_a < 0:
            yield f"{where}: limit_a is {c.limit_a:g}; it must be 0 or more"
        if c.peak is not None and (c.above_ore is not None or c.fuse not in (None, site.main.id)):
            yield f"{where}: a peak is that of the main fuse, and has no price"
        yield from (f"{where}: {problem}" for w in c.windows for problem in window_problems(w))
        if (p := c.peak) is not None:
            yield from (f"{where}: {problem}" for w in (*p.windows, *p.night) for problem in window_problems(w))
            if p.count < 1 or p.interval_s not in (900, 3600) or not 0 <= p.night_factor <= 1 or p.least_w < 0:
                yield f"{where}: count is at least 1, interval_s 900 or 3600, night_factor 0 to 1, least_w 0 or more"


def _choices(site: Site) -> Iterable[str]:
    """Check what can be chosen for each outlet, and where the site is."""
    for o in site.outlets:
        if o.paid_by not in ("user", "outlet"):
            yield f"outlet {o.id}: paid_by {o.paid_by!r} is not known; use user or outlet"
        elif o.autostart and o.paid_by != "outlet":
            yield f"outlet {o.id}: autostart needs paid_by outlet; where a user pays, the user starts"
        for name, (least, most) in _GUARD_BOUNDS.items():
            if not least <= (value := getattr(o.guard, name)) <= most:
                yield f"outlet {o.id}: guard.{name} is {value:g}; it must be {least:g} to {most:g}"
    try:
        ZoneInfo(site.time_zone)
    except (KeyError, ValueError, OSError):
        yield f"time zone {site.time_zone!r} is not known; use a name such as Europe/Stockholm"
    if not _is_on_globe(site.latitude, site.longitude):
        yield f"the place {site.latitude:g}, {site.longitude:g} is not on the globe"


def _order(site: Site) -> Iterable[str]:
    """Check groups, stations and what outlets say of them."""
    for what, ids in (("group", [g.id for g in site.groups]), ("station", [s.id for s in site.stations])):
        yield from (f"{what} {i} stands twice" for i in sorted({i for i in ids if ids.count(i) > 1}))
        yield from (
            f"{what} {i!r}: an id is 1 to 32 lower-case letters, digits, _ and -" for i in ids if not _CAP.match(i)
        )
    parents = {g.id: g.parent for g in site.groups}
    for g in site.groups:
        if g.parent is not None and g.parent not in parents:
            yield f"group {g.id} is in {g.parent}, which does not exist"
        elif loops(g.id, parents):
            yield f"group {g.id} is in itself"
    yield from (
        f"bridge {b!r} must be 1 to 32 lower-case letters, digits and hyphens"
        for b in site.bridges
        if not _BRIDGE.match(b)
    )
    numbers = [o.number for o in site.outlets]
    yield from (f"outlet number {n} stands twice" for n in sorted({n for n in numbers if numbers.count(n) > 1}))
    places = [(f"outlet {o.id}", o.latitude, o.longitude) for o in site.outlets]
    places += [(f"station {s.id}", s.latitude, s.longitude) for s in site.stations]
    places += [("the outline", *corner) for corner in site.outline]
    for what, latitude, longitude in places:
        if (latitude is None) != (longitude is None) or not _is_on_globe(latitude or 0, longitude or 0):
            yield f"{what}: latitude and longitude go together, and must be on the globe"
    yield from _placed(site)


def _placed(site: Site) -> Iterable[str]:
    """Check what outlets say of the order that they stand in."""
    for o in site.outlets:
        if o.kind not in KINDS:
            yield f"outlet {o.id}: kind {o.kind!r} is not known; use one of {', '.join(KINDS)}"
        if o.group is not None and o.group not in site.group:
            yield f"outlet {o.id} is in group {o.group}, which does not exist"
        if o.station is not None and o.station not in site.station:
            yield f"outlet {o.id} is at station {o.station}, which does not exist"


def _is_on_globe(latitude: float, longitude: float) -> bool:
    return -90 <= latitude <= 90 and -180 <= longitude <= 180  # noqa: PLR2004 - degrees


def _fallbacks(site: Site) -> Iterable[str]:
    """On every fuse the fallbacks plus the largest other load must fit: all that holds when the cloud is away."""
    sums = {f.id: list(f.other_a) for f in site.fuses}
    for o in site.outlets:
        at: str | None = o.fuse
        while at is not None:
            for p in o.phases:
                sums[at][p] += o.fallback_a
            at = site.fuse[at].parent
    for f in site.fuses:
        for p in range(3):
            if sums[f.id][p] > f.planning_a[p] + _SLACK_A:
                yield (
                    f"fuse {f.id}/{PHASES[p]}: fallbacks and other load come to {sums[f.id][p]:g} A, "
                    f"but only {f.planning_a[p]:g} A may be planned"
                )
