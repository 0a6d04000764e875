"""Grants: who gives what to whom, where, and how it is taken away."""

from dataclasses import replace
from typing import Any

import pytest

from epspot.access import Capability, Role
from epspot.access.subjects import email_hash
from epspot.registry.kinds import Put
from epspot.registry.names import ADDRESS
from epspot.registry.records import AUDIT_LINE, GRANT, OWNER, TOKEN, Owner, Token, of_email
from epspot.services.give_grant import find_grant
from epspot.services.show_token import secret_hash, token_text
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import OWNER_ID, grant
from tests.unit.services.house import House

GRANTS = f"/v1/owners/{OWNER_ID}/grants"
STATES = "/v1/sites/s/outlet-states"


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as the owner's administrator."""
    return ask.as_("olga")


@pytest.fixture
def sten(house: House, ask: Asker) -> Asker:
    """Ask as the administrator of the site ``s`` alone; another owner has the site ``t``."""
    grant(house, "user:sten", Role.SITE_ADMIN, "site/s")
    house.open("t", owner="owner2").registry.commit([Put(OWNER, None, Owner("owner2", "Other"))])
    return ask.as_("sten")


def given(ask: Asker, role: str = "user", scope: str = "site/s", *, key: str = "", **more: Any) -> Answer:
    """Grant something, to eva unless another is named."""
    subject = more.pop("subject", {"user": "eva"})
    return ask("POST", GRANTS, {"subject": subject, "role": role, "scope": scope, **more}, key=key)


def stop_on_revoke(house: House) -> None:
    """Let the owner's rule be to stop sessions of who has lost the right to them."""
    rule = {"name": "Garden", "on_revoke": "stop"}
    told = Asker(house, "olga")("PUT", f"/v1/owners/{OWNER_ID}", rule, if_match="*")
    assert (told.status, told.body["on_revoke"]) == (200, "stop")


def states(house: House) -> list[str]:
    """Tell the phases of the sessions that live at the site."""
    return [s.phase.value for s in house.live().sessions.values()]


# ------------------------------------------------------------------ giving


def test_a_grant_lets_in_at_once_and_its_end_shuts_out(olga: Asker) -> None:
    """Eva may use the site from the grant to its revocation."""
    eva = olga.as_("eva")
    assert eva("GET", STATES).refused(404, "not_found")
    made = given(olga)
    assert made.status == 201
    assert made.body["subject"] == {"user": "eva"}
    assert eva("GET", STATES).status == 200
    assert olga("DELETE", made.headers["Location"]).status == 204
    assert eva("GET", STATES).refused(404, "not_found")
    assert olga("DELETE", made.headers["Location"]).refused(404, "not_found")


def test_a_repeated_request_grants_once(olga: Asker, house: House) -> None:
    """The same key finds the first grant; with another body it is refused."""
    one, two = given(olga, key="k"), given(olga, key="k")
    assert (one.body, one.headers["Location"]) == (two.body, two.headers["Location"])
    assert len(house.registry.under(GRANT, "SUBJECT#user:eva").items) == 1
    assert given(olga, role="maintenance", key="k").refused(422, "idempotency_key_reused")


def test_a_grant_holds_for_its_time(olga: Asker, house: House) -> None:
    """Before begins_at and from ends_at on it lets nobody in."""
    eva = olga.as_("eva")
    assert given(olga, begins_at="2027-01-16T00:00:00+00:00", ends_at="2027-01-17T00:00:00Z").status == 201
    answers = []
    for day in (0, 1, 2):
        house.clock.at = 1_800_000_000.0 + day * 86_400
        answers.append(eva("GET", STATES).status)
    assert answers == [404, 200, 404]


@pytest.mark.parametrize(
    "validity",
    [
        {"ends_at": "2020-01-01T00:00:00Z"},
        {"begins_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"},
        {"ends_at": "tomorrow"},
        {"ends_at": "2030-01-01T00:00:00"},
    ],
)
def test_a_time_that_never_is_is_refused(olga: Asker, validity: dict[str, str]) -> None:
    """A grant that can never hold, or whose time is none, is refused."""
    assert given(olga, **validity).refused(400, "invalid_request")


@pytest.mark.parametrize(
    "subject", [{}, {"user": "eva", "email": "eva@example.com"}, {"user": "a#b"}, {"email": "eva"}, {"team": "x"}]
)
def test_a_grant_is_for_one_subject(olga: Asker, subject: dict[str, str]) -> None:
    """None, two, or one of a wrong form is refused."""
    assert given(olga, subject=subject).refused(400, "invalid_request")


def test_a_grant_by_email_is_for_whoever_proves_the_address(olga: Asker, house: House) -> None:
    """The address is shown to the administrator, stands in no audit line, and is forgotten with its last grant."""
    made = given(olga, subject={"email": "Eva@Example.com"})
    more = given(olga, role="maintenance", subject={"email": "eva@example.com"})
    assert made.body["subject"] == {"email": "eva@example.com"}
    assert olga.as_("eva eva@example.com")("GET", STATES).status == 200
    assert olga.as_("eva other@example.com")("GET", STATES).status == 404
    lines = house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER_ID}").items
    assert [line.what for line in lines] == ["grant.created", "grant.created"]
    assert "example.com" not in str(lines)
    olga("DELETE", made.headers["Location"])
    assert house.registry.get(ADDRESS, of_email(email_hash("eva@example.com")), OWNER_ID) is not None
    olga("DELETE", more.headers["Location"])
    assert house.registry.get(ADDRESS, of_email(email_hash("eva@example.com")), OWNER_ID) is None


def test_a_group_must_be_there(olga: Asker) -> None:
    """A grant to an unknown user group is refused."""
    assert given(olga, subject={"group": "nobody"}).refused(404, "not_found")


# ------------------------------------------------------------------ who may


@pytest.mark.parametrize("role", ["owner_admin", "finance"])
def test_roles_over_everything_are_given_on_the_owner_alone(olga: Asker, role: str) -> None:
    """Owner administrators and finance reach over all that an owner has, or nothing."""
    assert given(olga, role=role).refused(400, "invalid_request")
    assert given(olga, role=role, scope=f"owner/{OWNER_ID}").status == 201


def test_a_site_administrator_grants_within_the_site(sten: Asker) -> None:
    """Within the site, but not on the owner, and another owner's scope is not there at all."""
    assert given(sten, role="site_admin", scope="outlet/s-1").status == 201
    assert given(sten, scope=f"owner/{OWNER_ID}").refused(404, "not_found")
    for scope in ("site/t", "outlet/t-1", "site/none", "owner/owner2"):
        assert given(sten, scope=scope).refused(404, "not_found")
    assert given(sten, scope="garden").refused(400, "invalid_request")


@pytest.mark.parametrize("who", ["anna", "max", "eva", "fia"])
def test_who_does_not_administer_grants_and_sees_nothing(house: House, ask: Asker, who: str) -> None:
    """Users, maintenance, finance and strangers neither grant, list nor revoke."""
    grant(house, "user:max", Role.MAINTENANCE, "site/s")
    grant(house, "user:fia", Role.FINANCE, f"owner/{OWNER_ID}")
    made = given(ask.as_("olga")).headers["Location"]
    asker = ask.as_(who)
    assert given(asker).status in (403, 404)
    assert asker("GET", GRANTS).status in (403, 404)
    assert asker("GET", f"{GRANTS}?scope=site/s").status in (403, 404)
    assert asker("DELETE", made).status in (403, 404)
    assert ask.as_("olga")("GET", f"{GRANTS}?scope=site/s").body["items"][0]["id"] == made.rpartition("/")[2]


def test_guests_are_asked_to_sign_in(ask: Asker) -> None:
    """Nobody grants, lists or revokes as nobody."""
    guest = ask.as_(None)
    for method, path in (("POST", GRANTS), ("GET", GRANTS), ("DELETE", f"{GRANTS}/x")):
        assert guest(method, path, {} if method == "POST" else None).refused(401, "not_signed_in")


def test_nobody_gives_what_they_lack(house: House, ask: Asker) -> None:
    """A system that may administer but not use gives no role that may use."""
    capabilities = (Capability.ADMINISTER.value, Capability.VIEW.value, Capability.MAINTAIN.value)
    token = Token("tok", OWNER_ID, "portal", secret_hash("s"), capabilities, f"owner/{OWNER_ID}")
    house.registry.commit([Put(TOKEN, None, token)])
    portal = ask.as_(token_text("tok", "s"))
    told = given(portal)
    assert told.refused(403, "not_allowed")
    assert "use" in told.body["detail"]
    made = given(portal, role="maintenance")
    assert made.body["source"] == "api:tok"


def test_a_grant_of_another_owner_is_not_there(sten: Asker, house: House, ask: Asker) -> None:
    """Its id leads to nothing at this owner, for whoever asks."""
    grant(house, "user:kim", Role.OWNER_ADMIN, "owner/owner2", "owner2")
    grant(house, "user:kim", Role.USER, "site/t", "owner2")
    id_ = "user:kim%2Fuser%2Fsite%2Ft"
    assert ask.as_("olga")("DELETE", f"{GRANTS}/{id_}").refused(404, "not_found")
    assert sten("DELETE", f"/v1/owners/owner2/grants/{id_}").refused(404, "not_found")
    assert ask.as_("kim")("DELETE", f"/v1/owners/owner2/grants/{id_}").status == 204


# ------------------------------------------------------------------ listing


def test_lists_are_in_pages_and_by_scope(olga: Asker, sten: Asker) -> None:
    """All of an owner's grants come once over the pages; a scope's alone if it is asked for, to who administers it."""
    made = {given(olga, subject={"user": f"u{n}"}).body["id"] for n in range(7)}
    seen, path = [], f"{GRANTS}?limit=4"
    while True:
        told = olga("GET", path).body
        assert len(told["items"]) <= 4
        seen += [g["id"] for g in told["items"]]
        if told["next"] is None:
            break
        path = f"{GRANTS}?limit=4&cursor={told['next']}"
    assert len(seen) == len(set(seen)) == 10  # with those of olga, anna and sten
    assert made < set(seen)
    assert {g["scope"] for g in sten("GET", f"{GRANTS}?scope=site/s").body["items"]} == {"site/s"}
    assert sten("GET", GRANTS).refused(404, "not_found")


@pytest.mark.parametrize("id_", ["a", "ab", "abc", "b", "ba"])
def test_a_grant_is_found_by_its_id_among_the_like(house: House, id_: str) -> None:
    """Ids that begin alike don't stand in each other's way."""
    made = house.registry.get(GRANT, "SUBJECT#user:anna", "user:anna/user/site/s")
    assert made is not None
    house.registry.commit([Put(GRANT, None, replace(made, id=i, version=0)) for i in ("a", "ab", "abc", "b", "ba")])
    assert find_grant(house.registry, OWNER_ID, id_).id == id_


# ------------------------------------------------------------------ revoking


def test_the_last_administrator_stays(olga: Asker) -> None:
    """Neither a group, nor somebody whose time ends, is enough to let the last one go; another for good is."""
    mine = f"{GRANTS}/user:olga%2Fowner_admin%2Fowner%2F{OWNER_ID}"
    everything = {"role": "owner_admin", "scope": f"owner/{OWNER_ID}"}
    group = olga("POST", f"/v1/owners/{OWNER_ID}/user-groups", {"name": "Board"}).body["id"]
    assert given(olga, **everything, subject={"group": group}).status == 201
    assert given(olga, **everything, ends_at="2030-01-01T00:00:00Z").status == 201
    assert olga("DELETE", mine).refused(409, "last_administrator")
    assert given(olga, **everything, subject={"user": "kim"}).status == 201
    assert olga("DELETE", mine).status == 204
    assert olga("GET", GRANTS).refused(404, "not_found")


def test_two_who_revoke_each_other_leave_one(olga: Asker, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two last administrators who take each other's grant away at once, one stays."""
    kims = given(olga, role="owner_admin", scope=f"owner/{OWNER_ID}", subject={"user": "kim"}).headers["Location"]
    mine = f"{GRANTS}/user:olga%2Fowner_admin%2Fowner%2F{OWNER_ID}"
    commit, met = house.registry.commit, list[int]()

    def meanwhile(changes: Any) -> None:
        if not met:
            met.append(0)
            met[0] = olga.as_("kim")("DELETE", mine).status
        commit(changes)

    monkeypatch.setattr(house.registry, "commit", meanwhile)
    told = olga("DELETE", kims)
    assert met == [204]
    assert told.refused(409, "last_administrator")


@pytest.mark.parametrize(("stops", "after"), [(False, ["active"]), (True, ["stopping"])])
def test_a_running_session_ends_by_the_owners_rule(olga: Asker, house: House, *, stops: bool, after: list[str]) -> None:
    """Anna's session runs on when her right is revoked, unless the owner's rule is to stop it."""
    if stops:
        stop_on_revoke(house)
    assert olga.as_("anna")("POST", "/v1/sessions", {"outlet": "s-1"}).status == 201
    assert states(house) == ["active"]
    assert olga("DELETE", f"{GRANTS}/user:anna%2Fuser%2Fsite%2Fs").status == 204
    assert states(house) == after
    assert olga.as_("anna")("POST", "/v1/sessions", {"outlet": "s-2"}).refused(404, "not_found")


def test_who_has_the_right_by_another_grant_charges_on(olga: Asker, house: House) -> None:
    """A session is not stopped while its user may still use the outlet, also by e-mail."""
    stop_on_revoke(house)
    by_email = given(olga, subject={"email": "anna@example.com"}).headers["Location"]
    anna = olga.as_("anna anna@example.com")
    assert anna("POST", "/v1/sessions", {"outlet": "s-1"}).status == 201
    assert olga("DELETE", f"{GRANTS}/user:anna%2Fuser%2Fsite%2Fs").status == 204
    assert states(house) == ["active"]
    assert olga("DELETE", by_email).status == 204
    assert states(house) == ["stopping"]
