"""Let a bridge claim itself: an owner's electrician asks for a code, and the bridge shows it once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from epspot.access import Level, Scope
from epspot.access.hashes import code_hash
from epspot.errors import InvalidRequest, NotAllowed, NotFound, TooOften
from epspot.ports import Throttle
from epspot.registry.claims import BRIDGE_CLAIM, BridgeClaim, of_code
from epspot.registry.kinds import Change, Put
from epspot.services.advance import Controller
from epspot.services.authorize import Place
from epspot.services.change_site import edit_site
from epspot.services.changing import Actor, Changing, Deed, commit, traces
from epspot.site import Site

CODE_HOLDS_S = 7 * 86_400.0
ANSWERED_AGAIN_S = 3600.0
"""How long a device that has used a code gets the same answer again: the network may have lost the first."""
MOST_TRIES, TRIES_WINDOW_S = 10, 3600

_BRIDGE_ID = 20
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Claiming:
    """What it takes to let bridges claim themselves."""

    controller: Controller
    changing: Changing
    throttle: Throttle


class Invitation(NamedTuple):
    """What an electrician is given; the code can't be read again."""

    bridge: str
    code: str


def invite_bridge(world: Claiming, actor: Actor, place: Place) -> Invitation:
    """Make a code with which one bridge may claim itself for a site, once, within seven days. Raises Conflict."""
    # Its end, since the beginnings of ids may be alike.
    bridge, code = world.changing.ids.new()[-_BRIDGE_ID:], world.changing.ids.code()
    claim = BridgeClaim(
        id=bridge,
        owner=place.owner,
        site=place.scope.id,
        code_hash=code_hash(code),
        made_at=actor.at,
        ends_at=actor.at + CODE_HOLDS_S,
    )
    deed = Deed(place.owner, str(place.scope), "bridge.invited", bridge)
    commit(world.changing, actor, deed, Put(BRIDGE_CLAIM, None, claim), made=bridge)
    return Invitation(bridge, code)


def take_claim(world: Claiming, code: str, serial: str) -> str:
    """Let a device become the bridge that a code stands for, and return the bridge's id.

    The code is used and the bridge is the site's in one moment, so that its first frame finds the site. Raises
    InvalidRequest, TooOften, NotFound or NotAllowed, or Conflict when the races never end.
    """
    now = world.changing.clock.now()
    if not _SERIAL.match(serial):
        raise InvalidRequest(
            "A serial number is 1 to 64 letters, digits and . _ : / - and begins with one of the first."
        )
    if not world.throttle.take(f"claim/{serial}", MOST_TRIES, TRIES_WINDOW_S, now):
        raise TooOften(
            f"This device has shown {MOST_TRIES} codes within an hour. Try again later.",
            f"Den här enheten har visat {MOST_TRIES} koder inom en timme. Försök igen senare.",
        )
    claim = _find(world, code)
    if not _is_answered(claim, serial, now):
        try:
            edit_site(
                world.controller, world.changing.clock, claim.site, lambda site: _taken(world, site, code, serial, now)
            )
        except NotAllowed:
            # Perhaps the same request, sent twice at once, has won.
            if not _is_answered(_find(world, code), serial, now):
                raise
    return claim.id


def _taken(world: Claiming, site: Site, code: str, serial: str, now: float) -> tuple[Site, Sequence[Change]]:
    """Make the site that has the bridge, and the claim that is used; both are written or neither."""
    claim = _find(world, code)
    _check(claim, site, now)
    used = Put(BRIDGE_CLAIM, claim, replace(claim, used_at=now, serial=serial))
    deed = Deed(claim.owner, str(Scope(Level.SITE, site.id)), "bridge.claimed", claim.id)
    lines = traces(world.changing, Actor("system", now), deed, used)
    return replace(site, bridges=(*site.bridges, claim.id)), [used, *lines]


def _find(world: Claiming, code: str) -> BridgeClaim:
    claim = world.changing.registry.get(BRIDGE_CLAIM, of_code(code_hash(code)), "")
    if claim is None:
        raise NotFound(
            "There is no such code. Check that it was typed as it is written, or ask for a new one.",
            "Koden finns inte. Kontrollera att den är rätt inskriven, eller be om en ny.",
        )
    return claim


def _check(claim: BridgeClaim, site: Site, now: float) -> None:
    if claim.used_at is not None:
        raise NotAllowed(
            "This code has been used. Every bridge needs a code of its own: ask for a new one.",
            "Koden är använd. Varje brygga behöver en egen kod: be om en ny.",
        )
    if now >= claim.ends_at:
        raise NotAllowed(
            "This code was good for seven days, which are over. Ask for a new one.",
            "Koden gällde i sju dagar och har gått ut. Be om en ny.",
        )
    if site.owner != claim.owner:
        raise NotAllowed(
            "The site has another owner since this code was made. Ask that owner for a new one.",
            "Anläggningen har bytt ägare sedan koden skapades. Be den ägaren om en ny.",
        )


def _is_answered(claim: BridgeClaim, serial: str, now: float) -> bool:
    """Tell whether this device has used the code a moment ago, and asks again."""
    return claim.used_at is not None and claim.serial == serial and now < claim.used_at + ANSWERED_AGAIN_S
