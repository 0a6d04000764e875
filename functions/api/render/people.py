"""How people, what they have and what they may use look in the API."""

from typing import Any

from epspot.access import CAPABILITIES, Grant
from epspot.ports import Tokens, Vehicle
from epspot.registry.people import TOLD_OF, Car, Profile
from epspot.registry.records import Member, Membership
from epspot.services.export_person import Everything
from epspot.services.show_access import Access
from functions.api.render import sessions, time


def tokens(t: Tokens) -> dict[str, Any]:
    """Render what a sign-in gives."""
    return {"id_token": t.id_token, "refresh_token": t.refresh_token, "expires_in_s": t.expires_in_s}


def profile(p: Profile) -> dict[str, Any]:
    """Render a profile."""
    return {
        "id": p.user,
        "email": p.email,
        "name": p.name,
        "language": p.language,
        "notify": {what: getattr(p, what) for what in TOLD_OF},
    }


def car(c: Car) -> dict[str, Any]:
    """Render a vehicle."""
    return {"id": c.id, "name": c.name, "phases": c.phases, "max_a": c.max_a, "battery_wh": c.battery_wh}


def access(a: Access, now: float) -> dict[str, Any]:
    """Render what somebody may use."""
    return {
        "grants": [_grant(g, a, now) for g in a.grants],
        "memberships": [_membership(m, written, a, now) for m, written in a.memberships],
    }


def _grant(g: Grant, a: Access, now: float) -> dict[str, Any]:
    return {
        "id": g.id,
        "owner": {"id": g.owner, "name": a.owners[g.owner]},
        "scope": g.scope,
        "role": g.role,
        "capabilities": sorted(CAPABILITIES.get(g.role, ())),
        "through": g.subject.partition(":")[0],
        "begins_at": time(g.begins_at),
        "ends_at": time(g.ends_at),
        "holds": g.validity.holds(now),
    }


def _membership(m: Membership, written: Member | None, a: Access, now: float) -> dict[str, Any]:
    return {
        "owner": {"id": m.owner, "name": a.owners[m.owner]},
        "member": m.member,
        "external_id": "" if written is None else written.external_id,
        "name": "" if written is None else written.name,
        "groups": list(m.groups),
        "begins_at": time(m.begins_at),
        "ends_at": time(m.ends_at),
        "holds": m.holds(now),
    }


def everything(e: Everything, now: float) -> dict[str, Any]:
    """Render all that is kept of somebody."""
    return {
        "exported_at": time(now),
        "profile": profile(e.profile),
        "vehicles": [car(c) for c in e.cars],
        "learned": _learned(e.learned),
        "access": access(e.access, now),
        "sessions": [sessions.record(r) for r in e.sessions],
    }


def _learned(v: Vehicle) -> dict[str, Any]:
    return {"least_a": v.least_a, "wakes_by": v.wakes_by}
