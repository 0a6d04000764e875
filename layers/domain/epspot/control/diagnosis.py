"""What is wrong at a site now, by what its modules read, what is silent, and what the controller remembers.

Pure and cheap: one pass over the outlets, of which nearly all are well. What follows is for ``alarms`` to decide.
"""

from collections.abc import Callable, Iterator

from epspot.control import silence
from epspot.control.draft import Draft
from epspot.control.finding import Finding
from epspot.control.silence import DEAD_V, OFF_A, Dead
from epspot.control.state import Alarm, Fault, Phase, Plug, Reading, SessionState
from epspot.notices.alarms import DAY_S, Certainty
from epspot.sessions.metering import Meter, energy_wh
from epspot.site import PHASES, Outlet, is_planned

LOW_V, HIGH_V = 207.0, 253.0
"""EN 50160: 230 V +- 10 %."""

NOT_ASKING_S = 600.0
"""A vehicle that has been offered current for this long and draws none does not ask."""

_NOMINAL_V = 230.0
_DREW_WH = 1

FAULTS = {
    Fault.WELDED_RELAY: "relay_welded",
    Fault.OVER_TEMPERATURE: "over_temperature",
    Fault.RESIDUAL_CURRENT: "residual_current",
    Fault.INTERNAL: "module_fault",
    Fault.REGISTER: "register_fault",
}
"""What a module says of itself, by the code that tells it."""


def findings(draft: Draft) -> dict[str, Finding]:
    """Tell what is wrong now, by ``<code>/<about>``."""
    found = [
        *_Look(draft).readings(),
        *_bridges(draft),
        *_vehicles(draft),
        *_trips(draft),
        *_site(draft),
    ]
    return {f.key: f for f in found}


def can_tell(draft: Draft, alarm: Alarm) -> bool:
    """Tell whether it would be known if an alarm that is not found any more were still right."""
    rests_on = _RESTS_ON.get(alarm.code)
    return rests_on is None or rests_on(draft, alarm)


def differs(old: Reading, new: Reading) -> bool:
    """Tell whether two readings of a module differ in what diagnosis draws from voltages, so that it must be kept."""
    return [_band(v) for v in old.voltage_v] != [_band(v) for v in new.voltage_v]


def _band(volts: float) -> int:
    return (volts >= DEAD_V) + (volts >= LOW_V) + (volts > HIGH_V)


# -------------------------------------------------------------------- readings


class _Look:
    """One pass over the outlets."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._found: list[Finding] = []
        self._lost: list[Outlet] = []
        self._never: list[Outlet] = []
        self._off_voltage: list[tuple[Outlet, Reading]] = []

    def readings(self) -> list[Finding]:
        """Tell what each module says, and what its silence says."""
        for b, modules in self._draft.site.of_bridge.items():
            known = self._draft.readings.get(b)
            if known is None or self._draft.bridges[b].silent:
                continue
            told, lost = known.modules, known.lost
            for m, o in modules.items():
                r = told.get(m)
                if m in lost:
                    (self._never if r is None else self._lost).append(o)
                elif r is not None and not _is_well(r, len(o.phases)):
                    self._look_at(o, r)
        explained: set[Dead] = set()
        if self._lost or self._never or self._off_voltage:
            causes, explained = silence.explain(self._draft, self._lost, self._never)
            self._found += causes
        for o, r in self._off_voltage:
            self._found += _voltage(o, r, explained)
        return self._found

    def _look_at(self, outlet: Outlet, r: Reading) -> None:
        if r.faults:
            self._found += _faults(outlet, r)
        volts = r.voltage_v[: len(outlet.phases)]
        if min(volts) < LOW_V or max(volts) > HIGH_V or r.faults & Fault.VOLTAGE:
            self._off_voltage.append((outlet, r))
        is_off = not r.limit_a and not self._draft.outlets[outlet.id].limit_a
        if is_off and max(r.current_a) > OFF_A and not r.faults & Fault.WELDED_RELAY:
            detail = {"certainty": Certainty.PROBABLE.value, "current_a": float(max(r.current_a))}
            self._found.append(Finding("current_while_off", outlet.id, detail))


def _is_well(r: Reading, conductors: int) -> bool:
    """Tell of nearly every reading, fast, that nothing in it is wrong."""
    v1, v2, v3 = r.voltage_v
    if r.faults or not LOW_V <= v1 <= HIGH_V:
        return False
    if conductors > 1 and not (LOW_V <= v2 <= HIGH_V and LOW_V <= v3 <= HIGH_V):
        return False
    return r.limit_a > 0 or max(r.current_a) <= OFF_A


def _faults(outlet: Outlet, r: Reading) -> Iterator[Finding]:
    """Tell what a module says of itself; what it says of its voltage is looked at with the voltages."""
    for fault, code in FAULTS.items():
        if r.faults & fault:
            detail = {"temperature_c": float(r.temperature_c)} if fault is Fault.OVER_TEMPERATURE else {}
            yield Finding(code, outlet.id, detail)
    if r.faults & Fault.UNLOCKED and r.relay:
        yield Finding("cable_unlocked", outlet.id)


def _voltage(outlet: Outlet, r: Reading, explained: set[Dead]) -> Iterator[Finding]:
    """Tell of the conductor whose voltage is farthest from what it should be, if the contact has voltage at all."""
    volts = [*zip(r.voltage_v, outlet.phases, strict=False)]
    if max(volts)[0] < DEAD_V and not r.faults & Fault.VOLTAGE:
        return
    own = [(v, p) for v, p in volts if (outlet.id, p) not in explained]
    wrong = [(v, p) for v, p in own if not LOW_V <= v <= HIGH_V]
    if r.faults & Fault.VOLTAGE and own == volts:
        wrong = wrong or own
    if wrong:
        v, p = max(wrong, key=lambda vp: abs(vp[0] - _NOMINAL_V))
        yield Finding("voltage", outlet.id, {"voltage_v": float(v), "phase": PHASES[p]})


# -------------------------------------------------------------------- the rest


def _bridges(draft: Draft) -> Iterator[Finding]:
    for b in draft.site.of_bridge:
        state = draft.bridges[b]
        if state.silent:
            # What the broker says narrows it down: without a connection it is power or internet.
            is_sure = state.suspect_since is not None
            sure = Certainty.PROBABLE if is_sure else Certainty.POSSIBLE
            yield Finding("bridge_silent", b, {"certainty": sure.value, "connection_lost": is_sure})
        elif b not in draft.readings and not is_planned(b):
            yield Finding("bridge_never_heard", b)


def _vehicles(draft: Draft) -> Iterator[Finding]:
    for s in draft.sessions.values():
        if s.phase is Phase.ACTIVE and s.on_since is not None and draft.now - s.on_since > NOT_ASKING_S:
            outlet = draft.site.outlet.get(s.outlet)
            if outlet is not None and _is_not_asking(draft, outlet, s):
                yield Finding("vehicle_not_asking", outlet.id)


def _is_not_asking(draft: Draft, outlet: Outlet, session: SessionState) -> bool:
    """Tell whether a load could draw and never has; one that is done has drawn before."""
    r = draft.reading(outlet)
    if r is None or draft.bridges[outlet.bridge].silent or not draft.outlets[outlet.id].limit_a:
        return False
    drawn_wh = energy_wh(Meter(session.base_wh, session.booked_wh), r.energy_wh)
    return r.plug is Plug.PLUGGED and max(r.current_a) <= OFF_A and drawn_wh <= _DREW_WH


def _trips(draft: Draft) -> Iterator[Finding]:
    for o, state in draft.outlets.items():
        if state.trips:
            trips = sum(1 for at in state.trips if draft.now - at < DAY_S)
            if trips >= draft.site.policy.trips_before_alarm:
                yield Finding("guard_repeats", o, {"trips": trips})


def _site(draft: Draft) -> Iterator[Finding]:
    site = draft.site
    if site.meter_bridge is not None:
        known = draft.readings.get(site.meter_bridge)
        if known is not None and (known.meter_a is None or draft.bridges[site.meter_bridge].silent):
            yield Finding("meter_silent", site.id)
    yield from (Finding("cap_unmet", cap) for cap in sorted(draft.unmet_caps))
    for name in draft.found:
        bridge, _, module = name.partition("/")
        if module not in site.of_bridge.get(bridge, {}):
            yield Finding("module_unknown", name)


# -------------------------------------------------------------------- what is known


def _is_read(draft: Draft, alarm: Alarm) -> bool:
    o = draft.site.outlet[alarm.about]
    return not draft.bridges[o.bridge].silent and draft.reading(o) is not None


def _has_no_session_or_is_read(draft: Draft, alarm: Alarm) -> bool:
    return draft.session_at(alarm.about) is None or _is_read(draft, alarm)


def _bridge_is_heard(draft: Draft, alarm: Alarm) -> bool:
    b = draft.site.outlet[alarm.about].bridge
    return b in draft.readings and not draft.bridges[b].silent


def _bridge_hears(draft: Draft, alarm: Alarm) -> bool:
    return any(o.bridge == alarm.about for o, _ in silence.answering(draft))


def _fuse_feeds(draft: Draft, alarm: Alarm) -> bool:
    return any(_is_below(draft, o, alarm.about) for o, _ in silence.answering(draft))


def _phases_are_fed(draft: Draft, alarm: Alarm) -> bool:
    fed = {
        PHASES[p]
        for o, r in silence.answering(draft)
        if _is_below(draft, o, alarm.about)
        for p in silence.live_phases(o, r)
    }
    return fed >= {*alarm.detail["phases"]}


def _is_below(draft: Draft, outlet: Outlet, fuse: str) -> bool:
    return any(draft.network.fuse_names[f] == fuse for f in draft.network.chains[outlet.id])


_RESTS_ON: dict[str, Callable[[Draft, Alarm], bool]] = {
    **dict.fromkeys((*FAULTS.values(), "cable_unlocked", "voltage", "current_while_off"), _is_read),
    **dict.fromkeys(("rcbo_tripped", "rcbo_or_module", "link_poor", "outlet_never_heard"), _bridge_is_heard),
    **dict.fromkeys(("modules_silent", "modules_never_heard"), _bridge_hears),
    "vehicle_not_asking": _has_no_session_or_is_read,
    "fuse_out": _fuse_feeds,
    "phase_lost": _phases_are_fed,
}
"""What must be known for the end of an alarm to be known; the others rest on what the controller knows by itself."""
