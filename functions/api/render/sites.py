"""How owners, sites and what stands there look."""

from collections.abc import Mapping
from typing import Any

from epspot.ports import SessionRecord
from epspot.registry.records import AuditLine, OwnedSite, Owner
from epspot.registry.sites import SiteRevision
from epspot.services.list_bridges import BridgeView
from epspot.services.show_site import AlarmNow, FuseNow, OutletNow, SiteNow
from functions.api.render import time
from functions.api.render.sessions import record as session


def owner(o: Owner) -> dict[str, Any]:
    """Render an owner."""
    return {
        "id": o.id,
        "name": o.name,
        "organisation_number": o.organisation_number,
        "email": o.email,
        "on_revoke": o.on_revoke,
        "made_at": time(o.made_at),
    }


def site_name(s: OwnedSite) -> dict[str, Any]:
    """Render a site of a list."""
    return {"id": s.site, "owner": s.owner, "name": s.name}


def revision(number: int, made: SiteRevision | None) -> dict[str, Any]:
    """Render a revision; of what a bridge has changed by claiming itself no more is known."""
    if made is None:
        return {"revision": number, "at": None, "by": None, "what": None}
    return {"revision": number, "at": time(made.at), "by": made.by, "what": made.what}


def audit_line(a: AuditLine) -> dict[str, Any]:
    """Render a line of the audit log."""
    return {
        "id": a.id,
        "at": time(a.at),
        "by": a.by,
        "what": a.what,
        "scope": a.scope,
        "about": a.about,
        "before": _open(a.before),
        "after": _open(a.after),
    }


def _open(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if told is None else dict(told)


def bridge(b: BridgeView) -> dict[str, Any]:
    """Render a bridge."""
    return {
        "id": b.id,
        "state": b.state,
        "heard_at": time(b.heard_at),
        "outlets": list(b.outlets),
        "found": list(b.found),
        "serial": b.serial or None,
        "invited_until": time(b.invited_until),
    }


# ------------------------------------------------------------------ what is now


def site_now(s: SiteNow) -> dict[str, Any]:
    """Render a whole site as it is now."""
    return {
        "id": s.site.id,
        "name": s.site.name,
        "at": time(s.at),
        "outlets": [_outlet_now(o) for o in s.outlets],
        "fuses": [_fuse_now(f) for f in s.fuses],
        "alarms": [alarm(a) for a in s.alarms],
        "bridges": [bridge(b) for b in s.bridges],
    }


def _outlet_now(o: OutletNow) -> dict[str, Any]:
    r, s = o.reading, o.session
    return {
        "id": o.outlet.id,
        "number": o.outlet.number,
        "state": o.state,
        "allowance_a": o.allowance_a,
        "limited_by": o.limited_by,
        "current_a": None if r is None else list(r.current_a[: len(o.outlet.phases)]),
        "power_w": None if r is None else r.power_w,
        "energy_wh": None if r is None else r.energy_wh,
        "temperature_c": None if r is None else r.temperature_c,
        "session": None if s is None else {"id": s.id, "phase": s.phase.value, "since": time(s.since), "user": o.user},
    }


def _fuse_now(f: FuseNow) -> dict[str, Any]:
    return {
        "id": f.fuse.id,
        "parent": f.fuse.parent,
        "rating_a": list(f.fuse.rating_a),
        "measured_a": list(f.measured_a),
        "planned_a": list(f.planned_a),
    }


def alarm(a: AlarmNow) -> dict[str, Any]:
    """Render an alarm."""
    return {
        "code": a.code,
        "about": a.about,
        "label": a.label,
        "since": time(a.since),
        "severity": a.severity,
        "title": a.title,
        "text": a.text,
    }


def site_session(r: SessionRecord, *, tells_user: bool) -> dict[str, Any]:
    """Render a session of a site's history."""
    return session(r) | {"user": r.user or None if tells_user else None}
