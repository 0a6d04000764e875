"""Webhooks as an integrator meets them in the API, and the function that feeds and sends them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from epspot.notices.webhooks import EVENTS
from functions.webhooks import handler as webhooks
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import Logged
from tests.unit.functions.test_handlers import Context, records
from tests.unit.services.house import House

ALL = "/v1/owners/owner1/webhooks"
FORM = {"url": "https://hooks.example/epspot", "events": ["session.started", "session.ended"]}


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as the owner's administrator."""
    return ask.as_("olga")


@pytest.fixture
def made(olga: Asker) -> Answer:
    """Register a webhook."""
    return olga("POST", ALL, FORM)


@pytest.fixture
def one(made: Answer) -> str:
    """Give the path of a webhook."""
    return f"{ALL}/{made.body['id']}"


def run(house: House, monkeypatch: pytest.MonkeyPatch, *bodies: Mapping[str, Any] | str) -> dict[str, Any]:
    """Let the function take a batch."""
    monkeypatch.setattr(webhooks, "world", lambda: house)
    told: dict[str, Any] = webhooks.handler(records(*bodies), Context())
    return told


def reminders(house: House) -> list[dict[str, str]]:
    """Take the reminders that wait, as the queue gives them."""
    waiting, house.deliveries.reminders = house.deliveries.reminders, []
    return [{"owner": o, "webhook": w, "delivery": d} for o, w, d, _ in waiting]


# ------------------------------------------------------------------ registering


def test_a_webhook_is_registered_and_read(olga: Asker, made: Answer, one: str) -> None:
    """Its secret is told when it is made, and never again."""
    assert made.status == 201
    assert made.headers["Location"] == one
    assert made.body["secret"].startswith("whsec_")
    told = olga("GET", one)
    assert told.body == {name: value for name, value in made.body.items() if name != "secret"}
    assert (told.body["url"], told.body["events"], told.body["active"]) == (FORM["url"], FORM["events"], True)
    assert told.body["failing_since"] is None
    assert olga("GET", ALL).body == {"items": [told.body], "next": None}
    assert told.etag == made.etag


def test_a_repeated_registration_makes_nothing(olga: Asker) -> None:
    """The same request again is told of the first webhook, with the secret that the first answer may have lost."""
    first = olga("POST", ALL, FORM, key="k")
    assert olga("POST", ALL, FORM, key="k").body == first.body
    assert len(olga("GET", ALL).body["items"]) == 1
    assert olga("POST", ALL, FORM | {"active": False}, key="k").refused(422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"url": FORM["url"]},
        FORM | {"events": []},
        FORM | {"events": ["session.started", "session.started"]},
        FORM | {"events": ["everything"]},
        FORM | {"events": "session.ended"},
        FORM | {"url": 7},
        FORM | {"url": ""},
        FORM | {"url": "https://hooks.example/" + "x" * 2000},
        FORM | {"url": "http://hooks.example/"},
        FORM | {"url": "https://private.example/"},
        FORM | {"secret": "whsec_mine"},
        FORM | {"active": "yes"},
    ],
)
def test_wrong_forms_are_refused(olga: Asker, form: Mapping[str, Any]) -> None:
    """A webhook of another form, or to an address to which nothing is sent, is not made."""
    assert olga("POST", ALL, form).refused(400, "invalid_request")
    assert olga("GET", ALL).body["items"] == []


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("POST", "", FORM),
        ("GET", "", None),
        ("GET", "/x", None),
        ("PUT", "/x", FORM),
        ("DELETE", "/x", None),
        ("POST", "/x/test", None),
        ("POST", "/x/rotate-secret", None),
        ("GET", "/x/deliveries", None),
        ("POST", "/x/deliveries/y/resend", None),
    ],
)
def test_only_who_administers_the_owner(ask: Asker, one: str, method: str, tail: str, body: Any) -> None:
    """Nobody else learns that there are webhooks; of another owner's there are none under one's own."""
    path = ALL + tail.replace("/x", "/" + one.rpartition("/")[2])
    for name in ("anna", "eva"):
        assert ask.as_(name)(method, path, body, if_match="*").refused(404, "not_found")
    assert ask.as_(None)(method, path, body, if_match="*").refused(401, "not_signed_in")
    if tail:
        assert ask.as_("olga")(method, ALL + tail, body, if_match="*").refused(404, "not_found")


# ------------------------------------------------------------------ changing


def test_a_webhook_is_changed_by_who_has_read_it(olga: Asker, made: Answer, one: str) -> None:
    """A change needs the newest version, and replaces all that the owner says."""
    form = {"url": "https://other.example/", "events": ["alarm.raised"], "active": False}
    assert olga("PUT", one, form).refused(428, "version_missing")
    changed = olga("PUT", one, form, if_match=made.etag)
    assert (changed.status, changed.body["url"], changed.body["active"]) == (200, "https://other.example/", False)
    assert "secret" not in changed.body
    assert olga("PUT", one, form, if_match=made.etag).refused(412, "version_changed")
    assert olga("GET", one).etag == changed.etag
    assert olga("PUT", one, FORM | {"url": "https://private.example/"}, if_match="*").refused(400, "invalid_request")
    assert olga("GET", one).body == changed.body


def test_a_secret_is_rotated(olga: Asker, made: Answer, one: str) -> None:
    """A new secret is told once; a repeated request is refused rather than another made."""
    told = olga("POST", f"{one}/rotate-secret", if_match=made.etag)
    assert told.status == 200
    assert told.body["secret"] not in (made.body["secret"], None)
    assert olga("POST", f"{one}/rotate-secret", if_match=made.etag).refused(412, "version_changed")
    assert olga("GET", one).etag == told.etag


def test_a_webhook_is_taken_away(olga: Asker, made: Answer, one: str) -> None:
    """It is gone, with its log."""
    assert olga("DELETE", one, if_match='"9"').refused(412, "version_changed")
    gone = olga("DELETE", one, if_match=made.etag)
    assert (gone.status, gone.body) == (204, "")
    assert olga("GET", one).refused(404, "not_found")
    assert olga("GET", f"{one}/deliveries").refused(404, "not_found")
    assert olga("GET", ALL).body["items"] == []


# ------------------------------------------------------------------ sending


def test_a_test_message_is_sent(olga: Asker, one: str, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test answers the id under which the log and the receiver have it; repeated, it is the same test."""
    sent = olga("POST", f"{one}/test", key="t")
    assert (sent.status, sent.body["status"], sent.body["event"]) == (201, "pending", "test")
    assert olga("POST", f"{one}/test", key="t").body == sent.body
    assert run(house, monkeypatch, *reminders(house)) == {"batchItemFailures": []}
    ((url, body, headers, timeout_s),) = house.posting.sent
    assert (url, headers["webhook-id"], timeout_s) == (FORM["url"], sent.body["id"], 5.0)
    assert json.loads(body) == sent.body["message"]
    (told,) = olga("GET", f"{one}/deliveries").body["items"]
    assert (told["id"], told["status"], told["answered"], told["attempts"]) == (sent.body["id"], "delivered", 200, 1)


def test_the_log_is_read_page_by_page(olga: Asker, one: str, house: House) -> None:
    """The newest come first, and each once."""
    ids = []
    for _ in range(5):
        house.clock.at += 1
        ids.append(olga("POST", f"{one}/test").body["id"])
    seen: list[str] = []
    path = f"{one}/deliveries?limit=2"
    while path:
        told = olga("GET", path).body
        assert len(told["items"]) <= 2
        seen += [d["id"] for d in told["items"]]
        path = told["next"] and f"{one}/deliveries?limit=2&cursor={told['next']}"
    assert seen == ids[::-1]


def test_a_message_is_sent_again(olga: Asker, one: str, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the log has can be sent once more under the same id."""
    id_ = olga("POST", f"{one}/test").body["id"]
    run(house, monkeypatch, *reminders(house))
    again = olga("POST", f"{one}/deliveries/{id_}/resend")
    assert (again.status, again.body["id"], again.body["status"], again.body["attempts"]) == (200, id_, "pending", 0)
    run(house, monkeypatch, *reminders(house))
    assert [headers["webhook-id"] for _, _, headers, _ in house.posting.sent] == [id_, id_]
    assert olga("POST", f"{one}/deliveries/unknown/resend").refused(404, "not_found")


# ------------------------------------------------------------------ the function


def fact(kind: str = "session.ended", **more: Any) -> dict[str, Any]:
    """Make what the bus writes into the queue."""
    ended = {"outlet": "s-1", "reason": "full", "energy_wh": 7, "start_wh": 0, "end_wh": 7}
    told = {"id": "s/1/0", "site": "s", "position": 1, "at": 5.0, "about": "x", "detail": ended}
    return {"detail-type": kind, "source": "epspot", "detail": told | more}


def test_facts_become_messages_beside_bad_ones(
    made: Answer, house: House, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    """What can't be read comes again alone; the others are taken, and one line tells how many, without content."""
    assert made.status == 201
    broken = fact()
    del broken["detail"]["site"]
    answer = run(house, monkeypatch, "nonsense", fact(), broken, fact("session.queued"), {"delivery": "x"})
    assert answer == {"batchItemFailures": [{"itemIdentifier": n} for n in ("0", "2", "4")]}
    assert run(house, monkeypatch, *reminders(house)) == {"batchItemFailures": []}
    counts = [line["counts"] for line in logged() if line["message"] == "webhooks"]
    assert counts == [{"messages": 1, "crashed": 3}, {"delivered": 1}]
    assert "hooks.example" not in json.dumps(logged())


def test_what_was_given_up_can_be_put_back(
    olga: Asker, one: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reminder from the queue that people look into is read with the reason that stands in it."""
    olga("POST", f"{one}/test")
    (reminder,) = reminders(house)
    assert run(house, monkeypatch, reminder | {"reason": "answered 503"}) == {"batchItemFailures": []}
    assert len(house.posting.sent) == 1


def test_every_event_can_be_asked_for(olga: Asker) -> None:
    """All events of the catalogue are taken, also those that nothing tells yet."""
    assert olga("POST", ALL, FORM | {"events": list(EVENTS)}).status == 201
