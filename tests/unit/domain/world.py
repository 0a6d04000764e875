"""A site whose bridges are played by hand: modules that obey at once, every message at a chosen second."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from epspot.control.effects import Fact, SendCommand, Step
from epspot.control.events import (
    ChangeRequested,
    EdgeReceived,
    Event,
    FrameReceived,
    OutlookReceived,
    PauseRequested,
    ResumeRequested,
    StartRequested,
    StopRequested,
    Ticked,
)
from epspot.control.invariants import violations
from epspot.control.state import Live, OutletState, Plug, Reading, SessionState, Wishes
from epspot.control.step import step
from epspot.site import Amperes, Cap, Fuse, Outlet, Policy, Site

NOW = 1_800_000_000.0
"""The start of a turn, for turns of 900 s."""


def fuse(id_: str = "main", rating_a: float = 25, parent: str | None = None, **more: object) -> Fuse:
    return Fuse(id_, parent, (rating_a,) * 3, planning_factor=1.0, **more)  # type: ignore[arg-type]


def outlet(id_: str, *, on: str = "main", phase: int | None = 0, bridge: str = "b1", **more: object) -> Outlet:
    """Make an outlet; its module has the same name in capitals. No phase: all three."""
    phases = (0, 1, 2) if phase is None else (phase,)
    return Outlet(
        id=id_,
        number=id_,
        fuse=on,
        phases=phases,
        bridge=bridge,
        module=id_.upper(),
        **({"max_a": 16.0} | more),  # type: ignore[arg-type]
    )


def site(
    *outlets: Outlet,
    fuses: Iterable[Fuse] = (fuse(),),
    policy: Policy | None = None,
    meter: str | None = None,
    caps: Iterable[Cap] = (),
) -> Site:
    return Site("s", "s", tuple(fuses), outlets, policy or Policy(), meter_bridge=meter, caps=tuple(caps)).checked()


@dataclass
class Load:
    """What a module measures and has been told."""

    plug: Plug = Plug.ASKING
    wants_a: float = 16.0
    limit_a: float = 0.0
    faults: int = 0
    energy_wh: int = 1000
    answers: bool = True
    current_a: float | None = None
    """Measured, whatever the limit; None: as much as it wants and may."""

    def reading(self, conductors: int) -> Reading:
        drawn = min(self.wants_a, self.limit_a) if self.plug is Plug.ASKING else 0.0
        a = drawn if self.current_a is None else self.current_a
        current = (a, a, a) if conductors == 3 else (a, 0.0, 0.0)
        return Reading(
            self.plug,
            self.limit_a > 0,
            current,
            (230.0,) * 3,
            230 * sum(current),
            self.energy_wh,
            20.0,
            self.limit_a,
            self.faults,
            90,
        )


@dataclass
class Bridge:
    """What a bridge says of itself."""

    boot: str = "00000001"
    seq: int = 0
    rev: int = 0
    obeys: bool = True
    """Applies every command as soon as it is sent."""


class Yard:
    """Steps a site from event to event, and checks the invariants after each."""

    def __init__(self, site_: Site, *, heard: bool = True) -> None:
        self.site = site_
        self.live = Live(site_.id)
        self.now = NOW
        self.bridges = {b: Bridge() for b in site_.of_bridge}
        self.loads = {o.id: Load() for o in site_.outlets}
        self.facts: list[Fact] = []
        self.commands: list[SendCommand] = []
        if heard:
            for _ in range(2):  # the first opens the epoch, the second shows what was asked
                for b in self.bridges:
                    self.frame(b)

    # ------------------------------------------------------------ events

    def do(self, event: Event) -> Step:
        done = step(self.site, self.live, event)
        assert violations(self.site, self.live, done.live) == []
        self.live = done.live
        self.facts += done.facts
        self.commands += done.commands
        for command in done.commands:
            if self.bridges[command.bridge].obeys:
                self.apply(command)
        return done

    def apply(self, command: SendCommand) -> None:
        self.bridges[command.bridge].rev = command.rev
        for o in self.site.of_bridge[command.bridge].values():
            self.loads[o.id].limit_a = command.modules[o.module].limit_a

    def after(self, seconds: float) -> "Yard":
        self.now += seconds
        return self

    def readings(self, bridge: str = "b1") -> dict[str, Reading | None]:
        return {
            o.module: self.loads[o.id].reading(len(o.phases)) if self.loads[o.id].answers else None
            for o in self.site.of_bridge[bridge].values()
        }

    def next_frame(
        self,
        bridge: str = "b1",
        *,
        rev: int | None = None,
        meter_a: Amperes | None = None,
        also: Mapping[str, Reading] | None = None,
    ) -> FrameReceived:
        b = self.bridges[bridge]
        b.seq += 1
        return FrameReceived(
            at=self.now,
            bridge=bridge,
            boot=b.boot,
            seq=b.seq,
            base=b.seq,
            rev=b.rev if rev is None else rev,
            modules=self.readings(bridge) | dict(also or {}),
            meter_a=meter_a,
        )

    def frame(self, bridge: str = "b1", *, rev: int | None = None, meter_a: Amperes | None = None) -> Step:
        return self.do(self.next_frame(bridge, rev=rev, meter_a=meter_a))

    def edge(self, kind: str, outlet_: str, *, rev: int | None = None, faults: int = 0) -> Step:
        o = self.site.outlet[outlet_]
        b = self.bridges[o.bridge]
        b.seq += 1
        reading = self.loads[outlet_].reading(len(o.phases))
        reading = reading._replace(faults=reading.faults | faults)
        return self.do(
            EdgeReceived(self.now, o.bridge, b.boot, b.seq, b.rev if rev is None else rev, kind, o.module, reading)
        )

    def reboot(self, bridge: str = "b1") -> None:
        """Start a bridge anew: all relays open, nothing remembered."""
        b = self.bridges[bridge]
        self.bridges[bridge] = Bridge(boot=f"{int(b.boot, 16) + 1:08x}", obeys=b.obeys)
        for o in self.site.of_bridge[bridge].values():
            self.loads[o.id].limit_a = 0.0

    def start(self, outlet_: str, session: str | None = None, **wishes: Any) -> Step:
        return self.do(StartRequested(self.now, session or f"s-{outlet_}", outlet_, Wishes(**wishes)))

    def change(self, session: str, **wishes: Any) -> Step:
        return self.do(ChangeRequested(self.now, session, Wishes(**wishes)))

    def pause(self, session: str) -> Step:
        return self.do(PauseRequested(self.now, session))

    def resume(self, session: str) -> Step:
        return self.do(ResumeRequested(self.now, session))

    def outlook(self, **series: tuple[tuple[int, float], ...]) -> Step:
        """Tell ``prices`` or ``temperatures``."""
        return self.do(OutlookReceived(self.now, **series))

    def stop(self, session: str) -> Step:
        return self.do(StopRequested(self.now, session))

    def tick(self) -> Step:
        return self.do(Ticked(self.now))

    def run(self, seconds: float, every: float = 60) -> None:
        """Let time pass with a frame of every bridge at each interval."""
        end = self.now + seconds
        while self.now < end:
            self.after(min(every, end - self.now))
            for b in self.bridges:
                self.frame(b)

    # ------------------------------------------------------------ looking

    def at(self, outlet_: str) -> OutletState:
        return self.live.outlets[outlet_]

    def session(self, outlet_: str) -> SessionState:
        found = self.live.session_at(outlet_)
        assert found is not None
        return found

    def reason(self, outlet_: str) -> str:
        return self.at(outlet_).reason

    def limits_a(self) -> dict[str, float]:
        return {o: s.limit_a for o, s in self.live.outlets.items() if s.limit_a}

    def told(self, kind: str) -> list[Fact]:
        return [f for f in self.facts if f.kind == kind]


def queue(sessions: Iterable[SessionState]) -> list[SessionState]:
    """List those who wait, the longest first."""
    waiting = [s for s in sessions if s.waiting_since is not None]
    return sorted(waiting, key=lambda s: (s.waiting_since, s.served_s, s.since, s.id))
