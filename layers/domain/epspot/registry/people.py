"""What is kept of people: what they say of themselves, and what they have begun and not finished."""

from dataclasses import dataclass

from epspot.registry.kinds import Kind

CHOICES = ("push", "mail", "none")
"""How somebody may want to be told of something."""
TOLD_OF = ("session_started", "session_ended", "queue", "warnings")
"""What somebody may be told of, as the profile names it."""
LANGUAGE = "sv"
"""Unless somebody chooses another."""
HOUR_S = 3600.0
SIGN_UP_S = 24 * HOUR_S


def of_person(user: str) -> str:
    """Key everything that belongs to a user alone."""
    return f"USER#{user}"


@dataclass(frozen=True, slots=True)
class Profile:
    """What somebody says of themselves. All else in the house knows the id only."""

    user: str
    email: str = ""
    name: str = ""
    language: str = LANGUAGE
    session_started: str = "push"
    session_ended: str = "push"
    queue: str = "push"
    warnings: str = "push"
    version: int = 0


@dataclass(frozen=True, slots=True)
class Car:
    """A vehicle as its user describes it. What is learned of it by charging it stands elsewhere."""

    id: str
    user: str
    name: str
    phases: int
    max_a: float
    battery_wh: int | None = None
    made_at: float = 0.0
    version: int = 0


PROFILE = Kind(
    "PROFILE",
    Profile,
    under=lambda p: of_person(p.user),
    id=lambda _: "",
    hidden=frozenset({"email", "name"}),
)
CAR = Kind("CAR", Car, under=lambda c: of_person(c.user), id=lambda c: c.id, hidden=frozenset({"name"}))


@dataclass(frozen=True, slots=True)
class SignUp:
    """That somebody has begun to sign up.

    Only whoever began it confirms it, so that nobody confirms an account whose password a stranger has thought up.
    """

    email_hash: str
    session_hash: str
    user: str
    name: str
    language: str
    made_at: float
    version: int = 0


SIGN_UP = Kind(
    "SIGNUP",
    SignUp,
    under=lambda s: f"SIGNUP#{s.email_hash}",
    id=lambda _: "",
    expires_at=lambda s: s.made_at + SIGN_UP_S,
    hidden=frozenset({"email_hash", "session_hash", "name"}),
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in by code that is under way: what the user pool calls it changes with each try, what we call it does not."""

    session_hash: str
    email_hash: str
    attempt: str
    ends_at: float
    version: int = 0


ATTEMPT = Kind(
    "ATTEMPT",
    Attempt,
    under=lambda a: f"ATTEMPT#{a.session_hash}",
    id=lambda _: "",
    expires_at=lambda a: a.ends_at,
    hidden=frozenset({"email_hash", "session_hash", "attempt"}),
)
