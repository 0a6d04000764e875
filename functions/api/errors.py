"""What a caller is told when something is refused: one table from errors to statuses, one form of answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from chalice.app import Response

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
    errors.Conflict: 503,
}


def status_of(error: errors.EpSpotError) -> int:
    """Tell the HTTP status of an error."""
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 400)


def refusal(status: int, code: str, message: str) -> Response:
    """Make the answer of a refused request: a code for programs, a text for people."""
    return Response(status_code=status, body={"error": {"code": code, "message": message}})


def answered(view: Callable[..., Any]) -> Callable[..., Any]:
    """Turn what a view raises into an answer; what nobody expected is logged and told without details."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except errors.Refusal as error:
            return refusal(status_of(error), error.code, str(error))
        except errors.Conflict as error:
            return refusal(status_of(error), "busy", "Too much happened at this site at once. Try again.")
        except Exception:  # noqa: BLE001 - the last line before the caller, who must see no stack trace
            logger.exception("a request failed")
            return refusal(500, "internal", "Something went wrong on our side. Try again later.")

    return wrapped
