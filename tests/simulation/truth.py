"""What really flows, and what really may: checked against fuses and bills, whatever the cloud believes."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from epspot.control.effects import Fact
from epspot.site import Outlet, Site
from iot.simulator.module import SimModule
from tests.simulation.box import Box
from tests.simulation.cloud import Cloud
from tests.simulation.ground import Ground
from tests.simulation.scene import Scene

if TYPE_CHECKING:
    from iot.contract import Currents

_SLACK_A = 0.02
_BACK_WITHIN_S, _NEXT_FRAME_S = 15, 10
_HOLDS, _HOLDS_S, _STEEP = 1.13, 3600.0, 10.06
"""The fastest that a breaker may be (IEC 60898-1): an hour at 1.13 times its rating, a second at 2.55 times."""
_ROUNDING_WH = 1
_LAST_SAMPLE_WH = 3
_UNTOLD_S = 3600.0
"""What befell a register before a session may show in it, if frames were lost meanwhile."""


@dataclass(slots=True)
class Bill:
    """One session as the world saw it."""

    outlet: str
    begun_wh: float
    begun_doubts: int
    begun_at: float
    begun_at_zero: bool
    """The register was reset and shows nothing yet: how much it counts before it is next read is not certain."""
    ended: int = 0
    billed_wh: int = 0
    delivered_wh: float = 0.0


class Truth:
    """The physical side of the invariants."""

    def __init__(
        self,
        site: Site,
        scene: Scene,
        *,
        modules: Mapping[str, SimModule],
        boxes: Mapping[str, Box],
        cloud: Cloud,
        ground: Ground,
    ) -> None:
        self._site = site
        self._ground = ground
        self._modules = {o.id: modules[o.module] for o in site.outlets}
        self._boxes = boxes
        self._cloud = cloud
        self._scene, self._watcher = scene, scene.watcher
        self._ratings = [a for f in site.fuses for a in f.rating_a]
        metered = site.main.id if site.meter_bridge else None
        self._other_a = [0.0 if f.id == metered else a for f in site.fuses for a in f.other_a]
        self._main = next(i for i, f in enumerate(site.fuses) if f.parent is None)
        self._over_since: list[float | None] = [None] * len(self._ratings)
        self._over_told = [False] * len(self._ratings)
        self._worn = [0.0] * len(self._ratings)
        """How much of the time that the fastest breaker allows is used up, since each fuse-phase is over its rating."""
        self._late = [False] * len(self._ratings)
        self._measured_at = 0.0
        self._granted: list[tuple[float, tuple[int, ...] | None] | None] = []
        """What each outlet's load may draw on which conductors (None: all); None: nothing, its relay is open."""
        self._flows: list[Currents] = []
        self._building_a: Currents | None = None
        self.doubts = {o.id: 0 for o in site.outlets}
        """How often something befell an outlet's register, or a reading of it was put aside."""
        self.spoiled_at = {o.id: float("-inf") for o in site.outlets}
        """When a register was last spoiled on order: nothing else excuses energy that is not billed."""
        self.bills: dict[str, Bill] = {}
        self.over = False
        """Some fuse is over its rating now."""
        cloud.on_begun, cloud.on_ended, cloud.on_aside = self._begun, self._ended, self._doubt

    # -------------------------------------------------------------- current

    @property
    def _now(self) -> float:
        return self._ground.now

    def check(self) -> None:
        """Look at every outlet and fuse as they are now, as far as anything has changed."""
        modules = self._modules.values()
        granted = [self._grant(o, m) for o, m in zip(self._site.outlets, modules, strict=True)]
        if granted != self._granted:
            self._granted = granted
            self._check_granted()
        flows, building_a = [m.current_a for m in modules], self._ground.building_a
        if self.over or flows != self._flows or building_a != self._building_a:
            self._flows, self._building_a = flows, building_a
            self._check_measured()

    def _grant(self, outlet: Outlet, module: SimModule) -> tuple[float, tuple[int, ...] | None] | None:
        if not module.closed or module.breaker.tripped:
            return None
        # What can only be switched takes what it wants while its relay is closed.
        limit_a = module.limit_a if outlet.modulated else outlet.max_a
        return limit_a, self._ground.conductors.get(module.id) if module.lease_s > 0 else None

    def _check_granted(self) -> None:
        network = self._site.network
        may = [(o, g) for o, g in zip(self._site.outlets, self._granted, strict=True) if g is not None]
        load = network.load_on(((network.path(o, conductors), a) for o, (a, conductors) in may), self._other_a)
        for name, a, most in zip(network.names, load, network.planning_a, strict=True):
            if a > most + _SLACK_A and a > 0 and may:
                self._watcher.violated("i1a_really", f"at {self._now:.0f}: {name} may carry {a:.2f} A of {most:.2f} A")
        counts = network.sessions(o.id for o, _ in may)
        for name, n, most_n in zip(network.fuse_names, counts, network.max_sessions, strict=True):
            if most_n is not None and n > most_n:
                self._watcher.violated("i2_really", f"at {self._now:.0f}: {name} has {n} closed relays of {most_n}")

    def _flowing(self) -> list[float]:
        """Add up what really flows through each fuse-phase."""
        load = list(self._other_a)
        if self._building_a is not None:
            for p in range(3):
                load[self._main * 3 + p] += self._building_a[p]
        for o, current_a in zip(self._site.outlets, self._flows, strict=True):
            if current_a[0]:
                width = len(o.phases)
                for i, c in enumerate(self._site.network.paths[o.id]):
                    if c < len(load):  # what follows are caps, which protect nothing
                        load[c] += current_a[i % width]
        return load

    def _check_measured(self) -> None:
        """Hold the measured sums to their times: 15 s where messages go through, half the breaker's curve always."""
        now, dt_s = self._now, self._now - self._measured_at
        self._measured_at = now
        self.over = False
        for c, (a, rating) in enumerate(zip(self._flowing(), self._ratings, strict=True)):
            if a <= rating:
                self._over_since[c], self._worn[c] = None, 0.0
                self._over_told[c] = self._late[c] = False
                continue
            self.over = True
            since = self._over_since[c]
            if since is None:
                self._over_since[c] = now
                continue
            self._worn[c] += dt_s / _trips_s(a / rating)
            if self._over_told[c]:
                continue
            what = f"at {now:.0f}: {self._site.network.names[c]} {a:.1f} > {rating} A since {now - since:.0f} s"
            if self._worn[c] > 1 / 2:
                self._over_told[c] = True
                self._watcher.violated("i1b_half_the_curve", what)
            elif now - since > _BACK_WITHIN_S:
                if now - self._hindered_until(c) > _BACK_WITHIN_S + _NEXT_FRAME_S:
                    self._over_told[c] = True
                    self._watcher.violated("i1b_back_in_time", what)
                elif not self._late[c]:
                    self._late[c] = True
                    self._scene.faults["over its rating while messages were away"] += 1

    def _hindered_until(self, line: int) -> float:
        """Tell until when somebody on whom it depends could not tell or do all that bringing a fuse-phase back takes."""
        drawing = {
            o.bridge
            for o, current_a in zip(self._site.outlets, self._flows, strict=True)
            if current_a[0] and line in self._site.network.paths[o.id]
        }
        if self._ground.building_a is not None:
            drawing.add(self._site.meter_bridge or "")
            if self._ground.meter.silent:
                return self._now
        return max(self._cloud.hindered_until, *(self._boxes[b].hindered_until for b in drawing if b))

    # -------------------------------------------------------------- energy

    def spoil(self, outlet: str) -> None:
        """Note that an outlet's register was spoiled on order."""
        self.spoiled_at[outlet] = self._now
        self._doubt(outlet)

    def _doubt(self, outlet: str) -> None:
        self.doubts[outlet] += 1

    def _begun(self, session: str, outlet: str) -> None:
        if session in self.bills:
            self._watcher.violated("i8_once", f"{session} began twice")
        self.bills[session] = Bill(
            outlet, self._delivered_wh(outlet), self.doubts[outlet], self._now, self._shows_zero(outlet)
        )

    def _delivered_wh(self, outlet: str) -> float:
        self._ground.catch_up(self._site.outlet[outlet].bridge)
        return self._modules[outlet].delivered_wh

    def _shows_zero(self, outlet: str) -> bool:
        reading = self._modules[outlet].sample()
        return reading is None or reading.energy_wh == 0

    def _ended(self, fact: Fact) -> None:
        bill = self.bills[fact.about]
        bill.ended += 1
        if bill.ended > 1:
            self._watcher.violated("i8_once", f"{fact.about} ended twice")
            return
        bill.billed_wh = fact.detail["energy_wh"]
        bill.delivered_wh = self._delivered_wh(bill.outlet) - bill.begun_wh
        d = f"{fact.about} at {bill.outlet}: billed {bill.billed_wh} Wh, delivered {bill.delivered_wh:.2f} Wh, {dict(fact.detail)}"
        if bill.billed_wh < 0:
            self._watcher.violated("i6_never_negative", d)
        stretches = 1 + self.doubts[bill.outlet] - bill.begun_doubts
        if bill.billed_wh > bill.delivered_wh + stretches * _ROUNDING_WH:
            self._watcher.violated("i6_no_more_than_delivered", d)
        spoiled = bill.begun_at_zero or self.spoiled_at[bill.outlet] >= bill.begun_at - _UNTOLD_S
        sure = fact.detail["complete"] and not spoiled
        if sure and bill.billed_wh < bill.delivered_wh - _LAST_SAMPLE_WH:
            self._watcher.violated("i6_no_less_than_delivered", d)

    def close(self) -> None:
        """Check at the end that nothing hangs."""
        for session, bill in self.bills.items():
            if not bill.ended:
                self._watcher.violated("i8_nothing_hangs", f"{session} at {bill.outlet} never ended")
            record = self._cloud.lives.sessions.get(session)
            if bill.ended and (record is None or record.state != "ended" or record.energy_wh != bill.billed_wh):
                self._watcher.violated("i8_history", f"{session} is remembered as {record}")
        ids = [n.id for n in self._cloud.lives.outbox]
        if len(ids) != len(set(ids)):
            self._watcher.violated("facts_are_unique", f"{len(ids) - len(set(ids))} ids stand twice")


def _trips_s(ratio: float) -> float:
    """Tell how soon, at the earliest, a breaker trips at a multiple of its rating."""
    return inf if ratio <= _HOLDS else _HOLDS_S * (_HOLDS / ratio) ** _STEEP
