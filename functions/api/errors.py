"""What a caller is told when something is refused: one table from errors to statuses, one form of answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from chalice.app import Blueprint, Response

from epspot import errors
from functions.observability import logger

STATUSES: dict[type[errors.EpSpotError], int] = {
    errors.InvalidRequest: 400,
    errors.NotSignedIn: 401,
    errors.NotFound: 404,
    errors.OutletOccupied: 409,
    errors.SessionOver: 409,
    errors.KeyReused: 422,
    errors.OutletOffline: 503,
    errors.OutletFaulty: 503,
    errors.Conflict: 503,
}


def status_of(error: errors.EpSpotError) -> int:
    """Tell the HTTP status of an error."""
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 400)


_BUSY = ("Too much happened at this site at once. Try again.", "För mycket hände på anläggningen just nu. Försök igen.")
_INTERNAL = ("Something went wrong on our side. Try again later.", "Något gick fel hos oss. Försök igen senare.")


def answered(routes: Blueprint) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Turn what a view raises into an answer; what nobody expected is logged and told without details."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            try:
                return view(*args, **kwargs)
            except errors.Refusal as error:
                status, code, texts = status_of(error), error.code, (str(error), error.swedish)
            except errors.Conflict as error:
                status, code, texts = status_of(error), "busy", _BUSY
            except Exception:  # noqa: BLE001 - the last line before the caller, who must see no stack trace
                logger.exception("a request failed")
                status, code, texts = 500, "internal", _INTERNAL
            return _refusal(status, code, texts, routes.current_request.headers.get("Accept-Language", ""))

        return wrapped

    return decorate


def _refusal(status: int, code: str, texts: tuple[str, str], languages: str) -> Response:
    """Make the one form of a refusal: a code for programs, and a text for people in Swedish or English."""
    english, swedish = texts
    message = swedish if languages.strip().lower().startswith("sv") else english
    return Response(status_code=status, body={"error": {"code": code, "message": message}})
