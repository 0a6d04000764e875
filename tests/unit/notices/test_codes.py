"""The mails that carry codes."""

import pytest

from epspot.notices.letters import LANGUAGES, Letter, letter


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", Letter)
def test_every_mail_is_there_in_every_language(what: Letter, language: str) -> None:
    """Every mail has a subject and a text, and those that carry a code have it once filled in."""
    text = letter(what, language).with_code("123456")
    assert text.subject
    assert ("123456" in text.body) == (what is not Letter.KNOWN)
    assert "{" not in text.subject + text.body


def test_languages_are_told_apart() -> None:
    """English is written to who asks for it in any form, Swedish to everybody else."""
    assert letter(Letter.SIGN_IN, "en-GB") == letter(Letter.SIGN_IN, "en")
    assert letter(Letter.SIGN_IN, "") == letter(Letter.SIGN_IN, "fi") == letter(Letter.SIGN_IN, "sv")
    assert letter(Letter.SIGN_IN, "sv") != letter(Letter.SIGN_IN, "en")
