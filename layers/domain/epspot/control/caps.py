"""What an owner's caps allow now: by the clock, by the price, and by the peaks of the month."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import inf

from epspot.control.draft import Draft
from epspot.control.loads import counted
from epspot.control.plans import NOMINAL_V
from epspot.control.prices import price_at
from epspot.control.state import Demand
from epspot.site import Cap, PeakTariff, Site
from epspot.site.rules import DAY_MIN

_HOUR_S = 3600.0
_NOISE_W, _NOISE = 500.0, 0.05
"""A power counts as the same as long as it does not differ by more."""
_OVERSHOOT = 1.01
_PRICE_STEP_S = 900
_DAY_S, _SHIFT_STEP_S = 86_400, 1800
_SLACK_A = 1e-6


def limits(draft: Draft) -> dict[int, float]:
    """Tell the limit of each line that a cap limits now, in ampere of what our outlets draw."""
    found: dict[int, float] = {}
    for cap in draft.site.caps:
        a = _limit_a(draft, cap)
        if a is not None:
            found |= dict.fromkeys(draft.network.caps[cap.name], a)
    return found


def in_force(site: Site, prices: tuple[tuple[int, float], ...], at: float) -> frozenset[str]:
    """Name the caps that the clock and the price put in force at a time."""
    if not site.caps:
        return frozenset()
    local = site.local(at)
    return frozenset(c.name for c in site.caps if _holds(c, local, at, prices))


def _holds(cap: Cap, local: datetime, at: float, prices: tuple[tuple[int, float], ...]) -> bool:
    windows = cap.windows if cap.peak is None else cap.peak.windows
    if not any(w.holds(local) for w in windows):
        return False
    if cap.above_ore is None:
        return True
    price = price_at(prices, at)
    return price is not None and price > cap.above_ore


def _limit_a(draft: Draft, cap: Cap) -> float | None:
    if not _holds(cap, draft.site.local(draft.now), draft.now, draft.prices):
        return None
    if cap.peak is None:
        return cap.limit_a
    return max(0.0, allowed_w(draft, cap, cap.peak) - _other_w(draft)) / NOMINAL_V


def unmet(draft: Draft) -> set[str]:
    """Name the caps that are exceeded though nothing more can be taken: by what can't be commanded, or by the building."""
    site = draft.site
    if not site.caps:
        return set()
    beyond = (c for o in site.outlets if not draft.reachable(o) for c in counted(site, o, draft.outlets[o.id]))
    load = site.network.load_on(beyond)
    over = {site.network.names[line] for line, a in limits(draft).items() if load[line] > a + _SLACK_A}
    over |= {f"cap:{c.name}" for c in site.caps if _is_lost(draft, c)}
    return {name.removeprefix("cap:") for name in over}


def _is_lost(draft: Draft, cap: Cap) -> bool:
    """Tell whether the building alone makes a new peak."""
    if cap.peak is None or cap.name not in draft.demand or cap.name not in in_force(draft.site, (), draft.now):
        return False
    return _other_w(draft) > _OVERSHOOT * allowed_w(draft, cap, cap.peak)


def next_change(site: Site, at: float) -> float:
    """Tell when the clock may next put a cap in or out of force: at a window's edge, a price's hour, an interval's end."""
    if not site.caps:
        return inf
    times = []
    edges = {0}  # a weekday or a month may end a window
    for cap in site.caps:
        if cap.above_ore is not None:
            times.append(_after(at, _PRICE_STEP_S))
        if cap.peak is not None:
            times.append(_after(at, cap.peak.interval_s))
        windows = (*cap.windows, *((*cap.peak.windows, *cap.peak.night) if cap.peak else ()))
        edges |= {m % DAY_MIN for w in windows for m in (w.start_min, w.end_min)}
    if site.local(at).utcoffset() != site.local(at + _DAY_S).utcoffset():
        times.append(_after(at, _SHIFT_STEP_S))  # the clocks are changed: an edge may come twice, or be passed over
    return min((*times, *(_next_local(site, at, minute) for minute in edges)))


def _after(at: float, step_s: int) -> float:
    return (at // step_s + 1) * step_s


def _next_local(site: Site, at: float, minute: int) -> float:
    local = site.local(at)
    edge = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    return (edge if edge.timestamp() > at else edge + timedelta(days=1)).timestamp()


# ------------------------------------------------------------------ peaks


def follow_demand(draft: Draft) -> None:
    """Keep account of the site's power for peak tariffs; plan anew when the running mean gets too high."""
    for cap in draft.site.caps:
        if cap.peak is None:
            continue
        power = _site_w(draft)
        known = draft.demand.get(cap.name)
        new = _followed(draft, cap.peak, known, power)
        if new != known:
            draft.demand[cap.name] = new
            draft.replan = True
        elif _projected_w(draft, cap.peak, new, power) > _OVERSHOOT * _target_w(draft.site, cap.peak, new, draft.now):
            draft.replan = True


def allowed_w(draft: Draft, cap: Cap, peak: PeakTariff) -> float:
    """Tell the power for the rest of the running interval that makes no new peak; the whole site's."""
    demand = draft.demand.get(cap.name)
    if demand is None:
        return peak.least_w / _factor(draft.site, peak, draft.now)
    left_s = demand.start + peak.interval_s - draft.now
    target = _target_w(draft.site, peak, demand, draft.now)
    if left_s <= 0:
        return target
    spent_ws = (demand.wh * _HOUR_S) + demand.w * max(0.0, draft.now - demand.at)
    return max(0.0, (target * peak.interval_s - spent_ws) / left_s)


def _followed(draft: Draft, peak: PeakTariff, known: Demand | None, power: float) -> Demand:
    now, local = draft.now, draft.site.local(draft.now)
    start = int(now // peak.interval_s) * peak.interval_s
    month = local.year * 12 + local.month
    if known is None or known.interval_s != peak.interval_s:
        peaks = known.peaks if known is not None and known.month == month else ()
        return Demand(start, now, power * (now - start) / _HOUR_S, power, month, peaks, peak.interval_s)
    if known.start == start:
        if abs(power - known.w) <= max(_NOISE_W, _NOISE * known.w):
            return known
        # It may have risen right after the frame before; what is counted too early is never a peak that nobody saw.
        changed_at = max(known.at, _heard_before(draft)) if power > known.w else now
        wh = _wh_until(known, changed_at) + power * (now - changed_at) / _HOUR_S
        return replace(known, at=now, wh=wh, w=power)
    peaks = _with_peak(draft.site, peak, known) if month == known.month else ()
    return Demand(start, now, power * (now - start) / _HOUR_S, power, month, peaks, peak.interval_s)


def _heard_before(draft: Draft) -> float:
    """Tell when those who tell something now told something before; an interval ago if that is not known so well."""
    before = (r.at for b, r in draft.live.readings.items() if draft.readings[b] is not r)
    return max(draft.now - draft.site.policy.interval_s, min(before, default=draft.now))


def _wh_until(d: Demand, at: float) -> float:
    return d.wh + d.w * max(0.0, at - d.at) / _HOUR_S


def _with_peak(site: Site, peak: PeakTariff, d: Demand) -> tuple[tuple[int, float], ...]:
    """Add an interval that is over to the month's peaks, if it counts among them."""
    end = d.start + peak.interval_s
    mean, target = _wh_until(d, end) * _HOUR_S / peak.interval_s, _target_w(site, peak, d, d.start)
    if target < mean <= _OVERSHOOT * target:
        mean = target  # no more than the account is exact to: a target that follows it would creep upwards
    local = site.local(d.start)
    if not any(w.holds(local) for w in peak.windows):
        return d.peaks
    if any(w.holds(local) for w in peak.night):
        mean *= peak.night_factor
    key = local.toordinal() if peak.one_a_day else d.start
    peaks: dict[int, float] = dict(d.peaks)
    peaks[key] = max(mean, peaks.get(key, 0.0))
    highest = sorted(peaks.items(), key=lambda p: (-p[1], p[0]))
    # One more than counts: today's own peak is free up to what it is, and is told apart from the others'.
    return tuple(highest[: peak.count + 1])


def _target_w(site: Site, peak: PeakTariff, d: Demand, at: float) -> float:
    """Tell the mean power up to which the interval at a time costs nothing more.

    That is the lowest of the peaks that count so far, or its day's own where each day has only one.
    """
    today = site.local(at).toordinal()
    others = [w for key, w in d.peaks if not (peak.one_a_day and key == today)]
    own = [w for key, w in d.peaks if peak.one_a_day and key == today]
    counted = others[: peak.count]
    free = counted[-1] if len(counted) == peak.count else 0.0
    return max(peak.least_w, free, *own) / _factor(site, peak, at)


def _factor(site: Site, peak: PeakTariff, at: float) -> float:
    """Tell which part of the power counts now."""
    is_night = any(w.holds(site.local(at)) for w in peak.night)
    return max(1e-3, peak.night_factor) if is_night else 1.0


def _projected_w(draft: Draft, peak: PeakTariff, d: Demand, power: float) -> float:
    """Tell the running interval's mean if the power stays as it is."""
    left_s = max(0.0, d.start + peak.interval_s - draft.now)
    return (_wh_until(d, draft.now) * _HOUR_S + power * left_s) / peak.interval_s


def _site_w(draft: Draft) -> float:
    """Tell the power of the whole site: by the main meter, else what our outlets draw and the rest as configured."""
    site = draft.site
    told = draft.readings.get(site.meter_bridge) if site.meter_bridge is not None else None
    if told is not None and told.meter_a is not None:
        return sum(told.meter_a) * NOMINAL_V
    return sum(r.power_w for _, r in draft.known_readings()) + _other_w(draft)


def _other_w(draft: Draft) -> float:
    site = draft.site
    other = draft.other_a if site.meter_bridge is not None else site.main.other_a
    return sum(other) * NOMINAL_V
