"""Pause a session, resume it, or let it have other wishes."""

from epspot.control.events import ChangeRequested, PauseRequested, Request, ResumeRequested
from epspot.control.lifecycle import OVER
from epspot.control.state import Phase, Wishes
from epspot.errors import SessionOver
from epspot.services.advance import advance
from epspot.services.follow_session import Following, View, own_session, view


def pause_session(world: Following, user: str, session: str) -> View:
    """Give a session no current until it is resumed. Raises SessionUnknown or SessionOver."""
    return _happen(world, user, PauseRequested(world.clock.now(), session))


def resume_session(world: Following, user: str, session: str) -> View:
    """Let a paused session have current when its turn comes. Raises SessionUnknown or SessionOver."""
    return _happen(world, user, ResumeRequested(world.clock.now(), session))


def change_session(world: Following, user: str, session: str, wishes: Wishes) -> View:
    """Let a session have other wishes; its group and what is known of its vehicle stay.

    Raises SessionUnknown, SessionOver or InvalidRequest.
    """
    return _happen(world, user, ChangeRequested(world.clock.now(), session, wishes))


def _happen(world: Following, user: str, request: Request) -> View:
    record = own_session(world.sessions, user, request.session)
    if record.state == Phase.ENDED:
        raise SessionOver(*OVER)
    result = advance(world.controller, record.site, request)
    site, _ = world.controller.lives.load(record.site)
    return view(record, site, result.live)
