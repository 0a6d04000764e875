"""Take in what bridges tell: which boot speaks, what is newer, what the registers mean."""

from collections.abc import Collection
from dataclasses import replace
from math import ceil
from typing import Any

from epspot.control import alarms
from epspot.control.draft import Draft
from epspot.control.events import EdgeReceived, FrameReceived
from epspot.control.leases import EARLIER_BOOTS, REOPEN_AFTER_S, tolerance_a
from epspot.control.state import Fault, Reading, Readings, SessionState
from epspot.sessions.metering import Doubt, Meter, doubt, energy_wh, most_wh, rebased
from epspot.site import Amperes, Outlet

MAX_FOUND = 100
_MOST_FALLS = 7
_OTHER_STEP_A = 2.0
"""The other load must have fallen this far before what it leaves is handed out, so that it doesn't flap."""


def opens_epoch(draft: Draft, frame: FrameReceived) -> bool:
    """Tell whether a frame is of the living boot of its bridge, opening an epoch if it is of an unknown one.

    A boot that another has followed is heard again for at most a minute (frames are not older). If it speaks after
    that, it is the living one after all: its first frame had been overtaken.
    """
    bridge = draft.bridges[frame.bridge]
    if frame.boot != bridge.boot:
        if frame.boot in bridge.earlier and frame.at <= bridge.epoch_at + REOPEN_AFTER_S:
            return False
        earlier = [b for b in (*bridge.earlier, bridge.boot) if b is not None and b != frame.boot]
        draft.bridge(
            frame.bridge,
            boot=frame.boot,
            earlier=tuple(earlier[-EARLIER_BOOTS:]),
            epoch_at=frame.at,
            answered=0,
        )
        draft.renew(frame.bridge)
    known = draft.readings.get(frame.bridge)
    if known is None or known.boot != frame.boot:
        # Also when a crash let only the decision be written that opened the epoch.
        known = known or Readings(frame.boot, 0, 0, frame.at)
        since = {m: known.confirmed_at.get(m, known.at) for m in known.modules}
        draft.readings[frame.bridge] = replace(known, boot=frame.boot, seq=0, base=0, at=frame.at, confirmed_at=since)
    return True


def take_readings(draft: Draft, frame: FrameReceived) -> bool:
    """Make a frame's readings the newest; return whether those that it does not list are still known.

    They are not if the frame builds on a full frame that never came: then a full one is asked for.
    """
    known = draft.readings.get(frame.bridge) or Readings(frame.boot, 0, 0, frame.at)
    is_full = frame.base == frame.seq
    continues = is_full or known.base == frame.base
    own = draft.site.of_bridge.get(frame.bridge, {})
    if is_full:
        _forget_found(draft, frame)
    told = {m: r for m, r in frame.modules.items() if m in own or _note_found(draft, frame.bridge, m)}
    silent = {m for m, r in told.items() if r is None} | (set(own) - set(told) if is_full else set())
    _advance(draft, frame, told={m for m, r in told.items() if r is not None}, confirms=continues)
    draft.readings[frame.bridge] = replace(
        draft.readings[frame.bridge], base=frame.base if continues else known.base, meter_a=frame.meter_a
    )
    for m in sorted(silent):
        _take_silence(draft, own[m])
    for m, r in told.items():
        if r is not None:
            _take_reading(draft, own[m], r, frame.at - known.confirmed_at.get(m, known.at))
    if not continues:
        draft.full.add(frame.bridge)
        draft.repeat(frame.bridge)
    return continues


def take_edge(draft: Draft, edge: EdgeReceived) -> bool:
    """Make an edge's reading the newest of its module if it is; return whether it is.

    Its register is left out: an event may have been kept for hours, and the frame that follows has the newer one.
    """
    known = draft.readings.get(edge.bridge)
    outlet = draft.site.of_bridge.get(edge.bridge, {}).get(edge.module)
    if outlet is None:
        return _note_found(draft, edge.bridge, edge.module)
    if known is None or edge.boot != draft.bridges[edge.bridge].boot or edge.seq <= known.seq:
        return False
    _advance(draft, edge, told=(), confirms=False)
    last = known.modules.get(edge.module)
    if edge.kind == "module_lost":
        _take_silence(draft, outlet)
    elif edge.reading is not None and last is not None and edge.module not in known.lost:
        new = edge.reading._replace(energy_wh=last.energy_wh)
        now = draft.readings[edge.bridge]
        draft.readings[edge.bridge] = replace(now, modules={**now.modules, edge.module: new})
    return True


def _advance(draft: Draft, message: FrameReceived | EdgeReceived, *, told: Collection[str], confirms: bool) -> None:
    """Make a message the newest of its bridge; readings that it neither tells nor confirms keep their own time."""
    known = draft.readings.get(message.bridge) or Readings(message.boot, 0, 0, message.at)
    kept = {
        m: known.confirmed_at.get(m, known.at)
        for m in known.modules
        if m not in told and (not confirms or m in known.lost)
    }
    draft.readings[message.bridge] = replace(known, seq=message.seq, at=message.at, confirmed_at=kept)


def take_registers_only(draft: Draft, frame: FrameReceived) -> None:
    """Use a frame of an earlier boot for the one thing that stays true: how far its registers had got."""
    known = draft.readings.get(frame.bridge)
    if known is None:
        return
    modules = dict(known.modules)
    for m, outlet in draft.site.of_bridge.get(frame.bridge, {}).items():
        told, last = frame.modules.get(m), modules.get(m)
        if told is None or last is None or told.energy_wh <= last.energy_wh:
            continue
        if doubt(last.energy_wh, told.energy_wh, _most(outlet, frame.at - known.confirmed_at.get(m, known.at))) is None:
            modules[m] = last._replace(energy_wh=told.energy_wh)
    if modules != known.modules:
        draft.readings[frame.bridge] = replace(known, modules=modules)


def take_main_meter(draft: Draft, frame: FrameReceived) -> None:
    """Derive the load that isn't ours from the grid connection's currents: up at once, down with a margin.

    While the meter is silent the largest other load that the owner has named is assumed.
    """
    site = draft.site
    if frame.bridge != site.meter_bridge:
        return
    if frame.meter_a is None:
        other = site.main.other_a
    else:
        ours = [0.0, 0.0, 0.0]
        for o, r in draft.known_readings():
            most = _most_ours_a(draft, o)
            for conductor, p in enumerate(o.phases):
                ours[p] += min(r.current_a[conductor], most)
        other = _settled(draft.other_a, [m - a for m, a in zip(frame.meter_a, ours, strict=True)])
    other = _said_twice(draft, other)
    if other != draft.other_a:
        draft.other_a = other
        draft.replan = True


def _said_twice(draft: Draft, other: Amperes) -> Amperes:
    """Let the other load rise at once, but fall only as far as two frames of the meter in a row have it.

    What another bridge's outlets drew when the meter was read is known only about then: a load of ours that rests or
    begins at that moment makes the building seem to draw less than it does.
    """
    if len(draft.site.of_bridge) == 1:
        return other
    before, once = draft.other_a, draft.fell_to_a or draft.other_a
    one, two, three = (max(new, min(old, had)) for new, old, had in zip(other, before, once, strict=True))
    draft.fell_to_a = None if other == (one, two, three) else other
    return one, two, three


def _most_ours_a(draft: Draft, outlet: Outlet) -> float:
    """Tell how much of a measured current counts as an outlet's own: no more than its fuses carry for it anyway.

    What a silent bridge told last, or a welded relay lets through, is other load.
    """
    counted = draft.outlets[outlet.id].counted_a
    return counted + tolerance_a(counted) if counted and not draft.bridges[outlet.bridge].silent else 0.0


def _doubt_other_load(draft: Draft, outlet: Outlet, last: Reading, new: Reading) -> None:
    """Take what another bridge's outlet has stopped drawing for other load until the meter tells again.

    It may have stopped before the meter was read: then too much was taken off the meter's currents.
    """
    site = draft.site
    if site.meter_bridge in (None, outlet.bridge):
        return
    other, most = list(draft.other_a), site.main.other_a
    for conductor, p in enumerate(outlet.phases):
        fell = max(0.0, last.current_a[conductor] - new.current_a[conductor])
        other[p] = max(other[p], min(other[p] + ceil(fell), most[p]))
    doubted = (other[0], other[1], other[2])
    if doubted != draft.other_a:
        draft.other_a, draft.fell_to_a = doubted, None
        draft.replan = True


def _settled(before: Amperes, measured: list[float]) -> Amperes:
    one, two, three = (
        float(new) if (new := max(0, ceil(m))) > old or new <= old - _OTHER_STEP_A else old
        for old, m in zip(before, measured, strict=True)
    )
    return (one, two, three)


def _most(outlet: Outlet, seconds: float) -> float:
    return most_wh(outlet.max_a, len(outlet.phases), seconds)


def _take_reading(draft: Draft, outlet: Outlet, new: Reading, seconds: float) -> None:
    """Keep a module's reading as the newest, its register checked against the one ``seconds`` before."""
    known = draft.readings[outlet.bridge]
    last = known.modules.get(outlet.module)
    if last is None or outlet.module in known.lost:
        draft.replan = True
    if last is not None:
        _doubt_other_load(draft, outlet, last, new)
    if draft.outlets[outlet.id].unread:
        draft.outlet(outlet.id, unread=False)
        told = None if last is None else last.energy_wh
        _put_aside(draft, outlet.id, doubt="unread", last_wh=told, new_wh=new.energy_wh)
    new = _metered(draft, outlet, last, new, seconds)
    draft.readings[outlet.bridge] = replace(
        known, modules={**known.modules, outlet.module: new}, lost=known.lost - {outlet.module}
    )


def _take_silence(draft: Draft, outlet: Outlet) -> None:
    """Note that a module does not answer."""
    known = draft.readings[outlet.bridge]
    if outlet.module in known.lost:
        return
    before = draft.live.readings.get(outlet.bridge, known)
    since = before.confirmed_at.get(outlet.module, before.at)
    draft.readings[outlet.bridge] = replace(
        known,
        lost=known.lost | {outlet.module},
        confirmed_at={**known.confirmed_at, outlet.module: since},
    )
    draft.replan = True
    draft.tell("module.lost", outlet.id)


def _metered(draft: Draft, outlet: Outlet, last: Reading | None, new: Reading, seconds: float) -> Reading:
    """Check a register against the one before; where it can't be right, count on from it and say so."""
    session = draft.session_at(outlet.id)
    wrong = None if last is None else doubt(last.energy_wh, new.energy_wh, _most(outlet, seconds))
    back = None if session is None or last is None else _returned_to(outlet, session, last, new, seconds)
    if session is not None and back is not None:
        # It had fallen by mistake: what it showed since then was not energy.
        high, had_wh = back
        earlier = tuple(fall for fall in session.fell_from_wh if fall[0] > high)
        draft.session(session.id, base_wh=high, booked_wh=had_wh, fell_from_wh=earlier)
        _end_elsewhere(draft, session)
        _put_aside(draft, outlet.id, doubt="register_returned", last_wh=high, new_wh=new.energy_wh)
        return new
    if last is None or wrong is None:
        if session is not None and session.base_wh is None:
            draft.session(session.id, base_wh=new.energy_wh, start_wh=new.energy_wh)
            _end_elsewhere(draft, session)
        return new
    if wrong is not Doubt.ZERO or not last.faults & Fault.REGISTER:
        _put_aside(draft, outlet.id, doubt=wrong.value, last_wh=last.energy_wh, new_wh=new.energy_wh)
    if wrong is Doubt.ZERO:
        # A placeholder: the register that was known stands until a value comes.
        return new._replace(energy_wh=last.energy_wh, faults=new.faults | Fault.REGISTER)
    if session is not None:
        _rebase(draft, session, last.energy_wh, new.energy_wh, fell=wrong is Doubt.FELL)
    return new


def _returned_to(
    outlet: Outlet, session: SessionState, last: Reading, new: Reading, seconds: float
) -> tuple[int, int] | None:
    """Tell from where a register fell in this session that is now where it would be if it had not, and the energy then.

    It comes back from below, and no further than what was counted since it fell, and can have flowed since the last reading.
    """
    counted_wh = energy_wh(Meter(session.base_wh, session.booked_wh), last.energy_wh)
    most = _most(outlet, seconds)
    falls = (
        (high, had_wh)
        for high, had_wh in session.fell_from_wh
        if last.energy_wh < high and 0 <= new.energy_wh - high <= counted_wh - had_wh + most
    )
    return max(falls, default=None)


def _rebase(draft: Draft, session: SessionState, last_wh: int, new_wh: int, *, fell: bool) -> None:
    meter = rebased(Meter(session.base_wh, session.booked_wh), last_wh, new_wh)
    falls = (*session.fell_from_wh[-_MOST_FALLS:], (last_wh, meter.booked_wh)) if fell else session.fell_from_wh
    draft.session(
        session.id,
        base_wh=meter.base_wh,
        booked_wh=meter.booked_wh,
        start_wh=new_wh if session.start_wh is None else session.start_wh,
        fell_from_wh=falls,
    )
    _end_elsewhere(draft, session)


def _end_elsewhere(draft: Draft, session: SessionState) -> None:
    """Tell the bridge that a session with an amount to have ends at another register value now."""
    if session.wishes.until_wh is not None:
        draft.next_rev(draft.site.outlet[session.outlet].bridge)


def _forget_found(draft: Draft, frame: FrameReceived) -> None:
    """Forget modules without configuration that a full frame does not hold any more."""
    kept = tuple(
        name
        for name in draft.found
        if name.partition("/")[0] != frame.bridge or name.partition("/")[2] in frame.modules
    )
    if kept != draft.found:
        draft.found = kept


def _put_aside(draft: Draft, outlet: str, **detail: Any) -> None:
    """Say that energy, or a register, is nobody's until people have looked at it."""
    draft.tell("meter.put_aside", outlet, **detail)
    alarms.note(draft, "register_put_aside", outlet, **detail)


def _note_found(draft: Draft, bridge: str, module: str) -> bool:
    """Remember a module that stands in no configuration, or in another bridge's; its reading is not used."""
    name = f"{bridge}/{module}"
    if name not in draft.found and len(draft.found) < MAX_FOUND:
        draft.found = (*draft.found, name)
        draft.tell("module.found", name)
    return False
