"""The API tells of itself."""

from typing import Any

from functions.api.calls import Answer, Call
from functions.api.operations import operation

_KEPT = {"Cache-Control": "public, max-age=300"}
_ALONE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


@operation("GET", "/v1/health", "Say that the API is there", tag="API", guests=True, answer="Health")
def health(_: Call) -> Any:
    """Say that the API is there."""
    return {"status": "ok"}


@operation(
    "GET", "/v1/openapi.json", "Describe the API for programs (OpenAPI 3.1)", tag="API", guests=True, answer="Anything"
)
def openapi(_: Call) -> Any:
    """Describe the API for programs."""
    from functions.api.openapi import document  # noqa: PLC0415 - few ask for it

    return Answer(document(), headers=_KEPT)


@operation("GET", "/v1/docs", "Describe the API for people", tag="API", guests=True, media="text/html; charset=utf-8")
def read_docs(_: Call) -> Any:
    """Describe the API for people."""
    from functions.api.openapi import page  # noqa: PLC0415 - few ask for it

    return Answer(page(), headers=_KEPT | _ALONE)
