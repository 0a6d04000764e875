"""The REST API: a Chalice app whose routes are the operations, behind a gateway that passes every path on."""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from chalice.app import Chalice, Request, Response

from functions.api import errors
from functions.api.calls import answer
from functions.api.operations import OPERATIONS, Operation
from functions.api.routes import (  # noqa: F401 - each adds its operations
    access_codes,
    audit,
    authorisation,
    bridges,
    description,
    grants,
    identity_providers,
    installation,
    live,
    members,
    on_map,
    outlets,
    owners,
    public_data,
    scim,
    sessions,
    sign_in,
    sites,
    tariffs,
    tokens,
    users,
    webhooks,
)
from functions.observability import logger

app = Chalice(app_name="epspot", configure_logs=False, env={})
app.api.binary_types = []

_CORS = {
    "Access-Control-Allow-Origin": "*",  # callers are known by what they show, never by cookies
    "Access-Control-Expose-Headers": "ETag, Location, Link, Retry-After, X-Request-Id",
}
_PREFLIGHT = _CORS | {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept-Language, Idempotency-Key, If-Match, If-None-Match",
    "Access-Control-Max-Age": "600",
}
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request of API Gateway: find its operation, and let Chalice carry it out."""
    start = perf_counter()
    method, path = str(event["httpMethod"]), str(event["path"])
    found = "" if method == "OPTIONS" else _find(method, path)
    if method == "OPTIONS":
        told: dict[str, Any] = {"statusCode": 204, "headers": _PREFLIGHT, "body": ""}
    elif isinstance(found, str):
        told = _refused(event, found)
    else:
        told = app(_routed(event, *found), context)
    request_id = (event.get("requestContext") or {}).get("requestId") or ""
    told["headers"] = {**_CORS, **_SAFE, "X-Request-Id": request_id, "Cache-Control": "no-store", **_headers(told)}
    told.pop("multiValueHeaders", None)
    route = found[0].path if not isinstance(found, str) else None
    logger.info(
        "request",
        method=method,
        route=route,
        status=told["statusCode"],
        ms=round((perf_counter() - start) * 1000, 1),
        request_id=request_id,
    )
    return told


def _headers(told: Mapping[str, Any]) -> dict[str, str]:
    many = {name: values[-1] for name, values in (told.get("multiValueHeaders") or {}).items()}
    return many | dict(told.get("headers") or {})


# ------------------------------------------------------------------ which operation


def _find(method: str, path: str) -> tuple[Operation, dict[str, str]] | str:
    """Find the operation that a request means, with its parameters; else say in which methods there would be one."""
    parts = path.strip("/").split("/")
    known = []
    for op in _ORDERED:
        params = _match(op.path.strip("/").split("/"), parts)
        if params is not None:
            if op.method == method:
                return op, params
            known.append(op.method)
    return ", ".join(sorted(set(known))) or "none"


def _match(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    params = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            params[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return params if all(params.values()) else None


def _routed(event: Mapping[str, Any], op: Operation, params: dict[str, str]) -> dict[str, Any]:
    """Make the event that API Gateway would send, had it known the operation's own path."""
    context = dict(event.get("requestContext") or {}) | {"resourcePath": op.path, "httpMethod": op.method}
    return {**event, "pathParameters": params or None, "requestContext": context}


def _refused(event: Mapping[str, Any], known: str) -> dict[str, Any]:
    request = Request(
        {**event, "pathParameters": None, "requestContext": {**event["requestContext"], "resourcePath": ""}}
    )
    if known == "none":
        error: Exception = errors.NoOperation("There is nothing at this path. /v1/openapi.json tells what there is.")
    else:
        error = errors.WrongMethod(f"This path knows {known}.")
    told: dict[str, Any] = errors.refusal(error, request).to_dict()
    return told


# ------------------------------------------------------------------ Chalice's routes


def _view(op: Operation) -> Callable[..., Response]:
    def view(**_: str) -> Response:
        request = app.current_request
        if request is None:
            raise LookupError(op.name)
        return answer(op, request)

    view.__name__ = op.name
    return view


# A path without parameters goes before one that it would fit too.
_ORDERED = sorted(OPERATIONS, key=lambda op: (len(op.parameters), op.path))
for _op in OPERATIONS:
    # Which forms of a body an operation takes is seen to by the operation, where the refusal has our form.
    app.route(_op.path, methods=[_op.method], name=f"{_op.method} {_op.path}", content_types=[])(_view(_op))
