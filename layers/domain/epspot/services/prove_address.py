"""Let somebody in who reads what is sent to an address: the questions that the user pool asks us on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from epspot.access.challenge import Code, Next, Round, go_on
from epspot.notices.letters import Letter, letter
from epspot.ports import Clock, Ids, Mail


@dataclass(frozen=True, slots=True)
class Proving:
    """What it takes to ask for a code."""

    mail: Mail
    ids: Ids
    clock: Clock


def next_question(rounds: Sequence[Round], *, known: bool) -> Next:
    """Tell how a sign-in goes on."""
    return go_on(rounds, known=known)


def ask_for_code(proving: Proving, rounds: Sequence[Round], email: str | None, language: str) -> Code:
    """Make a code and send it, once: later rounds ask for the same. Raises MailUnavailable.

    Nobody has the address if there is no ``email``: the code is sent nowhere.
    """
    if rounds:
        return Code.read(rounds[-1].kept)
    code = Code.of(proving.ids.secret(), proving.clock.now())
    if email:
        text = letter(Letter.SIGN_IN, language).with_code(code.text)
        proving.mail.send(email, text.subject, text.body)
    return code


def check_code(proving: Proving, kept: str, answer: str) -> bool:
    """Tell whether an answer is the code that was sent, in time."""
    return Code.read(kept).is_answered_by(answer, proving.clock.now())
