"""The API without a gateway: requests in, answers out."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from epspot.access import Role
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import Logged, grant
from tests.unit.services.house import OFF, House

Ask = Callable[..., tuple[int, Any]]

NOTHING_WISHED = {
    "start_at": None,
    "ready_by": None,
    "needs_wh": None,
    "until_wh": None,
    "until": None,
    "cheapest": False,
    "heats_engine": False,
}


@pytest.fixture
def ask(house: House) -> Ask:
    """Give the means to ask as one of several drivers who may use the site."""
    for user in ("bo", "cy", "user-4711"):
        grant(house, f"user:{user}", Role.USER, "site/s")

    def asking(
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = "anna",
        key: str | None = "key",
        language: str | None = None,
    ) -> tuple[int, Any]:
        told = Asker(house, user)(method, f"/v1{path}", body, key=key, language=language)
        return told.status, told.body

    return asking


def refusal(answer: tuple[int, Any]) -> tuple[int, str]:
    """Read an answer that must be a refusal in the API's one form."""
    status, body = answer
    assert body.keys() == {"type", "title", "status", "code", "detail", "request_id"}
    assert body["detail"]
    return status, body["code"]


# ------------------------------------------------------------------ the main way


def test_outlets_are_listed(ask: Ask) -> None:
    """The list tells id, number, site, state, current and phases of each outlet."""
    status, body = ask("GET", "/sites/s/outlet-states")
    assert status == 200
    assert body["items"][0] == {
        "id": "s-1",
        "number": "1",
        "site": {"id": "s", "name": "Garden"},
        "state": "plugged",
        "max_a": 16.0,
        "phases": 1,
        "price": None,
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
        "expected_at": None,
        "expected_latest_at": None,
        "begins_at": None,
        "wishes": NOTHING_WISHED,
        "cut_short": False,
        "reference": None,
        "tariff": None,
        "cost_ore": None,
        "cost_is_estimate": True,
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
    (kept,) = listed["items"]
    assert (kept["state"], kept["reason"], kept["energy_wh"]) == ("ended", "stopped", 48)
    assert (kept["start_wh"], kept["end_wh"]) == (1000, 1048)
    assert kept["ended_at"] == "2027-01-15T08:01:00.000+00:00"
    assert "anna" not in json.dumps([begun, seen, stopped, listed])


# ------------------------------------------------------------------ wishes


def begin(ask: Ask, user: str = "anna", outlet: str = "s-1", **wishes: Any) -> dict[str, Any]:
    """Start a session that must not be refused."""
    status, begun = ask("POST", "/sessions", {"outlet": outlet} | wishes, user=user)
    assert status == 201, begun
    assert isinstance(begun, dict)
    return begun


def test_wishes_are_read_and_shown(ask: Ask) -> None:
    """Every wish is read with its time zone, and shown in UTC, at the start and whenever it is asked for."""
    begun = begin(
        ask,
        start_at="2027-01-15T10:00:00+01:00",
        ready_by="2027-01-15T16:00:00Z",
        needs_wh=5000,
        until_wh=8000,
        until="2027-01-15T18:30:00+01:00",
        cheapest=True,
    )
    assert begun["wishes"] == {
        "start_at": "2027-01-15T09:00:00.000+00:00",
        "ready_by": "2027-01-15T16:00:00.000+00:00",
        "needs_wh": 5000,
        "until_wh": 8000,
        "until": "2027-01-15T17:30:00.000+00:00",
        "cheapest": True,
        "heats_engine": False,
    }
    assert (begun["state"], begun["limited_by"], begun["allowance_a"]) == ("planned", "planned", 0.0)
    assert begun["begins_at"] == "2027-01-15T09:00:00.000+00:00"
    assert ask("GET", f"/sessions/{begun['id']}") == (200, begun)


def test_a_motor_heater_says_when_it_begins(ask: Ask) -> None:
    """An engine that must be warm by a time gets current for the last part before it: an hour at freezing point."""
    begun = begin(ask, ready_by="2027-01-15T12:00:00Z", heats_engine=True)
    assert (begun["state"], begun["begins_at"]) == ("planned", "2027-01-15T11:00:00.000+00:00")
    assert begun["wishes"] == NOTHING_WISHED | {"ready_by": "2027-01-15T12:00:00.000+00:00", "heats_engine": True}


def test_what_can_not_be_had_in_time_is_said(ask: Ask, house: House) -> None:
    """A need that is more than the outlet can give in time is cut short, while it lives and in the history."""
    begun = begin(ask, ready_by="2027-01-15T09:00:00Z", needs_wh=10_000)
    assert begun["cut_short"] is True
    ask("POST", f"/sessions/{begun['id']}/stop")
    house.take(house.frame())
    house.note()
    ended = ask("GET", f"/sessions/{begun['id']}")[1]
    (kept,) = ask("GET", "/sessions")[1]["items"]
    assert (ended["state"], ended["cut_short"], kept["cut_short"]) == ("ended", True, True)


def test_who_waits_is_told_for_how_long(ask: Ask) -> None:
    """One that waits sees its place, when its turn may be expected, and when at the latest."""
    for n, user in enumerate(("bo", "cy"), 1):
        begin(ask, user, f"s-{n}")
    begun = begin(ask, "anna", "s-3")
    assert (begun["state"], begun["position"]) == ("queued", 1)
    assert begun["expected_at"] == "2027-01-15T08:15:00.000+00:00"
    assert begun["expected_latest_at"] == "2027-01-15T08:30:00.000+00:00"


NO_TIMES: tuple[Any, ...] = (
    "",
    "soon",
    "2027-01-15T10:00:00",
    "2027-01-15",
    1_800_007_200,
    True,
    ["x"],
    {},
)
NO_NUMBERS: tuple[Any, ...] = (5000.5, "5000", True, [5000])
NO_FLAGS: tuple[Any, ...] = ("true", 1, None, [])
PAST, LATER, LATEST = "2027-01-15T08:00:00Z", "2027-01-15T10:00:00Z", "2027-01-15T12:00:00Z"

FORMLESS = [
    *[({name: v}, name) for name in ("start_at", "ready_by", "until") for v in NO_TIMES],
    *[({name: v}, name) for name in ("needs_wh", "until_wh") for v in NO_NUMBERS],
    *[({name: v}, name) for name in ("cheapest", "heats_engine") for v in NO_FLAGS],
    ({"group": "staff"}, "group"),
    ({"until_at": LATER}, "until_at"),
    ({"least_a": 6, "wakes_by": "relay"}, "least_a"),
]
"""Wishes that a program has written wrongly, and what its author is told."""

SENSELESS = [
    *[({name: PAST}, f"{name} must be later than now", f"{name} måste ligga framåt") for name in ("ready_by", "until")],
    ({"start_at": "2027-01-15T07:58:00Z"}, "start_at must be later than now", "start_at måste ligga framåt"),
    ({"until": "2027-01-22T08:00:01Z"}, "within seven days", "inom sju dagar"),
    ({"ready_by": "0001-01-01T00:00:00+14:00"}, "ready_by must be a time", "ready_by must be a time"),
    ({"until": "9999-12-31T23:59:59-14:00"}, "until must be a time", "until must be a time"),
    *[({"until_wh": wh}, "until_wh must be 1 to", "until_wh måste vara") for wh in (0, -1, 1_000_001, 10**30)],
    ({"ready_by": LATER, "needs_wh": 0}, "needs_wh must be 1 to", "needs_wh måste vara"),
    *[(w, "Say with ready_by", "Ange med ready_by") for w in ({"cheapest": True}, {"heats_engine": True})],
    ({"needs_wh": 5000}, "Say with ready_by", "Ange med ready_by"),
    ({"start_at": LATEST, "ready_by": LATER}, "start_at must be before", "start_at måste vara före"),
]
"""Wishes that can't be meant, and what a person is told in English and in Swedish."""


@pytest.mark.parametrize(("wishes", "said"), FORMLESS, ids=str)
def test_wishes_of_the_wrong_form_are_refused(ask: Ask, house: House, wishes: dict[str, Any], said: str) -> None:
    """A wish that can't be read is refused by its name, at a start and at a change, and nothing follows."""
    answer = ask("POST", "/sessions", {"outlet": "s-1"} | wishes)
    assert refusal(answer) == (400, "invalid_request")
    assert said in answer[1]["detail"]
    assert house.live().sessions == {}
    begun = begin(ask)
    changed = ask("PUT", f"/sessions/{begun['id']}/wishes", wishes)
    assert refusal(changed) == (400, "invalid_request")
    assert said in changed[1]["detail"]
    assert ask("GET", f"/sessions/{begun['id']}")[1]["wishes"] == NOTHING_WISHED


@pytest.mark.parametrize(("wishes", "english", "swedish"), SENSELESS, ids=str)
def test_wishes_that_can_not_be_meant_are_refused(
    ask: Ask, house: House, wishes: dict[str, Any], english: str, swedish: str
) -> None:
    """A wish that makes no sense is refused in the reader's language, at a start and at a change."""
    told = ask("POST", "/sessions", {"outlet": "s-1"} | wishes)
    assert refusal(told) == (400, "invalid_request")
    assert english in told[1]["detail"]
    assert house.live().sessions == {}
    begun = begin(ask)
    told = ask("PUT", f"/sessions/{begun['id']}/wishes", wishes, language="sv")
    assert refusal(told) == (400, "invalid_request")
    assert swedish in told[1]["detail"]
    assert ask("GET", f"/sessions/{begun['id']}")[1]["wishes"] == NOTHING_WISHED


def test_wishes_are_changed_all_anew(ask: Ask) -> None:
    """A change replaces every wish: what is left out is no longer wanted, and null says the same."""
    begun = begin(ask, ready_by=LATER, needs_wh=2000, until_wh=3000)
    path = f"/sessions/{begun['id']}/wishes"
    status, changed = ask("PUT", path, {"until_wh": 9000, "ready_by": None})
    assert (status, changed["id"], changed["state"]) == (200, begun["id"], "active")
    assert changed["wishes"] == NOTHING_WISHED | {"until_wh": 9000}
    assert ask("PUT", path, {})[1]["wishes"] == NOTHING_WISHED
    status, put_off = ask("PUT", path, {"start_at": LATER})
    assert (status, put_off["state"], put_off["allowance_a"]) == (200, "planned", 0.0)
    assert put_off["begins_at"] == "2027-01-15T10:00:00.000+00:00"


def test_a_change_names_no_outlet(ask: Ask) -> None:
    """What is known at a start and means nothing at a change is refused there."""
    begun = begin(ask)
    told = ask("PUT", f"/sessions/{begun['id']}/wishes", {"outlet": "s-2"})
    assert refusal(told) == (400, "invalid_request")
    assert "outlet" in told[1]["detail"]


def test_no_less_than_has_been_had(ask: Ask, house: House) -> None:
    """An end by energy that has passed already is refused with what the session has had."""
    begun = begin(ask)
    house.clock.at += 60
    house.take(house.frame(M1=OFF._replace(relay=True, limit_a=12.0, current_a=(12.0, 0.0, 0.0), energy_wh=1046)))
    path = f"/sessions/{begun['id']}/wishes"
    told = ask("PUT", path, {"until_wh": 46}, language="sv-SE,sv;q=0.9,en;q=0.8")
    assert refusal(told) == (400, "invalid_request")
    assert told[1]["detail"] == "Sessionen har redan fått 46 Wh. Stoppa den, eller välj mer."
    assert ask("PUT", path, {"until_wh": 47})[1]["wishes"]["until_wh"] == 47


# ------------------------------------------------------------------ pausing


def test_a_pause_and_what_follows(ask: Ask, house: House) -> None:
    """A pause takes the current away and keeps the session; resuming gives it back; both may be said twice."""
    begun = begin(ask)
    path = f"/sessions/{begun['id']}"
    house.take(house.frame(M1=OFF._replace(relay=True, limit_a=12.0, current_a=(12.0, 0.0, 0.0), energy_wh=1010)))
    for _ in range(2):
        status, paused = ask("POST", f"{path}/pause")
        assert (status, paused["state"], paused["limited_by"], paused["allowance_a"]) == (200, "paused", "paused", 0.0)
    house.take(house.frame(M1=OFF._replace(energy_wh=1020)))
    house.note()
    assert [kept["state"] for kept in ask("GET", "/sessions")[1]["items"]] == ["paused"]
    for _ in range(2):
        status, resumed = ask("POST", f"{path}/resume")
        assert (status, resumed["state"], resumed["allowance_a"], resumed["energy_wh"]) == (200, "active", 12.0, 20)


def test_wishes_of_a_paused_session_wait(ask: Ask) -> None:
    """A session that is paused may be wished otherwise, and stays paused."""
    begun = begin(ask)
    ask("POST", f"/sessions/{begun['id']}/pause")
    changed = ask("PUT", f"/sessions/{begun['id']}/wishes", {"until_wh": 500})[1]
    assert (changed["state"], changed["wishes"]["until_wh"], changed["allowance_a"]) == ("paused", 500, 0.0)
    assert ask("POST", f"/sessions/{begun['id']}/resume")[1]["wishes"]["until_wh"] == 500


CHANGES: list[tuple[str, str, Any]] = [("POST", "stop", None), ("POST", "pause", None), ("POST", "resume", None)]
CHANGES.append(("PUT", "wishes", {"until_wh": 500}))


@pytest.mark.parametrize(("method", "what", "body"), CHANGES)
def test_only_its_user_changes_a_session(ask: Ask, house: House, method: str, what: str, body: Any) -> None:
    """The session of another is not found, whether it lives, is over, or never was; and it goes on as it did."""
    begun = begin(ask)
    before = house.live()
    for session in (begun["id"], "0" * 26):
        assert refusal(ask(method, f"/sessions/{session}/{what}", body, user="bo")) == (404, "session_unknown")
    assert house.live() == before
    ask("POST", f"/sessions/{begun['id']}/stop")
    house.take(house.frame())
    house.note()
    told = ask(method, f"/sessions/{begun['id']}/{what}", body, user="bo", language="sv")
    assert refusal(told) == (404, "session_unknown")
    assert told[1]["detail"] == "Du har ingen session med detta id. Dina finns i listan över sessioner."


@pytest.mark.parametrize(("method", "what", "body"), CHANGES)
def test_a_session_that_is_over_stays_so(ask: Ask, house: House, method: str, what: str, body: Any) -> None:
    """Nothing changes a session that stops, that has just ended, or that is in the history."""
    begun = begin(ask)
    path = f"/sessions/{begun['id']}"
    ask("POST", f"{path}/stop")
    assert refusal(ask(method, f"{path}/{what}", body)) == (409, "session_over")
    house.take(house.frame())
    assert house.live().sessions == {}
    assert refusal(ask(method, f"{path}/{what}", body)) == (409, "session_over")
    house.note()
    told = ask(method, f"{path}/{what}", body, language="sv")
    assert refusal(told) == (409, "session_over")
    assert told[1]["detail"] == "Sessionen är redan avslutad. Historiken visar när och varför."


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (None, "Outlet 1 is in use."),
        ("", "Outlet 1 is in use."),
        ("en-GB,sv;q=0.5", "Outlet 1 is in use."),
        ("de", "Outlet 1 is in use."),
        ("sv", "Uttag 1 är upptaget."),
        (" SV-FI, en;q=0.1", "Uttag 1 är upptaget."),
    ],
)
def test_a_refusal_is_read_in_ones_language(ask: Ask, language: str | None, said: str) -> None:
    """Who asks for Swedish first reads Swedish; everyone else reads English."""
    begin(ask)
    told = ask("POST", "/sessions", {"outlet": "s-1"}, user="bo", language=language)
    assert refusal(told) == (409, "outlet_occupied")
    assert told[1]["detail"].startswith(said)


# ------------------------------------------------------------------ refusals

PRIVATE = [
    ("GET", "/sites/s/outlet-states"),
    ("GET", "/sessions"),
    ("POST", "/sessions"),
    ("GET", "/sessions/x"),
    ("POST", "/sessions/x/stop"),
    ("POST", "/sessions/x/pause"),
    ("POST", "/sessions/x/resume"),
    ("PUT", "/sessions/x/wishes"),
]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
@pytest.mark.parametrize("user", [None, "nobody"])
def test_only_who_is_known_is_served(ask: Ask, method: str, path: str, user: str | None) -> None:
    """Nobody is served without a token that is ours."""
    answer = ask(method, path, {"outlet": "s-1"} if method == "POST" else None, user=user)
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
    assert refusal(ask("POST", "/sessions", {"outlet": "s-9"}, key="another")) == (404, "not_found")
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


def test_a_request_logs_its_route_and_nothing_else(ask: Ask, logged: Logged) -> None:
    """One line per request names method, route and status, and neither user, session, outlet nor key."""
    begun = ask("POST", "/sessions", {"outlet": "s-1"}, user="user-4711", key="key-4711")[1]
    ask("GET", f"/sessions/{begun['id']}", user="user-4711")
    assert [(line["message"], line["method"], line["route"], line["status"]) for line in logged()] == [
        ("request", "POST", "/v1/sessions", 201),
        ("request", "GET", "/v1/sessions/{session}", 200),
    ]
    for secret in ("4711", begun["id"], "s-1"):
        assert secret not in json.dumps(logged())
