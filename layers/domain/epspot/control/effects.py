"""What a step wants done: commands to hardware, and facts for the rest of the house."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from epspot.control.state import Live
from epspot.site.rules import USUAL_GUARD, GuardLimits


@dataclass(frozen=True, slots=True)
class Setting:
    """The desired state of one module."""

    limit_a: float
    max_a: float
    fallback_a: float
    until_wh: int | None = None
    """Register value at which the relay opens."""
    until_s: int | None = None
    """Time after which it opens, from when the answered message was sent."""
    conductors: tuple[int, ...] | None = None
    """Those that may carry current; None: all."""
    guard: GuardLimits = USUAL_GUARD


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Tell a bridge the whole desired state of its modules; ``boot`` and ``seq`` name the message it answers."""

    bridge: str
    rev: int
    boot: str
    seq: int
    ttl_s: int
    interval_s: int
    modules: Mapping[str, Setting]
    full: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, for those who keep books, tell people or watch.

    kind: ``session.begun`` (by itself), ``session.planned``, ``session.queued``, ``session.moved`` (in the queue),
    ``session.active``, ``session.waiting``, ``session.paused``, ``session.resumed``, ``session.changed``,
    ``session.learned`` (about its vehicle), ``session.short`` (its need can't be met in time), ``session.stopping``,
    ``session.ended``, ``bridge.silent``, ``bridge.back``, ``module.found``, ``module.lost``, ``meter.put_aside``,
    ``guard.tripped``, ``guard.shed``, ``outlet.fault``, ``alarm.raised``, ``alarm.cleared``, ``registers.recorded``.
    """

    kind: str
    about: str
    """The session, outlet, bridge or module that it is about."""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of one event."""

    live: Live
    commands: tuple[SendCommand, ...] = ()
    facts: tuple[Fact, ...] = ()
