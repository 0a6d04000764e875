"""Let one event happen at a site: load, step, commit, and only then command the hardware and keep the step."""

from collections.abc import Callable
from dataclasses import dataclass

from epspot.control.effects import Step
from epspot.control.events import Event, SiteChanged
from epspot.control.state import Live
from epspot.control.step import step
from epspot.errors import Conflict
from epspot.ports import Commands, Journal, Lives, SessionRecord
from epspot.site import Site

MAX_TRIES = 12
"""Every try that fails is another's success, so that a few suffice; more means that something is wrong."""


@dataclass(frozen=True, slots=True)
class Controller:
    """What it takes to control sites."""

    lives: Lives
    commands: Commands
    journal: Journal | None = None


def advance(world: Controller, site_id: str, event: Event, record: SessionRecord | None = None) -> Step:
    """Return the step that ``event`` made; a lost race is run again on what the winner wrote.

    ``record`` is that of the session which the event starts.

    Raises NotFound (no such site), a Refusal from the step, or Conflict when the races never end.
    """
    return _happen(world, site_id, lambda site, _: (site, event), record)[1]


def reconfigure(world: Controller, site_id: str, change: Callable[[Site, Live], tuple[Site, SiteChanged]]) -> Site:
    """Return the configuration that ``change`` made of the present one, anew on every try, with what is different.

    Raises as ``advance`` does.
    """
    return _happen(world, site_id, change)[0]


def _happen(
    world: Controller,
    site_id: str,
    what: Callable[[Site, Live], tuple[Site, Event]],
    record: SessionRecord | None = None,
) -> tuple[Site, Step]:
    for attempt in range(MAX_TRIES):
        present, before = world.lives.load(site_id)
        site, event = what(present, before)
        result = step(site, before, event)
        try:
            world.lives.commit(before, result, record, None if site is present else site)
        except Conflict:
            # It may have written the decision, and failed at the readings.
            _keep(world, site, before, event, result, committed=False)
            if attempt == MAX_TRIES - 1:
                raise
            continue
        try:
            for command in result.commands:
                world.commands.publish(command)
        finally:
            _keep(world, site, before, event, result, committed=True)
        return site, result
    raise AssertionError  # the loop returns or raises


def _keep(world: Controller, site: Site, before: Live, event: Event, done: Step, *, committed: bool) -> None:
    if world.journal is not None:
        world.journal.keep(site, before, event, done, committed=committed)
