"""Change a site's configuration while it lives."""

from dataclasses import replace

from epspot.control.events import Ticked
from epspot.errors import InvalidSite
from epspot.ports import Clock, Lives
from epspot.services.advance import Controller, advance
from epspot.site import Site


def change_site(world: Controller, clock: Clock, site: Site) -> Site:
    """Let a site be as ``site`` says from now on, and return it with its new revision.

    It takes effect at once and drops nobody who may stay: what is lowered counts until it is seen. A new outlet is
    unknown, and counts at its maximum until it is heard of. A change is refused whole. Raises NotFound, InvalidSite, or
    Conflict, also if another site has one of its bridges or outlets.
    """
    made: list[Site] = []

    def change(present: Site) -> Site:
        # Anew on every try: a session may have begun since the last.
        _refuse_while_used(world.lives, site)
        made.append(replace(site, revision=present.revision + 1).checked())
        return made[-1]

    advance(world, site.id, Ticked(clock.now()), change=change)
    return made[-1]


def _refuse_while_used(lives: Lives, site: Site) -> None:
    """Raise InvalidSite if a session lives at an outlet that is to be taken away."""
    _, live = lives.load(site.id)
    if used := sorted(s.outlet for s in live.sessions.values() if s.outlet not in site.outlet):
        raise InvalidSite([f"outlet {o} has a session: stop it before the outlet is taken away" for o in used])
