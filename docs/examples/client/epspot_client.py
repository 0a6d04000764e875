"""A client of EpSpot's API in one file, on the standard library alone: copy it, and change what you like.

me = Client("https://…/api").sign_in("anna@example.com", "…")
for outlet in me.pages("/v1/outlets", latitude=63.8, longitude=20.3, distance_m=500):
    print(outlet["number"], outlet["state"])
session = me.create("/v1/sessions", {"outlet": outlet["id"]})
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import OpenerDirector, Request, build_opener
from uuid import uuid4

PATIENT_STATUSES = frozenset({429, 503})
"""What is refused with these may be asked again after a while."""


class Refused(Exception):
    """The API has refused (RFC 9457): ``code`` is for programs, ``detail`` says what to do."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.retry_after_s = retry_after_s
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail", ""))
        self.problems: list[str] = list(problem.get("problems", ()))
        self.request_id = problem.get("request_id")
        super().__init__(f"{status} {self.code}: {self.detail}")


@dataclass(frozen=True)
class Read:
    """What was read, and the version that it had."""

    body: Any
    etag: str | None


@dataclass(frozen=True)
class Client:
    """The API as one caller reaches it: nobody, a user with an id token, or a system with an integration token."""

    api: str
    """Its address, without ``/v1``."""
    token: str | None = None
    language: str = "en"
    attempts: int = 4
    """How often to ask in all, where asking again does no harm."""
    timeout_s: float = 30.0
    opener: OpenerDirector = field(default_factory=build_opener)
    sleep: Callable[[float], None] = time.sleep

    def sign_in(self, email: str, password: str) -> "Client":
        """Become a user for an hour."""
        told = self.ask("POST", "/v1/sign-in", {"email": email, "password": password}).body
        return Client(self.api, told["id_token"], self.language, self.attempts, self.timeout_s, self.opener, self.sleep)

    def read(self, path: str, **query: Any) -> Read:
        """Read something, with its version."""
        return self._patiently(lambda: self.ask("GET", path, query=query))

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Go through a list of any length; pages are fetched as they are needed."""
        cursor: str | None = None
        while True:
            told = self.read(path, **query, **({} if cursor is None else {"cursor": cursor})).body
            yield from told["items"]
            cursor = told["next"]
            if cursor is None:
                return

    def create(self, path: str, body: Any = None) -> Any:
        """Make something, once: whatever gets lost on the way, the key is the same at every attempt."""
        headers = {"Idempotency-Key": str(uuid4())}
        return self._patiently(lambda: self.ask("POST", path, body, headers)).body

    def change(self, path: str, edit: Callable[[Any], Any]) -> Any:
        """Read, edit and write back; if somebody else was faster, from the start."""
        for attempt in range(1, self.attempts + 1):
            before = self.read(path)
            try:
                return self.ask("PUT", path, edit(before.body), {"If-Match": before.etag or "*"}).body
            except Refused as refused:
                if refused.code != "version_changed" or attempt == self.attempts:
                    raise
        raise AssertionError  # the loop returns or raises

    def remove(self, path: str) -> None:
        """Take something away, as it was read now."""
        self.ask("DELETE", path, headers={"If-Match": self.read(path).etag or "*"})

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Read:
        """Ask once. Raises Refused, or URLError when there is no answer."""
        sent = {"Accept-Language": self.language, **(headers or {})}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        url = self.api + path + (f"?{urlencode(query)}" if query else "")
        request = Request(url, None if body is None else json.dumps(body).encode(), sent, method=method)  # noqa: S310 - the caller's own address
        try:
            with self.opener.open(request, timeout=self.timeout_s) as answer:
                text = answer.read()
                return Read(json.loads(text) if text else None, answer.headers["ETag"])
        except HTTPError as error:
            raise _refused(error) from None

    def _patiently(self, ask: Callable[[], Read]) -> Read:
        """Ask again, after a while, what can be asked again."""
        for attempt in range(1, self.attempts):
            try:
                return ask()
            except Refused as refused:
                if refused.status not in PATIENT_STATUSES:
                    raise
                wait_s = refused.retry_after_s or attempt
            except URLError:
                wait_s = attempt
            self.sleep(wait_s)
        return ask()


def _refused(error: HTTPError) -> Refused:
    """Read a refusal; what stands on the way may refuse in a form of its own."""
    try:
        problem = json.loads(error.read())
    except ValueError:
        problem = {}
    seconds = error.headers.get("Retry-After", "")
    return Refused(
        error.code, problem if isinstance(problem, dict) else {}, float(seconds) if seconds.isdigit() else None
    )
