"""What somebody tries who means ill, or sends what nobody would: it leads nowhere, and harms nobody else."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from epspot.access import Capability, Grant, Role
from epspot.access.subjects import email_hash
from epspot.registry.identity_providers import IDENTITY_PROVIDER, IdentityProvider
from epspot.registry.kinds import Put
from epspot.registry.records import (
    GRANT,
    MEMBER,
    MEMBERSHIP,
    OWNER,
    TOKEN,
    Member,
    Membership,
    Owner,
    Token,
)
from epspot.services.give_grant import MOST_TO_ONE
from epspot.services.register_site import register_site
from epspot.services.show_token import secret_hash, token_text
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import OWNER_ID, grant
from tests.unit.functions.test_authorisation_api import FORM, PATH, says, start
from tests.unit.functions.test_grants import GRANTS, STATES, given, states, stop_on_revoke
from tests.unit.services.house import House, site_of

MORE_THAN_A_PAGE = 1100
EVA = "eva eva@example.com"
FAR_AWAY = "9999-12-31T23:59:59-12:00"


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as the owner's administrator."""
    return ask.as_("olga")


def member(house: House, email: str = "eva@example.com", owner: str = OWNER_ID, **more: Any) -> None:
    """Let an owner have a member, as it has been written before."""
    hash_ = email_hash(email)
    house.registry.commit(
        [
            Put(MEMBER, None, Member("m1", owner, email, hash_, "emp-1", **more)),
            Put(MEMBERSHIP, None, Membership("m1", owner, hash_, **more)),
        ]
    )


def token(house: House, **more: Any) -> str:
    """Give another system a token of the owner's."""
    rights = tuple(c.value for c in Capability)
    house.registry.commit(
        [Put(TOKEN, None, Token("t1", OWNER_ID, "x", secret_hash("x"), rights, f"owner/{OWNER_ID}", **more))]
    )
    return token_text("t1", "x")


# ------------------------------------------------------------------ another owner's doing


def test_what_strangers_give_takes_nothing_away(ask: Asker, house: House) -> None:
    """However many grants and memberships another owner gives somebody, those of this owner are found."""
    eva = ask.as_(EVA)
    subject = f"email:{email_hash('eva@example.com')}"
    grant(house, subject, Role.USER, "site/s")
    for n in range(MORE_THAN_A_PAGE):
        spam = Grant(f"a{n}", "owner0", subject, "user", "site/none")
        house.registry.commit([Put(GRANT, None, spam)])
    assert eva("GET", STATES).status == 200


def test_what_strangers_say_of_somebody_hides_no_membership(ask: Asker, house: House) -> None:
    """However often another owner makes somebody a member, the groups of this owner's count."""
    eva = ask.as_(EVA)
    grant(house, f"group:{OWNER_ID}/staff", Role.USER, "site/s")
    member(house, groups=("staff",))
    for n in range(MORE_THAN_A_PAGE):
        spam = Membership(f"x{n}", "owner0", email_hash("eva@example.com"))
        house.registry.commit([Put(MEMBERSHIP, None, spam)])
    assert eva("GET", STATES).status == 200
    assert any(m["owner"]["id"] == OWNER_ID for m in eva("GET", "/v1/me/access").body["memberships"])


def test_an_owner_is_told_of_no_member_by_anothers_provider(olga: Asker, house: House) -> None:
    """Whose address only another owner's provider vouches for is not one of this owner's members to its system."""
    olga("PUT", PATH, FORM, if_match='"0"')
    member(house)
    provider = IdentityProvider("owner9", "oidc", "client9")
    house.registry.commit([Put(IDENTITY_PROVIDER, None, provider)])
    grant(house, "user:mallory", Role.USER, "site/s")
    says(house, {"allow": True})
    assert start(olga.as_("mallory eva@example.com owner9 client9")).status == 201
    ((_, question, _, _),) = house.posting.sent
    assert {*json.loads(question)["user"]} == {"id"}


def test_grants_of_a_former_owner_let_nobody_in(ask: Asker, house: House) -> None:
    """What an owner has given on a site counts no more when the site is another's."""
    house.registry.commit([Put(OWNER, None, Owner("owner2", "Other"))])
    grant(house, "user:eva", Role.SITE_ADMIN, "site/s", owner="owner2")
    assert ask.as_("eva")("GET", "/v1/sites/s").refused(404, "not_found")


# ------------------------------------------------------------------ rights that outlive themselves


def test_who_administers_for_a_time_makes_nobody_administrator_for_good(olga: Asker) -> None:
    """A right to more than use is given for no longer than the giver has it; the right to use may be."""
    ends_at = "2027-01-17T00:00:00Z"
    assert given(olga, role="site_admin", subject={"user": "sten"}, ends_at=ends_at).status == 201
    sten = olga.as_("sten")
    mine = {"user": "sten"}
    assert given(sten, role="site_admin", subject=mine).refused(403, "not_allowed")
    assert given(sten, role="site_admin", subject=mine, ends_at="2027-01-17T00:00:01Z").refused(403, "not_allowed")
    assert given(sten, role="maintenance", ends_at=ends_at).status == 201
    assert given(sten).status == 201


def test_a_code_gives_no_longer_right_than_its_maker_has(olga: Asker) -> None:
    """A code for more than use needs an end to what it gives, within the maker's own time."""
    assert given(olga, role="site_admin", subject={"user": "sten"}, ends_at="2027-03-01T00:00:00Z").status == 201
    sten, codes = olga.as_("sten"), f"/v1/owners/{OWNER_ID}/access-codes"
    form = {"scope": "site/s", "role": "site_admin", "uses": 1, "ends_at": "2027-02-01T00:00:00Z"}
    assert sten("POST", codes, form).refused(403, "not_allowed")
    assert sten("POST", codes, form | {"grant_days": 60}).refused(403, "not_allowed")
    assert sten("POST", codes, form | {"grant_days": 7}).status == 201


def test_a_token_gives_no_longer_right_than_it_holds(ask: Asker, house: House) -> None:
    """A token that is about to end makes no administrator who stays."""
    system = ask.as_(token(house, ends_at=house.clock.at + 3600))
    assert given(system, role="site_admin").refused(403, "not_allowed")
    assert given(system).status == 201


def test_a_session_of_who_comes_through_a_provider_ends_with_the_right(olga: Asker, house: House) -> None:
    """Where revoking stops sessions, it stops those of people for whom the owner's own provider vouches too."""
    stop_on_revoke(house)
    provider = IdentityProvider(OWNER_ID, "oidc", "client1")
    house.registry.commit([Put(IDENTITY_PROVIDER, None, provider)])
    made = given(olga, subject={"email": "eva@example.com"})
    assert start(olga.as_(f"p-eva eva@example.com {OWNER_ID} client1")).status == 201
    assert olga("DELETE", made.headers["Location"]).status == 204
    assert states(house) == ["stopping"]


# ------------------------------------------------------------------ what nobody would send


@pytest.mark.parametrize(
    "ends_at",
    [FAR_AWAY, "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00+14:00", "1900-01-01T00:00:00Z"],
)
def test_a_time_beyond_the_calendar_is_refused(olga: Asker, ends_at: str) -> None:
    """A time that can't be told again is refused, and spoils no list."""
    assert given(olga, begins_at=ends_at).refused(400, "invalid_request")
    assert given(olga, ends_at=ends_at).refused(400, "invalid_request")
    assert olga("GET", GRANTS).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "a\\ud800@example.com", "password": "x"}',
        b'{"email": "a@example.com", "password": "\\udfff"}',
        b'{"email": "a@example.com", "password": "x", "\\ud800": 1}',
    ],
)
def test_half_a_character_is_no_json(ask: Asker, body: bytes) -> None:
    """What is not Unicode is refused before anything is made of it."""
    assert ask.as_(None)("POST", "/v1/sign-in", body).refused(400, "invalid_request")


def test_a_number_beyond_all_numbers_is_no_json(house: House, ask: Asker) -> None:
    """1e400 would be infinite, also where any number may stand."""
    body = b'{"userName": "x@example.com", "active": 1e400}'
    told = ask.as_(token(house))("POST", "/v1/scim/v2/Users", body, media="application/scim+json")
    assert told.refused(400, "invalid_request")


@pytest.mark.parametrize("cursor", ["x" * 401, "\U0010ffff" * 300, "\U0010ffffx", "\0", "ö", ""])
@pytest.mark.parametrize("of", ["grants", "members", "tokens", "audit", "sites", "user-groups", "access-codes"])
def test_a_made_up_cursor_does_no_harm(olga: Asker, of: str, cursor: str) -> None:
    """A cursor that no list has given is refused, or leads somewhere in the list."""
    told = olga("GET", f"/v1/owners/{OWNER_ID}/{of}?cursor={quote(cursor)}")
    assert told.refused(400, "invalid_request")


def test_a_filter_for_what_can_be_no_id_finds_nothing(house: House, ask: Asker) -> None:
    """An id that is longer than any key of the tables is looked up nowhere."""
    system = ask.as_(token(house))
    for text in ("x" * 1500, ""):
        wanted = quote(f'id eq "{text}"')
        told = system("GET", f"/v1/scim/v2/Users?filter={wanted}")
        assert (told.status, told.body["totalResults"]) == (200, 0)


@pytest.mark.parametrize("phases", [True, 1.5, "1"])
def test_a_truth_is_no_number(ask: Asker, phases: Any) -> None:
    """Where one of some numbers is wanted, true is not 1."""
    told = ask("POST", "/v1/me/vehicles", {"name": "Car", "phases": phases, "max_a": 16})
    assert told.refused(400, "invalid_request")


@pytest.mark.parametrize("max_a", ["nan", "-nan", "inf", "-inf", "1e999", "-16", "0x10"])
def test_a_table_takes_no_current_that_is_none(olga: Asker, house: House, max_a: str) -> None:
    """What is no amount of current in a cell of a table is refused by its line, also where Python could read it."""
    text = f"number,fuse,phases,max_a,id\n1,main,L1,{max_a},s-1\n2,main,L1,16,s-2\n3,main,L1,16,s-3\n"
    told = olga("PUT", "/v1/sites/s/outlets.csv", text, if_match="*", media="text/csv")
    assert told.refused(422, "invalid_site"), house.lives.load("s")[0].outlet["s-1"].max_a


@pytest.mark.parametrize("between", ["\n", "\r", "€", ">", '"'])
def test_what_is_asked_says_nothing_in_a_header(ask: Asker, house: House, between: str) -> None:
    """A time may have any character in its middle, and a header that repeats it has none that is its own."""
    for name in ("p", "q"):
        site = site_of(name)
        public = replace(site, outlets=tuple(replace(o, public=True) for o in site.outlets))
        register_site(house.lives, house.clock, public)
    asked = quote(f"2026-01-05{between}08:00:00")
    told = ask.as_(None)("GET", f"/v1/public/ocpi/2.2.1/locations?limit=1&date_from={asked}")
    assert told.status == 200
    address = told.headers["Link"].partition(">; rel=")[0].removeprefix("<")
    assert address.isprintable()
    assert address.isascii()
    assert between not in address


@pytest.mark.parametrize("name", ["x" * 121, "x" * 500_000, "Night\nshift", "\0"])
def test_a_directory_calls_a_group_nothing_longer_than_people_do(house: House, ask: Asker, name: str) -> None:
    """However a directory writes a group's name, it is as short as any, and nothing is done where it is not."""
    system, scim = ask.as_(token(house)), "application/scim+json"
    groups = "/v1/scim/v2/Groups"
    made = system("POST", groups, {"displayName": "Night"}, media=scim)
    assert made.status == 201
    one = f"{groups}/{made.body['id']}"
    renamed = {"Operations": [{"op": "replace", "path": "displayName", "value": name}]}
    assert system("PATCH", one, renamed, media=scim).body["scimType"] == "invalidValue"
    assert system("PUT", one, {"displayname": name}, media=scim).body["scimType"] == "invalidValue"
    assert system("POST", groups, {"displayname": name}, media=scim).status == 400
    assert system("POST", groups, {"displayName": "Day", "externalId": name}, media=scim).status == 400
    assert [g["displayName"] for g in system("GET", groups).body["Resources"]] == ["Night"]


@pytest.mark.parametrize("name", ["\0", "Garden\r\nBcc: all@example.com", "\x7f", "\x1b[2J"])
def test_names_are_of_one_line(olga: Asker, name: str) -> None:
    """What may come to stand in a mail or a log has no control characters."""
    assert olga("POST", "/v1/owners", {"name": name}).refused(400, "invalid_request")
    assert given(olga, subject={"email": f"{name}@example.com"}).refused(400, "invalid_request")


def test_one_owner_gives_one_subject_so_much_and_no_more(olga: Asker, house: House) -> None:
    """Everything that somebody has been given is read with each request of theirs, so that no owner gives without end."""
    for n in range(MOST_TO_ONE - 1):
        house.registry.commit([Put(GRANT, None, Grant(f"g{n}", OWNER_ID, "user:eva", "user", "outlet/s-1"))])
    for n in range(5):
        house.registry.commit([Put(GRANT, None, Grant(f"h{n}", "owner2", "user:eva", "user", "outlet/t-1"))])
    assert given(olga).status == 201
    assert given(olga).refused(400, "invalid_request")
    assert given(olga, subject={"user": "bo"}).status == 201
