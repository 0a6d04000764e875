"""Give a user the right that an access code stands for; who guesses learns nothing, and not for long."""

from collections.abc import Sequence
from dataclasses import replace

from epspot.access import Grant, Scope
from epspot.access.hashes import code_hash, hashed
from epspot.access.subjects import user_subject
from epspot.errors import CodeUnknown, NotAllowed, NotFound, TooOften
from epspot.registry.access_codes import (
    ACCESS_CODE,
    CODE_KEY,
    DAY_S,
    REDEMPTION,
    AccessCode,
    Redemption,
    of_code,
    of_text,
)
from epspot.registry.kinds import Put
from epspot.registry.records import GRANT, of_owner, of_subject
from epspot.services.authorize import Caller, place_of
from epspot.services.changing import Actor, Deed, traces
from epspot.services.give_grant import Granting
from epspot.services.retrying import until_written

MOST_WRONG, WINDOW_S = 10, 3600


def redeem_code(world: Granting, actor: Actor, caller: Caller, text: str, source: str) -> Grant:
    """Give a user what a code gives; the same user gets the same again, and counts once.

    ``source`` is where on the net the user is. Raises NotAllowed, TooOften, or CodeUnknown, alike for every reason.
    """
    if caller.token is not None:
        raise NotAllowed(
            "A user redeems an access code, not another system. Grant what is needed instead.",
            "En användare löser in en åtkomstkod, inte ett annat system. Ge den behörighet som behövs i stället.",
        )
    tries = (f"redeem/{caller.subject}", f"redeem/source/{hashed(source)}")
    _count(world, tries, actor.at)
    wrong = False
    try:
        return until_written(lambda: _redeem(world, actor, caller.user, code_hash(text)))
    except CodeUnknown:
        wrong = True
        raise
    finally:
        # Counted first and given back, so that many guesses at once are counted too.
        if not wrong:
            for key in tries:
                world.throttle.give_back(key, WINDOW_S, actor.at)


def _count(world: Granting, tries: Sequence[str], now: float) -> None:
    for key in tries:
        if not world.throttle.take(key, MOST_WRONG, WINDOW_S, now):
            raise TooOften(
                f"{MOST_WRONG} wrong codes were tried within an hour. Check what is printed, and try again in an hour.",
                f"{MOST_WRONG} felaktiga koder har provats på en timme. Kontrollera vad som står tryckt, och försök igen om en timme.",
                retry_s=WINDOW_S - int(now) % WINDOW_S,
            )


def _redeem(world: Granting, actor: Actor, user: str, hash_: str) -> Grant:
    registry = world.registry
    key = registry.get(CODE_KEY, of_text(hash_), "")
    code = None if key is None else registry.get(ACCESS_CODE, of_owner(key.owner), key.code)
    if code is None:
        raise _refused()
    done = registry.get(REDEMPTION, of_code(code.id), user)
    if done is not None:
        # What has been revoked since does not come back.
        again = registry.get(GRANT, of_subject(user_subject(user)), done.grant)
        if again is None or not again.validity.holds(actor.at):
            raise _refused()
        return again
    if not code.is_open(actor.at) or not _stands(world, code):
        raise _refused()
    return _give(world, actor, user, code)


def _stands(world: Granting, code: AccessCode) -> bool:
    """Tell whether what a code is for is there, and still the owner's."""
    try:
        return place_of(world.gate, Scope.read(code.scope)).owner == code.owner
    except NotFound:
        return False


def _give(world: Granting, actor: Actor, user: str, code: AccessCode) -> Grant:
    grant = Grant(
        id=world.changing.ids.new(),
        owner=code.owner,
        subject=user_subject(user),
        role=code.role,
        scope=code.scope,
        ends_at=None if code.grant_days is None else actor.at + code.grant_days * DAY_S,
        source=f"code:{code.id}",
        made_at=actor.at,
    )
    put = Put(GRANT, None, grant)
    used = Put(ACCESS_CODE, code, replace(code, used=code.used + 1))
    done = Put(REDEMPTION, None, Redemption(code.id, user, grant.id, actor.at))
    deed = Deed(code.owner, code.scope, "access_code.redeemed")
    world.registry.commit([put, used, done, *traces(world.changing, actor, deed, put)])
    return grant


def _refused() -> CodeUnknown:
    return CodeUnknown(
        "This code gives nothing. Check that it was typed as it is printed, or ask for a new one.",
        "Koden ger ingenting. Kontrollera att den är inskriven som den står tryckt, eller be om en ny.",
    )
