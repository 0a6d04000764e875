"""The user pool's questions, in the form in which it asks them."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from epspot.access.challenge import CODE_S, TRIES
from functions.identity import handler as identity
from tests.unit.functions.conftest import Logged
from tests.unit.services.house import House


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of itself."""

    function_name: str = "identity"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn"
    aws_request_id: str = "r"


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """Put a house behind the function."""
    made = House()
    monkeypatch.setattr(identity, "world", lambda: made)
    return made


def ask(trigger: str, **request: Any) -> dict[str, Any]:
    """Ask as the pool does; return the answer."""
    event = {"triggerSource": trigger, "userName": "u", "request": request, "response": {"kept": "as it was"}}
    told = identity.handler(event, Context())
    assert told is event
    assert told["response"]["kept"] == "as it was"
    answer: dict[str, Any] = told["response"]
    return answer


def sign_in(house: House, answers: list[str], **who: Any) -> list[bool]:
    """Go through a sign-in as the pool does: ask, create, verify, and again; tell after each answer whether it let in."""
    session: list[dict[str, Any]] = []
    let_in = []
    for answer in answers:
        defined = ask("DefineAuthChallenge_Authentication", session=session, **who)
        if defined["failAuthentication"]:
            break
        assert defined["challengeName"] == "CUSTOM_CHALLENGE"
        made = ask("CreateAuthChallenge_Authentication", session=session, **who)
        assert made["publicChallengeParameters"] == {}
        said = house.mail.sent[-1][1][:6] if answer == "right" and house.mail.sent else answer
        private = made["privateChallengeParameters"]
        checked = ask(
            "VerifyAuthChallengeResponse_Authentication",
            privateChallengeParameters=private,
            challengeAnswer=said,
            **who,
        )
        session.append(
            {
                "challengeName": "CUSTOM_CHALLENGE",
                "challengeResult": checked["answerCorrect"],
                "challengeMetadata": made["challengeMetadata"],
            }
        )
        let_in.append(ask("DefineAuthChallenge_Authentication", session=session, **who)["issueTokens"])
    return let_in


ANNA = {"userAttributes": {"email": "anna@example.com", "locale": "en"}}


def test_a_code_lets_in(house: House) -> None:
    """The code goes to the user's address in the user's language, once, and lets in at the second try too."""
    assert sign_in(house, ["wrong", "right"], **ANNA) == [False, True]
    ((to, subject, body),) = house.mail.sent
    assert (to, subject[6:]) == ("anna@example.com", " is your code for EpSpot")
    assert subject[:6] in body


def test_three_tries(house: House) -> None:
    """After three wrong answers the right one is not asked for."""
    assert sign_in(house, ["000000"] * TRIES + ["right"], **ANNA) == [False] * TRIES


def test_a_code_is_over(house: House) -> None:
    """A code that has waited too long lets nobody in."""
    made = ask("CreateAuthChallenge_Authentication", session=[], **ANNA)
    house.clock.at += CODE_S
    asked = {"privateChallengeParameters": made["privateChallengeParameters"], **ANNA}
    told = ask("VerifyAuthChallengeResponse_Authentication", challengeAnswer=house.mail.sent[0][1][:6], **asked)
    assert told["answerCorrect"] is False


def test_who_is_not_known(house: House) -> None:
    """For an address that nobody has, the same is asked, nothing is sent, and nothing is right."""
    assert sign_in(house, ["right", "", "-"], userNotFound=True, userAttributes={}) == [False] * 3
    assert house.mail.sent == []


def test_a_mail_that_fails_tells_nothing(house: House, logged: Logged) -> None:
    """When the mail can't be sent the question is asked all the same, nothing is right, and the log names no address."""
    house.mail.broken = True
    assert sign_in(house, ["right", ""], **ANNA) == [False] * 2
    assert "anna" not in json.dumps(logged())
    assert [line["level"] for line in logged() if "could not be sent" in line["message"]] == ["ERROR"]


def test_nothing_said_is_logged(house: House, logged: Logged) -> None:
    """The log tells which questions were asked, and neither addresses nor codes."""
    sign_in(house, ["right"], **ANNA)
    told = json.dumps(logged())
    assert "VerifyAuthChallengeResponse_Authentication" in told
    assert "anna" not in told
    assert house.mail.sent[0][1][:6] not in told


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ("CustomMessage_SignUp", "bekräfta din e-postadress"),
        ("CustomMessage_ResendCode", "bekräfta din e-postadress"),
        ("CustomMessage_ForgotPassword", "nytt lösenord"),
    ],
)
def test_the_words_of_the_pools_mails(house: House, trigger: str, words: str) -> None:
    """The pool's own mails speak the user's language and leave room for the pool's code."""
    assert house.mail.sent == []
    told = ask(trigger, userAttributes={"locale": "sv"}, codeParameter="{####}")
    assert words in told["emailMessage"]
    assert "{####}" in told["emailMessage"]
    assert told["emailSubject"]


def test_other_questions_are_left_to_the_pool(house: House) -> None:
    """A mail that is not ours keeps the pool's words, and an unknown question its answer."""
    assert house.mail.sent == []
    assert ask("CustomMessage_AdminCreateUser", codeParameter="{####}") == {"kept": "as it was"}
    assert ask("PreTokenGeneration_Authentication") == {"kept": "as it was"}
    assert identity.handler({"Records": []}, Context()) == {"Records": []}
