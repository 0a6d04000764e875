"""What must always hold of a site's state, each as a function that returns every violation as a sentence.

Used by the tests, the simulation, the demo and audits alike.
"""

from collections.abc import Callable, Iterator

from epspot.control.appetite import least_a
from epspot.control.loads import carried, other_load
from epspot.control.state import Live, Phase
from epspot.site import Site

_SLACK_A = 1e-6
_OTHER_REASONS = ("turn", "settling", "cool-down", "unknown")


def i1a_planning(site: Site, before: Live, after: Live) -> Iterator[str]:
    """Nothing is granted so that a fuse-phase carries more than may be planned, counting old and new until seen.

    What rises without us (other load, an outlet that becomes unknown) is not a grant: then nothing more may be given.
    """
    network = site.network
    raised = [
        o
        for o, s in after.outlets.items()
        if o in before.outlets and s.limit_a > before.outlets[o].limit_a and s.counted_a > before.outlets[o].counted_a
    ]
    if not raised:
        return
    load = network.load_on(carried(site, after.outlets), other_load(site, after.other_a))
    own = (network.path(site.outlet[o], after.outlets[o].conductors) for o in raised)
    for c in sorted({c for path in own for c in path}):
        if load[c] > network.planning_a[c] + _SLACK_A:
            yield f"{network.names[c]}: {load[c]:.2f} A granted, {network.planning_a[c]:.2f} A may be planned"


def i2_sessions(site: Site, _: Live, live: Live) -> Iterator[str]:
    """No fuse has more outlets with current than its owner allows."""
    network = site.network
    counts = network.sessions(o for o, s in live.outlets.items() if s.limit_a)
    for name, most, n in zip(network.fuse_names, network.max_sessions, counts, strict=True):
        if most is not None and n > most:
            yield f"{name}: {n} sessions, {most} allowed"


def i3_range(site: Site, _: Live, live: Live) -> Iterator[str]:
    """Each allowance is 0, or between the outlet's least and most."""
    for o in site.outlets:
        a = live.outlets[o.id].limit_a
        if a and not o.least_a - _SLACK_A <= a <= o.max_a + _SLACK_A:
            yield f"{o.id}: {a:.2f} A is neither 0 nor {o.least_a:g} to {o.max_a:g} A"


def i4_nobody_waits_beside_room(site: Site, _: Live, live: Live) -> Iterator[str]:
    """No session waits while its minimum fits on every fuse above it, unless its reason is another one."""
    network = site.network
    active = {s.outlet: s for s in live.sessions.values() if s.phase is Phase.ACTIVE and s.outlet in live.outlets}
    promised = {
        o: max(s.counted_a, least_a(site.outlet[o], active[o]) if o in active else 0.0) for o, s in live.outlets.items()
    }
    load = network.load(promised.items(), other_load(site, live.other_a))
    sessions = network.sessions(o for o, a in promised.items() if a)
    for s in live.sessions.values():
        if s.phase is not Phase.QUEUED or s.outlet not in live.outlets:
            continue
        outlet, reason = site.outlet[s.outlet], live.outlets[s.outlet].reason
        if reason in _OTHER_REASONS or reason.startswith("cap:"):
            continue
        own, least = live.outlets[s.outlet].counted_a, least_a(outlet, s)
        fits = all(load[c] - own + least <= network.planning_a[c] for c in network.paths[outlet.id])
        limits = [(sessions[f], network.max_sessions[f]) for f in network.fuses[outlet.id]]
        if fits and all(m is None or n < m for n, m in limits):
            yield f"{s.id} waits at {outlet.id} for {reason}, though it fits"


def sessions_and_outlets_agree(site: Site, _: Live, live: Live) -> Iterator[str]:
    """Only outlets with a session have current, and no outlet has two sessions."""
    users: dict[str, str] = {}
    for s in live.sessions.values():
        if s.outlet in users:
            yield f"outlet {s.outlet} has the sessions {users[s.outlet]} and {s.id}"
        users[s.outlet] = s.id
    for o, state in live.outlets.items():
        if state.limit_a and o not in users and not site.outlet[o].fallback_a:
            yield f"outlet {o} has {state.limit_a:.2f} A and no session"


CHECKS: tuple[Callable[[Site, Live, Live], Iterator[str]], ...] = (
    i1a_planning,
    i2_sessions,
    i3_range,
    i4_nobody_waits_beside_room,
    sessions_and_outlets_agree,
)


def violations(site: Site, before: Live, after: Live) -> list[str]:
    """Check one step: the state that it found and the state that it made."""
    return [f"{check.__name__}: {text}" for check in CHECKS for text in check(site, before, after)]
