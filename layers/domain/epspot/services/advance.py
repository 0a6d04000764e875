"""Let one event happen at a site: load, step, commit, and only then command the hardware and keep the step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from epspot.control.effects import Step
from epspot.control.events import Event, SiteChanged
from epspot.control.state import Live
from epspot.control.step import step
from epspot.errors import Conflict
from epspot.ports import Commands, Journal, Lives, LiveTopics, Registry, SessionRecord
from epspot.registry.kinds import Change
from epspot.site import Site

MAX_TRIES = 12
"""Every try that fails is another's success, so that a few suffice; more means that something is wrong."""


@dataclass(frozen=True, slots=True)
class Controller:
    """What it takes to control sites."""

    lives: Lives
    commands: Commands
    journal: Journal | None = None
    topics: LiveTopics | None = None
    registry: Registry | None = None
    """For the pins that lead to a site, which move with its outlets."""


def advance(
    world: Controller,
    site_id: str,
    event: Event,
    record: SessionRecord | None = None,
    changes: Sequence[Change] = (),
) -> Step:
    """Return the step that ``event`` made; a lost race is run again on what the winner wrote.

    ``record`` is that of the session which the event starts; ``changes`` of the registry are written with the step.

    Raises NotFound (no such site), a Refusal from the step, or Conflict when the races never end.
    """
    return _happen(world, site_id, lambda site, _: (site, event, changes), record)[1]


def reconfigure(
    world: Controller, site_id: str, change: Callable[[Site, Live], tuple[Site, SiteChanged, Sequence[Change]]]
) -> Site:
    """Return the configuration that ``change`` made of the present one, anew on every try.

    With it come what is different, and what changes in the registry at the same time.

    Raises as ``advance`` does.
    """
    return _happen(world, site_id, change)[0]


def _happen(
    world: Controller,
    site_id: str,
    what: Callable[[Site, Live], tuple[Site, Event, Sequence[Change]]],
    record: SessionRecord | None = None,
) -> tuple[Site, Step]:
    for attempt in range(MAX_TRIES):
        present, before = world.lives.load(site_id)
        site, event, changes = what(present, before)
        result = step(site, before, event)
        try:
            world.lives.commit(before, result, record, None if site is present else site, changes)
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
        if world.topics is not None:
            world.topics.tell(site, before, event, result)
        return site, result
    raise AssertionError  # the loop returns or raises


def _keep(world: Controller, site: Site, before: Live, event: Event, done: Step, *, committed: bool) -> None:
    if world.journal is not None:
        world.journal.keep(site, before, event, done, committed=committed)
