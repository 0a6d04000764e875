"""Let one event happen at a site: load, step, commit, and only then command the hardware."""

from dataclasses import dataclass

from epspot.control.effects import Step
from epspot.control.events import Event
from epspot.control.step import step
from epspot.errors import Conflict
from epspot.ports import Commands, Lives, SessionRecord

MAX_TRIES = 12
"""Every try that fails is another's success, so that a few suffice; more means that something is wrong."""


@dataclass(frozen=True, slots=True)
class Controller:
    """What it takes to control sites."""

    lives: Lives
    commands: Commands


def advance(world: Controller, site_id: str, event: Event, record: SessionRecord | None = None) -> Step:
    """Return the step that ``event`` made; a lost race is run again on what the winner wrote.

    ``record`` is that of the session which the event starts.

    Raises NotFound (no such site), a Refusal from the step, or Conflict when the races never end.
    """
    for attempt in range(MAX_TRIES):
        site, before = world.lives.load(site_id)
        result = step(site, before, event)
        try:
            world.lives.commit(before, result, record)
        except Conflict:
            if attempt == MAX_TRIES - 1:
                raise
            continue
        for command in result.commands:
            world.commands.publish(command)
        return result
    raise AssertionError  # the loop returns or raises
