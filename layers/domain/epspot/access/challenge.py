"""Prove by a code sent to an e-mail address that one reads what is sent there: no password is needed."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

TRIES = 3
CODE_S = 300.0
"""How long a code holds."""
DIGITS = 6


class Next(StrEnum):
    """How a sign-in goes on."""

    ASK = "ask"
    LET_IN = "let_in"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Round:
    """One question and how it was answered."""

    by_code: bool
    """It asked for a code from a mail, not for something else that the user pool can ask for."""
    right: bool | None
    kept: str = ""
    """What ``Code.keep`` has written."""


@dataclass(frozen=True, slots=True)
class Code:
    """What was sent, and until when it holds."""

    text: str
    ends_at: float

    @classmethod
    def of(cls, secret: str, now: float) -> "Code":
        """Make a code from a secret that nobody guesses."""
        number = int(hashlib.sha256(secret.encode()).hexdigest(), 16) % 10**DIGITS
        return cls(f"{number:0{DIGITS}}", now + CODE_S)

    def keep(self) -> str:
        """Write it so that the next round finds it."""
        return f"{self.text}-{self.ends_at:.0f}"

    @classmethod
    def read(cls, kept: str) -> "Code":
        """Read what was kept; nothing is a code that is over."""
        text, _, ends_at = kept.partition("-")
        return cls(text, float(ends_at or 0))

    def is_answered_by(self, answer: str, now: float) -> bool:
        """Tell whether an answer is the code, in time; it takes as long whatever the answer is."""
        same = hmac.compare_digest(self.text.encode(), answer.strip().encode())
        return same and now < self.ends_at and bool(self.text)


def go_on(rounds: Sequence[Round], *, known: bool) -> Next:
    """Decide how a sign-in goes on after some rounds; who is not ``known`` is asked alike, and never let in."""
    if not all(r.by_code for r in rounds):
        return Next.REFUSE
    if known and rounds and rounds[-1].right:
        return Next.LET_IN
    return Next.REFUSE if len(rounds) >= TRIES else Next.ASK
