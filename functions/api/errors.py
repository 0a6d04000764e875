"""What a caller is told when something is refused: problem details (RFC 9457), from one table of errors to statuses."""

import json
from http import HTTPStatus
from typing import Any

from chalice.app import Request, Response

from epspot import errors
from functions.observability import logger

PROBLEM = "application/problem+json"


class TooLarge(errors.Refusal):
    """The body is larger than anything that the operation takes."""

    code = "too_large"


class WrongMedia(errors.Refusal):
    """The body is in a form that the operation does not take."""

    code = "wrong_media_type"


class NoOperation(errors.Refusal):
    """There is nothing at this path."""

    code = "no_such_operation"


class WrongMethod(errors.Refusal):
    """What is at this path does not know this method."""

    code = "wrong_method"


STATUSES: dict[type[errors.EpSpotError], int] = {
    errors.InvalidRequest: 400,
    errors.WrongCode: 400,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotAuthorised: 403,
    errors.NotFound: 404,
    NoOperation: 404,
    WrongMethod: 405,
    errors.AccountNeeded: 409,
    errors.LastAdministrator: 409,
    errors.NameTaken: 409,
    errors.OutletOccupied: 409,
    errors.SessionOver: 409,
    errors.TariffUsed: 409,
    errors.VersionChanged: 412,
    TooLarge: 413,
    WrongMedia: 415,
    errors.InvalidSite: 422,
    errors.InvalidTariff: 422,
    errors.KeyReused: 422,
    errors.VersionMissing: 428,
    errors.TooOften: 429,
    errors.OwnerSilent: 503,
    errors.OutletOffline: 503,
    errors.OutletFaulty: 503,
    errors.MailUnavailable: 503,
    errors.Conflict: 503,
}

_BUSY = ("Too much happened here at once. Try again.", "Det hände för mycket här samtidigt. Försök igen.")
_INTERNAL = ("Something went wrong on our side. Try again later.", "Något gick fel hos oss. Försök igen senare.")
_RETRY_S = {429: "60", 503: "2"}


def status_of(error: errors.EpSpotError) -> int:
    """Tell the HTTP status of an error."""
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 400)


def language_of(request: Request) -> str:
    """Tell whether a caller would rather read Swedish (``sv``) or English (``en``)."""
    return "sv" if request.headers.get("accept-language", "").strip().lower().startswith("sv") else "en"


def refusal(error: Exception, request: Request) -> Response:
    """Turn what a view has raised into an answer; what nobody expected is logged and told without details."""
    if isinstance(error, errors.Refusal):
        status, code, texts = status_of(error), error.code, (str(error), error.swedish)
    elif isinstance(error, errors.Conflict):
        status, code, texts = status_of(error), "busy", _BUSY
    else:
        logger.error("a request failed", exc_info=error)
        status, code, texts = 500, "internal", _INTERNAL
    body: dict[str, Any] = {
        "type": f"urn:epspot:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": texts[language_of(request) == "sv"],
        "request_id": (request.context or {}).get("requestId"),
    }
    if isinstance(error, errors.InvalidSite | errors.InvalidTariff):
        body["problems"] = list(error.problems)
    headers: dict[str, str | list[str]] = {"Content-Type": PROBLEM}
    if status in _RETRY_S:
        headers["Retry-After"] = str(error.retry_s) if isinstance(error, errors.TooOften) else _RETRY_S[status]
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(status_code=status, body=json.dumps(body, ensure_ascii=False), headers=headers)
