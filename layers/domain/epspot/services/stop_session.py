"""Stop a session."""

from epspot.control.events import StopRequested
from epspot.control.lifecycle import OVER
from epspot.control.state import Phase
from epspot.errors import SessionOver
from epspot.services.advance import advance
from epspot.services.follow_session import Following, View, own_session, view


def stop_session(world: Following, user: str, session: str) -> View:
    """Stop a session of this user; it ends when its last register value is known.

    Raises SessionUnknown or SessionOver.
    """
    record = own_session(world.sessions, user, session)
    if record.state == Phase.ENDED:
        raise SessionOver(*OVER)
    result = advance(world.controller, record.site, StopRequested(world.clock.now(), session))
    site, _ = world.controller.lives.load(record.site)
    return view(record, site, result.live)
