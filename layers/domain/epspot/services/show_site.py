"""Show a whole site as it is now, for those who look after it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from epspot.control.draft import Draft
from epspot.control.loads import carried, measured, other_load
from epspot.control.state import Alarm, Live, Reading, SessionState
from epspot.notices.alarms import CATALOGUE, Subject, render
from epspot.ports import Sessions
from epspot.services.list_bridges import BridgeView, bridge_view
from epspot.services.list_outlets import outlet_state
from epspot.site import PHASES, Amperes, Fuse, Outlet, Site, is_planned


@dataclass(frozen=True, slots=True)
class OutletNow:
    """An outlet, and what it is doing."""

    outlet: Outlet
    state: str
    allowance_a: float
    limited_by: str | None
    reading: Reading | None
    session: SessionState | None
    user: str | None
    """Whose the session is, for those who may know."""


@dataclass(frozen=True, slots=True)
class FuseNow:
    """A fuse, what it carries, and what has been given out on it."""

    fuse: Fuse
    measured_a: Amperes
    """Of the outlets; on a main fuse with a meter all that it carries."""
    planned_a: Amperes
    """What outlets may draw now, and what else must be counted with."""


@dataclass(frozen=True, slots=True)
class AlarmNow:
    """An alarm as a person reads it."""

    code: str
    about: str
    label: str
    """What people call what it is about."""
    since: float
    severity: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class SiteNow:
    """A whole site."""

    site: Site
    at: float
    outlets: Sequence[OutletNow]
    fuses: Sequence[FuseNow]
    alarms: Sequence[AlarmNow]
    bridges: Sequence[BridgeView]


def show_site(site: Site, live: Live, language: str, users: Sessions | None = None) -> SiteNow:
    """Show a site; with ``users`` also whose the sessions are."""
    draft = Draft(site, live, live.at)
    sessions = {s.outlet: s for s in live.sessions.values()}
    return SiteNow(
        site=site,
        at=live.at,
        outlets=[_outlet(draft, live, o, sessions.get(o.id), users) for o in site.outlets],
        fuses=_fuses(draft, live),
        alarms=show_alarms(site, live, language),
        bridges=[bridge_view(site, live, b) for b in sorted(site.of_bridge) if not is_planned(b)],
    )


def _outlet(
    draft: Draft, live: Live, outlet: Outlet, session: SessionState | None, users: Sessions | None
) -> OutletNow:
    state = live.outlets.get(outlet.id)
    record = None if users is None or session is None else users.get(session.id)
    return OutletNow(
        outlet=outlet,
        state=outlet_state(live, outlet),
        allowance_a=0.0 if state is None else state.limit_a,
        limited_by=None if state is None else state.reason or None,
        reading=draft.reading(outlet),
        session=session,
        user=None if record is None else record.user,
    )


def _fuses(draft: Draft, live: Live) -> list[FuseNow]:
    site, width = draft.site, len(PHASES)
    metered = site.main.id if site.meter_bridge is not None else None
    beside = [a for f in site.fuses for a in (live.other_a if f.id == metered else (0.0,) * width)]
    flows = measured(site, draft.known_readings(), beside)
    plans = site.network.load_on(carried(site, live.outlets), other_load(site, live.other_a))
    return [
        FuseNow(f, _phases(flows[i * width : (i + 1) * width]), _phases(plans[i * width : (i + 1) * width]))
        for i, f in enumerate(site.fuses)
    ]


def _phases(values: Sequence[float]) -> Amperes:
    one, two, three = (round(v, 3) for v in values)
    return (one, two, three)


# ------------------------------------------------------------------ alarms


def show_alarms(site: Site, live: Live, language: str) -> list[AlarmNow]:
    """List what people have been told is wrong, the gravest and the newest first."""
    raised: Iterable[Alarm] = (a for a in live.alarms.values() if a.raised and a.code in CATALOGUE)
    return sorted((_alarm(site, a, language) for a in raised), key=_gravest_first)


_GRAVITY = ("danger", "serious", "warning", "info")


def _gravest_first(alarm: AlarmNow) -> tuple[int, float, str]:
    return _GRAVITY.index(alarm.severity), -alarm.since, alarm.about


def _alarm(site: Site, alarm: Alarm, language: str) -> AlarmNow:
    entry = CATALOGUE[alarm.code]
    outlet = site.outlet.get(alarm.about) if entry.subject is Subject.OUTLET else None
    label = alarm.about if outlet is None else outlet.number
    title, text = render(alarm.code, label, alarm.detail, language)
    return AlarmNow(alarm.code, alarm.about, label, alarm.since, entry.severity.value, title, text)
