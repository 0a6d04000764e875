"""The bridge without its surroundings: no clock, no network, no thread, no chance.

Everything comes in as arguments and goes out as results, so the same object runs beside the hardware, in
simulated time and in the model check of the lease protocol. ``now`` is monotonic, in seconds; ``wall`` is
epoch seconds, and only ever written into messages.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from iot.bridge.guard import FuseGuard, Share
from iot.bridge.lease import Lease
from iot.bridge.outlet import Applied, Outlet, Target, Told
from iot.bridge.reports import FrameLog, HistoryLog
from iot.bridge.settings import UNKNOWN, BridgeSettings, Deadbands, FuseLimit, ModuleConfig
from iot.contract import (
    Currents,
    Event,
    EventKind,
    Frame,
    History,
    InvalidMessage,
    Reading,
    Upward,
    decode_command,
)

__all__ = ["Applied", "Bridge", "BridgeSettings", "Deadbands", "FuseLimit", "ModuleConfig", "Step"]

_METER_RISE_A, _METER_NEAR = 2.0, 0.8
_STRAIGHT = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a step: what to tell every module, and what to send to the cloud."""

    apply: Mapping[str, Applied]
    send: tuple[Upward, ...]


class _Pending(NamedTuple):
    """An event that has no number yet."""

    at: int
    rev: int
    module: str
    told: Told
    reading: Reading | None


class Bridge:
    """What a bridge decides.

    ``known`` is what was remembered of the modules by an earlier boot; a module that is not in it is off
    until a command says otherwise. Call `step` at 1 Hz or faster, with one reading (or None) per module.
    """

    def __init__(self, settings: BridgeSettings, boot: str, known: Mapping[str, ModuleConfig] | None = None) -> None:
        self.settings = settings
        self.refused: Counter[str] = Counter()
        """Commands that were ignored, by reason."""
        self._known = dict(known or {})
        self._lease = Lease(boot)
        self._outlets: dict[str, Outlet] = {}
        self._connected = False
        self._interval_s = settings.interval_s
        self._applied_rev = 0
        """The revision that the readings of the next step are taken under."""
        self._frames = FrameLog(settings.deadbands, settings.keyframe_every)
        self._frame_at = 0.0
        self._full = True
        self._greet = False
        self._edge = False
        self._outstanding: set[str] | None = None
        """Modules whose decrease is not yet seen; None: nothing is waited for."""
        self._settling_since = 0.0
        self._events: deque[_Pending] = deque(maxlen=settings.events_max)
        self._history = HistoryLog(settings.history_step_s, settings.history_rows_max)
        self._meter_sent: Currents | None = None
        self._fuses = [FuseGuard(f, settings.shed_s, settings.shed_fast_s) for f in settings.fuses]
        self._main: FuseGuard | None = None
        if settings.main_rating_a is not None:
            main = FuseLimit("main", settings.main_rating_a, ())
            self._main = FuseGuard(main, settings.shed_s, settings.shed_fast_s)

    # ------------------------------------------------------------------ what is known

    @property
    def boot(self) -> str:
        """Tell the mark of this boot."""
        return self._lease.boot

    @property
    def seq(self) -> int:
        """Tell the number of the last upward message."""
        return self._lease.seq

    @property
    def rev(self) -> int:
        """Tell the revision of the last accepted command; 0 = none in this boot."""
        return self._lease.rev

    @property
    def known(self) -> Mapping[str, ModuleConfig]:
        """Tell what has to be remembered for the next boot."""
        return self._known

    # ------------------------------------------------------------------ what happens

    def connected(self, now: float) -> None:  # noqa: ARG002 - all happenings carry their time
        """Take note that messages reach the cloud: the next step greets it with a full frame."""
        self._connected = self._greet = True

    def disconnected(self, now: float) -> None:
        """Take note that no message reaches the cloud: from now on registers and events are kept."""
        self._connected = self._greet = False
        self._history.offline(now, self._registers())

    def receive(self, now: float, payload: bytes) -> bool:
        """Take in a command; True if it is obeyed from the next step on. Never raises."""
        try:
            command = decode_command(payload)
        except InvalidMessage as error:
            self.refused[error.reason] += 1
            return False
        if (reason := self._lease.refusal(now, command)) is not None:
            self.refused[reason] += 1
            return False
        self._lease.take(command)
        self._interval_s = command.interval_s
        self._full |= command.full
        self._edge |= command.full
        for module, s in command.modules.items():
            self._known[module] = ModuleConfig(s.max_a, s.fallback_a, s.until_wh, s.guard)
        for module, outlet in self._outlets.items():
            outlet.config = self._known.get(module, UNKNOWN)
            setting = command.modules.get(module)
            outlet.release(command.rev, off=setting is None or not setting.relay)
        return True

    def step(
        self,
        now: float,
        wall: int,
        readings: Mapping[str, Reading | None],
        meter: Currents | None = None,
        meter_at: float | None = None,
    ) -> Step:
        """Look at the modules, decide what each does now, and say what the cloud should know.

        ``meter_at``: when the main meter measured this, on the clock of ``now``; None: now.
        """
        for module in sorted(readings.keys() - self._outlets.keys()):
            self._outlets[module] = Outlet(self.settings, self._known.get(module, UNKNOWN))
        apply: dict[str, Applied] = {}
        lowered: set[str] = set()
        lease_s = self._lease.remaining_s(now)
        for module, outlet in self._outlets.items():
            before_a = outlet.effective_a
            told = outlet.see(now, self._applied_rev, readings.get(module))
            target = self._target(module, outlet, now, lease_s)
            told += outlet.guard(now, self._applied_rev, target)
            self._note(wall, module, told)
            apply[module] = outlet.decide(now, target, lease_s)
            if outlet.effective_a < before_a:
                lowered.add(module)
        for module, fuse in self._overloads(now, meter, now if meter_at is None else meter_at):
            outlet = self._outlets[module]
            self._note(wall, module, outlet.trip(self._applied_rev, Told(EventKind.SHED, fuse)))
            apply[module] = outlet.decide(now, Target(0.0, relay=False), lease_s)
        send = self._messages(now, wall, meter)
        if self._applied_rev != self._lease.rev:
            # Only what is sampled from now on shows the revision.
            self._applied_rev = self._lease.rev
            self._outstanding = (self._outstanding or set()) | lowered
            self._settling_since = now
        return Step(apply, send)

    # ------------------------------------------------------------------ deciding

    def _target(self, module: str, outlet: Outlet, now: float, lease_s: float) -> Target:
        command, config = self._lease.command, outlet.config
        if command is None:
            # After a restart the module's own word stands, but only down to what it would fall back to.
            if outlet.reading is None:
                return Target(0.0, relay=False)
            limit_a = min(outlet.reading.limit_a, config.fallback_a)
            return Target(limit_a, outlet.reading.relay and limit_a > 0, config.until_wh)
        setting = command.modules.get(module)
        if setting is None:
            return Target(0.0, relay=False)
        out_of_time = setting.until_s is not None and self._lease.past(now, setting.until_s)
        if lease_s > 0:
            return Target(setting.limit_a, setting.relay, setting.until_wh, out_of_time, setting.conductors)
        # The fallback is planned for on every conductor.
        limit_a = min(setting.limit_a, setting.fallback_a)
        return Target(limit_a, setting.relay and limit_a > 0, setting.until_wh, out_of_time)

    def _overloads(self, now: float, meter: Currents | None, meter_at: float) -> Iterator[tuple[str, str]]:
        """Choose what to shed, each with its fuse: lesser fuses first, since what they shed relieves the main fuse."""
        if self._main is None and not self._fuses:
            return
        shares = {
            module: Share(self._on_feeder(module, outlet.current_a), outlet.unruly(now))
            for module, outlet in self._outlets.items()
            if not outlet.lost
        }
        can_go = {module: share for module, share in shares.items() if self._outlets[module].sheddable}
        for guard in self._fuses:
            below = shares.keys() & guard.limit.modules
            measured_a = _sum([shares[m].current_a for m in below])
            module = guard.check(now, measured_a, {m: can_go[m] for m in can_go.keys() & below})
            if module is not None:
                yield self._relieve(now, guard, module, can_go[module])
        if self._main is not None and (module := self._main.check(meter_at, meter, can_go)) is not None:
            yield self._relieve(now, self._main, module, can_go[module])

    def _relieve(self, now: float, guard: FuseGuard, module: str, share: Share) -> tuple[str, str]:
        """Let every fuse above the module know that it goes."""
        for above in self._fuses:
            if module in above.limit.modules:
                above.relieved(now, share.current_a)
        if self._main is not None:
            self._main.relieved(now, share.current_a)
        return module, guard.limit.id

    def _on_feeder(self, module: str, current_a: Currents) -> Currents:
        feeder = [0.0, 0.0, 0.0]
        for phase, a in zip(self.settings.wiring.get(module, _STRAIGHT), current_a, strict=False):
            feeder[phase] += a
        return feeder[0], feeder[1], feeder[2]

    # ------------------------------------------------------------------ telling

    def _note(self, wall: int, module: str, told: list[Told]) -> None:
        for t in told:
            reading = None if t.kind is EventKind.MODULE_LOST else self._outlets[module].reading
            self._events.append(_Pending(wall, self._applied_rev, module, t, reading))

    def _registers(self) -> dict[str, int]:
        return {m: r.energy_wh for m, o in self._outlets.items() if (r := o.shown) is not None}

    def _messages(self, now: float, wall: int, meter: Currents | None) -> tuple[Upward, ...]:
        if not self._connected:
            self._history.offline(now, self._registers())
            return ()
        # Events first: those of an offline time hold readings that are older than the frame's.
        send: list[Upward] = [self._event(now, pending) for pending in self._events]
        self._events.clear()
        if self._frame_due(now, meter):
            send.append(self._frame(now, wall, meter))
        self._history.online(now, self._registers())
        if rows := self._history.take(now):
            seq = self._lease.number(now)
            send.append(History(self.settings.bridge, self._lease.boot, seq, wall, rows))
        return tuple(send)

    def _frame_due(self, now: float, meter: Currents | None) -> bool:
        for outlet in self._outlets.values():
            self._edge |= outlet.edge
            outlet.edge = False
        self._edge |= self._meter_rises(meter)
        due_at = self._frame_at + self._interval_s
        if self._outstanding is not None:
            self._outstanding = {m for m in self._outstanding if not self._outlets[m].settled}
            if self._outstanding:
                since = max(self._frame_at, self._settling_since)
                due_at = min(due_at, since + self.settings.settling_interval_s)
            else:
                self._edge, self._outstanding = True, None
        if self._edge:
            due_at = min(due_at, self._frame_at + self.settings.edge_gap_s)
        return self._greet or now >= due_at

    def _meter_rises(self, meter: Currents | None) -> bool:
        rating_a, sent = self.settings.main_rating_a, self._meter_sent
        if rating_a is None or meter is None or sent is None:
            return False
        return any(a - b > _METER_RISE_A and a > _METER_NEAR * r for a, b, r in zip(meter, sent, rating_a, strict=True))

    def _frame(self, now: float, wall: int, meter: Currents | None) -> Frame:
        seq = self._lease.number(now)
        shown = {m: o.shown for m, o in self._outlets.items()}
        modules = self._frames.next(seq, shown, full=self._full or self._greet)
        self._frame_at, self._meter_sent = now, meter
        self._full = self._greet = self._edge = False
        return Frame(
            bridge=self.settings.bridge,
            boot=self._lease.boot,
            seq=seq,
            base=self._frames.base,
            at=wall,
            rev=self._applied_rev,
            modules=modules,
            meter_a=meter,
            has_meter=self.settings.main_rating_a is not None,
        )

    def _event(self, now: float, pending: _Pending) -> Event:
        self._frames.told(pending.module)
        return Event(
            bridge=self.settings.bridge,
            boot=self._lease.boot,
            seq=self._lease.number(now),
            at=pending.at,
            rev=pending.rev,
            kind=pending.told.kind,
            module=pending.module,
            reading=pending.reading,
            rule=pending.told.rule,
        )


def _sum(currents: Sequence[Currents]) -> Currents:
    feeder = [0.0, 0.0, 0.0]
    for current_a in currents:
        for phase in range(3):
            feeder[phase] += current_a[phase]
    return feeder[0], feeder[1], feeder[2]
