"""Take in a new site."""

from epspot.control.events import Ticked
from epspot.control.state import Live
from epspot.control.step import step
from epspot.ports import Clock, Lives
from epspot.site import Site


def register_site(lives: Lives, clock: Clock, site: Site) -> None:
    """Write a new site, every outlet of it unknown as yet. Raises InvalidSite, or Conflict if it exists."""
    site.checked()
    lives.create(site, step(site, Live(site.id), Ticked(clock.now())).live)
