"""What holds for every operation of the API."""

import json

import pytest

from functions.api.operations import OPERATIONS
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import Logged


def test_health_needs_nobody(ask: Asker) -> None:
    """Health is answered without a user."""
    told = ask.as_(None)("GET", "/v1/health")
    assert (told.status, told.body) == (200, {"status": "ok"})


def test_nobody_and_anybody_are_refused(ask: Asker) -> None:
    """Who shows nothing, or something that is not ours, is asked to sign in."""
    assert ask.as_(None)("GET", "/v1/sessions").refused(401, "not_signed_in")
    told = ask.as_("nobody")("GET", "/v1/sessions")
    assert told.refused(401, "not_signed_in")
    assert told.headers["WWW-Authenticate"] == "Bearer"


def test_what_is_foreign_sounds_like_what_is_not_there(ask: Asker) -> None:
    """Who may do nothing at a site does not learn that there is one."""
    foreign = ask.as_("eva")("GET", "/v1/sites/s/outlet-states")
    missing = ask.as_("eva")("GET", "/v1/sites/t/outlet-states")
    assert foreign.refused(404, "not_found")
    assert missing.refused(404, "not_found")
    assert foreign.body["detail"].replace("site s", "site t") == missing.body["detail"]


def test_paths_and_methods_that_are_not_there(ask: Asker) -> None:
    """A wrong path is told apart from a wrong method, both in the one form."""
    assert ask("GET", "/v1/nothing").refused(404, "no_such_operation")
    told = ask("DELETE", "/v1/sessions")
    assert told.refused(405, "wrong_method")
    assert "GET, POST" in told.body["detail"]


def test_a_name_in_a_path_has_an_end(ask: Asker) -> None:
    """No id is longer than a key of the tables may be made of."""
    assert ask("GET", f"/v1/sessions/{'x' * 201}").refused(400, "invalid_request")
    assert ask("GET", f"/v1/sessions/{'x' * 200}").refused(404, "session_unknown")


def test_bodies_are_held_to_their_form(ask: Asker) -> None:
    """What is no JSON, of another form, or of another medium is refused with what to do."""
    assert ask("POST", "/v1/sessions", "{").refused(400, "invalid_request")
    assert ask("POST", "/v1/sessions", "[" * 10_000).refused(400, "invalid_request")
    assert "outlet" in ask("POST", "/v1/sessions", {"outlet": 7}).body["detail"]
    assert ask("POST", "/v1/sessions", {"outlet": "s-1", "hack": 1}).refused(400, "invalid_request")
    assert ask("POST", "/v1/sessions", '{"outlet": NaN}').refused(400, "invalid_request")
    assert ask("POST", "/v1/sessions", {"outlet": "s-1"}, media="text/csv").refused(415, "wrong_media_type")
    assert ask("POST", "/v1/sessions", json.dumps({"outlet": "x" * 1_000_001})).refused(413, "too_large")
    assert ask("GET", "/v1/sessions?colour=red").refused(400, "invalid_request")


def test_a_creating_call_wants_a_key(ask: Asker) -> None:
    """Without an Idempotency-Key, or with one that is no text, nothing is made."""
    assert ask("POST", "/v1/sessions", {"outlet": "s-1"}, key=None).refused(400, "invalid_request")
    assert ask("POST", "/v1/sessions", {"outlet": "s-1"}, key="å").refused(400, "invalid_request")


def test_every_answer_can_be_read_by_pages_and_found_again(ask: Asker) -> None:
    """Answers and refusals carry what a browser asks for, the request's id, and are kept by nobody."""
    for told in (ask("GET", "/v1/sessions"), ask("GET", "/v1/nothing")):
        assert told.headers["Access-Control-Allow-Origin"] == "*"
        assert told.headers["X-Request-Id"]
        assert told.headers["Cache-Control"] == "no-store"
    before = ask("OPTIONS", "/v1/sessions")
    assert (before.status, before.headers["Access-Control-Allow-Headers"].count("If-Match")) == (204, 1)


def test_language(ask: Asker) -> None:
    """A refusal speaks Swedish to who asks for it."""
    assert "Logga in" in ask.as_(None)("GET", "/v1/sessions", language="sv-SE,sv").body["detail"]


def test_what_nobody_expected_is_told_without_details(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    """A failure of ours is a 500 without a word of its cause, which is in the log with the request's id."""
    monkeypatch.setattr(ask.house.lives.sessions, "of_user", lambda *_: 1 / 0)
    told = ask("GET", "/v1/sessions")
    assert told.refused(500, "internal")
    assert "division" not in json.dumps(told.body)
    assert any("ZeroDivisionError" in json.dumps(line) for line in logged())


def test_operations_are_named_once() -> None:
    """No two operations share a name, or a method and path."""
    assert len({op.name for op in OPERATIONS}) == len(OPERATIONS)
    assert len({(op.method, op.path) for op in OPERATIONS}) == len(OPERATIONS)
