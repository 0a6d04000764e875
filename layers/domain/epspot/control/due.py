"""When a site must be looked at even if nothing comes from it."""

from math import ceil

from epspot.control import alarms, caps, plans
from epspot.control.admission import turn_at
from epspot.control.draft import Draft
from epspot.control.lifecycle import FINAL_WAIT_S
from epspot.control.state import NO_WISHES, Live, Phase
from epspot.control.step import silent_at
from epspot.site import Site

_GRAIN_S = 60
"""The clock runs once a minute; a rounded time is written less often."""


def due_at(site: Site, live: Live) -> int | None:
    """Tell the next time, in epoch seconds, at which time alone may change something; None: never."""
    times: list[float] = [caps.next_change(site, live.at), alarms.next_at(site, live)]
    draft = Draft(site, live, live.at) if live.sessions else None
    for b, bridge in live.bridges.items():
        times.append(silent_at(site.policy, bridge, live.readings.get(b)))
        if any(live.outlets[o.id].counted_a > o.fallback_a for o in site.of_bridge[b].values()):
            times.append(bridge.lease_until)
    for s in live.sessions.values():
        if s.phase is Phase.STOPPING and s.stopping_since is not None:
            times.append(s.stopping_since + FINAL_WAIT_S)
        if s.waiting_since is not None and not live.bridges[site.outlet[s.outlet].bridge].silent:
            times.append((turn_at(live.at, site.policy) + 1) * site.policy.turn_s)
        if draft is not None and s.phase is not Phase.STOPPING and (s.wishes != NO_WISHES or s.waiting_since):
            times.append(plans.next_change(draft, s))
    cooled = (state.cooled_from + site.policy.cool_down_s for state in live.outlets.values() if state.trips)
    times += [at for at in cooled if at > live.at]
    soon = min(times, default=float("inf"))
    return None if soon == float("inf") else ceil(soon / _GRAIN_S) * _GRAIN_S


def next_look(live: Live, due: int | None) -> int | None:
    """Tell what time to write: the one written before where it comes in time, since moving it costs two writes."""
    if due is not None and live.look_at is not None and live.at < live.look_at <= due:
        return live.look_at
    return due
