"""Start, follow, change, pause, stop and list sessions."""

from typing import Any

from chalice.app import Blueprint, Response

from epspot.bootstrap import world
from epspot.errors import InvalidRequest
from epspot.services.change_session import change_session, pause_session, resume_session
from epspot.services.follow_session import follow_session
from epspot.services.list_sessions import list_sessions
from epspot.services.start_session import start_session
from epspot.services.stop_session import stop_session
from functions.api import render
from functions.api.errors import answered
from functions.api.requests import json_of, text_of, user_of, wishes_of

routes = Blueprint(__name__)


@routes.route("/sessions", methods=["POST"])
@answered(routes)
def start() -> Response:
    """Start a session at an outlet: ``{"outlet": id}`` and wishes, with the header Idempotency-Key."""
    request = routes.current_request
    user = user_of(request)
    body = json_of(request)
    outlet, wishes = text_of(body, "outlet"), wishes_of(body, also=("outlet",))
    key = request.headers.get("Idempotency-Key")
    if not key:
        raise InvalidRequest("Send the header Idempotency-Key with a text of your own, new for each start.")
    started = start_session(world().starting, user, outlet, key, wishes)
    return Response(status_code=201, body=render.session(started))


@routes.route("/sessions", methods=["GET"])
@answered(routes)
def history() -> dict[str, Any]:
    """List the caller's sessions, the newest first."""
    user = user_of(routes.current_request)
    return {"sessions": [render.record(r) for r in list_sessions(world().sessions, user)]}


@routes.route("/sessions/{id}", methods=["GET"])
@answered(routes)
def follow(id: str) -> dict[str, Any]:  # noqa: A002 - the route's name for it
    """Show a session of the caller as it is now."""
    return render.session(follow_session(world().following, user_of(routes.current_request), id))


@routes.route("/sessions/{id}/stop", methods=["POST"])
@answered(routes)
def stop(id: str) -> dict[str, Any]:  # noqa: A002 - the route's name for it
    """Stop a session of the caller."""
    return render.session(stop_session(world().following, user_of(routes.current_request), id))


@routes.route("/sessions/{id}/pause", methods=["POST"])
@answered(routes)
def pause(id: str) -> dict[str, Any]:  # noqa: A002 - the route's name for it
    """Give a session of the caller no current until it is resumed."""
    return render.session(pause_session(world().following, user_of(routes.current_request), id))


@routes.route("/sessions/{id}/resume", methods=["POST"])
@answered(routes)
def resume(id: str) -> dict[str, Any]:  # noqa: A002 - the route's name for it
    """Let a paused session of the caller have current when its turn comes."""
    return render.session(resume_session(world().following, user_of(routes.current_request), id))


@routes.route("/sessions/{id}/wishes", methods=["PUT"])
@answered(routes)
def change(id: str) -> dict[str, Any]:  # noqa: A002 - the route's name for it
    """Let a session of the caller have other wishes, all of them anew."""
    request = routes.current_request
    user = user_of(request)
    return render.session(change_session(world().following, user, id, wishes_of(json_of(request))))
