"""Owners by API, and their audit log."""

from typing import Any

import pytest

from epspot.access import Role
from epspot.registry.kinds import Put
from epspot.registry.records import AUDIT_LINE, AuditLine
from epspot.services.register_owner import MOST_A_DAY
from functions.api.calls import validator
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import OWNER_ID, grant
from tests.unit.services.house import House

FORM = {"name": "Brf Eken", "organisation_number": "769600-0000", "email": "styrelsen@example.com"}


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as who administers the owner."""
    return ask.as_("olga")


def test_anybody_becomes_an_owner(ask: Asker) -> None:
    """Who signs in makes an owner, administers it at once, and nobody else does."""
    eva = ask.as_("eva")
    made = eva("POST", "/v1/owners", FORM)
    assert made.status == 201
    validator("Owner")(made.body)
    path = f"/v1/owners/{made.body['id']}"
    assert made.headers["Location"] == path
    seen = eva("GET", path)
    assert (seen.status, seen.body, seen.etag) == (200, made.body, made.etag)
    assert [o["name"] for o in eva("GET", "/v1/owners").body["items"]] == ["Brf Eken"]
    assert eva("GET", f"{path}/sites").body == {"items": [], "next": None}
    for other in (ask, ask.as_("olga")):
        assert other("GET", path).refused(404, "not_found")
        assert other("GET", f"{path}/audit").refused(404, "not_found")


def test_a_repeated_request_makes_one_owner(ask: Asker) -> None:
    """The same request again shows what the first has made."""
    eva = ask.as_("eva")
    first, again = (eva("POST", "/v1/owners", FORM, key="k") for _ in range(2))
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert len(eva("GET", "/v1/owners").body["items"]) == 1
    assert eva("POST", "/v1/owners", FORM | {"name": "Other"}, key="k").refused(422, "idempotency_key_reused")


def test_owners_are_not_made_without_end(ask: Asker) -> None:
    """One user makes so many a day."""
    eva = ask.as_("eva")
    for n in range(MOST_A_DAY):
        assert eva("POST", "/v1/owners", {"name": f"Owner {n}"}).status == 201
    told = eva("POST", "/v1/owners", FORM, language="sv")
    assert told.refused(429, "too_often")
    assert "i morgon" in told.body["detail"]
    eva.house.clock.at += 86_400
    assert eva("POST", "/v1/owners", FORM).status == 201


def test_what_an_owner_may_be_called(ask: Asker) -> None:
    """The form is held to its bounds."""
    wrongs: list[dict[str, Any]] = [
        {},
        {"name": ""},
        {"name": "x" * 121},
        FORM | {"email": "no address"},
        FORM | {"settings": {}},
        FORM | {"on_revoke": "ask"},
    ]
    for wrong in wrongs:
        assert ask("POST", "/v1/owners", wrong).refused(400, "invalid_request")


def test_an_owner_is_changed(olga: Asker) -> None:
    """A change needs the version that it is a change of; what is left out is empty."""
    path = f"/v1/owners/{OWNER_ID}"
    before = olga("GET", path)
    assert olga("PUT", path, FORM).refused(428, "version_missing")
    changed = olga("PUT", path, FORM, if_match=before.etag)
    assert (changed.status, changed.body["name"]) == (200, "Brf Eken")
    assert changed.etag != before.etag
    assert olga("PUT", path, {"name": "Late"}, if_match=before.etag).refused(412, "version_changed")
    assert olga("PUT", path, {"name": "New"}, if_match=changed.etag).body["email"] == ""


def test_who_may_see_and_change_an_owner(ask: Asker) -> None:
    """Finance sees an owner and does not change it; a user of outlets sees nothing of it."""
    grant(ask.house, "user:fia", Role.FINANCE, f"owner/{OWNER_ID}")
    path, fia = f"/v1/owners/{OWNER_ID}", ask.as_("fia")
    seen = fia("GET", path)
    assert seen.status == 200
    assert fia("PUT", path, FORM, if_match=seen.etag).refused(403, "not_allowed")
    assert fia("GET", f"{path}/audit").refused(403, "not_allowed")
    for method, body in (("GET", None), ("PUT", FORM)):
        assert ask(method, path, body, if_match="*").refused(404, "not_found")
    assert ask.as_(None)("GET", path).refused(401, "not_signed_in")


def test_lists_are_one_s_own(ask: Asker, house: House) -> None:
    """Owners and sites are listed for who may view them, wholly or in part; not for mere users of outlets."""
    olga = ask.as_("olga")
    grid = {"rating_a": [20, 20, 20]}
    new = {"name": "Yard", "latitude": 59, "longitude": 18, "grid_connection": grid}
    made = olga("POST", f"/v1/owners/{OWNER_ID}/sites", new).body["id"]
    grant(house, "user:maja", Role.MAINTENANCE, f"site/{made}")
    for who, owners, sites in (("olga", [OWNER_ID], [made]), ("maja", [OWNER_ID], [made]), ("anna", [], [])):
        asked = ask.as_(who)
        assert [o["id"] for o in asked("GET", "/v1/owners").body["items"]] == owners
        assert [s["id"] for s in asked("GET", "/v1/sites").body["items"]] == sites
    assert ask.as_("maja")("GET", f"/v1/owners/{OWNER_ID}/sites").refused(404, "not_found")


# ------------------------------------------------------------------ the audit log


def test_changes_are_told_with_who_made_them(olga: Asker) -> None:
    """The newest line says who, what, from what to what; no address stands in it."""
    path = f"/v1/owners/{OWNER_ID}"
    olga("PUT", path, FORM, if_match="*")
    line = olga("GET", f"{path}/audit?limit=1").body["items"][0]
    validator("AuditLine")(line)
    assert (line["by"], line["what"], line["scope"], line["about"]) == (
        "user:olga",
        "owner.changed",
        f"owner/{OWNER_ID}",
        OWNER_ID,
    )
    assert (line["before"]["name"], line["after"]["name"]) == ("Garden", "Brf Eken")
    assert "example.com" not in str(line)


def test_the_log_is_read_from_its_newest_end(olga: Asker, house: House) -> None:
    """Pages follow one another without a gap, and a line has one owner."""
    for n in range(5):
        line = AuditLine(f"{n:014.3f}-x", OWNER_ID, float(n), "system", "x", "owner/x", str(n))
        house.registry.commit([Put(AUDIT_LINE, None, line)])
    house.registry.commit([Put(AUDIT_LINE, None, AuditLine("9", "other", 9.0, "system", "x", "owner/o", "9"))])
    path, seen, cursor = f"/v1/owners/{OWNER_ID}/audit", [], ""
    while True:
        page = olga("GET", f"{path}?limit=2{cursor}").body
        seen += [a["about"] for a in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ["4", "3", "2", "1", "0"]
