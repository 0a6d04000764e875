"""A gateway without sockets: HTTP requests in, answers of the API's handler out, as API Gateway passes them on."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from functions.api.app import handler


def event_of(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> dict[str, Any]:
    """Make the event of a request: a body that is text goes as it is, another in base64."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    text, encoded = _text(body or b"")
    return {
        "httpMethod": method,
        "path": parts.path,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": {"proxy": unquote(parts.path.strip("/"))},
        "stageVariables": None,
        "body": text or None,
        "isBase64Encoded": encoded,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": "/{proxy+}",
            "requestId": "r1",
            "identity": {"sourceIp": "192.0.2.1"},
            "stage": "api",
        },
    }


def ask(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> tuple[int, dict[str, str], str]:
    """Ask the API; return status, headers and body."""
    told = handler(event_of(method, url, headers, body), None)
    return told["statusCode"], {name: str(value) for name, value in told["headers"].items()}, told["body"]


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return b64encode(body).decode(), True
