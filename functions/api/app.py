"""The REST API."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from chalice.app import Chalice, Response

from functions.api.routes import outlets, sessions, sign_in
from functions.observability import logger

app = Chalice(app_name="epspot", configure_logs=False, env={})
app.register_blueprint(sign_in.routes)
app.register_blueprint(outlets.routes)
app.register_blueprint(sessions.routes)


@app.route("/health", methods=["GET"])
def health() -> dict[str, str]:
    """Say that the API is there."""
    return {"status": "ok"}


@app.middleware("http")
def log(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Log one line per request: the route, never its parameters."""
    start = perf_counter()
    response = get_response(event)
    logger.info(
        "request",
        method=event.method,
        route=event.context.get("resourcePath"),
        status=response.status_code,
        ms=round((perf_counter() - start) * 1000, 1),
    )
    return response
