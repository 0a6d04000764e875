"""Start, follow, change, pause, stop and list sessions."""

from dataclasses import replace
from typing import Any

from epspot.access import Capability, Level, Scope
from epspot.errors import InvalidRequest
from epspot.services.ask_owner import ask_owner
from epspot.services.authorize import groups_of, heaviest
from epspot.services.change_session import change_session, pause_session, resume_session
from epspot.services.follow_session import View, follow_session
from epspot.services.list_sessions import list_sessions
from epspot.services.revoke import note_proof
from epspot.services.start_session import start_session
from epspot.services.stop_session import stop_session
from epspot.services.tell_prices import cost_so_far
from functions.api.calls import Answer, Call, page
from functions.api.operations import operation
from functions.api.render import sessions as render
from functions.api.requests import wishes_of

_TAG = "Sessions"


@operation(
    "POST",
    "/v1/sessions",
    "Start a session at an outlet",
    tag=_TAG,
    body="SessionForm",
    status=201,
    answer="Session",
    creates=True,
    refusals=(403, 404, 409, 503),
)
def start(call: Call) -> Any:
    """Start a session; the session's own id makes a repeated start find the first one."""
    outlet, wishes, reference = call.body["outlet"], wishes_of(call.body), _reference_of(call)
    place = call.require(Capability.USE, Scope(Level.OUTLET, outlet))
    ask_owner(call.world.asking, call.caller, place, call.key)
    groups = groups_of(call.world.gate, call.caller, place.owner)
    wishes = replace(wishes, group=heaviest(place.site, groups))
    note_proof(call.world.registry, call.caller)
    begun = start_session(call.world.starting, call.caller.user, outlet, call.key, wishes, reference=reference)
    return Answer(_shown(call, begun), headers={"Location": f"/v1/sessions/{begun.record.id}"})


@operation("GET", "/v1/sessions", "List one's own sessions, the newest first", tag=_TAG, answer="Sessions")
def list_own_sessions(call: Call) -> Any:
    """List the caller's sessions."""
    return page([render.record(r) for r in list_sessions(call.world.sessions, call.caller.user)], None)


@operation(
    "GET",
    "/v1/sessions/{session}",
    "Show a session as it is now",
    tag=_TAG,
    needs=Capability.VIEW,
    on="session",
    answer="Session",
)
def follow(call: Call) -> Any:
    """Show a session."""
    return _shown(call, follow_session(call.world.following, *call.session))


@operation(
    "POST",
    "/v1/sessions/{session}/stop",
    "Stop a session",
    tag=_TAG,
    needs=Capability.MAINTAIN,
    on="session",
    answer="Session",
    refusals=(409,),
)
def stop(call: Call) -> Any:
    """Stop a session."""
    return _shown(call, stop_session(call.world.following, *call.session))


@operation(
    "POST",
    "/v1/sessions/{session}/pause",
    "Give a session no current until it is resumed",
    tag=_TAG,
    needs=Capability.MAINTAIN,
    on="session",
    answer="Session",
    refusals=(409,),
)
def pause(call: Call) -> Any:
    """Pause a session."""
    return _shown(call, pause_session(call.world.following, *call.session))


@operation(
    "POST",
    "/v1/sessions/{session}/resume",
    "Let a paused session have current when its turn comes",
    tag=_TAG,
    needs=Capability.MAINTAIN,
    on="session",
    answer="Session",
    refusals=(409,),
)
def resume(call: Call) -> Any:
    """Resume a session."""
    return _shown(call, resume_session(call.world.following, *call.session))


@operation(
    "PUT",
    "/v1/sessions/{session}/wishes",
    "Let a session have other wishes, all of them anew",
    tag=_TAG,
    needs=Capability.MAINTAIN,
    on="session",
    body="Wishes",
    answer="Session",
    refusals=(409,),
)
def change(call: Call) -> Any:
    """Change what is wanted of a session."""
    whose, session = call.session
    return _shown(call, change_session(call.world.following, whose, session, wishes_of(call.body)))


def _shown(call: Call, v: View) -> dict[str, Any]:
    return render.session(v, cost_so_far(call.world.pricing, v, call.actor.at))


def _reference_of(call: Call) -> str:
    """Read what the caller calls a session; only other systems call it anything. Raises InvalidRequest."""
    reference = str(call.body.get("reference", ""))
    if reference and call.caller.token is None:
        raise InvalidRequest("reference is for other systems, which start sessions with a token of the owner's.")
    return reference
