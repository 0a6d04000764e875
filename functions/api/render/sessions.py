"""How sessions and outlets look."""

from typing import Any

from epspot.control.state import Wishes
from epspot.ports import SessionRecord
from epspot.services.follow_session import View
from epspot.services.list_outlets import OutletView
from epspot.services.tell_prices import Offer
from epspot.tariffs import Price
from functions.api.render import tariffs, time


def outlet(o: OutletView, offer: Offer | None) -> dict[str, Any]:
    """Render an outlet of the list with what it asks for."""
    return {
        "id": o.id,
        "number": o.number,
        "site": {"id": o.site, "name": o.site_name},
        "state": o.state,
        "max_a": o.max_a,
        "phases": o.phases,
        "price": tariffs.offer(offer),
    }


def session(v: View, cost: Price | None) -> dict[str, Any]:
    """Render a session as it is now, and what it has cost so far."""
    return record(v.record) | {
        "state": v.state,
        "allowance_a": v.allowance_a,
        "current_a": list(v.current_a),
        "power_w": v.power_w,
        "energy_wh": v.energy_wh,
        "position": v.position,
        "limited_by": v.limited_by,
        "measured_at": time(v.measured_at),
        "expected_at": time(v.expected.likely_at),
        "expected_latest_at": time(v.expected.latest_at),
        "begins_at": time(v.begins_at),
        "wishes": wishes(v.wishes),
        "cut_short": v.cut_short,
        "tariff": v.record.tariff or None,
        "cost_ore": None if cost is None else cost.total_ore,
        "cost_is_estimate": True,
    }


def wishes(w: Wishes) -> dict[str, Any]:
    """Render what is wanted of a session, as it is asked for."""
    return {
        "start_at": time(w.start_at),
        "ready_by": time(w.ready_by),
        "needs_wh": w.needs_wh,
        "until_wh": w.until_wh,
        "until": time(w.until_at),
        "cheapest": w.cheapest,
        "heats_engine": w.heats_engine,
    }


def record(r: SessionRecord) -> dict[str, Any]:
    """Render a session of the history."""
    return {
        "id": r.id,
        "outlet": r.outlet,
        "number": r.number,
        "state": r.state,
        "requested_at": time(r.requested_at),
        "ended_at": time(r.ended_at),
        "reason": r.reason,
        "energy_wh": r.energy_wh,
        "start_wh": r.start_wh,
        "end_wh": r.end_wh,
        "cut_short": r.cut_short,
        "reference": r.reference or None,
    }
