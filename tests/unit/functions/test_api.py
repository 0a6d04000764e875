"""The API without a gateway: requests in, answers out."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from chalice import local
from chalice.test import Client

from functions.api import app as api
from functions.api.routes import outlets, sessions, sign_in
from tests.unit.functions.conftest import Logged
from tests.unit.services.house import OFF, House

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """Open a site and put its house behind every route."""
    made = House().open()
    for module in (outlets, sessions, sign_in):
        monkeypatch.setattr(module, "world", lambda: made)
    return made


@pytest.fixture
def ask(house: House, monkeypatch: pytest.MonkeyPatch) -> Ask:  # noqa: ARG001 - it stands behind the routes
    """Give the means to ask: as a user, or with any claims that a gateway might have verified."""
    claims: dict[str, Any] = {}
    create = local.LambdaEventConverter.create_lambda_event

    def with_claims(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        event: dict[str, Any] = create(self, *args, **kwargs)
        if claims:
            event["requestContext"]["authorizer"] = {"claims": dict(claims)}
        return event

    monkeypatch.setattr(local.LambdaEventConverter, "create_lambda_event", with_claims)

    def asking(
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = "anna",
        key: str | None = "key",
        verified: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        claims.clear()
        claims.update(verified or ({} if user is None else {"sub": user, "token_use": "id"}))
        headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        with Client(api.app) as client:
            answer = getattr(client.http, method.lower())(path, headers=headers, body=sent)
        return answer.status_code, json.loads(answer.body)

    return asking


def refusal(answer: tuple[int, Any]) -> tuple[int, str]:
    """Read an answer that must be a refusal in the API's one form."""
    status, body = answer
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message"}
    assert body["error"]["message"]
    return status, body["error"]["code"]


# ------------------------------------------------------------------ the main way


def test_health_needs_nobody(ask: Ask) -> None:
    """Health is answered without a user."""
    assert ask("GET", "/health", user=None) == (200, {"status": "ok"})


def test_outlets_are_listed(ask: Ask) -> None:
    """The list tells id, number, site, state, current and phases of each outlet."""
    status, body = ask("GET", "/outlets")
    assert status == 200
    assert body["outlets"][0] == {
        "id": "s-1",
        "number": "1",
        "site": {"id": "s", "name": "Garden"},
        "state": "plugged",
        "max_a": 16.0,
        "phases": 1,
    }


def test_a_session_from_start_to_history(ask: Ask, house: House) -> None:
    """Start, follow, stop and history of a session, each with what its reader needs, and no user in it."""
    status, begun = ask("POST", "/sessions", {"outlet": "s-1"})
    assert status == 201
    assert begun | {"id": "", "measured_at": ""} == {
        "id": "",
        "outlet": "s-1",
        "number": "1",
        "state": "active",
        "requested_at": "2027-01-15T08:00:00.000+00:00",
        "ended_at": None,
        "reason": None,
        "energy_wh": 0,
        "start_wh": None,
        "end_wh": None,
        "allowance_a": 12.0,
        "current_a": [0.0],
        "power_w": 0.0,
        "position": None,
        "limited_by": "main/L1",
        "measured_at": "",
    }
    assert ask("POST", "/sessions", {"outlet": "s-1"})[1]["id"] == begun["id"]
    house.note()
    house.clock.at += 60
    house.take(house.frame(M1=OFF._replace(relay=True, limit_a=12.0, current_a=(12.0, 0.0, 0.0), energy_wh=1046)))
    status, seen = ask("GET", f"/sessions/{begun['id']}")
    assert (status, seen["energy_wh"], seen["current_a"]) == (200, 46, [12.0])
    status, stopped = ask("POST", f"/sessions/{begun['id']}/stop")
    assert (status, stopped["state"], stopped["limited_by"]) == (200, "stopping", "stopped")
    house.take(house.frame(M1=OFF._replace(energy_wh=1048)))
    house.note()
    status, listed = ask("GET", "/sessions")
    assert status == 200
    (kept,) = listed["sessions"]
    assert (kept["state"], kept["reason"], kept["energy_wh"]) == ("ended", "stopped", 48)
    assert (kept["start_wh"], kept["end_wh"]) == (1000, 1048)
    assert kept["ended_at"] == "2027-01-15T08:01:00.000+00:00"
    assert "anna" not in json.dumps([begun, seen, stopped, listed])


def test_signing_in(ask: Ask) -> None:
    """A right password gives tokens; a wrong one is refused."""
    right = {"email": "anna@example.com", "password": "right"}
    assert ask("POST", "/sign-in", right, user=None) == (
        200,
        {"id_token": "id-token", "refresh_token": "refresh-token", "expires_in_s": 3600},
    )
    assert refusal(ask("POST", "/sign-in", right | {"password": "wrong"}, user=None)) == (401, "not_signed_in")


# ------------------------------------------------------------------ refusals

PRIVATE = [
    ("GET", "/outlets"),
    ("GET", "/sessions"),
    ("POST", "/sessions"),
    ("GET", "/sessions/x"),
    ("POST", "/sessions/x/stop"),
]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
@pytest.mark.parametrize(
    "verified",
    [{}, {"sub": "anna"}, {"sub": "anna", "token_use": "access"}, {"token_use": "id"}, {"sub": "", "token_use": "id"}],
    ids=str,
)
def test_only_an_id_token_is_a_user(ask: Ask, method: str, path: str, verified: dict[str, str]) -> None:
    """Whatever else the gateway lets through, nobody is served without the claims of an id token."""
    answer = ask(method, path, {"outlet": "s-1"} if method == "POST" else None, user=None, verified=verified)
    assert refusal(answer) == (401, "not_signed_in")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b"\xff\xfe", b"[" * 100_000, b"[]", b'"s-1"', b"null", b"{}", b'{"outlet": 1}'],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_request_is_refused(ask: Ask, body: bytes) -> None:
    """A body that is no JSON object with an outlet in it is refused, however it is broken."""
    assert refusal(ask("POST", "/sessions", body)) == (400, "invalid_request")


@pytest.mark.parametrize("outlet", ["", "x" * 257, None, ["s-1"], {"id": "s-1"}, True])
def test_what_is_no_text_is_refused(ask: Ask, outlet: object) -> None:
    """An outlet's id is a text of 1 to 256 characters."""
    assert refusal(ask("POST", "/sessions", {"outlet": outlet})) == (400, "invalid_request")


@pytest.mark.parametrize("key", [None, "k" * 101, "k\u00e5"])
def test_a_start_needs_a_key(ask: Ask, house: House, key: str | None) -> None:
    """Without a proper Idempotency-Key nothing is started."""
    assert refusal(ask("POST", "/sessions", {"outlet": "s-1"}, key=key)) == (400, "invalid_request")
    assert house.live().sessions == {}


def test_refusals_have_their_status(ask: Ask, house: House) -> None:
    """Each refusal of a use case is told with its own status and code."""
    begun = ask("POST", "/sessions", {"outlet": "s-1"})[1]
    assert refusal(ask("POST", "/sessions", {"outlet": "s-1"}, key="another")) == (409, "outlet_occupied")
    assert refusal(ask("POST", "/sessions", {"outlet": "s-2"})) == (422, "idempotency_key_reused")
    assert refusal(ask("POST", "/sessions", {"outlet": "s-9"}, key="another")) == (404, "outlet_unknown")
    house.take(house.frame(M2=None))
    assert refusal(ask("POST", "/sessions", {"outlet": "s-2"}, key="another")) == (503, "outlet_offline")
    for method, path in (("GET", f"/sessions/{begun['id']}"), ("POST", f"/sessions/{begun['id']}/stop")):
        assert refusal(ask(method, path, user="bo")) == (404, "session_unknown")
    ask("POST", f"/sessions/{begun['id']}/stop")
    assert refusal(ask("POST", f"/sessions/{begun['id']}/stop")) == (409, "session_over")


def test_too_much_at_once_may_be_tried_again(ask: Ask, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the races at a site never end, the caller is asked to try again."""
    from epspot.errors import Conflict  # noqa: PLC0415

    def lose(*_: object) -> None:
        raise Conflict("s")

    monkeypatch.setattr(house.lives, "commit", lose)
    assert refusal(ask("POST", "/sessions", {"outlet": "s-1"})) == (503, "busy")


def test_what_nobody_expected_is_told_without_details(
    ask: Ask, house: House, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    """An unexpected error is logged with its trace, and told without a word of it."""

    def fail(*_: object) -> None:
        raise RuntimeError("the password of the database is 1234")

    monkeypatch.setattr(house.lives, "load", fail)
    status, body = ask("GET", "/outlets")
    assert refusal((status, body)) == (500, "internal")
    assert "1234" not in json.dumps(body)
    assert "Traceback" not in json.dumps(body)
    assert [line["level"] for line in logged() if "1234" in json.dumps(line)] == ["ERROR"]


def test_a_request_logs_its_route_and_nothing_else(ask: Ask, logged: Logged) -> None:
    """One line per request names method, route and status, and neither user, session, outlet nor key."""
    begun = ask("POST", "/sessions", {"outlet": "s-1"}, user="user-4711", key="key-4711")[1]
    ask("GET", f"/sessions/{begun['id']}", user="user-4711")
    assert [(line["message"], line["method"], line["route"], line["status"]) for line in logged()] == [
        ("request", "POST", "/sessions", 201),
        ("request", "GET", "/sessions/{id}", 200),
    ]
    for secret in ("4711", begun["id"], "s-1"):
        assert secret not in json.dumps(logged())
