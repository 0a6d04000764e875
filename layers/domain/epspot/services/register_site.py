"""Take in a new site."""

from collections.abc import Sequence

from epspot.control.events import Ticked
from epspot.control.state import Live
from epspot.control.step import step
from epspot.ports import Clock, Journal, Lives
from epspot.registry.kinds import Change
from epspot.services.pin_site import new_pins
from epspot.site import Site


def register_site(
    lives: Lives, clock: Clock, site: Site, journal: Journal | None = None, changes: Sequence[Change] = ()
) -> None:
    """Write a new site, every outlet of it unknown as yet, with its pins on the map and changes of the registry.

    Raises InvalidSite, or Conflict if it exists.
    """
    site.checked()
    before, event = Live(site.id), Ticked(clock.now())
    done = step(site, before, event)
    lives.create(site, done.live, [*changes, *new_pins(site)])
    if journal is not None:
        journal.keep(site, before, event, done)
