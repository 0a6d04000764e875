"""People with accounts, who do over the API what an app would do."""

import json
import secrets
from typing import Any
from uuid import uuid4

import urllib3

from infra.local.deploy import Outputs
from infra.local.ministack import Account

TIMEOUT_S = 30.0


class ApiError(RuntimeError):
    """The API refused; ``status`` and ``code`` say how."""

    def __init__(self, status: int, body: Any) -> None:
        problem = body if isinstance(body, dict) else {}
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail') or body}")
        self.status = status
        self.code = problem.get("code")


class Api:
    """The REST API, as anyone may call it; with a token, as one user."""

    def __init__(self, address: str, token: str | None = None, pool: urllib3.PoolManager | None = None) -> None:
        self._address = address
        self._token = token
        self._pool = pool or urllib3.PoolManager(maxsize=16, retries=False, timeout=TIMEOUT_S)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Make a request, with bytes as they are and all else as JSON, and return its JSON. Raises ApiError."""
        sent = {"Content-Type": "application/json"} | (headers or {})
        if self._token is not None:
            sent["Authorization"] = self._token
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body)
        answer = self._pool.request(method, self._address + path, body=raw, headers=sent)
        try:
            told = json.loads(answer.data)
        except ValueError:
            told = answer.data[:200].decode("utf-8", "replace")
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's own border
            raise ApiError(answer.status, told)
        return told

    def sign_in(self, email: str, password: str) -> "Api":
        """Become a user."""
        told = self.call("POST", "/v1/sign-in", {"email": email, "password": password})
        return Api(self._address, told["id_token"], self._pool)

    def outlets(self, site: str) -> list[dict[str, Any]]:
        """List the outlets of a site that one may use."""
        found: list[dict[str, Any]] = self.call("GET", f"/v1/sites/{site}/outlet-states")["items"]
        return found

    def start(self, outlet: str, key: str | None = None, **wishes: Any) -> dict[str, Any]:
        """Start a session, with what is wanted of it under the API's own names."""
        started: dict[str, Any] = self.call(
            "POST", "/v1/sessions", {"outlet": outlet} | wishes, {"Idempotency-Key": key or str(uuid4())}
        )
        return started

    def session(self, session: str) -> dict[str, Any]:
        """Look at a session."""
        seen: dict[str, Any] = self.call("GET", f"/v1/sessions/{session}")
        return seen

    def stop(self, session: str) -> dict[str, Any]:
        """Stop a session."""
        stopped: dict[str, Any] = self.call("POST", f"/v1/sessions/{session}/stop")
        return stopped

    def pause(self, session: str) -> dict[str, Any]:
        """Let a session be without current."""
        paused: dict[str, Any] = self.call("POST", f"/v1/sessions/{session}/pause")
        return paused

    def resume(self, session: str) -> dict[str, Any]:
        """Let a paused session have current again."""
        resumed: dict[str, Any] = self.call("POST", f"/v1/sessions/{session}/resume")
        return resumed

    def change(self, session: str, **wishes: Any) -> dict[str, Any]:
        """Want something else of a session: all its wishes anew."""
        changed: dict[str, Any] = self.call("PUT", f"/v1/sessions/{session}/wishes", wishes)
        return changed

    def history(self) -> list[dict[str, Any]]:
        """List one's sessions."""
        found: list[dict[str, Any]] = self.call("GET", "/v1/sessions")["items"]
        return found


def address_of(account: Account, outputs: Outputs) -> str:
    """Address the API in the emulated account."""
    return f"{account.endpoint}/_aws/execute-api/{outputs.api_id}/api"


def enrol(account: Account, outputs: Outputs, email: str) -> str:
    """Make a user with a random password, and return it."""
    password = f"Aa1!{secrets.token_urlsafe(12)}"
    pool = account.client("cognito-idp")
    pool.admin_create_user(UserPoolId=outputs.user_pool_id, Username=email, MessageAction="SUPPRESS")
    pool.admin_set_user_password(UserPoolId=outputs.user_pool_id, Username=email, Password=password, Permanent=True)
    return password
