"""How grants, user groups, members and access codes look in the API."""

import io
from typing import Any

import segno

from epspot.access import Grant
from epspot.registry.access_codes import AccessCode
from epspot.registry.records import Member, UserGroup
from epspot.services.keep_members import Fate, Outcome
from functions.api.render import time


def grant(g: Grant, email: str = "") -> dict[str, Any]:
    """Render a grant; the address behind it is shown to who administers it."""
    return {
        "id": g.id,
        "subject": _subject(g, email),
        "role": g.role,
        "scope": g.scope,
        "begins_at": time(g.begins_at),
        "ends_at": time(g.ends_at),
        "source": g.source,
        "made_at": time(g.made_at),
    }


def _subject(g: Grant, email: str) -> dict[str, str]:
    kind, _, rest = g.subject.partition(":")
    if kind == "email":
        return {"email": email} if email else {"email_hash": rest}
    return {kind: rest.rpartition("/")[2]}


def group(g: UserGroup) -> dict[str, Any]:
    """Render a user group."""
    return {"id": g.id, "name": g.name, "external_id": g.external_id or None}


def member(m: Member) -> dict[str, Any]:
    """Render a member."""
    return {
        "id": m.id,
        "external_id": m.external_id or None,
        "email": m.email,
        "name": m.name,
        "groups": list(m.groups),
        "active": m.active,
        "begins_at": time(m.begins_at),
        "ends_at": time(m.ends_at),
        "made_at": time(m.made_at),
    }


def outcome(o: Outcome, *, preview: bool) -> dict[str, Any]:
    """Render what became of a list of members."""
    told = {fate.value: [i for i, f in o.fates.items() if f is fate] for fate in Fate}
    done = not o.left and (not preview or all(f is Fate.UNCHANGED for f in o.fates.values()))
    return {"preview": preview, **told, "left": list(o.left), "done": done}


def code(c: AccessCode, now: float) -> dict[str, Any]:
    """Render an access code."""
    return {
        "id": c.id,
        "code": c.text,
        "scope": c.scope,
        "role": c.role,
        "uses": c.uses,
        "used": c.used,
        "begins_at": time(c.begins_at),
        "ends_at": time(c.ends_at),
        "grant_days": c.grant_days,
        "state": _state(c, now),
        "made_at": time(c.made_at),
    }


def _state(c: AccessCode, now: float) -> str:
    if c.is_open(now):
        return "open"
    if c.ended_at is not None:
        return "ended"
    if c.ends_at is not None and c.ends_at <= now:
        return "over"
    return "used_up" if c.used >= c.uses else "early"


_MODULE, _MARGIN, _TEXT_HEIGHT = 8, 4, 64


def qr_svg(c: AccessCode, app_url: str) -> str:
    """Draw a code to be printed: a QR code that leads to the app, or holds the code alone, with the text below."""
    address = f"{app_url}/redeem?code={c.text}" if app_url else f"epspot:redeem?code={c.text}"
    drawn = io.BytesIO()
    qr = segno.make_qr(address, error="m")
    qr.save(drawn, kind="svg", scale=_MODULE, border=_MARGIN, xmldecl=False, svgns=True)
    width = qr.symbol_size(scale=_MODULE, border=_MARGIN)[0]
    height = width + _TEXT_HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{drawn.getvalue().decode()}'
        f'<text x="{width / 2}" y="{width + _TEXT_HEIGHT / 4}" text-anchor="middle" font-family="monospace" '
        f'font-size="28">{c.text}</text></svg>'
    )
