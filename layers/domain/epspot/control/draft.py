"""The working copy of a site's state within one step."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from math import floor
from typing import Any

from epspot.control.effects import Fact, SendCommand, Setting, Step
from epspot.control.state import Live, Reading, SessionState
from epspot.site import Outlet, Site

_DECISION = tuple(f.name for f in fields(Live) if f.name not in ("version", "at", "readings", "look_at"))


class Draft:
    """What a step has made of the state so far, and what it wants done."""

    def __init__(self, site: Site, live: Live, at: float) -> None:
        self.site = site
        self.live = live
        self.now = max(at, live.at)
        self.network = site.network
        self.outlets = dict(live.outlets)
        self.bridges = dict(live.bridges)
        self.sessions = dict(live.sessions)
        self._session_of = {s.outlet: s.id for s in live.sessions.values()}
        self.readings = dict(live.readings)
        self.other_a = live.other_a
        self.fell_to_a = live.fell_to_a
        self.found = live.found
        self.turn = live.turn
        self.watched_until = live.watched_until
        self.listened = live.listened
        self.over_since = dict(live.over_since)
        self.alarms = dict(live.alarms)
        self.demand = dict(live.demand)
        self.prices = live.prices
        self.temperatures = live.temperatures
        self.replan = False
        """Something that the allocation depends on has changed."""
        self.unmet_caps: set[str] = set()
        """Caps that are exceeded by what may stay."""
        self.full: set[str] = set()
        """Bridges that must send every module."""
        self._numbered: set[str] = set()
        self._renewed: set[str] = set()
        self._repeated: set[str] = set()
        self._facts: list[Fact] = []

    # -------------------------------------------------------------- changing

    def outlet(self, outlet: str, **changes: Any) -> None:
        """Change an outlet's state."""
        self.outlets[outlet] = replace(self.outlets[outlet], **changes)

    def bridge(self, bridge: str, **changes: Any) -> None:
        """Change a bridge's state."""
        self.bridges[bridge] = replace(self.bridges[bridge], **changes)

    def session(self, session: str, **changes: Any) -> SessionState:
        """Change a session's state."""
        self.sessions[session] = replace(self.sessions[session], **changes)
        return self.sessions[session]

    def add_session(self, session: SessionState) -> None:
        """Take in a new session."""
        self.sessions[session.id] = session
        self._session_of[session.outlet] = session.id

    def drop_session(self, session: SessionState) -> None:
        """Forget a session that has ended."""
        del self.sessions[session.id]
        del self._session_of[session.outlet]

    def tell(self, kind: str, about: str, **detail: Any) -> None:
        """State a fact."""
        self._facts.append(Fact(kind, about, detail))

    def renew(self, bridge: str) -> None:
        """Command a bridge with a new lease."""
        self._renewed.add(bridge)

    def next_rev(self, bridge: str) -> int:
        """Give the command that this step sends to a bridge with changed settings its revision."""
        if bridge not in self._numbered:
            self._numbered.add(bridge)
            self.bridge(bridge, rev=self.bridges[bridge].rev + 1)
            self.renew(bridge)
        return self.bridges[bridge].rev

    def repeat(self, bridge: str) -> None:
        """Command a bridge again as before, since it seems to have missed it; its lease stays as it was."""
        self._repeated.add(bridge)

    # -------------------------------------------------------------- reading

    def session_at(self, outlet: str) -> SessionState | None:
        """Find the session that uses an outlet."""
        session = self._session_of.get(outlet)
        return None if session is None else self.sessions[session]

    def outlets_of(self, bridge: str) -> Iterable[Outlet]:
        """List the outlets that a bridge serves."""
        return self.site.of_bridge.get(bridge, {}).values()

    def last(self, outlet: Outlet) -> Reading | None:
        """Find the newest reading at an outlet, however old."""
        known = self.readings.get(outlet.bridge)
        return None if known is None else known.modules.get(outlet.module)

    def reading(self, outlet: Outlet) -> Reading | None:
        """Find the newest reading at an outlet; None if there is none or its module does not answer."""
        known = self.readings.get(outlet.bridge)
        if known is None or outlet.module in known.lost:
            return None
        return known.modules.get(outlet.module)

    def read_at(self, outlet: Outlet) -> float:
        """Tell when the newest reading at an outlet was last known to be true."""
        known = self.readings[outlet.bridge]
        return known.confirmed_at.get(outlet.module, known.at)

    def is_read(self, outlet: Outlet) -> bool:
        """Tell whether the newest message of an outlet's bridge told its register, or that it stands; an event does not."""
        return outlet.module not in self.readings[outlet.bridge].confirmed_at

    def reachable(self, outlet: Outlet) -> bool:
        """Tell whether a command would get to the outlet's module, as far as is known."""
        bridge = self.bridges[outlet.bridge]
        return bridge.boot is not None and not bridge.silent and self.reading(outlet) is not None

    def known_readings(self) -> Iterator[tuple[Outlet, Reading]]:
        """Walk over every outlet that has a reading."""
        for o in self.site.outlets:
            r = self.reading(o)
            if r is not None:
                yield o, r

    # -------------------------------------------------------------- finishing

    def finish(self, span_s: float) -> Step:
        """Close the step: take the leases that it renews, build its commands, and keep what did not change.

        ``span_s`` is how long the cloud counts a lease from the receipt of the message that a command answers.
        """
        for b in sorted(self._renewed):
            known = self.readings.get(b)
            state = self.bridges[b]
            if known is not None and known.boot == state.boot and known.seq > state.answered:
                until = max(state.lease_until, known.at + span_s)
                self.bridge(b, answered=known.seq, answered_at=known.at, lease_until=until)
        commands = tuple(
            self._command(b)
            for b in sorted(self._renewed | self._repeated)
            if self.bridges[b].boot is not None and self.bridges[b].answered
        )
        new = replace(
            self.live,
            revision=self.site.revision,
            at=self.now,
            turn=self.turn,
            outlets=self.outlets,
            bridges=self.bridges,
            sessions=self.sessions,
            other_a=self.other_a,
            fell_to_a=self.fell_to_a,
            found=self.found,
            watched_until=self.watched_until,
            listened=self.listened,
            over_since=self.over_since,
            alarms=self.alarms,
            demand=self.demand,
            prices=self.prices,
            temperatures=self.temperatures,
            readings=self.readings,
        )
        if not self._facts and decision_equals(self.live, new):
            new = replace(self.live, readings=self.readings)
        return Step(new, commands, tuple(self._facts))

    def _command(self, b: str) -> SendCommand:
        state = self.bridges[b]
        return SendCommand(
            bridge=b,
            rev=state.rev,
            boot=state.boot or "",
            seq=state.answered,
            ttl_s=self.site.policy.lease_s,
            interval_s=state.interval_s or self.site.policy.interval_s,
            modules={o.module: self._setting(o, state.answered_at) for o in self.outlets_of(b)},
            full=b in self.full,
        )

    def _setting(self, outlet: Outlet, answered_at: float) -> Setting:
        """Tell what a module is to do; its times count from ``answered_at``."""
        state, session = self.outlets[outlet.id], self.session_at(outlet.id)
        until_wh = until_at = None
        if session is not None and state.limit_a:
            until_wh, until_at = until_register_wh(session), session.wishes.until_at
        return Setting(
            limit_a=state.limit_a,
            max_a=outlet.max_a,
            fallback_a=outlet.fallback_a,
            until_wh=until_wh,
            until_s=None if until_at is None else max(0, floor(until_at - answered_at)),
            conductors=state.conductors,
            guard=outlet.guard,
        )


def until_register_wh(session: SessionState) -> int | None:
    """Tell the register value at which a session has had its energy; None: it has no such end, or it isn't known yet."""
    until = session.wishes.until_wh
    if until is None or session.base_wh is None:
        return None
    return session.base_wh + max(0, until - session.booked_wh)


def decision_equals(one: Live, other: Live) -> bool:
    """Tell whether two states decide the same (readings and clock apart)."""
    return all(getattr(one, name) == getattr(other, name) for name in _DECISION)
