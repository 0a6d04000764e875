"""Alarms: raised once, cleared by themselves, never flapping.

Each code has its times in the catalogue (``epspot.notices.alarms``). An alarm is written when something begins or ends
to be wrong, not while it lasts.
"""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

from epspot.control.diagnosis import can_tell, findings
from epspot.control.draft import Draft
from epspot.control.finding import Finding
from epspot.control.state import Alarm, Live
from epspot.notices.alarms import CATALOGUE, Audience, Certainty, Subject
from epspot.site import Site


def watch(draft: Draft) -> None:
    """Raise and clear alarms by what is wrong now."""
    found = findings(draft)
    for finding in found.values():
        _is_there(draft, finding)
    for key, alarm in [*draft.alarms.items()]:
        if not _stands(draft.site, alarm):
            _clear(draft, key, alarm)
        elif key not in found and can_tell(draft, alarm):
            _is_gone(draft, key, alarm)


def note(draft: Draft, code: str, about: str, **detail: Any) -> None:
    """Raise an alarm at once for what happens rather than lasts; it is over when it has not happened again for its time."""
    key = f"{code}/{about}"
    known = draft.alarms.get(key)
    since = draft.now if known is None else known.since
    alarm = Alarm(code, about, since, raised=True, gone_since=draft.now, detail=detail)
    draft.alarms[key] = alarm
    if known is None:
        _tell(draft, "alarm.raised", alarm)


def next_at(site: Site, live: Live) -> float:
    """Tell when time alone will raise or clear an alarm if all stays as it is; infinite: never."""
    if not live.alarms:
        return inf
    draft = Draft(site, live, live.at)
    return min((_changes_at(a) for a in live.alarms.values() if _stands(site, a) and can_tell(draft, a)), default=inf)


def _changes_at(alarm: Alarm) -> float:
    entry = CATALOGUE[alarm.code]
    if alarm.gone_since is not None:
        return alarm.gone_since + entry.clear_after_s
    return inf if alarm.raised else alarm.since + entry.raise_after_s


def _is_there(draft: Draft, finding: Finding) -> None:
    alarm = known = draft.alarms.get(finding.key)
    if alarm is None:
        alarm = Alarm(finding.code, finding.about, draft.now, detail=finding.detail)
    elif alarm.gone_since is not None:
        alarm = replace(alarm, gone_since=None)
    is_new = not alarm.raised and draft.now - alarm.since >= CATALOGUE[finding.code].raise_after_s
    if is_new:
        alarm = replace(alarm, raised=True)
        _tell(draft, "alarm.raised", alarm)
    if alarm is not known:
        draft.alarms[finding.key] = alarm


def _is_gone(draft: Draft, key: str, alarm: Alarm) -> None:
    since = draft.now if alarm.gone_since is None else alarm.gone_since
    if not alarm.raised or draft.now - since >= CATALOGUE[alarm.code].clear_after_s:
        _clear(draft, key, alarm)
    elif alarm.gone_since is None:
        draft.alarms[key] = replace(alarm, gone_since=since)


def _clear(draft: Draft, key: str, alarm: Alarm) -> None:
    """Forget an alarm, and tell that it is over if it had been told."""
    del draft.alarms[key]
    if alarm.raised:
        _tell(draft, "alarm.cleared", alarm)


def _tell(draft: Draft, kind: str, alarm: Alarm) -> None:
    entry = CATALOGUE.get(alarm.code)
    session = draft.session_at(alarm.about) if entry is not None and Audience.USER in entry.audience else None
    draft.tell(
        kind,
        alarm.about,
        code=alarm.code,
        severity=None if entry is None else entry.severity.value,
        certainty=alarm.detail.get("certainty", Certainty.CERTAIN.value),
        since=alarm.since,
        session=None if session is None else session.id,
        detail=dict(alarm.detail),
    )


def _stands(site: Site, alarm: Alarm) -> bool:
    """Tell whether what an alarm is about is still there, and its code known."""
    entry = CATALOGUE.get(alarm.code)
    return entry is not None and _EXISTS[entry.subject](site, alarm.about)


_EXISTS: dict[Subject, Callable[[Site, str], bool]] = {
    Subject.OUTLET: lambda site, about: about in site.outlet,
    Subject.FUSE: lambda site, about: about in site.fuse,
    Subject.BRIDGE: lambda site, about: about in site.of_bridge,
    Subject.MODULE: lambda _, __: True,  # it stands in no configuration: that is what is wrong
    Subject.SITE: lambda site, about: about == site.id,
    Subject.CAP: lambda site, about: about in site.network.caps,
}
