"""Turn what is wanted into allowances that are safe to hand out now.

First the aim: who is admitted and what everybody gets, as if every change took effect at once. Then what of it can be
granted now: decreases at once, increases only from what the fuses do not yet carry for anyone. What is left over is
granted when the decreases are seen; until then it is ``settling``.
"""

from collections.abc import Mapping
from typing import NamedTuple

from epspot.control import admission
from epspot.control.allocation import Claim, admit, floor_a, share
from epspot.control.draft import Draft
from epspot.control.leases import lower
from epspot.control.state import Phase, SessionState
from epspot.site import Amperes, Outlet, Site

STEP_A = 0.01
"""Allowances are handed out in steps of this, rounded down."""


class Aim(NamedTuple):
    """What an outlet should have, and why not more."""

    current_a: float
    reason: str


def plan(draft: Draft) -> None:
    """Decide anew who is admitted and what every outlet may draw."""
    served = _serve(draft)
    aims = _aim(draft, served)
    _note_turns(draft, served, aims)
    _grant(draft, served, aims)


def other_load(site: Site, measured_a: Amperes) -> list[float]:
    """Tell what each fuse-phase carries that we don't control: as configured, on a metered main fuse as measured."""
    metered = site.main.id if site.meter_bridge is not None else None
    return [a for f in site.fuses for a in (measured_a if f.id == metered else f.other_a)]


def _serve(draft: Draft) -> list[SessionState]:
    """Put the sessions that can be served in order; one whose outlet can't be reached keeps what it has."""
    policy = draft.site.policy
    wanting = [s for s in draft.sessions.values() if s.phase in (Phase.QUEUED, Phase.ACTIVE)]
    turn = admission.turn_at(draft.now, policy)
    new_turn = admission.turn_is_over(wanting, draft.turn, draft.now, policy)
    if new_turn:
        draft.turn = turn
    servable = [s for s in wanting if draft.reachable(draft.site.outlet[s.outlet])]
    return admission.serving_order(servable, draft.now, policy, new_turn=new_turn)


def _aim(draft: Draft, served: list[SessionState]) -> dict[str, Aim]:
    site, network = draft.site, draft.network
    wanted = {s.outlet for s in served}
    # What can't be commanded stays as it is; what is on its way down will be gone.
    standing = {
        o.id: state.counted_a
        for o in site.outlets
        if (state := draft.outlets[o.id]).counted_a and o.id not in wanted and not draft.reachable(o)
    }
    load = network.load(standing.items(), other_load(draft.site, draft.other_a))
    claims = [_claim(site.outlet[s.outlet]) for s in served]
    entry = admit(network, load, network.sessions(standing), claims)
    shares = share(network, load, entry.admitted)
    aims = {o: Aim(0.0, by) for o, by in entry.refused.items()}
    for o, (current, by) in shares.items():
        aims[o] = Aim(floor_a(current, STEP_A), by or "outlet")
    return aims


def _claim(outlet: Outlet) -> Claim:
    return Claim(outlet.id, outlet.least_a, outlet.max_a)


def _note_turns(draft: Draft, served: list[SessionState], aims: Mapping[str, Aim]) -> None:
    """Begin and end the turns of sessions, and say so."""
    for s in served:
        admitted = aims[s.outlet].current_a > 0
        if admitted and s.phase is not Phase.ACTIVE:
            draft.session(s.id, phase=Phase.ACTIVE, on_since=draft.now, waiting_since=None, idle_since=None)
            draft.tell("session.active", s.id, outlet=s.outlet)
        elif not admitted and s.phase is Phase.ACTIVE:
            draft.session(
                s.id,
                phase=Phase.QUEUED,
                on_since=None,
                waiting_since=draft.now,
                served_s=admission.served_s(s, draft.now),
                idle_since=None,
            )
            draft.tell("session.waiting", s.id, outlet=s.outlet, reason=aims[s.outlet].reason)
        elif not admitted and s.waiting_since is None:
            draft.session(s.id, waiting_since=draft.now)
            draft.tell("session.queued", s.id, outlet=s.outlet, reason=aims[s.outlet].reason)


def _grant(draft: Draft, served: list[SessionState], aims: Mapping[str, Aim]) -> None:
    growing: dict[str, float] = {}
    for o in draft.site.outlets:
        state = draft.outlets[o.id]
        aim, session = aims.get(o.id), draft.session_at(o.id)
        if aim is None and not draft.reachable(o):
            if session is None or session.phase is Phase.STOPPING:
                # Nobody is to have current here when the module answers again.
                if state.limit_a:
                    lower(draft, o, 0.0, draft.next_rev(o.bridge))
            elif state.reason != "unknown":
                draft.outlet(o.id, reason="unknown")
            continue
        current, reason = aim or Aim(0.0, "")
        if current < state.limit_a:
            lower(draft, o, current, draft.next_rev(o.bridge))
        elif current > state.limit_a:
            growing[o.id] = current
        if reason != state.reason:
            draft.outlet(o.id, reason=reason)
    if growing:
        _grow(draft, [(s.outlet, growing[s.outlet]) for s in served if s.outlet in growing])


def _grow(draft: Draft, growing: list[tuple[str, float]]) -> None:
    """Raise allowances, in serving order, as far as the fuses have room beside all that is still counted."""
    network = draft.network
    counted = {o: state.counted_a for o, state in draft.outlets.items()}
    more, new = [], []
    for o, aim in growing:
        outlet = draft.site.outlet[o]
        if counted[o] >= aim:
            _raise(draft, outlet, aim)  # its fuses carry as much for it already
        elif counted[o] >= outlet.least_a:
            more.append(Claim(o, counted[o], aim))
        else:
            new.append(Claim(o, outlet.least_a, aim))
    fresh = {c.outlet for c in new}
    load = network.load(counted.items(), other_load(draft.site, draft.other_a))
    sessions = network.sessions(o for o, a in counted.items() if a and o not in fresh)
    entry = admit(network, load, sessions, new)
    claims = more + entry.admitted
    fixed = counted | {c.outlet: 0.0 for c in claims}
    shares = share(network, network.load(fixed.items(), other_load(draft.site, draft.other_a)), claims)
    for o, aim in growing:
        got = floor_a(shares[o].current_a, STEP_A) if o in shares else draft.outlets[o].limit_a
        if got > draft.outlets[o].limit_a:
            _raise(draft, draft.site.outlet[o], got)
        if got < aim:
            draft.outlet(o, reason="settling")


def _raise(draft: Draft, outlet: Outlet, limit_a: float) -> None:
    rev = draft.next_rev(outlet.bridge)
    draft.outlet(outlet.id, limit_a=limit_a, since_rev=rev)
    session = draft.session_at(outlet.id)
    if session is not None and session.first_rev is None:
        draft.session(session.id, first_rev=rev)
