"""Look at the sites at which time alone may have changed something."""

from dataclasses import dataclass

from epspot.control.events import Ticked
from epspot.ports import Clock
from epspot.services.advance import Controller, advance


@dataclass(frozen=True, slots=True)
class Ticking:
    """What it takes to let time pass."""

    controller: Controller
    clock: Clock


def tick_sites(world: Ticking) -> tuple[int, list[str]]:
    """Let time pass at every site that is due; return how many there were, and which failed."""
    now = world.clock.now()
    due = world.controller.lives.due(now)
    failed = []
    for site, seen in due:
        try:
            advance(world.controller, site, Ticked(now))
            world.controller.lives.postpone(site, seen)
        except Exception as error:  # noqa: BLE001 - one site's trouble is not the others'
            failed.append(f"{site}: {error!r}")
    return len(due), failed
