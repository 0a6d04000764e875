"""The outlets and what they are doing."""

from typing import Any

from chalice.app import Blueprint

from epspot.bootstrap import world
from epspot.services.list_outlets import list_outlets
from functions.api import render
from functions.api.errors import answered
from functions.api.requests import user_of

routes = Blueprint(__name__)


@routes.route("/outlets", methods=["GET"])
@answered(routes)
def outlets() -> dict[str, Any]:
    """List the outlets."""
    user_of(routes.current_request)
    return {"outlets": [render.outlet(o) for o in list_outlets(world().listing)]}
