"""Which readings are worth a write.

Readings change always; a write per frame would be most of the bill (DESIGN §8). Written is what a decision, a session
or a person could depend on; a register that creeps is written with the next full frame, and none is lost by waiting.
"""

from epspot.control.diagnosis import differs
from epspot.control.state import Live, Reading, Readings

_EDGE_A = 1.0
_FLOWS_A = 0.5
_WATCHED_EVERY_S = 20.0
"""How old a figure may be that somebody looks at."""


def readings_to_write(before: Live, after: Live, *, told: bool) -> dict[str, Readings]:
    """List the readings, by bridge, that must be written for ``after`` to be found again.

    ``told``: the step states facts. They may rest on a register, which must then be as sure as they are.
    """
    return {
        b: new
        for b, new in after.readings.items()
        if new != (old := before.readings.get(b))
        and (told or old is None or _differ(old, new) or _is_watched(after, old, new))
    }


def _is_watched(live: Live, old: Readings, new: Readings) -> bool:
    return new.at < live.watched_until and new.at - old.at >= _WATCHED_EVERY_S


def _differ(old: Readings, new: Readings) -> bool:
    return (
        new.boot != old.boot
        or new.base != old.base
        or new.lost != old.lost
        or (new.meter_a is None) != (old.meter_a is None)
        or new.modules.keys() != old.modules.keys()
        or any(_edge(r, new.modules[m]) or differs(r, new.modules[m]) for m, r in old.modules.items())
    )


def _edge(old: Reading, new: Reading) -> bool:
    if (old.plug, old.relay, old.limit_a, old.faults) != (new.plug, new.relay, new.limit_a, new.faults):
        return True
    return any(
        abs(a - b) > _EDGE_A or (a > _FLOWS_A) != (b > _FLOWS_A)
        for a, b in zip(old.current_a, new.current_a, strict=True)
    )
