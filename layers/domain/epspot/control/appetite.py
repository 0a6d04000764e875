"""What a load really uses of its share, on which conductors, and what wakes one that has fallen asleep.

A share that is not used is only taken where others could use it. A load that draws nearly all that it may wants more;
one that has drawn well below it for a while is taken to want what it draws and a margin. A vehicle that charges on one
phase of three gives the others free; should it begin to draw there, the bridge opens its relay at once, and the
vehicle gets its turn anew on all of them.
"""

from dataclasses import replace

from epspot.control.draft import Draft
from epspot.control.state import Appetite, OutletState, Phase, Plug, Reading, SessionState
from epspot.site import Outlet

DRAWS_A = 0.5
NEARLY_ALL = 0.95
MOST_PULSES = 2
_PART_OF_TURN = 3
"""A load that nothing wakes is given up within such a part of a turn: its next turn would begin the count anew."""
_SLEEPS_BELOW_A = 2.0
"""How much more a vehicle is offered that does not charge at an allowance."""


def watch(draft: Draft, outlet: Outlet, session: SessionState, reading: Reading) -> None:
    """Learn from a session's newest reading."""
    before = session.appetite
    state = draft.outlets[outlet.id]
    if before.pulsing:
        new = _pulsed(before) if state.counted_a == 0 else before
    elif session.phase is not Phase.ACTIVE or not _is_settled(state, reading):
        new = replace(before, under_since=None, unused_since=None)
    elif max(reading.current_a) >= DRAWS_A:
        new = _drawing(draft, outlet, before, state, reading)
    else:
        new = _not_drawing(draft, outlet, session, reading)
    if new != before:
        draft.session(session.id, appetite=new)
        _follow(draft, session, before, new)


def _follow(draft: Draft, session: SessionState, before: Appetite, new: Appetite) -> None:
    if (new.wants_a, new.conductors, new.offered_a, new.pulsing) != (
        before.wants_a,
        before.conductors,
        before.offered_a,
        before.pulsing,
    ):
        draft.replan = True
    if (new.least_a, new.wakes_by) != (before.least_a, before.wakes_by):
        known = session.wishes
        draft.tell(
            "session.learned",
            session.id,
            outlet=session.outlet,
            least_a=new.least_a or known.least_a,
            wakes_by=new.wakes_by or known.wakes_by or None,
        )


def begin_turn(appetite: Appetite) -> Appetite:
    """Forget what is only true of one turn."""
    return replace(appetite, under_since=None, unused_since=None, drew=False, asked_since=None, pulses=0, pulsing=False)


def forget_conductors(outlet: Outlet, appetite: Appetite) -> Appetite:
    """Take a load to use all of its conductors, for as long as it stays."""
    return replace(appetite, conductors=tuple(range(len(outlet.phases))), unused_since=None)


def least_a(outlet: Outlet, session: SessionState) -> float:
    """Tell the smallest allowance that is of any use to a session."""
    seen = session.appetite
    known = (outlet.least_a, session.wishes.least_a or 0.0, seen.least_a or 0.0, seen.offered_a or 0.0)
    return min(outlet.max_a, max(known))


def most_a(outlet: Outlet, session: SessionState) -> float:
    """Tell the largest allowance that a session is taken to use."""
    wants = session.appetite.wants_a
    if wants is None or not outlet.modulated:
        return outlet.max_a
    return max(least_a(outlet, session), min(outlet.max_a, wants))


def is_contended(draft: Draft) -> bool:
    """Tell whether anybody has less than it could use because of the others."""
    return any(s.waiting_since is not None for s in draft.sessions.values()) or any(
        "/" in s.reason or s.reason == "wants" or s.reason.startswith("cap:") for s in draft.outlets.values()
    )


def _is_settled(state: OutletState, reading: Reading) -> bool:
    """Tell whether a reading was taken under the present allowance."""
    return bool(state.limit_a) and not state.held_a and reading.relay and reading.limit_a >= state.limit_a - DRAWS_A


# ------------------------------------------------------------------ while it draws


def _drawing(draft: Draft, outlet: Outlet, before: Appetite, state: OutletState, reading: Reading) -> Appetite:
    woken_by = "relay" if before.pulses and not before.drew else before.wakes_by
    drew_at = state.limit_a if before.drew_at_a is None else min(before.drew_at_a, state.limit_a)
    new = replace(before, full=False, drew=True, asked_since=None, pulses=0, wakes_by=woken_by, drew_at_a=drew_at)
    if before.offered_a is not None:
        new = replace(new, offered_a=None, least_a=before.offered_a)
    if before.conductors is not None and any(
        a >= DRAWS_A for k, a in enumerate(reading.current_a) if k not in before.conductors
    ):
        new = forget_conductors(outlet, new)
    if not is_contended(draft):
        return replace(new, wants_a=None, under_since=None, unused_since=None)
    return _conductors(draft, outlet, _share(draft, new, state, reading), reading)


def _share(draft: Draft, a: Appetite, state: OutletState, reading: Reading) -> Appetite:
    policy, most = draft.site.policy, max(reading.current_a)
    if a.wants_a is not None and (most > a.wants_a or most >= NEARLY_ALL * state.limit_a):
        return replace(a, wants_a=None, under_since=None)
    expected = state.limit_a if a.wants_a is None else min(a.wants_a, state.limit_a)
    # Above what it draws by so much that to draw the same is not to draw nearly all.
    enough = round(most / NEARLY_ALL + policy.unused_margin_a, 1)
    if enough > expected - policy.unused_margin_a:
        return replace(a, under_since=None)
    since = draft.now if a.under_since is None else a.under_since
    if draft.now - since < policy.unused_s:
        return replace(a, under_since=since)
    return replace(a, under_since=None, wants_a=enough)


def _conductors(draft: Draft, outlet: Outlet, a: Appetite, reading: Reading) -> Appetite:
    width = len(outlet.phases)
    used = tuple(k for k in range(width) if reading.current_a[k] >= DRAWS_A)
    if a.conductors is not None or not used or len(used) == width:
        return replace(a, unused_since=None)
    since = draft.now if a.unused_since is None else a.unused_since
    if draft.now - since < draft.site.policy.unused_s:
        return replace(a, unused_since=since)
    return replace(a, unused_since=None, conductors=used)


# ------------------------------------------------------------------ while it does not


def _not_drawing(draft: Draft, outlet: Outlet, session: SessionState, reading: Reading) -> Appetite:
    """Wake a load that has not begun: by a larger allowance if it is known to charge at one, else by its voltage."""
    limit_a = draft.outlets[outlet.id].limit_a
    a = _stopped(outlet, session.appetite, reading, limit_a)
    if a.full or a.drew or reading.plug is Plug.NONE or not outlet.modulated:
        return a
    since = draft.now if a.asked_since is None else a.asked_since
    a = replace(a, asked_since=since)
    wait_s = draft.site.policy.wake_s / (3 if session.wishes.wakes_by == "relay" else 1)
    if draft.now - since < wait_s:
        return a
    if a.drew_at_a is not None and limit_a < a.drew_at_a - DRAWS_A and (a.offered_a or 0.0) < a.drew_at_a:
        return replace(a, asked_since=None, offered_a=min(a.drew_at_a, limit_a + _SLEEPS_BELOW_A))
    if a.pulses < MOST_PULSES:
        return replace(a, asked_since=None, pulsing=True)
    return a


def _stopped(outlet: Outlet, before: Appetite, reading: Reading, limit_a: float) -> Appetite:
    """Take a vehicle to be full that stopped in its turn, at an allowance at which it charges, and does not ask for more."""
    full = before.full
    if reading.plug is Plug.ASKING:
        full = False
    elif outlet.modulated and before.drew and limit_a >= (before.drew_at_a or 0.0) - DRAWS_A:
        full = True
    return replace(before, under_since=None, unused_since=None, full=full)


def _pulsed(a: Appetite) -> Appetite:
    return replace(a, pulsing=False, pulses=a.pulses + 1)


def is_given_up(draft: Draft, session: SessionState) -> bool:
    """Tell whether a load keeps from others what it does not draw, though all was done to wake it."""
    a = session.appetite
    if a.asked_since is None or a.pulses < MOST_PULSES or not is_contended(draft):
        return False
    policy = draft.site.policy
    return draft.now - a.asked_since >= min(policy.standby_s, policy.turn_s / _PART_OF_TURN)
