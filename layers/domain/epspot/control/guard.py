"""The guard on each fuse: more measured than its rating means that somebody is shed, the least harmful first.

Planning keeps every sum below the rating, and a bridge guards the fuses of its own modules within seconds. What is
left for the cloud is a fuse whose modules hang on several bridges, or a load that nobody controls.
"""

from collections.abc import Iterator

from epspot.control import alarms, lifecycle
from epspot.control.draft import Draft
from epspot.control.leases import tolerance_a
from epspot.control.loads import measured, other_load
from epspot.control.state import End, Phase, Reading, SessionState
from epspot.site import Outlet

SHED_AFTER_S = 8.0
_NOISE = 1.03
_FRESH_S = 30.0
"""Readings that are older belong to another moment: their sum would be nobody's."""


def watch_fuses(draft: Draft) -> None:
    """Shed a session for each fuse-phase that has carried more than its rating for long enough."""
    load = measured(draft.site, _fresh(draft), other_load(draft.site, draft.other_a))
    ratings = [a for f in draft.site.fuses for a in f.rating_a]
    for line, rating in enumerate(ratings):
        name = draft.network.names[line]
        if load[line] <= rating * _NOISE or _is_being_shed(draft, line):
            draft.over_since.pop(name, None)
        elif draft.now - draft.over_since.setdefault(name, draft.now) >= SHED_AFTER_S:
            del draft.over_since[name]
            _shed(draft, line, load[line] - rating)


def _is_being_shed(draft: Draft, line: int) -> bool:
    """Tell whether somebody was shed there whose last reading is from before: what it drew is gone already."""
    return any(
        s.end is End.SHED
        and s.stopping_since is not None
        and s.outlet in draft.site.outlet
        and line in draft.network.paths[s.outlet]
        and draft.read_at(draft.site.outlet[s.outlet]) < s.stopping_since
        for s in draft.sessions.values()
    )


def _fresh(draft: Draft) -> Iterator[tuple[Outlet, Reading]]:
    for o, r in draft.known_readings():
        if max(r.current_a) > 0 and draft.now - draft.read_at(o) <= _FRESH_S:
            yield o, r


def _shed(draft: Draft, line: int, over_a: float) -> None:
    """Stop the session that is least missed: one that takes more than it may, else the lightest that is enough."""
    candidates = [
        (s, o, r)
        for o, r in _fresh(draft)
        if _on_line_a(draft, o, r, line) > 0
        and (s := draft.session_at(o.id)) is not None
        and s.phase is not Phase.STOPPING
    ]
    if not candidates:
        return

    def harm(of: tuple[SessionState, Outlet, Reading]) -> tuple[bool, float, bool, float, str]:
        s, o, r = of
        limit, here_a = draft.outlets[o.id].counted_a, _on_line_a(draft, o, r, line)
        weight = draft.site.policy.weights.get(s.wishes.group, 1.0)
        obeys, enough = max(r.current_a) <= limit + tolerance_a(limit), here_a >= over_a
        return (obeys, weight, not enough, here_a if enough else -here_a, s.id)

    session, outlet, _ = min(candidates, key=harm)
    detail = {"line": draft.network.names[line], "over_a": round(over_a, 1)}
    draft.tell("guard.shed", outlet.id, **detail)
    alarms.note(draft, "shed", outlet.id, **detail)
    lifecycle.stop(draft, session, End.SHED)


def _on_line_a(draft: Draft, outlet: Outlet, reading: Reading, line: int) -> float:
    """Tell what an outlet is measured to draw on a line."""
    width = len(outlet.phases)
    return sum(reading.current_a[i % width] for i, c in enumerate(draft.network.paths[outlet.id]) if c == line)
