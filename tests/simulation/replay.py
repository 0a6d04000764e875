"""Whether the step is pure: made again from the written form of its input it must come out the same."""

from dataclasses import replace

from epspot.adapters.dynamodb import codec
from epspot.control.effects import Step
from epspot.control.events import Event
from epspot.control.state import Live
from epspot.control.step import step
from epspot.site import Site

_FIRST, _EVERY = 200, 61
"""Of a world's steps the first, and then one in so many: a prime, so that it falls in step with nothing."""


class Recorder:
    """The pure step, with some of its inputs and outcomes kept."""

    def __init__(self) -> None:
        self._count = 0
        self._recorded: list[tuple[Live, Event, Step]] = []

    def __call__(self, site: Site, live: Live, event: Event) -> Step:
        done = step(site, live, event)
        self._count += 1
        if self._count <= _FIRST or self._count % _EVERY == 0:
            self._recorded.append((live, event, done))
        return done

    def differences(self, site: Site) -> int:
        """Make the recorded steps again from the written form of their states; count what comes out otherwise."""
        site = codec.site_in(site.id, codec.site_out(site), codec.SCHEMA)
        return sum(step(site, _written(live), event) != done for live, event, done in self._recorded)


def _written(live: Live) -> Live:
    read = codec.decision_in(live.site, live.version, codec.decision_out(live), codec.SCHEMA)
    told = {b: codec.readings_in(codec.readings_out(r), codec.SCHEMA) for b, r in live.readings.items()}
    return replace(read, readings=told, look_at=live.look_at)
