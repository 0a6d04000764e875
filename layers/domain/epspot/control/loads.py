"""What fuses carry: the outlets' allowances as far as they count, and what else is drawn there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from epspot.control.state import OutletState, Reading
from epspot.site import PHASES, Amperes, Outlet, Site

Drawn: TypeAlias = tuple[Sequence[int], float]
"""A path of lines, and the current along it."""


def other_load(site: Site, measured_a: Amperes) -> list[float]:
    """Tell what each fuse-phase carries that we don't control: as configured, on a metered main fuse as measured."""
    metered = site.main.id if site.meter_bridge is not None else None
    return [a for f in site.fuses for a in (measured_a if f.id == metered else f.other_a)]


def measured(site: Site, readings: Iterable[tuple[Outlet, Reading]], other_a: Sequence[float] = ()) -> list[float]:
    """Add up what each fuse-phase is measured to carry for outlets beside the other load."""
    load = [*other_a] or [0.0] * (len(site.fuses) * len(PHASES))
    for o, r in readings:
        if max(r.current_a) <= 0:
            continue
        width = len(o.phases)
        for i, line in enumerate(site.network.paths[o.id]):
            if line < len(load):
                load[line] += r.current_a[i % width]
    return load


def carried(site: Site, outlets: Mapping[str, OutletState]) -> Iterator[Drawn]:
    """Walk over what the lines must carry for outlets: on each conductor the larger of old and new."""
    for o in site.outlets:
        if (state := outlets.get(o.id)) is not None and state.counted_a:
            yield from counted(site, o, state)


def counted(site: Site, outlet: Outlet, state: OutletState) -> Iterator[Drawn]:
    """Tell what must be carried for one outlet."""
    if state.conductors is None and state.held_conductors is None:
        yield site.network.paths[outlet.id], state.counted_a
        return
    for k in range(len(outlet.phases)):
        now_a = state.limit_a if state.conductors is None or k in state.conductors else 0.0
        held_a = state.held_a if state.held_conductors is None or k in state.held_conductors else 0.0
        if now_a or held_a:
            yield site.network.path(outlet, (k,)), max(now_a, held_a)
