"""What an outlet may draw, whatever is lost, late or doubled.

An allowance is a lease. It runs ``lease_s`` from when the bridge *sent* the message that the command answers, on the
bridge's own monotonic clock; the cloud counts it from that message's *receipt*, 2 % longer for a slow clock and a few
seconds more for a load that has to obey. Receipt is never before sending, so the cloud's count always outlives the
bridge's. A decrease counts only when it is seen: until then the outlet's fuses carry the larger of both.
"""

from dataclasses import replace

from epspot.control.draft import Draft
from epspot.control.events import FrameReceived, SiteChanged
from epspot.control.state import BridgeState, OutletState, Reading
from epspot.site import Outlet, Policy, Site

CLOCK_FACTOR = 1.02
OBEY_S = 8.0
"""A vehicle has 5 s to obey (IEC 61851-1), the bridge opens the relay after 6 s; and a margin."""

EARLIER_BOOTS = 8
REOPEN_AFTER_S = 90.0
"""Frames are at most 60 s old: a boot that is heard this long after another took over is the living one."""

_OFF_A = 0.5
_STEP_A = 0.01  # in which the wire tells limits


def span_s(policy: Policy) -> float:
    """Tell how long a lease counts from the receipt of the message that it answers."""
    return policy.lease_s * CLOCK_FACTOR + OBEY_S


def tolerance_a(limit_a: float) -> float:
    """Tell how much above its limit a load may be measured and still obey."""
    return max(0.5, 0.05 * limit_a)


def cold_outlet(outlet: Outlet, until: float) -> OutletState:
    """Make the state of an outlet of which nothing is known: it may still draw its maximum."""
    return OutletState(limit_a=0.0, since_rev=1, held_a=outlet.max_a, held_until=until, reason="unknown")


def cold_bridge(until: float) -> BridgeState:
    """Make the state of a bridge of which nothing is known."""
    return BridgeState(rev=1, lease_until=until)


def reconcile(draft: Draft) -> None:
    """Fit the state to the site's configuration: what is new is unknown, what is gone is forgotten."""
    site, live = draft.site, draft.live
    if live.revision == site.revision and (live.outlets or not site.outlets):
        return
    until = draft.now + span_s(site.policy)
    for b in sorted(site.of_bridge):
        draft.bridges.setdefault(b, cold_bridge(until))
    draft.outlets = {o.id: draft.outlets.get(o.id) or cold_outlet(o, until) for o in site.outlets}
    draft.bridges = {b: s for b, s in draft.bridges.items() if b in site.of_bridge}
    draft.over_since = {line: since for line, since in draft.over_since.items() if line in site.network.names}
    draft.demand = {name: d for name, d in draft.demand.items() if name in site.network.caps}
    draft.found = tuple(name for name in draft.found if _has_no_place(site, name))
    if not live.outlets:
        draft.other_a = site.main.other_a
    for b in site.of_bridge:
        # A lease of another length counts anew from the message that it answers, though that was answered before.
        draft.bridge(b, answered=0)
        if b in live.bridges:
            draft.next_rev(b)  # so that a lost command is repaired
        else:
            draft.renew(b)
    draft.replan = True


def _has_no_place(site: Site, found: str) -> bool:
    """Tell whether a module that was found stands in no configuration still, at a bridge that is still here."""
    bridge, _, module = found.partition("/")
    return bridge in site.of_bridge and module not in site.of_bridge[bridge]


def take_change(draft: Draft, change: SiteChanged) -> None:
    """Forget what was known of outlets that were moved; count fallbacks that bridges may still have."""
    until = draft.now + span_s(draft.site.policy)
    for o in change.moved:
        draft.outlets[o] = cold_outlet(draft.site.outlet[o], until)
    for o, a in change.fallbacks:
        earlier = max(a, draft.outlets[o].earlier_fallback_a)
        rev = draft.next_rev(draft.site.outlet[o].bridge)
        draft.outlet(o, earlier_fallback_a=earlier, earlier_fallback_rev=rev)


def lower(draft: Draft, outlet: Outlet, limit_a: float, rev: int) -> None:
    """Lower an allowance: what it was stays counted until the decrease is seen or its lease is over."""
    _hold(draft, outlet, rev)
    draft.outlet(outlet.id, limit_a=limit_a)


def narrow(draft: Draft, outlet: Outlet, conductors: tuple[int, ...], rev: int) -> None:
    """Take back conductors: they stay counted until nothing is seen to flow there under the new command."""
    _hold(draft, outlet, rev)
    draft.outlet(outlet.id, conductors=conductors)


def _hold(draft: Draft, outlet: Outlet, rev: int) -> None:
    state = draft.outlets[outlet.id]
    until = draft.bridges[outlet.bridge].lease_until
    same = not state.held_a or state.held_conductors == state.conductors
    draft.outlet(
        outlet.id,
        since_rev=rev,
        held_a=state.counted_a,
        held_until=max(until, state.held_until) if state.held_a else until,
        held_conductors=state.conductors if same else None,
    )


def expire(draft: Draft) -> None:
    """Count outlets whose lease is over at their fallback: the bridge has let them fall by its own clock."""
    for b, bridge in list(draft.bridges.items()):
        lapsed = draft.now > bridge.lease_until
        for o in draft.outlets_of(b):
            state = draft.outlets[o.id]
            if lapsed and (state.limit_a > o.fallback_a or state.conductors is not None):
                fallen, rev = min(state.limit_a, o.fallback_a), draft.next_rev(b)
                held = max(state.held_a, state.limit_a) if state.earlier_fallback_a > fallen else state.held_a
                draft.outlet(o.id, limit_a=fallen, since_rev=rev, held_a=held, reason="unknown", conductors=None)
                draft.replan = True
                state = draft.outlets[o.id]
            if state.held_a and draft.now > (bridge.lease_until if lapsed else state.held_until):
                _let_fall(draft, o)


def _let_fall(draft: Draft, outlet: Outlet) -> None:
    state = draft.outlets[outlet.id]
    held = min(state.held_a, max(outlet.fallback_a, state.earlier_fallback_a))
    if held == state.held_a:
        return
    draft.outlet(outlet.id, held_a=held if held > state.limit_a else 0.0, held_conductors=None)
    draft.replan = True


def obeys(reading: Reading, limit_a: float, conductors: tuple[int, ...] | None = None) -> bool:
    """Tell whether a module shows what was asked: it holds the limit and its load obeys; for a limit of 0, its relay is open."""
    most = max(reading.current_a)
    if not reading.relay and most <= _OFF_A:
        return True
    if conductors is not None and any(a > _OFF_A for k, a in enumerate(reading.current_a) if k not in conductors):
        return False
    return limit_a > 0 and reading.limit_a <= limit_a + _STEP_A and most <= limit_a + tolerance_a(limit_a)


def see(draft: Draft, frame: FrameReceived, *, listed_only: bool) -> None:
    """Stop counting earlier allowances of which the frame shows that they are over.

    A frame proves it when its bridge has applied the revision that brought the decrease, and the module obeys it. If
    the frame builds on one that was never received, only the modules that it lists prove anything.
    """
    for o in draft.outlets_of(frame.bridge):
        state = draft.outlets[o.id]
        if state.earlier_fallback_a and frame.rev >= state.earlier_fallback_rev:
            state = replace(state, earlier_fallback_a=0.0, earlier_fallback_rev=0)
            draft.outlets[o.id] = state
        if not state.held_a or frame.rev < state.since_rev or (listed_only and o.module not in frame.modules):
            continue
        r = draft.reading(o)
        if r is not None and obeys(r, state.limit_a, state.conductors):
            draft.outlet(o.id, held_a=0.0, held_until=0.0, held_conductors=None)
            draft.replan = True


def adopt(draft: Draft, frame: FrameReceived) -> None:
    """Take over a revision from a bridge that knows a later one than we do: our state was lost meanwhile."""
    until = draft.now + span_s(draft.site.policy)
    rev = frame.rev + 1
    for o in draft.outlets_of(frame.bridge):
        draft.outlet(
            o.id,
            limit_a=0.0,
            since_rev=rev,
            held_a=o.max_a,
            held_until=until,
            held_conductors=None,
            conductors=None,
            reason="unknown",
        )
    draft.bridge(frame.bridge, rev=rev, lease_until=until)
    draft.renew(frame.bridge)
    draft.replan = True


def due_for_renewal(site: Site, bridge: BridgeState, at: float) -> bool:
    """Tell whether half of a lease is over when a message comes in at ``at``."""
    return at - bridge.answered_at >= site.policy.lease_s / 2
