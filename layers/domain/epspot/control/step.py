"""The controller: what one event makes of a site.

``step`` is pure. It reads no clock, no network and no random source; everything that is interesting about control,
and everything that can be unsafe, happens in here.
"""

from collections.abc import Callable
from math import inf
from typing import Any

from epspot.control import alarms, appetite, caps, guard, leases, lifecycle, senses
from epspot.control.admission import turn_is_over
from epspot.control.draft import Draft, until_register_wh
from epspot.control.effects import Step
from epspot.control.events import (
    ChangeRequested,
    EdgeReceived,
    Event,
    FrameReceived,
    HistoryReceived,
    OutlookReceived,
    PauseRequested,
    PresenceChanged,
    ResumeRequested,
    SiteChanged,
    StartRequested,
    StopRequested,
    Ticked,
    Watched,
)
from epspot.control.loads import measured
from epspot.control.planning import plan
from epspot.control.state import GRAVE, BridgeState, End, Live, Phase, Readings, SessionState
from epspot.site import Outlet, Policy, Site

FULL_FRAME_EVERY = 10
"""A bridge sends every module at least once in this many frames, which the cloud then writes down."""

WATCH_S = 90.0
_RELEASED_PHASE = "phase"
_CLOCKS_DIFFER_S = 60.0
"""A message may have been under way for so long, and the bridge counts from its sending."""
_NOISE = 1.03
"""A fuse that is used to the full is not hot for a meter's noise (docs/decisions/0008)."""

_ENDS = {
    "unplugged": End.UNPLUGGED,
    "over_current": End.GUARD,
    "limit_breach": End.BREACH,
    "target_reached": End.TARGET,
    "shed": End.SHED,
}


def step(site: Site, live: Live, event: Event) -> Step:
    """Return the state that follows ``event``, with the commands to send and the facts to tell.

    A refused request raises a Refusal and changes nothing.
    """
    draft = Draft(site, live, event.at)
    leases.reconcile(draft)
    if isinstance(event, SiteChanged):
        leases.take_change(draft, event)
    leases.expire(draft)
    _HANDLERS[type(event)](draft, event)
    _pass_time(draft)
    if draft.replan:
        lifecycle.settle(draft)
        plan(draft)
        lifecycle.settle(draft)
    _set_pace(draft)
    alarms.watch(draft)
    return draft.finish(leases.span_s(site.policy))


def _frame(draft: Draft, frame: FrameReceived) -> None:
    if frame.bridge not in draft.bridges:
        return
    if not senses.opens_epoch(draft, frame):
        senses.take_registers_only(draft, frame)
        return
    known = draft.readings.get(frame.bridge)
    if known is not None and known.boot == frame.boot and frame.seq <= known.seq:
        return
    continues = senses.take_readings(draft, frame)
    _is_heard(draft, frame.bridge)
    _keep_lease(draft, frame)
    leases.see(draft, frame, listed_only=not continues)
    senses.take_main_meter(draft, frame)
    caps.follow_demand(draft)
    guard.watch_fuses(draft)
    for o in draft.outlets_of(frame.bridge):
        if o.autostart:
            lifecycle.begin_by_itself(draft, o)
        session, reading = draft.session_at(o.id), draft.reading(o)
        if session is not None and reading is not None and session.phase is not Phase.STOPPING:
            lifecycle.watch_reading(draft, o, session, reading)
        elif session is not None and session.phase is Phase.STOPPING:
            draft.replan = True


def _is_heard(draft: Draft, bridge: str) -> None:
    state = draft.bridges[bridge]
    if state.silent:
        draft.tell("bridge.back", bridge)
        draft.bridge(bridge, presence=-1)  # the broker counts anew after a long absence
        draft.replan = True
    if state.silent or state.suspect_since is not None:
        draft.bridge(bridge, silent=False, suspect_since=None)


def _keep_lease(draft: Draft, frame: FrameReceived) -> None:
    """Renew a lease at half-life; repair what the frame shows to be lost."""
    bridge = draft.bridges[frame.bridge]
    if frame.rev > bridge.rev:
        leases.adopt(draft, frame)
    elif not bridge.answered or (
        leases.due_for_renewal(draft.site, bridge, frame.at)
        and any(draft.outlets[o.id].limit_a for o in draft.outlets_of(frame.bridge))
    ):
        draft.renew(frame.bridge)
    elif frame.rev < bridge.rev:
        if frame.at - bridge.answered_at < draft.site.policy.lease_s:
            draft.repeat(frame.bridge)
        else:
            draft.renew(frame.bridge)


def _edge(draft: Draft, edge: EdgeReceived) -> None:
    if edge.bridge not in draft.bridges:
        return
    is_newest = senses.take_edge(draft, edge)
    outlet = draft.site.of_bridge.get(edge.bridge, {}).get(edge.module)
    if outlet is None:
        return
    if is_newest:
        _is_heard(draft, edge.bridge)
    if edge.kind == "fault" and edge.reading is not None and is_newest:
        draft.tell("outlet.fault", outlet.id, faults=int(edge.reading.faults))
    if is_newest and outlet.autostart:
        lifecycle.begin_by_itself(draft, outlet)
    session = draft.session_at(outlet.id)
    if session is not None:
        _edge_of_session(draft, outlet, session, edge, is_newest=is_newest)


def _edge_of_session(
    draft: Draft, outlet: Outlet, session: SessionState, edge: EdgeReceived, *, is_newest: bool
) -> None:
    if edge.kind == "plugged" and is_newest and not session.plugged:
        draft.session(session.id, plugged=True)
    end = _end_of(edge)
    # An event that others have overtaken is this session's if it happened under a revision of it.
    is_its_own = session.first_rev is not None and edge.rev >= session.first_rev
    if end is None or not (is_its_own or (is_newest and (session.plugged or end is not End.UNPLUGGED))):
        return
    if end is End.BREACH and edge.rule == _RELEASED_PHASE:
        draft.session(session.id, appetite=appetite.forget_conductors(outlet, session.appetite))
        draft.replan = True
    elif not _is_outdated(draft, session, edge):
        if session.phase is not Phase.STOPPING:
            _note_offence(draft, outlet, end, edge)
        lifecycle.stop(draft, session, end)


def _note_offence(draft: Draft, outlet: Outlet, end: End, edge: EdgeReceived) -> None:
    """Keep account of what a guard of the bridge has switched off."""
    if end is End.GUARD:
        lifecycle.trip(draft, outlet, rule=edge.rule)
    elif end is End.BREACH:
        alarms.note(draft, "limit_breach", outlet.id)
    elif end is End.SHED:
        alarms.note(draft, "shed", outlet.id, line=edge.rule)


def _is_outdated(draft: Draft, session: SessionState, edge: EdgeReceived) -> bool:
    """Tell whether a target was reached that its user has changed since."""
    if edge.kind == "target_reached" and edge.rule == "time":
        until_at = session.wishes.until_at
        return until_at is None or draft.now < until_at - _CLOCKS_DIFFER_S
    if edge.kind != "target_reached" or edge.rule != "energy":
        return False
    until_wh = until_register_wh(session)
    return until_wh is None or (edge.reading is not None and edge.reading.energy_wh < until_wh)


def _end_of(edge: EdgeReceived) -> End | None:
    if edge.kind == "fault" and edge.reading is not None and edge.reading.faults & GRAVE:
        return End.FAULT
    if edge.kind == "target_reached" and edge.rule == "time":
        return End.TIME
    return _ENDS.get(edge.kind)


def _history(draft: Draft, history: HistoryReceived) -> None:
    own = draft.site.of_bridge.get(history.bridge, {})
    rows = [[own[m].id, round(at), wh] for m, at, wh in history.rows if m in own]
    if rows:
        draft.tell("registers.recorded", history.bridge, boot=history.boot, seq=history.seq, rows=rows)


def _presence(draft: Draft, presence: PresenceChanged) -> None:
    bridge = draft.bridges.get(presence.bridge)
    # Both events of a connection have its number: it ends after it has begun.
    order = 2 * presence.version + (not presence.connected)
    if bridge is None or order <= bridge.presence:
        return
    draft.bridge(
        presence.bridge,
        presence=order,
        suspect_since=None if presence.connected else draft.now,
    )


def _start(draft: Draft, request: StartRequested) -> None:
    lifecycle.begin(draft, request.session, request.outlet, request.wishes)


def _change(draft: Draft, request: ChangeRequested) -> None:
    lifecycle.change(draft, request.session, request.wishes)


def _pause(draft: Draft, request: PauseRequested) -> None:
    lifecycle.pause(draft, request.session)


def _resume(draft: Draft, request: ResumeRequested) -> None:
    lifecycle.resume(draft, request.session)


def _stop(draft: Draft, request: StopRequested) -> None:
    lifecycle.stop_by_user(draft, request.session)


def _watched(draft: Draft, watched: Watched) -> None:
    """Prolong what is in its last half, so that those who look together cost one write."""
    if draft.watched_until - draft.now < WATCH_S / 2:
        draft.watched_until = draft.now + WATCH_S
    what = watched.channel.partition("/")[0]
    if what and draft.listened.get(what, 0.0) - draft.now < WATCH_S / 2:
        going_on = {w: until for w, until in draft.listened.items() if until > draft.now}
        draft.listened = going_on | {what: draft.now + WATCH_S}


def _outlook(draft: Draft, outlook: OutlookReceived) -> None:
    """Take over what is newly known; what is not told stays as it was."""
    draft.prices = outlook.prices or draft.prices
    draft.temperatures = outlook.temperatures or draft.temperatures
    draft.replan = True


def _ticked(draft: Draft, _: Ticked | SiteChanged) -> None:
    """Nothing but time has passed, or what has changed is in the configuration."""


def _pass_time(draft: Draft) -> None:
    """Note what the mere passing of time has brought: silence, turns, waits that are over."""
    policy = draft.site.policy
    for b, bridge in list(draft.bridges.items()):
        if not bridge.silent and silent_at(draft.site.policy, bridge, draft.readings.get(b)) < draft.now:
            draft.bridge(b, silent=True)
            draft.tell("bridge.silent", b)
            draft.replan = True
            if b == draft.site.meter_bridge:
                draft.other_a = draft.site.main.other_a
    if turn_is_over(draft.sessions.values(), draft.turn, draft.now, policy):
        draft.replan = True
    if caps.in_force(draft.site, draft.prices, draft.live.at) != caps.in_force(draft.site, draft.prices, draft.now):
        draft.replan = True
    lifecycle.pass_time(draft)
    draft.unmet_caps = caps.unmet(draft)


def silent_at(policy: Policy, bridge: BridgeState, readings: Readings | None) -> float:
    """Tell when a bridge counts as silent if nothing more is heard of it.

    Two frames after the broker lost its connection; without such a hint two frames after a full one was due, since
    frames in between that change nothing are not written down.
    """
    if bridge.silent or readings is None:
        return inf
    if bridge.suspect_since is not None:
        return bridge.suspect_since + 2 * policy.interval_s
    return readings.at + (FULL_FRAME_EVERY + 2) * policy.interval_s


def _set_pace(draft: Draft) -> None:
    """Ask for fast frames while somebody watches, or a fuse carries more than was planned and than 90 % of its rating."""
    policy = draft.site.policy
    fast = draft.now < draft.watched_until or _is_hot(draft)
    wanted = policy.fast_interval_s if fast else policy.interval_s
    for b, bridge in list(draft.bridges.items()):
        if bridge.boot is None or bridge.silent or bridge.interval_s == wanted:
            continue
        if not bridge.interval_s or wanted < bridge.interval_s or draft.now - bridge.answered_at > WATCH_S:
            draft.bridge(b, interval_s=wanted)
            draft.renew(b)


def _is_hot(draft: Draft) -> bool:
    drawn = measured(draft.site, draft.known_readings())
    return any(a > _NOISE * most for a, most in zip(drawn, draft.site.warm_a, strict=True))


_HANDLERS: dict[type, Callable[[Draft, Any], None]] = {
    FrameReceived: _frame,
    EdgeReceived: _edge,
    HistoryReceived: _history,
    PresenceChanged: _presence,
    StartRequested: _start,
    ChangeRequested: _change,
    PauseRequested: _pause,
    ResumeRequested: _resume,
    OutlookReceived: _outlook,
    SiteChanged: _ticked,
    StopRequested: _stop,
    Watched: _watched,
    Ticked: _ticked,
}
