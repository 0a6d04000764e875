"""The door, before anybody is known: how often something may be tried there, which passwords do, and what it takes to let in."""

from collections.abc import Mapping
from dataclasses import dataclass

from epspot.access.hashes import hashed
from epspot.access.subjects import email_hash
from epspot.errors import InvalidRequest, TooOften
from epspot.ports import Clock, Identity, Ids, Mail, Registry, Throttle

QUARTER_S, HOUR_S = 900, 3600
LEAST_PASSWORD = 12


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may be tried in a window: with one e-mail address, and from one place on the net."""

    of_address: int
    of_source: int
    window_s: int


LIMITS: Mapping[str, Limit] = {
    "password": Limit(10, 300, QUARTER_S),
    "code": Limit(10, 300, QUARTER_S),
    "mail": Limit(10, 100, HOUR_S),
    "refresh": Limit(60, 600, QUARTER_S),
}
"""Many people may share a source, such as an office or a mobile network."""


@dataclass(frozen=True, slots=True)
class Door:
    """What it takes to let people in."""

    identity: Identity
    registry: Registry
    throttle: Throttle
    mail: Mail
    ids: Ids
    clock: Clock


@dataclass(frozen=True, slots=True)
class Knock:
    """Who tries: the address that they say they have (or the token that they show), and where on the net they are."""

    email: str
    source: str

    @property
    def email_hash(self) -> str:
        """Name the address without telling it."""
        return email_hash(self.email)


def limit(door: Door, what: str, knock: Knock) -> None:
    """Refuse what is tried too often, whether there is such an address or not. Raises TooOften."""
    allowed, now = LIMITS[what], door.clock.now()
    source = hashed(knock.source)
    if not door.throttle.take(f"{what}/source/{source}", allowed.of_source, allowed.window_s, now) or not (
        door.throttle.take(f"{what}/email/{knock.email_hash}", allowed.of_address, allowed.window_s, now)
    ):
        retry_s = allowed.window_s - int(now) % allowed.window_s
        minutes = -(-retry_s // 60)
        raise TooOften(
            f"This was tried too often. Try again in {minutes} min.",
            f"För många försök. Försök igen om {minutes} min.",
            retry_s,
        )


def check_password(password: str) -> None:
    """Refuse a password that is too easily found. Raises InvalidRequest."""
    if (
        len(password) < LEAST_PASSWORD
        or not any(c.islower() for c in password)
        or not any(c.isdigit() for c in password)
    ):
        raise InvalidRequest(
            f"The password must have at least {LEAST_PASSWORD} characters, among them a lower-case letter and a digit.",
            f"Lösenordet måste ha minst {LEAST_PASSWORD} tecken, däribland en liten bokstav och en siffra.",
        )
