"""What can be wrong at a site, each played on a yard: how it begins, how it ends, and what is to be told of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from epspot.control import alarms, diagnosis
from epspot.control.draft import Draft
from epspot.control.finding import Finding
from epspot.control.leases import span_s
from epspot.control.state import Fault, Plug, Reading
from epspot.site import Amperes, Site
from tests.unit.domain.world import Load, Yard, fuse, outlet, site


@dataclass
class Sick(Load):
    """A module with its load, of which anything may be read."""

    volts: Amperes = (230.0, 230.0, 230.0)
    temperature_c: float = 20.0
    link_pct: int = 90

    def reading(self, conductors: int) -> Reading:
        well = super().reading(conductors)
        return well._replace(voltage_v=self.volts, temperature_c=self.temperature_c, link_pct=self.link_pct)


class Ground(Yard):
    """A yard in which things go wrong."""

    def __init__(self, site_: Site, *, before: "Callable[[Ground], None] | None" = None) -> None:
        super().__init__(site_, heard=False)
        self.ills: dict[str, Sick] = {o.id: Sick() for o in site_.outlets}
        self.loads = dict(self.ills)
        self.mute: set[str] = set()
        """Bridges that are not heard."""
        self.meter_a: Amperes | None = (0.0, 0.0, 0.0)
        self.also: dict[str, Reading] = {}
        """Modules that stand in no configuration."""
        if before is not None:
            before(self)
        self.run(60, every=30)

    def run(self, seconds: float, every: float = 60) -> None:
        """Let time pass with a frame of every bridge that is heard, and a tick, at each interval."""
        end = self.now + seconds
        while self.now < end:
            self.after(min(every, end - self.now))
            for b in self.bridges.keys() - self.mute:
                self.do(self.next_frame(b, meter_a=self.meter_a, also=self.also))
            self.tick()

    def draft(self) -> Draft:
        return Draft(self.site, self.live, self.now)

    def findings(self) -> dict[str, Finding]:
        return diagnosis.findings(self.draft())

    def finish(self, draft: Draft) -> None:
        """Take over what was done to a draft, as a step does at its end."""
        alarms.watch(draft)
        done = draft.finish(span_s(self.site.policy))
        self.live = done.live
        self.facts += done.facts

    def alarms_told(self) -> list[tuple[str, str, str]]:
        return [(f.kind, f.detail["code"], f.about) for f in self.facts if f.kind.startswith("alarm.")]

    def forget(self) -> None:
        """Begin to listen anew."""
        self.facts.clear()


@dataclass(frozen=True)
class Ill:
    """One thing that goes wrong and is mended."""

    code: str
    about: str
    begin: Callable[[Ground], None]
    end: Callable[[Ground], None]
    certainty: str = "certain"
    site: Callable[[], Site] = field(default=lambda: site(outlet("a"), outlet("b"), outlet("c", phase=1)))
    before: Callable[[Ground], None] | None = None
    """What is so before the site is first heard."""
    with_it: frozenset[str] = frozenset()
    """Other codes that are rightly told along with it."""


def _fault(code: str, fault: Fault) -> Ill:
    return Ill(code, "a", lambda y: _set(y, "a", faults=fault), lambda y: _set(y, "a", faults=0))


def _set(yard: Ground, *outlets: str, **changes: object) -> None:
    for o in outlets:
        for name, value in changes.items():
            setattr(yard.ills[o], name, value)


def silent(*outlets: str) -> Callable[[Ground], None]:
    return lambda y: _set(y, *outlets, answers=False)


def back(*outlets: str) -> Callable[[Ground], None]:
    return lambda y: _set(y, *outlets, answers=True)


def _charge(yard: Ground) -> None:
    yard.start("a")
    yard.run(60, every=10)


def _trip_under_load(yard: Ground) -> None:
    _charge(yard)
    _set(yard, "a", answers=False)


def _unlock(yard: Ground) -> None:
    _charge(yard)
    _set(yard, "a", faults=Fault.UNLOCKED)


def _plug_in_and_sleep(yard: Ground) -> None:
    _set(yard, "a", plug=Plug.PLUGGED)
    _charge(yard)
    yard.run(600)


def _weaken(yard: Ground) -> None:
    _set(yard, "a", link_pct=12)
    yard.run(60)
    _set(yard, "a", answers=False)


def _lose_l1(yard: Ground) -> None:
    _set(yard, "x", "y", volts=(3.0, 230.0, 230.0))
    _set(yard, "a", answers=False)


def _find_l1(yard: Ground) -> None:
    _set(yard, "x", "y", volts=(230.0, 230.0, 230.0))
    _set(yard, "a", answers=True)


def _trips(yard: Ground, *ago_s: float) -> None:
    state = replace(yard.live.outlets["a"], trips=tuple(yard.now - s for s in ago_s))
    yard.live = replace(yard.live, outlets={**yard.live.outlets, "a": state})


def _configure_new(yard: Ground) -> None:
    yard.also = {}
    yard.ills["n"] = Sick()
    yard.loads["n"] = yard.ills["n"]
    yard.site = replace(yard.site, outlets=(*yard.site.outlets, outlet("n")), revision=2).checked()


def two_rows() -> Site:
    """Make a site of two rows with a fuse each, on one bridge."""
    rows = [fuse(rating_a=63), fuse("row1", 25, "main"), fuse("row2", 25, "main")]
    return site(
        *(outlet(f"a{i}", on="row1", phase=i) for i in range(3)),
        *(outlet(f"b{i}", on="row2", phase=i) for i in range(3)),
        fuses=rows,
    )


def two_bridges() -> Site:
    return site(outlet("a"), outlet("b"), *(outlet(o, bridge="b2", phase=1) for o in ("c", "d")))


def mixed() -> Site:
    """Make a site of two three-phase outlets and one single-phase one on each of two phases."""
    return site(outlet("x", phase=None), outlet("y", phase=None), outlet("a", phase=0), outlet("b", phase=1))


def metered() -> Site:
    return site(outlet("a"), outlet("b"), meter="b1")


ILLS = (
    _fault("relay_welded", Fault.WELDED_RELAY),
    _fault("over_temperature", Fault.OVER_TEMPERATURE),
    _fault("residual_current", Fault.RESIDUAL_CURRENT),
    _fault("module_fault", Fault.INTERNAL),
    _fault("register_fault", Fault.REGISTER),
    _fault("voltage", Fault.VOLTAGE),
    Ill("cable_unlocked", "a", _unlock, lambda y: _set(y, "a", faults=0)),
    Ill(
        "current_while_off",
        "a",
        lambda y: _set(y, "a", current_a=3.2),
        lambda y: _set(y, "a", current_a=None),
        certainty="probable",
    ),
    Ill(
        "voltage", "a", lambda y: _set(y, "a", volts=(198.0, 0.0, 0.0)), lambda y: _set(y, "a", volts=(225.0, 0.0, 0.0))
    ),
    Ill(
        "voltage", "b", lambda y: _set(y, "b", volts=(261.0, 0.0, 0.0)), lambda y: _set(y, "b", volts=(235.0, 0.0, 0.0))
    ),
    Ill("vehicle_not_asking", "a", _plug_in_and_sleep, lambda y: _set(y, "a", plug=Plug.ASKING)),
    Ill("guard_repeats", "a", lambda y: _trips(y, 7000, 3000, 60), _trips),
    Ill("rcbo_tripped", "a", _trip_under_load, back("a")),
    Ill("rcbo_or_module", "a", silent("a"), back("a"), certainty="probable"),
    Ill("rcbo_or_module", "a", silent("a"), back("a"), certainty="possible", site=lambda: site(outlet("a"))),
    Ill("link_poor", "a", _weaken, back("a"), certainty="probable"),
    Ill("fuse_out", "row1", silent("a0", "a1", "a2"), back("a0", "a1", "a2"), certainty="probable", site=two_rows),
    Ill("phase_lost", "main", _lose_l1, _find_l1, site=mixed),
    Ill(
        "phase_lost",
        "main",
        silent("a", "b"),
        back("a", "b"),
        certainty="probable",
    ),
    Ill("modules_silent", "b2", silent("c", "d"), back("c", "d"), certainty="probable", site=two_bridges),
    Ill(
        "bridge_silent",
        "b2",
        lambda y: y.mute.add("b2"),
        lambda y: y.mute.clear(),
        certainty="possible",
        site=two_bridges,
    ),
    Ill(
        "bridge_never_heard",
        "b2",
        lambda _: None,
        lambda y: y.mute.clear(),
        site=two_bridges,
        before=lambda y: y.mute.add("b2"),
    ),
    Ill("modules_never_heard", "b2", lambda _: None, back("c", "d"), site=two_bridges, before=silent("c", "d")),
    Ill("outlet_never_heard", "a", lambda _: None, back("a"), before=silent("a")),
    Ill(
        "module_unknown",
        "b1/N",
        lambda y: y.also.update({"N": Load().reading(1)}),
        _configure_new,
    ),
    Ill(
        "meter_silent",
        "s",
        lambda y: setattr(y, "meter_a", None),
        lambda y: setattr(y, "meter_a", (0.0, 0.0, 0.0)),
        site=metered,
    ),
    Ill(
        "meter_silent",
        "s",
        lambda y: y.mute.add("b1"),
        lambda y: y.mute.clear(),
        site=metered,
        with_it=frozenset({"bridge_silent"}),
    ),
)
