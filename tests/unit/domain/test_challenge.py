"""Signing in by a code from a mail: how rounds follow each other, and what a code is."""

import pytest

from epspot.access.challenge import CODE_S, TRIES, Code, Next, Round, go_on

NOW = 1_800_000_000.0
WRONG, RIGHT = Round(by_code=True, right=False), Round(by_code=True, right=True)


def test_a_sign_in_begins_with_a_question() -> None:
    """Who has answered nothing yet is asked."""
    assert go_on([], known=True) is Next.ASK


def test_a_right_answer_lets_in() -> None:
    """A right answer lets in, also after wrong ones."""
    assert go_on([RIGHT], known=True) is Next.LET_IN
    assert go_on([WRONG, WRONG, RIGHT], known=True) is Next.LET_IN


def test_tries_end() -> None:
    """After three wrong answers nobody is asked again."""
    assert go_on([WRONG] * (TRIES - 1), known=True) is Next.ASK
    assert go_on([WRONG] * TRIES, known=True) is Next.REFUSE


def test_only_the_last_answer_counts() -> None:
    """A right answer that was not the last one lets nobody in."""
    assert go_on([RIGHT, WRONG], known=True) is not Next.LET_IN


def test_who_is_not_known_is_asked_alike() -> None:
    """Who has no account is asked as often as others, and never let in."""
    assert [go_on([WRONG] * n, known=False) for n in range(TRIES + 1)] == [Next.ASK] * TRIES + [Next.REFUSE]
    assert go_on([RIGHT], known=False) is Next.ASK


def test_other_questions_lead_nowhere() -> None:
    """A sign-in that began with another kind of question does not go on by code."""
    assert go_on([Round(by_code=False, right=True)], known=True) is Next.REFUSE
    assert go_on([Round(by_code=False, right=True), RIGHT], known=True) is Next.REFUSE


def test_a_code_is_kept_and_found_again() -> None:
    """What is kept of a code is the code."""
    code = Code.of("secret", NOW)
    assert Code.read(code.keep()) == code
    assert (len(code.text), code.text.isdigit()) == (6, True)
    assert Code.of("secret 3", NOW).text != code.text


@pytest.mark.parametrize("text", ["000000", "000042"])
def test_a_code_keeps_its_zeros(text: str) -> None:
    """A code that begins with zeros is answered with them."""
    code = Code.read(Code(text, NOW + 1).keep())
    assert code.is_answered_by(text, NOW)
    assert not code.is_answered_by(text.lstrip("0"), NOW)


def test_a_code_holds_for_its_time() -> None:
    """A code that is right is right until its time is over."""
    code = Code.of("secret", NOW)
    assert code.is_answered_by(f" {code.text} ", NOW + CODE_S - 1)
    assert not code.is_answered_by(code.text, NOW + CODE_S)
    assert not code.is_answered_by("", NOW)
    assert not code.is_answered_by("ÅÄÖ", NOW)


def test_no_code_is_answered_by_nothing() -> None:
    """Where no code was sent, no answer is right: not even an empty one."""
    assert not Code.read("").is_answered_by("", 0.0)
    assert not Code.read("-9999999999").is_answered_by("", NOW)
