"""Change a site's configuration while it lives."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from epspot.control.events import SiteChanged
from epspot.control.state import Live
from epspot.errors import InvalidSite
from epspot.ports import Clock
from epspot.registry.kinds import Change
from epspot.services.advance import Controller, reconfigure
from epspot.services.pin_site import moved_pins
from epspot.site import Outlet, Site, is_planned

Edit: TypeAlias = Callable[[Site], tuple[Site, Sequence[Change]]]
"""Makes a new configuration of the present one, and what changes in the registry with it; may refuse."""


def change_site(world: Controller, clock: Clock, site: Site) -> Site:
    """Let a site be as ``site`` says from now on, and return it with its new revision. Raises as ``edit_site`` does."""
    return edit_site(world, clock, site.id, lambda _: (site, ()))


def edit_site(world: Controller, clock: Clock, site_id: str, edit: Edit) -> Site:
    """Let a site be as ``edit`` makes it, and return it with its new revision.

    It takes effect at once and drops nobody who may stay: what is lowered counts until it is seen. A new outlet is
    unknown, and counts at its maximum until it is heard of. A change is refused whole. Raises NotFound, InvalidSite, or
    Conflict, also if another site has one of its bridges or outlets.
    """

    def change(present: Site, live: Live) -> tuple[Site, SiteChanged, Sequence[Change]]:
        edited, changes = edit(present)
        new, moved = succeed(present, live, edited)
        lowered = (
            (o.id, was.fallback_a)
            for o in new.outlets
            if (was := present.outlet.get(o.id)) is not None and was.fallback_a > o.fallback_a and o.id not in moved
        )
        pins = () if world.registry is None else moved_pins(world.registry, present, new)
        return new, SiteChanged(clock.now(), moved, tuple(lowered)), [*changes, *pins]

    return reconfigure(world, site_id, change)


def succeed(present: Site, live: Live, edited: Site) -> tuple[Site, tuple[str, ...]]:
    """Make the configuration that follows the present one, and tell which outlets it moves. Raises InvalidSite."""
    new = replace(edited, revision=present.revision + 1).checked()
    moved = tuple(o.id for o in new.outlets if o.id in present.outlet and _place(present.outlet[o.id]) != _place(o))
    if used := [*_used(live, present, new, moved)]:
        raise InvalidSite(used)
    return new, moved


def _place(outlet: Outlet) -> tuple[object, ...]:
    """Tell what must not change while an outlet is in use."""
    return outlet.bridge, outlet.module, outlet.fuse, outlet.phases


def _used(live: Live, present: Site, new: Site, moved: Collection[str]) -> Iterator[str]:
    """Tell of each outlet that is to be moved or taken away why it can't be now."""
    in_use = {s.outlet for s in live.sessions.values()}
    for o in sorted((present.outlet.keys() - new.outlet.keys()) | {*moved}):
        state = live.outlets.get(o)
        if o in in_use:
            yield f"outlet {o} has a session: stop it before the outlet is moved or taken away"
        elif o in moved and state is not None and state.counted_a and not is_planned(present.outlet[o].bridge):
            yield f"outlet {o} may still draw {state.counted_a:g} A: move it when it is known to be off"
