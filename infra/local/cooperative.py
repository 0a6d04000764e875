"""The housing cooperative of the Trondheim record as a site, and its recorded days squeezed into minutes.

Arrival, stay and energy are divided by the same number, so that powers, currents and the physics of cars and relays
stay as they are in real time. Turn lengths are divided too, leases and guard times are not.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from epspot.site import Amperes, Fuse, Outlet, Policy, Site
from infra.local.trondheim import Record, Visit
from iot.simulator.loads import Car, Load, Overdraw

BRIDGES = ("trondheim-1", "trondheim-2")
HEAT_A: Amperes = (6.0, 6.0, 6.0)
"""Light and ventilation of the garages: what the fuses must carry beside the outlets."""

_MAIN_A, _BIG_A, _SMALL_A = 100.0, 32.0, 20.0
"""So small that the busiest evenings exceed them."""
_BIG = 6
_TURN_S, _STANDBY_S, _LEAST_TURN_S, _LEAST_STANDBY_S = 7200.0, 900.0, 15.0, 8.0
_OVERDRAWS_EVERY = 17
_BATTERY_WH = 60_000.0
_LEAST_STAY_S = 10.0
"""A squeezed visit that is shorter than this leaves no time to plug in, start and obey."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A visit on the demo's own clock, in seconds from its start."""

    visit: Visit
    outlet: str
    module: str
    begin_s: float
    end_s: float
    load: Load


def site_of(record: Record, factor: float) -> Site:
    """Build the cooperative: a main fuse, a fuse per garage, and outlets shared between two bridges."""
    garages = Counter(record.outlets.values())
    fuses = [Fuse("main", None, (_MAIN_A,) * 3, other_a=HEAT_A)]
    for garage, outlets in sorted(garages.items()):
        rating = _BIG_A if outlets > _BIG else _SMALL_A
        fuses.append(Fuse(garage, "main", (rating,) * 3, max_sessions=5 if outlets > _BIG else None))
    turn_s = max(_LEAST_TURN_S, _TURN_S / factor)
    return Site(
        id="trondheim",
        name="Brf Trondheim",
        fuses=tuple(fuses),
        outlets=tuple(_outlets(record, garages)),
        policy=Policy(
            turn_s=round(turn_s),
            min_on_s=round(turn_s * 2 / 3),
            standby_s=round(max(_LEAST_STANDBY_S, _STANDBY_S / factor)),
        ),
    )


def _outlets(record: Record, garages: Counter[str]) -> Iterator[Outlet]:
    half = sum(garages.values()) // 2
    for n, (name, garage) in enumerate(record.outlets.items()):
        three = n % 3 != 0
        yield Outlet(
            id=f"trondheim-{n + 1}",
            number=name,
            fuse=garage,
            phases=((n % 3, (n + 1) % 3, (n + 2) % 3) if three else (n % 3,)),
            max_a=16.0,
            bridge=BRIDGES[n >= half],
            module=f"T{n + 1:03d}",
            public=True,
        )


def stays_of(record: Record, site: Site, start: datetime, length_s: float, factor: float) -> list[Stay]:
    """Squeeze what happens from ``start`` on; a car that is there already needs only the rest of its energy."""
    by_number = {o.number: o for o in site.outlets}
    end = start + timedelta(seconds=length_s * factor)
    stays = []
    for n, v in enumerate(record.between(start, end)):
        whole_s = (v.unplugged_at - v.plugged_at).total_seconds()
        begin = max(v.plugged_at, start)
        left = (v.unplugged_at - begin).total_seconds() / whole_s
        o = by_number[v.outlet]
        needs_wh = max(1.0, v.energy_wh * left / factor)
        load: Load = (
            Overdraw(top_a=30.0, rise_a_s=20.0, phases=len(o.phases))
            if n % _OVERDRAWS_EVERY == _OVERDRAWS_EVERY - 1
            else Car(
                needs_wh=needs_wh,
                battery_wh=_BATTERY_WH / factor,
                phases=len(o.phases),
                max_a=o.max_a,
                done_after_s=2.0,
            )
        )
        stays.append(
            Stay(
                visit=v,
                outlet=o.id,
                module=o.module,
                begin_s=(begin - start).total_seconds() / factor,
                end_s=(v.unplugged_at - start).total_seconds() / factor,
                load=load,
            )
        )
    return sorted((s for s in stays if s.end_s - s.begin_s >= _LEAST_STAY_S), key=lambda s: (s.begin_s, s.module))
