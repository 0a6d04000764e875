"""The owner's own system is asked before somebody starts, and what its answers, and its silence, lead to."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from epspot.access import Capability
from epspot.access.subjects import email_hash
from epspot.ports import Posted
from epspot.registry.kinds import Put
from epspot.registry.records import AUDIT_LINE, MEMBER, MEMBERSHIP, TOKEN, Member, Membership, Token
from epspot.services.show_token import secret_hash, token_text
from tests.unit.functions.asking import Answer, Asker
from tests.unit.services.house import House

PATH = "/v1/owners/owner1/authorisation"
FORM = {"url": "https://gate.example/ask", "on_silence": "deny", "timeout_ms": 800}
ANNA = "anna Anna@Example.com"


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as the owner's administrator."""
    return ask.as_("olga")


@pytest.fixture
def asked(olga: Asker) -> Answer:
    """Have the owner's system asked."""
    return olga("PUT", PATH, FORM, if_match='"0"')


def start(ask: Asker, outlet: str = "s-1", **more: Any) -> Answer:
    """Start a session."""
    return ask("POST", "/v1/sessions", {"outlet": outlet}, **more)


def says(house: House, answer: Any, status: int = 200) -> None:
    """Let the owner's system answer next."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    house.posting.answers.append(Posted(status, body))


def token(house: House) -> str:
    """Give another system a token for everything of the owner's."""
    made = Token("t1", "owner1", "parking", secret_hash("x"), tuple(c.value for c in Capability), "owner/owner1")
    house.registry.commit([Put(TOKEN, None, made)])
    return token_text("t1", "x")


# ------------------------------------------------------------------ setting it


def test_it_is_set_read_and_taken_away(olga: Asker, asked: Answer) -> None:
    """The secret is told when it is made; a change keeps it, and needs the newest version."""
    assert asked.status == 200
    assert asked.body["secret"].startswith("whsec_")
    read = olga("GET", PATH)
    assert read.body == {name: value for name, value in asked.body.items() if name != "secret"}
    assert (read.body["url"], read.body["on_silence"], read.body["timeout_ms"]) == (FORM["url"], "deny", 800)
    assert read.etag == asked.etag
    changed = olga("PUT", PATH, {"url": "https://other.example/", "on_silence": "allow"}, if_match=read.etag)
    assert (changed.body["timeout_ms"], changed.body["on_silence"]) == (1500, "allow")
    assert "secret" not in changed.body
    assert olga("PUT", PATH, FORM, if_match=read.etag).refused(412, "version_changed")
    assert olga("DELETE", PATH, if_match=read.etag).refused(412, "version_changed")
    assert olga("DELETE", PATH, if_match=changed.etag).status == 204
    assert olga("DELETE", PATH, if_match="*").refused(404, "not_found")
    gone = olga("GET", PATH)
    assert (gone.status, gone.body["url"], gone.etag) == (200, None, '"0"')


@pytest.mark.parametrize(
    "form",
    [
        {"url": FORM["url"]},
        FORM | {"on_silence": "maybe"},
        FORM | {"timeout_ms": 3001},
        FORM | {"timeout_ms": 10},
        FORM | {"url": "http://gate.example/"},
        FORM | {"url": "https://private.example/"},
        FORM | {"secret": "mine"},
    ],
)
def test_wrong_forms_are_refused(olga: Asker, form: Mapping[str, Any]) -> None:
    """What is of another form, or leads where nothing is sent, is not set."""
    assert olga("PUT", PATH, form, if_match="*").refused(400, "invalid_request")
    assert olga("GET", PATH).body["url"] is None


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", FORM), ("DELETE", None)])
def test_only_who_administers_the_owner(ask: Asker, method: str, body: Any) -> None:
    """Nobody else learns of it."""
    for name in ("anna", "eva"):
        assert ask.as_(name)(method, PATH, body, if_match="*").refused(404, "not_found")


def test_the_secret_stands_in_no_audit_line(olga: Asker, asked: Answer, house: House) -> None:
    """What was set and taken away is in the log, without the secret."""
    olga("DELETE", PATH, if_match="*")
    lines = house.registry.under(AUDIT_LINE, "AUDIT#owner1").items
    assert sorted(a.what for a in lines) == ["authorisation.removed", "authorisation.set"]
    assert asked.body["secret"] not in str(lines)


# ------------------------------------------------------------------ asking


def test_without_it_nobody_is_asked(ask: Asker, house: House) -> None:
    """Where no owner wants to be asked, nothing is sent."""
    assert start(ask).status == 201
    assert house.posting.sent == []


def test_who_is_allowed_starts(ask: Asker, asked: Answer, house: House) -> None:
    """The question is signed, within the owner's time, and says where, when and who, by no name."""
    says(house, {"allow": True})
    assert start(ask.as_(ANNA)).status == 201
    ((url, body, headers, timeout_s),) = house.posting.sent
    assert (url, timeout_s) == (FORM["url"], 0.8)
    question = json.loads(body)
    reference = question["user"].pop("id")
    assert question == {
        "type": "session.authorise",
        "at": "2027-01-15T08:00:00.000+00:00",
        "user": {},
        "site": "s",
        "outlet": "s-1",
        "number": "1",
    }
    assert len(reference) == 26
    assert b"anna" not in body.lower()
    # The reference library signs the same.
    at = int(headers["webhook-timestamp"])
    signature = Verifier(asked.body["secret"]).sign(
        headers["webhook-id"], datetime.fromtimestamp(at, UTC), body.decode()
    )
    assert headers["webhook-signature"] == signature


def test_a_user_has_the_same_reference_at_an_owner(ask: Asker, asked: Answer, house: House) -> None:
    """The owner's system knows who comes again, and tells two apart."""
    assert asked.status == 200
    for outlet in ("s-1", "s-2"):
        says(house, {"allow": True})
        assert start(ask, outlet).status == 201
    says(house, {"allow": False})
    assert start(ask.as_("olga"), "s-3").refused(403, "not_authorised")
    first, again, other = (json.loads(body)["user"]["id"] for _, body, _, _ in house.posting.sent)
    assert first == again != other


def test_a_member_is_named_as_the_owner_does(ask: Asker, asked: Answer, house: House) -> None:
    """Who proves an address that the owner knows is named by the owner's own id, while the membership holds."""
    assert asked.status == 200
    hashed = email_hash("anna@example.com")
    member = Member("m1", "owner1", "anna@example.com", hashed, external_id="employee 7")
    twin = Membership("m1", "owner1", hashed)
    foreign = Membership("m2", "owner2", hashed)
    house.registry.commit([Put(MEMBER, None, member), Put(MEMBERSHIP, None, twin), Put(MEMBERSHIP, None, foreign)])
    says(house, {"allow": True})
    anna = ask.as_(ANNA)
    start(anna)
    assert json.loads(house.posting.sent[-1][1])["user"] == {"external_id": "employee 7"}
    kept = house.registry.get(MEMBERSHIP, f"SUBJECT#email:{hashed}", "owner1/m1")
    assert kept is not None
    over = Membership("m1", "owner1", hashed, ends_at=house.clock.at - 1)
    house.registry.commit([Put(MEMBERSHIP, kept, over)])
    says(house, {"allow": True})
    start(anna, "s-2")
    assert "id" in json.loads(house.posting.sent[-1][1])["user"]


def test_who_is_refused_does_not_start(ask: Asker, asked: Answer, house: House) -> None:
    """A refusal is passed on with its reason, bounded, and nothing is written."""
    assert asked.status == 200
    says(house, {"allow": False, "reason": "Your\n lease   is over.\u0007" + "x" * 500})
    told = start(ask)
    assert told.refused(403, "not_authorised")
    assert "Your lease is over." in told.body["detail"]
    assert "\n" not in told.body["detail"]
    assert len(told.body["detail"]) < 300
    for reason in (None, "", 7, {"a": 1}):
        says(house, {"allow": False, "reason": reason})
        assert start(ask).refused(403, "not_authorised")
    assert house.sessions.records == {}
    assert house.live().sessions == {}


SILENCES: list[Any] = [
    "timeout",
    "unreachable",
    500,
    302,
    204,
    401,
    Posted(200, b""),
    Posted(200, b"[1]"),
    Posted(200, b"{"),
    Posted(200, b'{"allow": "yes"}'),
    Posted(200, b'{"reason": "x"}'),
    Posted(200, b"\xff"),
    Posted(200, b"[" * 1024),
]


@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("rule", ["deny", "allow"])
def test_silence_is_what_the_owner_says(olga: Asker, ask: Asker, house: House, silence: Any, rule: str) -> None:
    """What is no answer, or none that can be understood, is taken by the owner's rule."""
    olga("PUT", PATH, FORM | {"on_silence": rule}, if_match="*")
    house.posting.answers = [silence]
    told = start(ask)
    if rule == "allow":
        assert told.status == 201
    else:
        assert told.refused(503, "owner_silent")
        assert house.sessions.records == {}


def test_a_repeated_start_is_not_asked_about(ask: Asker, asked: Answer, house: House) -> None:
    """Who has started finds the session by the same request, whatever the owner's system says now."""
    assert asked.status == 200
    says(house, {"allow": True})
    first = start(ask, key="k")
    says(house, {"allow": False})
    again = start(ask, key="k")
    assert (again.status, again.body["id"]) == (201, first.body["id"])
    assert len(house.posting.sent) == 1


def test_who_may_not_use_the_outlet_is_not_asked_about(ask: Asker, asked: Answer, house: House) -> None:
    """The right to use comes first: the owner's system hears of nobody else."""
    assert asked.status == 200
    assert start(ask.as_("eva")).refused(404, "not_found")
    assert house.posting.sent == []


def test_other_systems_are_not_asked_about(ask: Asker, asked: Answer, house: House) -> None:
    """A start with a token has the owner's word already."""
    assert asked.status == 200
    assert start(ask.as_(token(house))).status == 201
    assert house.posting.sent == []


# ------------------------------------------------------------------ what another system calls a session


def test_a_system_gets_its_reference_back(ask: Asker, house: House) -> None:
    """What a system calls a session stands in the session, now and in the history."""
    parking = ask.as_(token(house))
    begun = parking("POST", "/v1/sessions", {"outlet": "s-1", "reference": "ticket 7"})
    assert (begun.status, begun.body["reference"]) == (201, "ticket 7")
    assert parking("GET", f"/v1/sessions/{begun.body['id']}").body["reference"] == "ticket 7"
    house.note()
    assert [r["reference"] for r in parking("GET", "/v1/sessions").body["items"]] == ["ticket 7"]


def test_only_systems_give_references(ask: Asker, house: House) -> None:
    """A user's reference is refused, and so is one that is too long; a session without has none."""
    assert ask("POST", "/v1/sessions", {"outlet": "s-1", "reference": "x"}).refused(400, "invalid_request")
    parking = ask.as_(token(house))
    for reference in ("", "x" * 65, 7):
        told = parking("POST", "/v1/sessions", {"outlet": "s-1", "reference": reference})
        assert told.refused(400, "invalid_request")
    assert start(ask).body["reference"] is None
