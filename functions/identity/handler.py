"""The user pool's questions: a sign-in by a code from a mail, and the words of its own mails."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from epspot.access.challenge import Next, Round
from epspot.bootstrap import world
from epspot.errors import MailUnavailable
from epspot.notices.letters import Letter, letter
from epspot.services.prove_address import ask_for_code, check_code, next_question
from functions.observability import logger

_CHALLENGE = "CUSTOM_CHALLENGE"
_LETTERS = {
    "CustomMessage_SignUp": Letter.SIGN_UP,
    "CustomMessage_ResendCode": Letter.SIGN_UP,
    "CustomMessage_ForgotPassword": Letter.PASSWORD,
}


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one question, within the event as the pool wants it. Logs which question, never what it tells."""
    trigger = str(event.get("triggerSource", ""))
    answer = _ANSWERS.get(trigger.partition("_")[0])
    if answer is not None:
        event["response"] = {**(event.get("response") or {}), **answer(trigger, event["request"])}
    logger.info("asked by the user pool", trigger=trigger)
    return event


def _define(_trigger: str, request: Mapping[str, Any]) -> dict[str, Any]:
    next_ = next_question(_rounds(request), known=not request.get("userNotFound"))
    return {
        "issueTokens": next_ is Next.LET_IN,
        "failAuthentication": next_ is Next.REFUSE,
        "challengeName": _CHALLENGE if next_ is Next.ASK else None,
    }


def _create(_trigger: str, request: Mapping[str, Any]) -> dict[str, Any]:
    attributes = request.get("userAttributes") or {}
    email = None if request.get("userNotFound") else attributes.get("email")
    try:
        kept = ask_for_code(world().proving, _rounds(request), email, attributes.get("locale") or "").keep()
    except MailUnavailable as error:
        # Whoever asks must not learn from a failure that the address is known.
        # The cause's own words may hold the address.
        logger.error("a code could not be sent", cause=type(error.__cause__).__name__)
        kept = ""
    return {"publicChallengeParameters": {}, "privateChallengeParameters": {"kept": kept}, "challengeMetadata": kept}


def _verify(_trigger: str, request: Mapping[str, Any]) -> dict[str, Any]:
    kept = (request.get("privateChallengeParameters") or {}).get("kept") or ""
    right = check_code(world().proving, kept, str(request.get("challengeAnswer") or ""))
    return {"answerCorrect": right and not request.get("userNotFound")}


def _words(trigger: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give the words of a mail that the pool sends itself; for one that is not ours, it has its own."""
    if trigger not in _LETTERS:
        return {}
    attributes = request.get("userAttributes") or {}
    text = letter(_LETTERS[trigger], attributes.get("locale") or "").with_code(request["codeParameter"])
    return {"emailSubject": text.subject, "emailMessage": text.body.replace("\n", "<br>")}


_ANSWERS: Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
    "DefineAuthChallenge": _define,
    "CreateAuthChallenge": _create,
    "VerifyAuthChallengeResponse": _verify,
    "CustomMessage": _words,
}


def _rounds(request: Mapping[str, Any]) -> Sequence[Round]:
    return [
        Round(r.get("challengeName") == _CHALLENGE, r.get("challengeResult"), r.get("challengeMetadata") or "")
        for r in request.get("session") or ()
    ]
