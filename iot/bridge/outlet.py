"""What the bridge knows of one module, and what it has it do."""

from dataclasses import dataclass
from typing import NamedTuple

from iot.bridge.guard import DRAWS_A, Compliance, PowerGuard, allowed_a
from iot.bridge.settings import UNKNOWN, BridgeSettings, ModuleConfig
from iot.contract import Currents, EventKind, Fault, Plug, Reading

_NONE_A = (0.0, 0.0, 0.0)
_STILL_A = 0.4
"""Below this a phase no longer draws; less than DRAWS_A, so that a current about it is no stream of edges."""


class Told(NamedTuple):
    """Something that happened, before it has become a numbered event."""

    kind: EventKind
    rule: str | None = None


_OUT_OF_TIME = Told(EventKind.TARGET_REACHED, "time")
_STRAY = Told(EventKind.LIMIT_BREACH, "phase")


class Target(NamedTuple):
    """What a module should do, before the bridge's own guards have had their say."""

    limit_a: float
    relay: bool
    until_wh: int | None = None
    out_of_time: bool = False
    conductors: tuple[int, ...] | None = None
    """Those that may carry current; None: all."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a module is told; ``lease_s`` = 0: this is what it holds without a lease."""

    limit_a: float
    relay: bool
    lease_s: float
    fallback_a: float


@dataclass(slots=True)
class Latch:
    """Why a relay stays open until the cloud has said that it is off."""

    rev: int
    hard: bool
    until_newer: bool = False
    """Any newer revision releases it: the cloud has planned anew, and what is wrong still is found at once again."""


class Outlet:
    """One module: its last senses, its guards, and the state of its relay."""

    __slots__ = (
        "_compliance",
        "_doubtful",
        "_drawing",
        "_guard",
        "_mismatch_since",
        "_mismatch_told",
        "_open_since",
        "_opening_since",
        "_settings",
        "_silent_since",
        "_stray_since",
        "_welded",
        "config",
        "edge",
        "latch",
        "limit_a",
        "lost",
        "reading",
        "relay",
    )

    def __init__(self, settings: BridgeSettings, config: ModuleConfig = UNKNOWN) -> None:
        self._settings = settings
        self.config = config
        self.reading: Reading | None = None
        self.lost = False
        self.limit_a = 0.0
        self.relay = False
        self.latch: Latch | None = None
        self.edge = False
        """Something changed that should not wait for the next frame; whoever sends the frame clears it."""
        self._guard = PowerGuard()
        self._compliance = Compliance(settings.comply_s)
        self._doubtful = False
        """It was told something else than its last reading shows; whether that arrived, only the next one tells."""
        self._drawing = (False, False, False)
        self._silent_since: float | None = None
        self._stray_since: float | None = None
        self._open_since: float | None = None
        self._opening_since: float | None = None
        self._mismatch_since: float | None = None
        self._mismatch_told = False
        self._welded = False

    @property
    def shown(self) -> Reading | None:
        """Tell what a frame shows: the last reading; None: lost, never seen, or perhaps no longer true."""
        return None if self.lost or (self._doubtful and self._silent_since is not None) else self.reading

    @property
    def effective_a(self) -> float:
        """Tell what the load may draw by what the module was told last."""
        return self.limit_a if self.relay else 0.0

    @property
    def current_a(self) -> Currents:
        """Tell what it draws by its last reading; nothing if it was never seen."""
        return _NONE_A if self.reading is None else self.reading.current_a

    @property
    def sheddable(self) -> bool:
        """Tell whether it is on and hears what it is told."""
        return self.relay and self.latch is None and self.reading is not None and self._silent_since is None

    def unruly(self, now: float) -> bool:
        """Tell whether it draws more than any limit of the time to comply allows."""
        return max(self.current_a) > self._compliance.allows_a(now)

    @property
    def settled(self) -> bool:
        """Tell whether the module is seen to hold what it was told, or can't be seen at all."""
        r = self.shown
        if r is None:
            return self.lost
        # The module's own word as well: a load may be low by chance before its limit has arrived.
        return not r.relay or (r.limit_a <= self.limit_a + 0.01 and max(r.current_a) <= allowed_a(self.effective_a))

    # ------------------------------------------------------------------ senses

    def see(self, now: float, rev: int, sample: Reading | None) -> list[Told]:
        """Take in a sample and tell what has changed."""
        if sample is None:
            return self._unseen(now)
        self._silent_since, self._doubtful = None, False
        before, self.reading = self.reading, self._with_weld(now, sample)
        told = [Told(EventKind.MODULE_FOUND)] if self.lost else []
        self.lost = False
        if before is None:
            self.relay, self.limit_a = sample.relay, sample.limit_a
            self._compliance.limit(now, sample.limit_a)
        plug = sample.plug if before is None else before.plug
        if (plug is Plug.NONE) != (sample.plug is Plug.NONE):
            told.append(Told(EventKind.UNPLUGGED if sample.plug is Plug.NONE else EventKind.PLUGGED))
            if sample.plug is Plug.NONE and self.relay:
                self.latch = Latch(rev, hard=True)
        if self.reading.faults & ~(Fault(0) if before is None else before.faults):
            told.append(Told(EventKind.FAULT))
        told += self._relay_by_itself(now, sample)
        drawing = tuple(
            a >= (_STILL_A if drew else DRAWS_A) for a, drew in zip(sample.current_a, self._drawing, strict=True)
        )
        if before is not None:
            self.edge |= (drawing, sample.plug, sample.relay) != (self._drawing, before.plug, before.relay)
        self._drawing = (drawing[0], drawing[1], drawing[2])
        return told

    def _unseen(self, now: float) -> list[Told]:
        if self._silent_since is None:
            self._silent_since = now
        # A relay that could not be told is not at fault.
        self._open_since = self._mismatch_since = None
        if self.lost or now - self._silent_since < self._settings.lost_s:
            return []
        self.lost = True
        self._forgive()
        return [Told(EventKind.MODULE_LOST)]

    def _with_weld(self, now: float, sample: Reading) -> Reading:
        """Add what the module may not know itself: current through a relay that should be open."""
        draws = max(sample.current_a) >= DRAWS_A
        if self.relay or self.reading is None:
            self._open_since, self._welded = None, False
        else:
            if self._open_since is None:
                self._open_since = now
            if draws and now - self._open_since >= self._settings.relay_s:
                self._welded = True
            elif not draws and not sample.relay:
                self._welded = False
        return sample._replace(faults=sample.faults | Fault.WELDED_RELAY) if self._welded else sample

    def _relay_by_itself(self, now: float, sample: Reading) -> list[Told]:
        if sample.relay == self.relay:
            self._mismatch_since, self._mismatch_told = None, False
        elif self._mismatch_since is None:
            self._mismatch_since = now
        elif not self._mismatch_told and now - self._mismatch_since >= self._settings.relay_s:
            self._mismatch_told = True
            return [Told(EventKind.RELAY)]
        return []

    # ------------------------------------------------------------------ guards

    def guard(self, now: float, rev: int, target: Target) -> list[Told]:
        """Trip the relay if a target is reached or a guard says so, and tell it."""
        if self.reading is None or self._silent_since is not None:
            return []
        paid_up = target.until_wh is not None and self.reading.energy_wh >= target.until_wh
        if self.latch is not None:
            # Nor is there more to give to a load that is let go gently.
            self.latch.hard |= paid_up
            return []
        told = self._reached(target, paid_up=paid_up) or self._broken(now, target, self.reading.current_a)
        return [] if told is None else self.trip(rev, told)

    def _reached(self, target: Target, *, paid_up: bool) -> Told | None:
        if paid_up and (target.relay or self.relay):
            return Told(EventKind.TARGET_REACHED, "energy")
        return _OUT_OF_TIME if target.relay and target.out_of_time else None

    def _broken(self, now: float, target: Target, current_a: Currents) -> Told | None:
        max_a = self.config.max_a
        if max_a > 0 and (rule := self._guard.check(now, current_a, max_a, self.config.guard)):
            return Told(EventKind.OVER_CURRENT, rule)
        if self._strays(now, target):
            return _STRAY
        # At the outlet's maximum the power guard judges; it tells the user another thing.
        if not self.relay or self._opening_since is not None or self.limit_a >= max_a > 0:
            self._compliance.forgive()
        elif self._compliance.breached(now, current_a):
            return Told(EventKind.LIMIT_BREACH)
        return None

    def _strays(self, now: float, target: Target) -> bool:
        """Tell whether a conductor that may carry no current has carried some for too long."""
        free = target.conductors
        if (
            free is None
            or not (target.relay and self.relay)
            or all(a < DRAWS_A for c, a in enumerate(self.current_a) if c not in free)
        ):
            self._stray_since = None
            return False
        if self._stray_since is None:
            self._stray_since = now
        return now - self._stray_since >= self._settings.phase_s

    def trip(self, rev: int, told: Told) -> list[Told]:
        """Keep the relay open from now on, for this reason.

        At once, since what follows is not paid for or not safe; only one that is out of time is let go gently.
        """
        until_newer = told.kind is EventKind.TARGET_REACHED or told == _STRAY
        self.latch = Latch(rev, told != _OUT_OF_TIME, until_newer)
        self._forgive()
        return [told]

    def _forgive(self) -> None:
        self._guard.reset()
        self._compliance.forgive()
        self._stray_since = None

    def release(self, rev: int, *, off: bool) -> None:
        """Forget the latch if a newer revision has the module off.

        That is what the cloud says when it has heard why the relay opened. A revision that has it on, because the
        cloud does not know yet, releases nothing.
        """
        if self.latch is not None and (off or self.latch.until_newer) and rev > self.latch.rev:
            self.latch = None

    # ------------------------------------------------------------------ what to do

    def decide(self, now: float, target: Target, lease_s: float) -> Applied:
        """Tell the module what to do, and open a relay that carries current gently.

        Opening gently saves the contacts: 0 A is signalled first, and the relay opens when the current has
        fallen, at the latest when the time to comply has passed.
        """
        limit_a, relay, hard = target.limit_a, target.relay, False
        if self.latch is not None:
            limit_a, relay, hard = 0.0, False, self.latch.hard
        if relay or not self.relay or hard or not self._carries():
            self._opening_since = None
        else:
            if self._opening_since is None:
                self._opening_since = now
            left_s = self._opening_since + self._settings.comply_s - now
            if left_s > 0:
                # Should the bridge or its line die now, the module opens the relay by itself in time.
                limit_a, relay, lease_s = 0.0, True, left_s
            else:
                self._opening_since = None
        self.limit_a, self.relay = limit_a, relay
        self._doubtful |= self.reading is not None and (limit_a, relay) != (self.reading.limit_a, self.reading.relay)
        self._compliance.limit(now, limit_a)
        return Applied(limit_a, relay, lease_s, self.config.fallback_a)

    def _carries(self) -> bool:
        r = self.shown
        return r is not None and r.relay and max(r.current_a) >= DRAWS_A
