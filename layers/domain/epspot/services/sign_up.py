"""Become a user: an address is a user's when its mail is read by whoever signed up with it."""

import hmac
from dataclasses import dataclass

from epspot.access.hashes import hashed
from epspot.errors import Conflict, MailUnavailable, WrongCode
from epspot.notices.letters import Letter, letter
from epspot.registry.kinds import Put, Remove
from epspot.registry.people import PROFILE, SIGN_UP, SIGN_UP_S, Profile, SignUp, of_person
from epspot.services.door import Door, Knock, check_password, limit


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who wants to sign up; without a password they will sign in by code."""

    knock: Knock
    password: str | None
    name: str
    language: str


def sign_up(door: Door, newcomer: Newcomer) -> str:
    """Send a code to the address; return the session that confirms it.

    Whether somebody has the address already is told to nobody but its reader. Raises InvalidRequest or TooOften.
    """
    knock, secret = newcomer.knock, door.ids.secret()
    if newcomer.password is not None:
        check_password(newcomer.password)
    limit(door, "mail", knock)
    # A password that nobody knows holds all that the pool demands of one.
    password = newcomer.password or f"Aa1-{door.ids.secret()}"
    user = door.identity.sign_up(knock.email, password, newcomer.name, newcomer.language)
    if user is None:
        _tell_reader(door, newcomer)
        return secret
    before = door.registry.get(SIGN_UP, f"SIGNUP#{knock.email_hash}", "")
    now = door.clock.now()
    begun = SignUp(knock.email_hash, hashed(secret), user, newcomer.name, newcomer.language, now)
    door.registry.commit([Put(SIGN_UP, before, begun)])
    return secret


def _tell_reader(door: Door, newcomer: Newcomer) -> None:
    text = letter(Letter.KNOWN, newcomer.language)
    try:
        door.mail.send(newcomer.knock.email, text.subject, text.body)
    except MailUnavailable:
        return


def confirm_sign_up(door: Door, knock: Knock, session: str, code: str) -> None:
    """Take an address as a user's, with the session and the code of its sign-up. Raises WrongCode or TooOften."""
    limit(door, "code", knock)
    begun = door.registry.get(SIGN_UP, f"SIGNUP#{knock.email_hash}", "")
    now = door.clock.now()
    theirs = begun is not None and hmac.compare_digest(begun.session_hash, hashed(session))
    if begun is None or not theirs or now >= begun.made_at + SIGN_UP_S:
        raise WrongCode(
            "The code is wrong, used or too old. Look in the newest mail, or sign up again.",
            "Koden är fel, använd eller för gammal. Titta i det senaste mejlet, eller skapa kontot på nytt.",
        )
    door.identity.confirm(knock.email, code)
    known = door.registry.get(PROFILE, of_person(begun.user), "")
    profile = Profile(begun.user, knock.email.lower(), begun.name, begun.language)
    try:
        door.registry.commit([Put(PROFILE, known, profile), Remove(SIGN_UP, begun)])
    except Conflict:
        # The same confirmation, sent twice at once, was first: the pool itself has taken one code once.
        return


def send_sign_up_again(door: Door, knock: Knock) -> None:
    """Send the code of a sign-up once more; the session stays the same. Raises TooOften."""
    limit(door, "mail", knock)
    door.identity.send_again(knock.email)
