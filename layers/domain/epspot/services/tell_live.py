"""What those are told who watch a site live: what a step has changed that can be seen, to each only what they may know.

There are four channels: ``public`` (what guests may see), ``users`` (the same of every outlet, for those who may use the
whole site), ``owner`` (all figures, and alarms) and ``session/<id>`` (one session, as its user sees it). Nobody is named
on any of them. Now and then a channel is told all, so that a lost message is made up for.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from epspot.control.effects import Step
from epspot.control.events import Event, Watched
from epspot.control.loads import measured
from epspot.control.state import Live, Reading, SessionState
from epspot.notices.times import time_text
from epspot.ports import SessionRecord
from epspot.services.follow_session import view
from epspot.services.list_outlets import outlet_states
from epspot.site import PHASES, Outlet, Site

PUBLIC, USERS, OWNER, SESSION = "public", "users", "owner", "session"
MOST_OUTLETS = 250
"""In one message, which AWS IoT takes up to 128 KB of."""
_STEP_A, _STEP_WH = 0.5, 50
"""By how much a figure has moved when it is told again."""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """What those are told who listen to one channel of a site."""

    site: str
    channel: str
    body: Mapping[str, Any]


def is_heard(live: Live) -> bool:
    """Tell whether anybody listens to anything of a site."""
    return any(until > live.at for until in live.listened.values())


def news_of(site: Site, before: Live, event: Event, done: Step) -> Iterator[News]:
    """Make what is to be told of a step to those who listen."""
    after = done.live
    heard = {what for what, until in after.listened.items() if until > after.at}
    anew = event.channel if isinstance(event, Watched) and after.listened != before.listened else ""
    if {PUBLIC, USERS} & heard:
        yield from _of_states(site, before, after, heard, anew)
    if OWNER in heard:
        yield from _of_owner(site, before, after, full=anew == OWNER)
    if SESSION in heard:
        yield from _of_sessions(site, before, done, anew)


# ------------------------------------------------------------------ what the outlets are doing


def _of_states(site: Site, before: Live, after: Live, heard: set[str], anew: str) -> Iterator[News]:
    was, now = outlet_states(site, before), outlet_states(site, after)
    public = {o.id for o in site.outlets if site.is_public(o)}
    for channel, outlets in ((PUBLIC, public), (USERS, now.keys())):
        if channel not in heard:
            continue
        told = {o: state for o, state in now.items() if o in outlets and (anew == channel or was.get(o) != state)}
        counts = Counter(state for o, state in now.items() if o in outlets)
        yield from _parts(site, channel, after, told, {"counts": counts}, full=anew == channel)


def _parts(
    site: Site, channel: str, live: Live, outlets: Mapping[str, Any], more: Body, *, full: bool
) -> Iterator[News]:
    """Divide what is told of outlets into messages of a size that can be sent."""
    rows = [*outlets.items()]
    for i in range(0, len(rows), MOST_OUTLETS):
        head = {"site": site.id, "at": time_text(live.at), "full": full}
        yield News(site.id, channel, head | (more if i == 0 else {}) | {"outlets": dict(rows[i : i + MOST_OUTLETS])})


# ------------------------------------------------------------------ for the owner


def _of_owner(site: Site, before: Live, after: Live, *, full: bool) -> Iterator[News]:
    was, now = _figures(site, before), _figures(site, after)
    outlets = {o: told for o, told in now.items() if full or _moved(was.get(o), told)}
    more: Body = {}
    loads, earlier = _loads(site, after), _loads(site, before)
    if fuses := {f: a for f, a in loads.items() if full or _coarse(a) != _coarse(earlier[f])}:
        more["fuses"] = {f: {"measured_a": a} for f, a in fuses.items()}
    alarms = _alarms(after)
    if full or alarms != _alarms(before):
        more["alarms"] = alarms
    if outlets:
        more["counts"] = Counter(told["state"] for told in now.values())
        yield from _parts(site, OWNER, after, outlets, more, full=full)
    elif more:
        yield News(site.id, OWNER, {"site": site.id, "at": time_text(after.at), "full": full} | more | {"outlets": {}})


def _figures(site: Site, live: Live) -> dict[str, Body]:
    states, sessions = outlet_states(site, live), {s.outlet: s for s in live.sessions.values()}
    return {o.id: _figures_of(o, live, states[o.id], sessions.get(o.id)) for o in site.outlets}


def _figures_of(o: Outlet, live: Live, state: str, session: SessionState | None) -> Body:
    granted, reading = live.outlets.get(o.id), _reading(live, o)
    return {
        "state": state,
        "allowance_a": 0.0 if granted is None else granted.limit_a,
        "limited_by": (granted.reason or None) if granted is not None else None,
        "current_a": [] if reading is None else list(reading.current_a[: len(o.phases)]),
        "power_w": 0.0 if reading is None else reading.power_w,
        "session": None if session is None else {"id": session.id, "state": session.phase.value},
    }


def _moved(was: Body | None, now: Body) -> bool:
    """Tell whether something is different that is worth a message."""
    if was is None:
        return True
    figures = ("current_a", "power_w")
    plain = {name: value for name, value in now.items() if name not in figures}
    return plain != {name: was[name] for name in plain} or _coarse(was["current_a"]) != _coarse(now["current_a"])


def _loads(site: Site, live: Live) -> dict[str, list[float]]:
    """Tell what each fuse is measured to carry for outlets on each phase."""
    known = ((o, r) for o in site.outlets if (r := _reading(live, o)) is not None)
    load, n = measured(site, known), len(PHASES)
    return {f.id: [round(a, 1) for a in load[i * n : (i + 1) * n]] for i, f in enumerate(site.fuses)}


def _alarms(live: Live) -> list[Body]:
    return [
        {"code": a.code, "about": a.about, "since": time_text(a.since)}
        for a in sorted(live.alarms.values(), key=lambda a: (a.since, a.code, a.about))
        if a.raised
    ]


# ------------------------------------------------------------------ for a session's user


def _of_sessions(site: Site, before: Live, done: Step, anew: str) -> Iterator[News]:
    after = done.live
    for s in after.sessions.values():
        channel, was = f"{SESSION}/{s.id}", before.sessions.get(s.id)
        if channel == anew or was is None or _seen(site, before, was) != _seen(site, after, s):
            yield News(site.id, channel, session_body(site, after, s))
    for fact in done.facts:
        if fact.kind == "session.ended":
            told = {name: fact.detail.get(name) for name in ("reason", "energy_wh", "start_wh", "end_wh")}
            body = {
                "id": fact.about,
                "outlet": fact.detail.get("outlet"),
                "state": "ended",
                "ended_at": time_text(after.at),
            }
            yield News(site.id, f"{SESSION}/{fact.about}", body | told)


def session_body(site: Site, live: Live, s: SessionState) -> Body:
    """Tell of a session what changes while it lives, in the API's own form."""
    number = site.outlet[s.outlet].number
    v = view(SessionRecord(s.id, "", site.id, s.outlet, number, s.since, s.phase.value), site, live)
    return {
        "id": s.id,
        "outlet": s.outlet,
        "state": v.state,
        "allowance_a": v.allowance_a,
        "current_a": list(v.current_a),
        "power_w": v.power_w,
        "energy_wh": v.energy_wh,
        "position": v.position,
        "limited_by": v.limited_by,
        "measured_at": time_text(v.measured_at),
        "expected_at": time_text(v.expected.likely_at),
        "expected_latest_at": time_text(v.expected.latest_at),
        "begins_at": time_text(v.begins_at),
        "cut_short": v.cut_short,
    }


def _seen(site: Site, live: Live, s: SessionState) -> tuple[object, ...]:
    """Tell what must be another for a session's user to be told."""
    outlet = site.outlet.get(s.outlet)
    granted, reading = live.outlets.get(s.outlet), None if outlet is None else _reading(live, outlet)
    return (
        s.phase,
        s.position,
        s.cut_short,
        s.wishes,
        None if granted is None else (granted.limit_a, granted.reason),
        None if reading is None else (_coarse(reading.current_a), reading.energy_wh // _STEP_WH),
    )


# ------------------------------------------------------------------ figures


def _reading(live: Live, outlet: Outlet) -> Reading | None:
    told = live.readings.get(outlet.bridge)
    return None if told is None or outlet.module in told.lost else told.modules.get(outlet.module)


def _coarse(figures_a: Iterable[float]) -> list[int]:
    return [round(a / _STEP_A) for a in figures_a]
