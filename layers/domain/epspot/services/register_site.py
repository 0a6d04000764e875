"""Take in a new site."""

from epspot.control.events import Ticked
from epspot.control.state import Live
from epspot.control.step import step
from epspot.ports import Clock, Journal, Lives
from epspot.site import Site


def register_site(lives: Lives, clock: Clock, site: Site, journal: Journal | None = None) -> None:
    """Write a new site, every outlet of it unknown as yet. Raises InvalidSite, or Conflict if it exists."""
    site.checked()
    before, event = Live(site.id), Ticked(clock.now())
    done = step(site, before, event)
    lives.create(site, done.live)
    if journal is not None:
        journal.keep(site, before, event, done)
