"""Live updates: an address at which news come by themselves, for as long as somebody asks for them."""

from typing import Any

from epspot.access import Capability, Level, Scope
from epspot.errors import InvalidRequest, NotSignedIn
from epspot.services.listen_live import (
    Channel,
    channel_of_guests,
    channel_of_session,
    count_asker,
    keep_listening,
    listen,
)
from epspot.services.tell_live import OWNER, PUBLIC, USERS
from functions.api.calls import Call, session_of
from functions.api.operations import operation
from functions.api.render import time

_TAG = "Live"
_NEEDED = {OWNER: Capability.VIEW, USERS: Capability.USE}


@operation(
    "POST",
    "/v1/live",
    "Get an address at which news of a site or a session come by themselves; they end when nobody has asked for 90 s",
    tag=_TAG,
    guests=True,
    body="LiveForm",
    answer="LiveAddress",
    refusals=(404, 409, 429, 503),
)
def open_live(call: Call) -> Any:
    """Give an address."""
    address, until = listen(call.world.listening, _channel(call))
    return {
        "address": address.address,
        "client_id": address.client_id,
        "topics": list(address.topics),
        "expires_at": time(address.expires_at),
        "watched_until": time(until),
    }


@operation(
    "POST",
    "/v1/live/renewals",
    "Go on listening: to be asked at the latest when `watched_until` is over",
    tag=_TAG,
    guests=True,
    body="LiveForm",
    answer="LiveUntil",
    refusals=(404, 409, 429, 503),
)
def renew_live(call: Call) -> Any:
    """Let news come for a while longer, at the addresses that were given."""
    return {"watched_until": time(keep_listening(call.world.listening, _channel(call)))}


def _channel(call: Call) -> Channel:
    """Find what the caller would listen to, if they may. Raises a Refusal."""
    count_asker(call.world.listening, call.caller.subject, call.source)
    site, name, session = (call.body.get(n) for n in ("site", "channel", "session"))
    if session is not None and site is None and name is None:
        if not call.caller.subject:
            raise NotSignedIn("Sign in to follow a session.", "Logga in för att följa en session.")
        session_of(call.caller, Capability.VIEW, session)
        return channel_of_session(call.world.listening, session)
    if site is None or name is None or session is not None:
        raise InvalidRequest("Tell either a site and a channel, or a session.")
    if name == PUBLIC:
        return channel_of_guests(call.world.listening, site, name)
    call.require(_NEEDED[name], Scope(Level.SITE, site))
    return Channel(site, name)
