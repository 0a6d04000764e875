"""What people see and change of themselves, and how they leave."""

import json
from dataclasses import replace

import pytest

from epspot.access import Grant, Role
from epspot.access.subjects import email_hash
from epspot.ports import SessionRecord, Vehicle
from epspot.registry.kinds import Put
from epspot.registry.people import CAR, PROFILE, of_person
from epspot.registry.records import (
    AUDIT_LINE,
    GRANT,
    MEMBER,
    MEMBERSHIP,
    Member,
    Membership,
    of_owner,
    of_subject,
)
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import OWNER_ID, grant

CHOICES = {"session_started": "none", "session_ended": "mail", "queue": "push", "warnings": "push"}
VOLVO = {"name": "Volvo", "phases": 3, "max_a": 16, "battery_wh": 78_000}
ANNA = "anna anna@example.com"


# ------------------------------------------------------------------ the profile


def test_a_profile_before_there_is_one(ask: Asker) -> None:
    """Until somebody has changed it, the profile is what the user pool knows; of who is not in it, the id."""
    told = ask("GET", "/v1/me")
    assert (told.body["id"], told.body["email"], told.body["name"]) == ("anna", "anna@example.com", "Anna")
    assert set(told.body["notify"].values()) == {"push"}
    assert told.etag == '"0"'
    other = ask.as_("eva")("GET", "/v1/me")
    assert (other.body["id"], other.body["email"], other.body["language"]) == ("eva", "", "sv")


def test_changing_the_profile(ask: Asker) -> None:
    """A change is kept, and the mails with codes speak its language from then on."""
    etag = ask("GET", "/v1/me").etag
    told = ask("PUT", "/v1/me", {"language": "en", "notify": CHOICES, "name": "Ann"}, if_match=etag)
    assert (told.status, told.body["language"], told.body["notify"], told.body["name"]) == (200, "en", CHOICES, "Ann")
    assert told.body["email"] == "anna@example.com"
    assert (ask("GET", "/v1/me").body, ask("GET", "/v1/me").etag) == (told.body, told.etag)
    account = ask.house.identity.account("anna")
    assert account is not None
    assert account.language == "en"
    assert ask("PUT", "/v1/me", {"language": "sv", "notify": CHOICES}, if_match=etag).refused(412, "version_changed")
    assert ask("PUT", "/v1/me", {"language": "sv", "notify": CHOICES}).refused(428, "version_missing")
    assert ask("PUT", "/v1/me", {"language": "sv", "notify": CHOICES}, if_match=told.etag).body["name"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {"language": "fi", "notify": CHOICES},
        {"language": "sv", "notify": CHOICES | {"queue": "sms"}},
        {"language": "sv", "notify": {"queue": "mail"}},
        {"language": "sv", "notify": CHOICES, "email": "other@example.com"},
        {"language": "sv", "notify": CHOICES, "name": "x" * 121},
    ],
)
def test_what_is_no_profile(ask: Asker, body: object) -> None:
    """A language or a choice that there is not, a choice that is missing, and an address are refused."""
    assert ask("PUT", "/v1/me", body, if_match="*").refused(400, "invalid_request")


def test_a_system_has_no_profile(ask: Asker) -> None:
    """A token is nobody: it is told so."""
    made = ask.as_("olga")("POST", f"/v1/owners/{OWNER_ID}/tokens", {"name": "T", "capabilities": ["view"]})
    system = ask.as_(made.body["token"])
    for method, path in (("GET", "/v1/me"), ("GET", "/v1/me/export"), ("GET", "/v1/me/access")):
        assert system(method, path).refused(403, "not_allowed")
    assert system("DELETE", "/v1/me", {"confirm": "delete"}).refused(403, "not_allowed")
    assert ask.as_(None)("GET", "/v1/me").refused(401, "not_signed_in")


# ------------------------------------------------------------------ vehicles


def test_vehicles(ask: Asker) -> None:
    """A vehicle is added, shown, changed and removed."""
    made = ask("POST", "/v1/me/vehicles", VOLVO)
    assert (made.status, made.headers["Location"]) == (201, f"/v1/me/vehicles/{made.body['id']}")
    path = made.headers["Location"]
    assert ask("GET", path).body == made.body == {"id": made.body["id"], **VOLVO}
    changed = ask("PUT", path, {"name": "Moped", "phases": 1, "max_a": 6.5}, if_match=made.etag)
    assert changed.body == {"id": made.body["id"], "name": "Moped", "phases": 1, "max_a": 6.5, "battery_wh": None}
    assert ask("PUT", path, VOLVO, if_match=made.etag).refused(412, "version_changed")
    assert ask("DELETE", path, if_match=made.etag).refused(412, "version_changed")
    assert ask("GET", "/v1/me/vehicles").body == {"items": [changed.body], "next": None}
    assert ask("DELETE", path, if_match=changed.etag).status == 204
    assert ask("GET", path).refused(404, "not_found")
    assert ask("GET", "/v1/me/vehicles").body["items"] == []


def test_a_vehicle_is_added_once(ask: Asker) -> None:
    """A repeated request finds the vehicle that it has added; with other words it is refused."""
    first = ask("POST", "/v1/me/vehicles", VOLVO, key="k")
    assert ask("POST", "/v1/me/vehicles", VOLVO, key="k").body == first.body
    assert ask("POST", "/v1/me/vehicles", VOLVO | {"name": "Saab"}, key="k").refused(422, "idempotency_key_reused")
    assert len(ask("GET", "/v1/me/vehicles").body["items"]) == 1


def test_the_vehicles_of_another(ask: Asker) -> None:
    """Nobody reaches another's vehicle."""
    path = ask("POST", "/v1/me/vehicles", VOLVO).headers["Location"]
    eva = ask.as_("eva")
    assert eva("GET", path).refused(404, "not_found")
    assert eva("PUT", path, VOLVO, if_match="*").refused(404, "not_found")
    assert eva("DELETE", path, if_match="*").refused(404, "not_found")
    assert ask("GET", path).status == 200


@pytest.mark.parametrize(
    "change",
    [{"phases": 2}, {"max_a": 0}, {"max_a": 1001}, {"battery_wh": 0}, {"name": ""}, {"registration": "ABC 123"}],
)
def test_what_is_no_vehicle(ask: Asker, change: dict[str, object]) -> None:
    """What no vehicle is like, and what we need not know, is refused."""
    assert ask("POST", "/v1/me/vehicles", VOLVO | change).refused(400, "invalid_request")


def test_nobody_has_very_many_vehicles(ask: Asker) -> None:
    """The twenty-first is refused."""
    assert [ask("POST", "/v1/me/vehicles", VOLVO).status for _ in range(21)] == [201] * 20 + [400]


# ------------------------------------------------------------------ access


def join(ask: Asker, **more: object) -> None:
    """Make anna a member of a group that may use the owner's site."""
    hashed = email_hash("anna@example.com")
    known = Member("m1", OWNER_ID, "anna@example.com", hashed, external_id="E7", name="Anna A", groups=("g1",))
    membership = replace(Membership("m1", OWNER_ID, hashed, ("g1",)), **more)  # type: ignore[arg-type]  # fields by name
    ask.house.registry.commit([Put(MEMBER, None, known), Put(MEMBERSHIP, None, membership)])
    grant(ask.house, f"group:{OWNER_ID}/g1", Role.MAINTENANCE, "site/s")


def test_access(ask: Asker) -> None:
    """Somebody sees what they may use, why and until when: in person, by address and through groups."""
    join(ask, ends_at=ask.house.clock.at + 60)
    grant(ask.house, f"email:{email_hash('anna@example.com')}", Role.FINANCE, f"owner/{OWNER_ID}")
    over = Grant("over", OWNER_ID, "user:anna", Role.USER, "outlet/s-1", ends_at=ask.house.clock.at)
    ask.house.registry.commit([Put(GRANT, None, over)])
    told = ask.as_(ANNA)("GET", "/v1/me/access").body
    assert {(g["through"], g["role"], g["scope"], g["holds"]) for g in told["grants"]} == {
        ("user", "user", "site/s", True),
        ("user", "user", "outlet/s-1", False),
        ("email", "finance", f"owner/{OWNER_ID}", True),
        ("group", "maintenance", "site/s", True),
    }
    assert {g["owner"]["name"] for g in told["grants"]} == {"Garden"}
    (membership,) = told["memberships"]
    assert (membership["external_id"], membership["groups"], membership["holds"]) == ("E7", ["g1"], True)
    assert membership["ends_at"] == "2027-01-15T08:01:00.000+00:00"
    unproved = ask("GET", "/v1/me/access").body
    assert ({g["through"] for g in unproved["grants"]}, unproved["memberships"]) == ({"user"}, [])


def test_a_membership_that_is_over(ask: Asker) -> None:
    """A membership that does not hold is shown as such, and its groups give nothing."""
    join(ask, active=False)
    told = ask.as_(ANNA)("GET", "/v1/me/access").body
    assert [m["holds"] for m in told["memberships"]] == [False]
    assert "group" not in {g["through"] for g in told["grants"]}


# ------------------------------------------------------------------ leaving


def record(session: str, state: str) -> SessionRecord:
    return SessionRecord(session, "anna", "s", "s-1", "1", 1_700_000_000.0, state, energy_wh=7)


def test_an_export_has_everything(ask: Asker) -> None:
    """The export holds profile, vehicles, what was learned, access and sessions, and nothing of anybody else."""
    join(ask)
    car = ask("POST", "/v1/me/vehicles", VOLVO).body
    ask.as_("eva")("POST", "/v1/me/vehicles", VOLVO | {"name": "Evas"})
    ask.house.sessions.add(record("one", "ended"))
    ask.house.vehicles.put("anna", Vehicle(7.5, "relay"))
    told = ask.as_(ANNA)("GET", "/v1/me/export").body
    assert told["exported_at"] == "2027-01-15T08:00:00.000+00:00"
    assert (told["profile"]["email"], told["vehicles"]) == ("anna@example.com", [car])
    assert told["learned"] == {"least_a": 7.5, "wakes_by": "relay"}
    assert [(s["id"], s["energy_wh"]) for s in told["sessions"]] == [("one", 7)]
    assert told["access"] == ask.as_(ANNA)("GET", "/v1/me/access").body
    assert "Anna A" in json.dumps(told)
    assert "Evas" not in json.dumps(told)


def test_leaving(ask: Asker) -> None:
    """Profile, vehicles, what was learned, grants and the account go; the session stays, and the owner's member too."""
    house = ask.house
    join(ask)
    ask("PUT", "/v1/me", {"language": "en", "notify": CHOICES}, if_match="*")
    ask("POST", "/v1/me/vehicles", VOLVO)
    house.vehicles.put("anna", Vehicle(7.5, "relay"))
    house.sessions.add(record("one", "ended"))
    assert ask("DELETE", "/v1/me", {"confirm": "yes"}).refused(400, "invalid_request")
    assert ask.as_(ANNA)("DELETE", "/v1/me", {"confirm": "delete"}).status == 204
    assert house.registry.get(PROFILE, of_person("anna"), "") is None
    assert house.registry.under(CAR, of_person("anna")).items == ()
    assert house.registry.under(GRANT, of_subject("user:anna")).items == ()
    assert house.vehicles.known == {}
    assert house.identity.account("anna") is None
    assert house.sessions.records["one"].user == "anna"
    assert house.registry.get(MEMBER, of_owner(OWNER_ID), "m1") is not None
    assert ask.as_(ANNA)("DELETE", "/v1/me", {"confirm": "delete"}).status == 204


def test_leaving_leaves_ids_in_the_audit_log(ask: Asker) -> None:
    """The owner sees that the grant went, by whom and when, and neither name nor address."""
    ask("PUT", "/v1/me", {"language": "en", "notify": CHOICES, "name": "Anna"}, if_match="*")
    ask.as_(ANNA)("DELETE", "/v1/me", {"confirm": "delete"})
    (line,) = ask.house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER_ID}").items
    assert (line.what, line.by, line.scope, line.after) == ("grant.revoked", "user:anna", "site/s", None)
    assert "anna@" not in str(line)
    assert "Anna" not in str(line)


def test_who_has_many_grants_leaves_too(ask: Asker) -> None:
    """More grants than fit into one write go as well."""
    for n in range(130):
        grant(ask.house, "user:anna", Role.USER, f"outlet/s-{n}")
    assert ask("DELETE", "/v1/me", {"confirm": "delete"}).status == 204
    assert ask.house.registry.under(GRANT, of_subject("user:anna")).items == ()


def test_nobody_leaves_while_a_session_runs(ask: Asker) -> None:
    """While a session runs or waits its user can't leave; when it has ended, they can, however late the history is."""
    begun = ask("POST", "/v1/sessions", {"outlet": "s-1"})
    assert begun.status == 201, begun
    assert ask("DELETE", "/v1/me", {"confirm": "delete"}).refused(409, "account_needed")
    assert ask("GET", "/v1/me").body["name"] == "Anna"
    assert ask("POST", f"/v1/sessions/{begun.body['id']}/stop").status == 200
    ask.house.take(ask.house.frame())
    assert ask.house.sessions.records[begun.body["id"]].state != "ended"
    assert ask("DELETE", "/v1/me", {"confirm": "delete"}).status == 204


def test_an_owner_keeps_an_administrator(ask: Asker) -> None:
    """The last who administers an owner for good can't leave; with another they can."""
    olga = ask.as_("olga")
    ending = Grant("e", OWNER_ID, "user:eva", Role.OWNER_ADMIN, f"owner/{OWNER_ID}", ends_at=ask.house.clock.at + 60)
    ask.house.registry.commit([Put(GRANT, None, ending)])
    assert olga("DELETE", "/v1/me", {"confirm": "delete"}).refused(409, "account_needed")
    grant(ask.house, "user:anna", Role.OWNER_ADMIN, f"owner/{OWNER_ID}")
    assert olga("DELETE", "/v1/me", {"confirm": "delete"}).status == 204
