"""Let another system in that shows its token."""

import hmac
from dataclasses import dataclass, replace

from epspot.access.hashes import hashed
from epspot.errors import Conflict, NotSignedIn, TooOften
from epspot.ports import Clock, Registry, Throttle
from epspot.registry.kinds import Put
from epspot.registry.records import TOKEN, Token, of_token

PREFIX = "eps_"
_MINUTE_S, _HOUR_S = 60, 3600
_MOST_ID = 64


@dataclass(frozen=True, slots=True)
class Doorkeeping:
    """What it takes to let systems in."""

    registry: Registry
    throttle: Throttle
    clock: Clock


def token_text(token: str, secret: str) -> str:
    """Write what a system shows: its token's id and secret."""
    return f"{PREFIX}{token}_{secret}"


def secret_hash(secret: str) -> str:
    """Make what is kept of a secret; it has 256 bits of chance, so that nobody finds it by trying."""
    return hashed(secret)


def show_token(world: Doorkeeping, text: str) -> Token:
    """Find the token that is shown. Raises NotSignedIn, alike for every reason, or TooOften."""
    id_, _, secret = text.removeprefix(PREFIX).partition("_")
    now = world.clock.now()
    token = world.registry.get(TOKEN, of_token(id_), "") if len(id_) <= _MOST_ID else None
    shown = secret_hash(secret)
    if token is None or not hmac.compare_digest(token.secret_hash, shown) or not _holds(token, now):
        raise NotSignedIn(
            "This token is not known, or it is revoked or over. Ask the owner's administrator for a new one.",
            "Nyckeln är okänd, återkallad eller har gått ut. Be ägarens administratör om en ny.",
        )
    if not world.throttle.take(f"token/{token.id}", token.per_minute, _MINUTE_S, now):
        raise TooOften(
            f"This token may call {token.per_minute} times a minute. Wait, or have it raised.",
            f"Nyckeln får anropa {token.per_minute} gånger i minuten. Vänta, eller be om att gränsen höjs.",
            _MINUTE_S - int(now) % _MINUTE_S,
        )
    _note_use(world, token, now)
    return token


def _note_use(world: Doorkeeping, token: Token, now: float) -> None:
    """Note that a token was used, to the hour: one write an hour, however often it calls."""
    hour = now // _HOUR_S * _HOUR_S
    if token.used_at is not None and token.used_at >= hour:
        return
    try:
        world.registry.commit([Put(TOKEN, token, replace(token, used_at=hour))])
    except Conflict:
        # Another call has noted it, or the token is being revoked: the next call finds out.
        return


def _holds(token: Token, now: float) -> bool:
    return token.revoked_at is None and (token.ends_at is None or now < token.ends_at)
