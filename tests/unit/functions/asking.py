"""Ask the API without a gateway: a request in, an answer out."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from functions.api.app import handler
from tests.unit.services.house import House


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    """JSON as it is, anything else as text."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """Tell the version, as If-Match takes it."""
        return self.headers["ETag"]

    def refused(self, status: int, code: str) -> bool:
        """Tell whether it is a refusal in the one form, with this status and code."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        assert self.body["detail"]
        assert self.body["type"] == f"urn:epspot:problem:{self.body['code']}"
        return (self.status, self.body["status"], self.body["code"]) == (status, status, code)


def _text(body: Any) -> str | None:
    return body if isinstance(body, str) or body is None else json.dumps(body)


@dataclass
class Asker:
    """Asks as somebody: what is shown is ``<user>`` or ``<user> <proved address>`` (``FakeIdentity``), or a token."""

    house: House
    shows: str | None = "anna"
    _keys: int = 0

    def as_(self, shows: str | None) -> "Asker":
        """Ask as somebody else, or as nobody."""
        return Asker(self.house, shows)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        if_match: str | None = None,
        language: str | None = None,
        media: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask; ``key`` is the Idempotency-Key: empty means a new one, None means none."""
        self._keys += 1
        url = urlsplit(path)
        said = {
            "Authorization": None if self.shows is None else f"Bearer {self.shows}",
            "Idempotency-Key": f"{self.shows}-{self._keys}" if key == "" else key,
            "If-Match": if_match,
            "Accept-Language": language,
            "Content-Type": None if body is None else media,
        }
        sent = {name: value for name, value in said.items() if value is not None} | dict(headers or {})
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        told = handler(
            {
                "httpMethod": method,
                "path": url.path,
                "headers": sent,
                "multiValueHeaders": {name: [value] for name, value in sent.items()},
                "queryStringParameters": query or None,
                "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
                "pathParameters": {"proxy": url.path.strip("/")},
                "stageVariables": None,
                "body": b64encode(body).decode() if isinstance(body, bytes) else _text(body),
                "isBase64Encoded": isinstance(body, bytes),
                "requestContext": {
                    "httpMethod": method,
                    "resourcePath": "/{proxy+}",
                    "requestId": f"r{self._keys}",
                    "identity": {"sourceIp": "192.0.2.1"},
                    "stage": "api",
                },
            },
            None,
        )
        text, kind = told["body"], told["headers"].get("Content-Type", "")
        return Answer(told["statusCode"], json.loads(text) if "json" in kind and text else text, told["headers"])
