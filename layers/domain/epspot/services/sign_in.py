"""Sign in with a password or a code, stay signed in, and sign out. Nothing tells whether there is such an address."""

import hmac

from epspot.access.challenge import CODE_S
from epspot.access.hashes import hashed
from epspot.errors import Conflict, NotSignedIn
from epspot.ports import Tokens
from epspot.registry.kinds import Change, Put, Remove
from epspot.registry.people import ATTEMPT, Attempt
from epspot.services.door import Door, Knock, check_password, limit


def sign_in(door: Door, knock: Knock, password: str) -> Tokens:
    """Give tokens for a password. Raises NotSignedIn or TooOften."""
    limit(door, "password", knock)
    return door.identity.sign_in(knock.email, password)


def send_code(door: Door, knock: Knock) -> str:
    """Send a code to an address, if it is a user's; return the session that it is told with.

    Raises MailUnavailable or TooOften.
    """
    door.mail.check()
    limit(door, "mail", knock)
    secret, attempt = door.ids.secret(), door.identity.send_code(knock.email)
    if attempt is not None:
        ends_at = door.clock.now() + CODE_S
        door.registry.commit([Put(ATTEMPT, None, Attempt(hashed(secret), knock.email_hash, attempt, ends_at))])
    return secret


def try_code(door: Door, knock: Knock, session: str, code: str) -> Tokens:
    """Give tokens for the code that was sent. Raises NotSignedIn, alike for every reason, or TooOften."""
    limit(door, "code", knock)
    under = f"ATTEMPT#{hashed(session)}"
    known = door.registry.get(ATTEMPT, under, "")
    if (
        known is None
        or not hmac.compare_digest(known.email_hash, knock.email_hash)
        or known.ends_at <= door.clock.now()
    ):
        raise _wrong()
    try:
        told = door.identity.try_code(knock.email, known.attempt, code)
    except NotSignedIn:
        _note(door, Remove(ATTEMPT, known))
        raise _wrong() from None
    if isinstance(told, Tokens):
        _note(door, Remove(ATTEMPT, known))
        return told
    _note(door, Put(ATTEMPT, known, Attempt(known.session_hash, known.email_hash, told, known.ends_at)))
    raise _wrong()


def _note(door: Door, change: Change) -> None:
    try:
        door.registry.commit([change])
    except Conflict:
        # Another try with the same session, at once: the pool counts the tries, and lets one code in once.
        return


def _wrong() -> NotSignedIn:
    return NotSignedIn(
        "The code is wrong or too old. After three tries, ask for a new one.",
        "Koden är fel eller har gått ut. Be om en ny efter tre försök.",
    )


def refresh(door: Door, refresh_token: str, source: str) -> Tokens:
    """Give new tokens to whoever has signed in before. Raises NotSignedIn or TooOften."""
    limit(door, "refresh", Knock(refresh_token, source))
    return door.identity.refresh(refresh_token)


def sign_out(door: Door, refresh_token: str, source: str) -> None:
    """Let a refresh token give no more tokens; those that it has given last their hour. Raises TooOften."""
    limit(door, "refresh", Knock(refresh_token, source))
    door.identity.sign_out(refresh_token)


def forget_password(door: Door, knock: Knock) -> None:
    """Send a code to choose a new password with, if the address is a user's. Raises TooOften."""
    limit(door, "mail", knock)
    door.identity.forgot_password(knock.email)


def reset_password(door: Door, knock: Knock, code: str, password: str) -> None:
    """Set a password with the code that was sent. Raises InvalidRequest, WrongCode or TooOften."""
    check_password(password)
    limit(door, "code", knock)
    door.identity.reset_password(knock.email, code, password)
