"""Let somebody listen to what happens at a site: news come by themselves for as long as they are asked for."""

from dataclasses import dataclass

from epspot.access import Level, Scope
from epspot.access.hashes import hashed
from epspot.control.events import Watched
from epspot.control.state import Phase
from epspot.control.step import WATCH_S
from epspot.errors import SessionOver, SessionUnknown, TooOften
from epspot.ports import Clock, LiveAddress, LiveAddresses, Sessions, Throttle
from epspot.services.advance import Controller, advance
from epspot.services.authorize import Gate, place_of, site_at, unknown
from epspot.services.tell_live import SESSION

MINUTE_S = 60
MOST_A_MINUTE = 60
"""How often a user or a guest's address on the net may ask, whatever for; many guests may share one."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What it takes to let people listen."""

    controller: Controller
    gate: Gate
    sessions: Sessions
    addresses: LiveAddresses
    throttle: Throttle
    clock: Clock


@dataclass(frozen=True, slots=True)
class Channel:
    """What is listened to."""

    site: str
    name: str
    """``public``, ``users``, ``owner`` or ``session/<id>``."""


def listen(world: Listening, channel: Channel) -> tuple[LiveAddress, float]:
    """Let a channel be told for a while, and say where, and until when unless somebody asks again."""
    until = keep_listening(world, channel)
    return world.addresses.sign(channel.site, channel.name), until


def keep_listening(world: Listening, channel: Channel) -> float:
    """Let a channel be told for a while longer; many who ask cost no more than one."""
    now, what = world.clock.now(), channel.name.partition("/")[0]
    _, live = world.controller.lives.load(channel.site)
    until = live.listened.get(what, 0.0)
    if min(until, live.watched_until) - now < WATCH_S / 2:
        until = advance(world.controller, channel.site, Watched(now, channel.name)).live.listened[what]
    return until


def channel_of_guests(world: Listening, site: str, name: str) -> Channel:
    """Find the channel that everyone may hear: that of a site with something public. Raises NotFound."""
    scope = Scope(Level.SITE, site)
    found, _ = site_at(place_of(world.gate, scope))
    if not any(found.is_public(o) for o in found.outlets):
        raise unknown(scope)
    return Channel(site, name)


def channel_of_session(world: Listening, session: str) -> Channel:
    """Find the channel of a session. Raises SessionOver, or SessionUnknown."""
    record = world.sessions.get(session)
    if record is None:
        raise SessionUnknown("There is no session with this id.", "Det finns ingen session med detta id.")
    if record.state == Phase.ENDED:
        raise SessionOver(
            "The session has ended: nothing more happens to it.", "Sessionen är avslutad: det händer inget mer med den."
        )
    return Channel(record.site, f"{SESSION}/{session}")


def count_asker(world: Listening, subject: str, source: str) -> None:
    """Refuse who asks too often: a user or token by its name, a guest by the address on the net. Raises TooOften."""
    who = subject or f"source/{hashed(source)}"
    if not world.throttle.take(f"live/{who}", MOST_A_MINUTE, MINUTE_S, world.clock.now()):
        raise TooOften(
            f"This may be asked {MOST_A_MINUTE} times a minute. Wait a minute; to go on listening, one time in 45 s will do.",
            f"Det här får efterfrågas {MOST_A_MINUTE} gånger i minuten. Vänta en minut.",
        )
