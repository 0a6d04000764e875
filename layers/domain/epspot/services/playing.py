"""Let a site's visits happen on the core: weeks in seconds, from event to event, with loads that do as they are told.

Every bridge is ideal: it obeys at once, and no message is lost. So it speaks only when something has changed, when a
load's appetite is to be looked at again, or after a quarter of an hour in which registers have moved; and since no
connection is ever lost, leases and silences are made so long that they never run out. What the fuses carry beside the
outlets is what the owner has configured.

Between two events every current is constant, so that energies, waits and peaks are exact.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TypeAlias

from epspot.control.due import due_at
from epspot.control.effects import SendCommand
from epspot.control.events import Event, FrameReceived, OutlookReceived, StartRequested, Ticked
from epspot.control.loads import other_load
from epspot.control.plans import NOMINAL_V
from epspot.control.state import Live, Plug, Reading, SessionState, Wishes
from epspot.control.step import step
from epspot.site import NONE_A, PHASES, Amperes, Outlet, Principle, Site

Watch: TypeAlias = Callable[[Site, Live, Live], object]
"""Called after each step with the site, the state before and the state after."""

LEAST_A = 6.0
"""Below this no vehicle charges (IEC 61851-1); what needs less anyway is content with what it needs."""

AT_LIMIT = 0.99
"""A fuse that carries this part of what may be planned is at its limit."""

_LEASE_S, _INTERVAL_S = 86_400, 3600
_LOOK_S = 900.0
"""How often a bridge speaks at least while something draws."""
_HEARD_S = 6 * 3600.0
"""How often it speaks in any case: well before it would count as silent, or its lease were over."""
_JUST_AFTER_S = 1.0
"""A real bridge's next frame comes some time after a span is over too; rounding then doesn't matter."""
_GRAIN_S = 60.0
_DONE_WH = 1e-3
_MOST_ROUNDS = 100
_AHEAD_S = 7 * 86_400.0
"""The furthest that a time to be ready may be ahead."""
_BOOT = "00000001"
_VOLTAGE_V: Amperes = (NOMINAL_V, NOMINAL_V, NOMINAL_V)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who stands at an outlet from one time to another, in epoch seconds, and what the load needs."""

    outlet: str
    plugged_at: float
    leaves_at: float
    needs_wh: float
    max_a: float = inf
    """The most that the load takes on each conductor, whatever the outlet offers."""
    conductors: tuple[int, ...] | None = None
    """Those of the outlet that it uses; None: all."""
    group: str = ""
    ready_by: float | None = None
    """When its user has said that it must be ready; told under readiness only."""


@dataclass(frozen=True, slots=True)
class Served:
    """What became of a visit."""

    visit: Visit
    delivered_wh: float
    first_wait_s: float
    """From the arrival to the first current; one that never got any has waited for as long as it stayed."""
    waited_s: float
    """In all: without current while energy was still needed."""


@dataclass(frozen=True, slots=True)
class Course:
    """How it went."""

    served: tuple[Served, ...]
    """In order of arrival."""
    peak_a: Amperes
    """On each phase of the main fuse, of the outlets alone."""
    peak_w: float
    at_limit_s: Mapping[str, float]
    """How long each fuse-phase was at its limit; those that never were are left out."""
    turns: int
    """How often a session got current after it had none."""
    steps: int


def play(
    site: Site, visits: Sequence[Visit], prices: tuple[tuple[int, float], ...] = (), watch: Watch | None = None
) -> Course:
    """Let visits happen, no two of them at an outlet at the same time; ``prices`` as in ``OutlookReceived``."""
    return _Play(_undisturbed(site), visits, watch).run(prices)


def _undisturbed(site: Site) -> Site:
    """Make leases that outlast every pause between frames; nobody measures the main fuse, and visits start themselves."""
    policy = replace(site.policy, lease_s=_LEASE_S, interval_s=_INTERVAL_S, fast_interval_s=_INTERVAL_S)
    outlets = tuple(replace(o, autostart=False) if o.autostart else o for o in site.outlets)
    return replace(site, policy=policy, outlets=outlets, meter_bridge=None)


@dataclass(slots=True)
class _Load:
    """A visit that is there."""

    number: int
    visit: Visit
    conductors: tuple[int, ...]
    path: tuple[int, ...]
    left_wh: float
    current_a: float = 0.0
    first_at: float | None = None
    waited_s: float = 0.0

    @property
    def power_w(self) -> float:
        return self.current_a * NOMINAL_V * len(self.conductors)

    @property
    def left_s(self) -> float:
        """Tell for how long it will draw if its current stays."""
        return self.left_wh * 3600 / self.power_w if self.current_a else inf

    def take(self, limit_a: float) -> None:
        """Draw what the limit allows."""
        most = self.visit.max_a
        wants = self.left_wh > 0 and limit_a >= min(LEAST_A, most)
        self.current_a = min(limit_a, most) if wants else 0.0


@dataclass(slots=True)
class _Module:
    outlet: Outlet
    limit_a: float = 0.0
    energy_wh: float = 0.0
    load: _Load | None = None
    is_new: bool = True
    """Something but its register has changed since it was last read."""

    @property
    def is_drawing(self) -> bool:
        return self.load is not None and self.load.current_a > 0

    def reading(self) -> Reading:
        load = self.load
        self.is_new = False
        if load is None:
            return self._reading(Plug.NONE, NONE_A, 0.0)
        one, two, three = (load.current_a if k in load.conductors else 0.0 for k in range(3))
        return self._reading(Plug.ASKING if load.left_wh else Plug.PLUGGED, (one, two, three), load.power_w)

    def _reading(self, plug: Plug, current_a: Amperes, power_w: float) -> Reading:
        energy_wh = int(self.energy_wh)
        return Reading(plug, self.limit_a > 0, current_a, _VOLTAGE_V, power_w, energy_wh, 20.0, self.limit_a, 0, 90)


@dataclass(slots=True)
class _Bridge:
    modules: dict[str, _Module]
    seq: int = 0
    rev: int = 0
    heard_at: float = -inf

    def frame(self, at: float, name: str) -> FrameReceived:
        """Tell what is new since the frame before; the first tells all."""
        self.seq += 1
        self.heard_at = at
        now = {m: module.reading() for m, module in self.modules.items() if module.is_new or module.is_drawing}
        return FrameReceived(at, name, _BOOT, self.seq, 1, self.rev, now)


class _Play:
    """One site, and the time that goes by at it."""

    def __init__(self, site: Site, visits: Sequence[Visit], watch: Watch | None) -> None:
        self._site = site
        self._watch = watch
        self._visits = sorted(visits, key=lambda v: (v.plugged_at, v.outlet))
        self._by_readiness = Principle.READINESS in site.principle.values()
        self._modules = {o.id: _Module(o) for o in site.outlets}
        self._bridges = {
            b: _Bridge({m: self._modules[o.id] for m, o in own.items()}) for b, own in site.of_bridge.items()
        }
        self._live = Live(site.id)
        self._now = self._visits[0].plugged_at if visits else 0.0
        self._coming = 0
        self._present: dict[str, _Load] = {}
        self._unheard: set[str] = set()
        """Bridges at which something has changed since their newest frame."""
        self._due = inf
        self._meters = _Meters(site)
        self._served: dict[int, Served] = {}
        self._turns = self._steps = 0

    def run(self, prices: tuple[tuple[int, float], ...]) -> Course:
        """Let everything happen that is to come."""
        for _ in range(2):  # the first opens the epoch, the second shows what was asked
            self._unheard = set(self._bridges)
            self._settle()
        if prices:
            self._do(OutlookReceived(self._now, prices))
        while (at := self._next_at()) < inf:
            self._pass_until(at)
            self._happen()
        meters = self._meters
        served = tuple(self._served[n] for n in sorted(self._served))
        return Course(served, meters.peak_a, meters.peak_w, meters.at_limit_s(), self._turns, self._steps)

    # -------------------------------------------------------------- time

    def _next_at(self) -> float:
        """Tell when something happens next; infinite: never again."""
        comes_at = self._visits[self._coming].plugged_at if self._coming < len(self._visits) else inf
        if comes_at == inf and not self._present:
            return inf
        now = self._now
        times = [comes_at, self._due, *(at for at, _ in self._looks())]
        for load in self._present.values():
            times += (load.visit.leaves_at, now + load.left_s)
        return min(times)

    def _looks(self) -> Iterator[tuple[float, str]]:
        """List when each bridge speaks though nothing has changed."""
        quarter = (self._now // _LOOK_S + 1) * _LOOK_S
        for b, bridge in self._bridges.items():
            yield bridge.heard_at + _HEARD_S, b
        for o, load in self._present.items():
            if load.current_a:
                yield quarter, self._site.outlet[o].bridge
        for s in self._live.sessions.values():
            for at in self._matures_at(s):
                if at > self._now:
                    yield at, self._site.outlet[s.outlet].bridge

    def _matures_at(self, session: SessionState) -> Iterator[float]:
        """List when what was seen of a load has lasted for long enough to mean something."""
        a, policy = session.appetite, self._site.policy
        for since in (a.under_since, a.unused_since, a.asked_since, session.idle_since):
            if since is not None:
                for lasts_s in (policy.unused_s, policy.wake_s, policy.full_s, policy.standby_s):
                    yield since + lasts_s + _JUST_AFTER_S

    def _pass_until(self, at: float) -> None:
        """Let energy flow and time be waited."""
        self._unheard |= {b for look_at, b in self._looks() if look_at <= at}
        seconds = at - self._now
        for o, load in self._present.items():
            if load.current_a:
                wh = min(load.left_wh, load.power_w * seconds / 3600)
                self._modules[o].energy_wh += wh
                load.left_wh -= wh
                if load.left_wh <= _DONE_WH:
                    load.left_wh = 0.0
                    self._change(o)
            elif load.left_wh:
                load.waited_s += seconds
        self._meters.pass_time(seconds)
        self._now = at

    def _happen(self) -> None:
        """Let all that falls on this moment happen: who leaves, who comes, what a clock would see."""
        steps = self._steps
        self._leave()
        self._settle()
        started = self._come()
        self._settle()
        for event in started:
            self._do(event)
        if self._steps == steps:
            self._do(Ticked(self._now))
        self._settle()
        due = due_at(self._site, replace(self._live, at=self._now))
        soon = (self._now // _GRAIN_S + 1) * _GRAIN_S
        self._due = inf if due is None else max(due, soon)

    def _leave(self) -> None:
        for o, load in [*self._present.items()]:
            if load.visit.leaves_at <= self._now:
                del self._present[o]
                self._served[load.number] = _served(load)
                self._change(o).load = None

    def _change(self, outlet: str) -> _Module:
        """Let the next frame tell of a module."""
        module = self._modules[outlet]
        module.is_new = True
        self._unheard.add(module.outlet.bridge)
        return module

    def _come(self) -> list[StartRequested]:
        """Plug in who comes now; each asks for current at once."""
        started = []
        while self._coming < len(self._visits) and self._visits[self._coming].plugged_at <= self._now:
            visit = self._visits[self._coming]
            outlet = self._site.outlet[visit.outlet]
            conductors = visit.conductors or tuple(range(len(outlet.phases)))
            path = self._site.network.path(outlet, conductors)
            load = _Load(self._coming, visit, conductors, path, visit.needs_wh)
            self._change(outlet.id).load = self._present[outlet.id] = load
            started.append(StartRequested(self._now, f"visit-{self._coming}", outlet.id, self._wishes(visit)))
            self._coming += 1
        return started

    def _wishes(self, visit: Visit) -> Wishes:
        if not self._by_readiness or visit.ready_by is None or visit.ready_by <= self._now:
            return Wishes(group=visit.group)
        ready_by = min(visit.ready_by, self._now + _AHEAD_S)
        return Wishes(group=visit.group, ready_by=ready_by, needs_wh=max(1, round(visit.needs_wh)))

    # -------------------------------------------------------------- the core and its bridges

    def _settle(self) -> None:
        """Let bridges speak until none has anything to tell."""
        for _ in range(_MOST_ROUNDS):
            self._draw()
            if not self._unheard:
                return
            for b in sorted(self._unheard):
                self._unheard.discard(b)
                self._do(self._bridges[b].frame(self._now, b))
        raise RuntimeError(f"the site does not come to rest at {self._now}")

    def _do(self, event: Event) -> None:
        done = step(self._site, self._live, event)
        self._steps += 1
        if self._watch is not None:
            self._watch(self._site, self._live, done.live)
        self._live = done.live
        self._turns += sum(f.kind == "session.active" for f in done.facts)
        for command in done.commands:
            self._obey(command)

    def _obey(self, command: SendCommand) -> None:
        bridge = self._bridges[command.bridge]
        if command.rev == bridge.rev:
            return  # a lease is renewed
        bridge.rev = command.rev
        for m, setting in command.modules.items():
            module = bridge.modules[m]
            if module.limit_a != setting.limit_a:
                module.limit_a, module.is_new = setting.limit_a, True
        self._unheard.add(command.bridge)

    def _draw(self) -> None:
        """Let every load take what it may."""
        changed = False
        for o, load in self._present.items():
            before = load.current_a
            load.take(self._modules[o].limit_a)
            if load.current_a != before:
                changed = True
                self._change(o)
            if load.current_a and load.first_at is None:
                load.first_at = self._now
        if changed or len(self._present) != self._meters.loads:
            self._meters.take(self._present.values())


def _served(load: _Load) -> Served:
    visit = load.visit
    first_at = visit.leaves_at if load.first_at is None else load.first_at
    return Served(visit, visit.needs_wh - load.left_wh, first_at - visit.plugged_at, load.waited_s)


class _Meters:
    """What the fuses carry, and for how long they are at their limits."""

    def __init__(self, site: Site) -> None:
        network = site.network
        lines = len(site.fuses) * len(PHASES)
        self.peak_a: Amperes = NONE_A
        self.peak_w = 0.0
        self.loads = 0
        self._names = network.names[:lines]
        self._other_a = other_load(site, NONE_A)
        self._limits_a = [AT_LIMIT * a for a in network.planning_a[:lines]]
        first = [f.id for f in site.fuses].index(site.main.id) * len(PHASES)
        self._main = range(first, first + len(PHASES))
        self._at_limit: list[int] = []
        self._at_limit_s = [0.0] * lines

    def take(self, loads: Collection[_Load]) -> None:
        """Read what every line carries now."""
        self.loads = len(loads)
        load_a = [0.0] * len(self._names)
        for load in loads:
            if load.current_a:
                for line in load.path:
                    if line < len(load_a):  # beyond them are the lines of caps
                        load_a[line] += load.current_a
        one, two, three = (max(load_a[line], peak) for line, peak in zip(self._main, self.peak_a, strict=True))
        self.peak_a = (one, two, three)
        self.peak_w = max(self.peak_w, sum(load.power_w for load in loads))
        lines = zip(load_a, self._other_a, self._limits_a, strict=True)
        self._at_limit = [line for line, (a, other, limit) in enumerate(lines) if a and a + other >= limit]

    def pass_time(self, seconds: float) -> None:
        """Count the time at the limit."""
        for line in self._at_limit:
            self._at_limit_s[line] += seconds

    def at_limit_s(self) -> dict[str, float]:
        """Tell how long each line was at its limit, if ever."""
        return {name: s for name, s in zip(self._names, self._at_limit_s, strict=True) if s}
