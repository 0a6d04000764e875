"""Who is calling: a password becomes tokens."""

from typing import Any

from chalice.app import Blueprint

from epspot.bootstrap import world
from functions.api.errors import answered
from functions.api.requests import json_of, text_of

routes = Blueprint(__name__)


@routes.route("/sign-in", methods=["POST"])
@answered(routes)
def sign_in() -> dict[str, Any]:
    """Give tokens for ``{"email": …, "password": …}``; the id token goes in the Authorization header."""
    body = json_of(routes.current_request)
    tokens = world().identity.sign_in(text_of(body, "email"), text_of(body, "password"))
    return {
        "id_token": tokens.id_token,
        "refresh_token": tokens.refresh_token,
        "expires_in_s": tokens.expires_in_s,
    }
