"""Turn what is wanted into allowances that are safe to hand out now.

First the aim: who is admitted and what everybody gets, as if every change took effect at once. Then what of it can be
granted now: decreases at once, increases only from what the fuses do not yet carry for anyone. What is left over is
granted when the decreases are seen; until then it is ``settling``.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from epspot.control import admission, appetite, caps, plans
from epspot.control.allocation import TURN, Claim, admit, floor_a, share
from epspot.control.draft import Draft
from epspot.control.leases import lower, narrow
from epspot.control.loads import carried, counted, other_load
from epspot.control.principles import Contest, Division, balanced_division
from epspot.control.state import Phase, SessionState
from epspot.site import Network, Outlet, Principle

STEP_A = 0.01
"""Allowances are handed out in steps of this, rounded down."""

_SLACK_A = 1e-6  # rounding of sums
SETTLING, UNKNOWN, COOL_DOWN = "settling", "unknown", "cool-down"


class Aim(NamedTuple):
    """What an outlet should have, and why not more."""

    current_a: float
    reason: str
    narrows: bool = False
    """Others lack what its unused conductors could carry: they are taken back."""


def plan(draft: Draft) -> None:
    """Decide anew who is admitted and what every outlet may draw."""
    _change_phases(draft)
    served, new_turn = _servable(draft), _begin_turn(draft)
    order, aims = _aim(draft, served, new_turn=new_turn)
    _note_turns(draft, [served[o] for o in order], aims)
    if new_turn:
        _note_places(draft, [served[o] for o in order])
    _grant(draft, order, aims)


# ------------------------------------------------------------------ who wants current


def _change_phases(draft: Draft) -> None:
    """Let planned sessions begin when their time comes, and rest between the hours that were chosen for them."""
    for s in list(draft.sessions.values()):
        if s.phase is Phase.PLANNED and plans.wants_now(draft, s):
            rejoin(draft, s)
        elif s.phase in (Phase.QUEUED, Phase.ACTIVE) and not plans.wants_now(draft, s):
            rest(draft, s, Phase.PLANNED)
            draft.tell("session.planned", s.id, outlet=s.outlet, reason=Phase.PLANNED.value)


def rest(draft: Draft, session: SessionState, phase: Phase) -> None:
    """Let a session be without current for as long as its user wants."""
    draft.session(
        session.id,
        phase=phase,
        on_since=None,
        place=None,
        waiting_since=None,
        idle_since=None,
        position=None,
        served_s=admission.served_s(session, draft.now),
        appetite=appetite.begin_turn(session.appetite),
    )
    draft.replan = True


def rejoin(draft: Draft, session: SessionState) -> None:
    """Let a session that has rested want current again; its rest is no head start over those who were there."""
    policy = draft.site.policy
    weight = admission.weight_of(session, policy)
    least = admission.newcomers_service_s(draft.sessions.values(), draft.now, policy, weight)
    draft.session(session.id, phase=Phase.QUEUED, served_s=max(session.served_s, least))
    draft.replan = True


def _servable(draft: Draft) -> dict[str, SessionState]:
    """List by outlet the sessions that can be served; one whose outlet can't be reached keeps what it has."""
    return {
        s.outlet: s
        for s in draft.sessions.values()
        if s.phase in (Phase.QUEUED, Phase.ACTIVE)
        and draft.reachable(draft.site.outlet[s.outlet])
        and not is_cooling(draft, s.outlet)
    }


def is_cooling(draft: Draft, outlet: str) -> bool:
    """Tell whether an outlet rests after its power guard has tripped."""
    tripped_at = draft.outlets[outlet].cooled_from
    return bool(tripped_at) and draft.now - tripped_at < draft.site.policy.cool_down_s


def _begin_turn(draft: Draft) -> bool:
    """Begin a new turn if it is time and somebody waits for it; tell whether one begins."""
    policy = draft.site.policy
    wanting = [s for s in draft.sessions.values() if s.phase in (Phase.QUEUED, Phase.ACTIVE)]
    new_turn = admission.turn_is_over(wanting, draft.turn, draft.now, policy)
    if new_turn:
        draft.turn = admission.turn_at(draft.now, policy)
    return new_turn


def _moment(draft: Draft, sessions: Iterable[SessionState], *, new_turn: bool) -> admission.Moment:
    """Tell what the serving order depends on now."""
    by_readiness = Principle.READINESS in draft.site.principle.values()
    spare = {s.id: plans.spare_s(draft, s) for s in sessions} if by_readiness else {}
    return admission.Moment(draft.now, draft.site.policy, new_turn, spare)


# ------------------------------------------------------------------ the aim


def _aim(draft: Draft, served: Mapping[str, SessionState], *, new_turn: bool) -> tuple[list[str], dict[str, Aim]]:
    """Divide as if every change took effect at once; what isn't used is divided anew where somebody lacks it."""
    most_apart = draft.site.policy.max_imbalance_a
    contest = _contest(draft, served, new_turn=new_turn)
    division = balanced_division(contest, most_apart)
    if not new_turn and any(served[o].phase is Phase.ACTIVE for o in division.refused):
        contest = contest._replace(claims={o: _untried(draft, served[o], c) for o, c in contest.claims.items()})
        division = balanced_division(contest, most_apart)
    asked, lacking = contest.claims, _lacking(division)
    if lacking:
        modest = {o: _modest(draft, served[o], c) if _touches(draft, c, lacking) else c for o, c in asked.items()}
        contest = contest._replace(claims=modest)
        division = balanced_division(contest, most_apart)
    aims = {o: Aim(0.0, by) for o, by in division.refused.items()}
    for o, (current, by) in division.shares.items():
        claim = contest.claims[o]
        narrows = claim.path != asked[o].path
        aims[o] = Aim(floor_a(current, STEP_A), by or _own_limit(draft, o, claim), narrows)
    for o, s in served.items():
        if s.appetite.pulsing or _must_widen(draft, s):
            aims[o] = Aim(0.0, SETTLING)
    return division.order, aims


def _lacking(division: Division) -> set[str]:
    """Name the lines of which somebody would like to have more."""
    return {*division.refused.values(), *(s.limited_by for s in division.shares.values() if s.limited_by)}


def _touches(draft: Draft, claim: Claim, lacking: Collection[str]) -> bool:
    """Tell whether what a claim leaves unused is of use to somebody; who waits for a turn may do so anywhere."""
    return TURN in lacking or any(draft.network.names[c] in lacking for c in draft.network.paths[claim.outlet])


def _contest(draft: Draft, served: Mapping[str, SessionState], *, new_turn: bool) -> Contest:
    site = draft.site
    network = site.network.limited(caps.limits(draft))
    # What can't be commanded stays as it is; what is on its way down will be gone.
    standing = {
        o.id: state
        for o in site.outlets
        if (state := draft.outlets[o.id]).counted_a and o.id not in served and not draft.reachable(o)
    }
    now = _moment(draft, served.values(), new_turn=new_turn)
    principles = [site.principle[f] for f in network.fuse_names]
    return Contest(
        network=network,
        load=network.load_on(carried(site, standing), other_load(site, draft.other_a)),
        sessions=network.sessions(standing),
        principles=principles,
        claims={o: _claim(draft, s) for o, s in served.items()},
        orders={p: [s.outlet for s in admission.serving_order(served.values(), now, p)] for p in {*principles}},
        needed_a={o: plans.needed_a(draft, s) for o, s in served.items() if now.spare_s and s.wishes.ready_by},
    )


def _claim(draft: Draft, session: SessionState) -> Claim:
    """Ask for all that a session could use."""
    outlet = draft.site.outlet[session.outlet]
    least = appetite.least_a(outlet, session)
    allowed = draft.outlets[outlet.id].conductors
    path = draft.network.path(outlet, allowed) if allowed == session.appetite.conductors else None
    return Claim(outlet.id, least, outlet.max_a, admission.weight_of(session, draft.site.policy), path)


def _untried(draft: Draft, session: SessionState, claim: Claim) -> Claim:
    """Ask for no more than is known to be of use: what is offered on trial costs nobody a turn that has begun."""
    plain = replace(session, appetite=replace(session.appetite, offered_a=None))
    return claim._replace(min_a=appetite.least_a(draft.site.outlet[session.outlet], plain))


def _modest(draft: Draft, session: SessionState, claim: Claim) -> Claim:
    """Ask for what a session has been seen to use."""
    outlet = draft.site.outlet[session.outlet]
    path = claim.path
    if _may_narrow(draft, session):
        path = draft.network.path(outlet, session.appetite.conductors)
    return claim._replace(max_a=appetite.most_a(outlet, session), path=path)


def _may_narrow(draft: Draft, session: SessionState) -> bool:
    """Tell whether a load leaves conductors unused that its outlet can do without.

    One with a fallback can't: should its bridge be cut off, it falls to that on all of them.
    """
    used, outlet = session.appetite.conductors, draft.site.outlet[session.outlet]
    if used is None or draft.outlets[outlet.id].conductors is not None or outlet.fallback_a:
        return False
    return len(used) < len(outlet.phases)


def _must_widen(draft: Draft, session: SessionState) -> bool:
    """Tell whether a load is to get back conductors that were released: its outlet must be off first."""
    allowed, used = draft.outlets[session.outlet].conductors, session.appetite.conductors
    return allowed is not None and used != allowed and draft.outlets[session.outlet].counted_a > 0


def _own_limit(draft: Draft, outlet: str, claim: Claim) -> str:
    return "wants" if claim.max_a < draft.site.outlet[outlet].max_a else "outlet"


# ------------------------------------------------------------------ turns


def _note_turns(draft: Draft, served: Sequence[SessionState], aims: Mapping[str, Aim]) -> None:
    """Begin and end the turns of sessions, and say so."""
    for s in served:
        if s.appetite.pulsing or _must_widen(draft, s):
            continue  # it is still its turn
        admitted = aims[s.outlet].current_a > 0
        if admitted and s.phase is not Phase.ACTIVE:
            draft.session(
                s.id,
                phase=Phase.ACTIVE,
                on_since=draft.now,
                waiting_since=None,
                idle_since=None,
                position=None,
                appetite=appetite.begin_turn(s.appetite),
            )
            draft.tell("session.active", s.id, outlet=s.outlet)
        elif not admitted and s.phase is Phase.ACTIVE:
            rest(draft, s, Phase.QUEUED)
            draft.session(s.id, waiting_since=draft.now)
        elif not admitted and s.waiting_since is None:
            draft.session(s.id, waiting_since=draft.now)
    _tell_positions(draft, [s for s in served if draft.sessions[s.id].waiting_since is not None], aims)


def _note_places(draft: Draft, served: Sequence[SessionState]) -> None:
    """Remember the order in which turns were given out: who came in first by it goes first until the next time."""
    for place, before in enumerate(served):
        s = draft.sessions[before.id]
        if s.phase is Phase.ACTIVE and s.place != place:
            draft.session(s.id, place=place)


def _tell_positions(draft: Draft, waiting: Sequence[SessionState], aims: Mapping[str, Aim]) -> None:
    """Tell those who wait where they stand, as often as that changes: behind how many for what they wait for."""
    ahead = Counter[str]()
    for before in waiting:
        s = draft.sessions[before.id]
        blocked_by = aims[s.outlet].reason.partition("/")[0]
        position = 1 + ahead[blocked_by if blocked_by in draft.site.fuse else draft.site.main.id]
        ahead.update(draft.network.fuse_names[f] for f in draft.network.chains[s.outlet])
        if s.position == position:
            continue
        draft.session(s.id, position=position)
        told = {"outlet": s.outlet, "reason": aims[s.outlet].reason, "position": position}
        if before.waiting_since is not None:
            draft.tell("session.moved", s.id, **told)
        elif before.phase is Phase.ACTIVE:
            draft.tell("session.waiting", s.id, **told)
        else:
            draft.tell("session.queued", s.id, **told)


# ------------------------------------------------------------------ granting


def _grant(draft: Draft, order: Sequence[str], aims: Mapping[str, Aim]) -> None:
    growing: dict[str, float] = {}
    for o in draft.site.outlets:
        state = draft.outlets[o.id]
        aim, session = aims.get(o.id), draft.session_at(o.id)
        if aim is None and not draft.reachable(o):
            _leave(draft, o, session)
            continue
        current, reason, narrows = aim or Aim(0.0, _why_idle(draft, session))
        if current < state.limit_a:
            lower(draft, o, current, draft.next_rev(o.bridge))
        elif current > state.limit_a:
            growing[o.id] = current
        if current and session is not None:
            _fit_conductors(draft, o, session, narrows=narrows)
        if reason != state.reason:
            draft.outlet(o.id, reason=reason)
    if growing:
        _grow(draft, [(o, growing[o]) for o in order if o in growing])


def _leave(draft: Draft, outlet: Outlet, session: SessionState | None) -> None:
    """Leave what can't be commanded as it is; but nobody is to have current when it answers again and shouldn't."""
    state = draft.outlets[outlet.id]
    if session is None or session.phase not in (Phase.QUEUED, Phase.ACTIVE):
        if state.limit_a:
            lower(draft, outlet, 0.0, draft.next_rev(outlet.bridge))
    elif state.limit_a > outlet.max_a:
        lower(draft, outlet, outlet.max_a, draft.next_rev(outlet.bridge))
    elif state.reason != UNKNOWN:
        draft.outlet(outlet.id, reason=UNKNOWN)


def _why_idle(draft: Draft, session: SessionState | None) -> str:
    if session is None:
        return ""
    if session.phase in (Phase.PLANNED, Phase.PAUSED):
        return session.phase.value
    return COOL_DOWN if session.phase is Phase.QUEUED and is_cooling(draft, session.outlet) else ""


def _fit_conductors(draft: Draft, outlet: Outlet, session: SessionState, *, narrows: bool) -> None:
    """Take back conductors that a load does not use; give them all again once it is off."""
    state = draft.outlets[outlet.id]
    if state.conductors not in (None, session.appetite.conductors) and state.counted_a == 0:
        draft.outlet(outlet.id, conductors=None)
    elif narrows and state.limit_a:
        narrow(draft, outlet, session.appetite.conductors or (), draft.next_rev(outlet.bridge))


def _grow(draft: Draft, growing: list[tuple[str, float]]) -> None:
    """Raise allowances, in serving order, as far as the lines have room beside all that is still counted."""
    site = draft.site
    network = site.network.limited(caps.limits(draft))
    other = other_load(site, draft.other_a)
    load = network.load_on(carried(site, draft.outlets), other)
    more, new = [], []
    for o, aim in growing:
        outlet, state = site.outlet[o], draft.outlets[o]
        # Conductors that are still being taken back are carried until then: nothing less is asked for.
        is_narrowing = bool(state.held_a) and state.held_conductors != state.conductors
        path = None if is_narrowing else network.path(outlet, state.conductors)
        if state.held_a and not _fits_instead(draft, network, load, outlet, aim):
            continue  # what is carried for it may not be what it draws, and others may draw all that is carried for them
        if state.counted_a >= aim and state.held_conductors in (None, state.conductors):
            _raise(draft, outlet, aim)  # its fuses carry as much for it already
        elif state.counted_a >= outlet.least_a:
            more.append(Claim(o, state.counted_a, aim, path=path))
        else:
            new.append(Claim(o, min(aim, _least_now(draft, outlet)), aim, path=path))
    fresh = {c.outlet for c in new}
    sessions = network.sessions(o for o, s in draft.outlets.items() if s.counted_a and o not in fresh)
    entry = admit(network, load, sessions, new)
    claims = more + entry.admitted
    beside = {o: s for o, s in draft.outlets.items() if o not in {c.outlet for c in claims}}
    shares = share(network, network.load_on(carried(site, beside), other), claims)
    for o, aim in growing:
        got = floor_a(shares[o].current_a, STEP_A) if o in shares else draft.outlets[o].limit_a
        if got > draft.outlets[o].limit_a:
            _raise(draft, site.outlet[o], got)
        if got < aim:
            draft.outlet(o, reason=SETTLING)


def _fits_instead(draft: Draft, network: Network, load: Sequence[float], outlet: Outlet, aim_a: float) -> bool:
    """Tell whether an aim fits where what is carried for its outlet now is too much, or does not count."""
    path = network.paths[outlet.id]
    own = network.load_on(counted(draft.site, outlet, draft.outlets[outlet.id]))
    room = (network.planning_a[c] + _SLACK_A - load[c] + own[c] for c in path)
    is_over = any(load[c] > network.planning_a[c] + _SLACK_A for c in path)
    return not is_over or all(a >= aim_a * path.count(c) for a, c in zip(room, path, strict=True))


def _least_now(draft: Draft, outlet: Outlet) -> float:
    session = draft.session_at(outlet.id)
    return outlet.least_a if session is None else appetite.least_a(outlet, session)


def _raise(draft: Draft, outlet: Outlet, limit_a: float) -> None:
    rev = draft.next_rev(outlet.bridge)
    draft.outlet(outlet.id, limit_a=limit_a, since_rev=rev)
    session = draft.session_at(outlet.id)
    if session is not None and session.first_rev is None:
        draft.session(session.id, first_rev=rev)
