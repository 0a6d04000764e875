"""Access codes: made by who administers, redeemed by who reads them."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from epspot.access import Role
from epspot.registry.access_codes import ACCESS_CODE
from epspot.registry.kinds import Put
from epspot.registry.records import AUDIT_LINE, GRANT, OWNER, TOKEN, Owner, Token, of_owner
from epspot.services.show_token import secret_hash, token_text
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import OWNER_ID, grant
from tests.unit.functions.test_grants import STATES
from tests.unit.services.house import House

CODES = f"/v1/owners/{OWNER_ID}/access-codes"
REDEEM = "/v1/access-codes/redeem"
LATER = "2027-02-15T00:00:00Z"


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as the owner's administrator."""
    return ask.as_("olga")


def made(ask: Asker, *, key: str = "", **more: Any) -> Answer:
    return ask("POST", CODES, {"scope": "site/s", "uses": 2, "ends_at": LATER} | more, key=key)


def redeemed(ask: Asker, who: str, code: str) -> Answer:
    return ask.as_(who)("POST", REDEEM, {"code": code})


# ------------------------------------------------------------------ making


def test_a_code_is_made_once_and_shown_again(olga: Asker) -> None:
    """It can be read and printed again; the same request makes no second one."""
    one, two = made(olga, key="k"), made(olga, key="k")
    assert one.status == 201
    assert (one.body["role"], one.body["state"], one.body["used"]) == ("user", "open", 0)
    assert one.body == two.body == olga("GET", one.headers["Location"]).body
    assert olga("GET", CODES).body["items"] == [one.body]


def test_a_code_has_limits_in_number_and_time(olga: Asker) -> None:
    """Without them, or with ones that make no sense, it is refused; nobody becomes owner administrator by a code."""
    assert olga("POST", CODES, {"scope": "site/s", "uses": 1}).refused(400, "invalid_request")
    assert olga("POST", CODES, {"scope": "site/s", "ends_at": LATER}).refused(400, "invalid_request")
    assert made(olga, ends_at="2020-01-01T00:00:00Z").refused(400, "invalid_request")
    for wrong in ({"uses": 0}, {"grant_days": 0}, {"role": "owner_admin", "scope": f"owner/{OWNER_ID}"}):
        assert made(olga, **wrong).refused(400, "invalid_request")
    assert made(olga, role="finance").refused(400, "invalid_request")


def test_a_code_is_for_what_its_maker_administers(house: House, ask: Asker) -> None:
    """A site administrator makes, sees and ends codes of the site alone; a user none at all."""
    grant(house, "user:sten", Role.SITE_ADMIN, "site/s")
    house.open("t", owner="owner2").registry.commit([Put(OWNER, None, Owner("owner2", "Other"))])
    sten, olgas = ask.as_("sten"), made(ask.as_("olga"), scope=f"owner/{OWNER_ID}").headers["Location"]
    mine = made(sten)
    assert mine.status == 201
    assert made(sten, scope=f"owner/{OWNER_ID}").refused(404, "not_found")
    assert made(sten, scope="site/t").refused(404, "not_found")
    assert sten("GET", CODES).refused(404, "not_found")
    assert sten("GET", f"{CODES}?scope=site/s").body["items"] == [mine.body]
    for method, path in (("GET", ""), ("GET", "/qr.svg"), ("DELETE", "")):
        unknown = sten(method, f"{CODES}/none{path}")
        told = sten(method, f"{olgas}{path}")
        assert told.refused(404, "not_found")
        assert told.body["detail"] == unknown.body["detail"].replace("none", olgas.rpartition("/")[2])
        assert ask(method, f"{mine.headers['Location']}{path}").refused(404, "not_found")


@pytest.mark.parametrize("app", ["", "https://app.example.com"])
def test_a_code_is_drawn_to_be_printed(olga: Asker, house: House, app: str) -> None:
    """The drawing is well-formed, shows the text, and differs with where it leads."""
    house.app_url = app
    code = made(olga)
    told = olga("GET", f"{code.headers['Location']}/qr.svg")
    assert told.headers["Content-Type"] == "image/svg+xml"
    drawing = ET.fromstring(told.body)  # noqa: S314 - our own
    ns = "{http://www.w3.org/2000/svg}"
    assert [e.text for e in drawing.iter(f"{ns}text")] == [code.body["code"]]
    assert len(list(drawing.iter(f"{ns}path"))) >= 1
    house.app_url = "https://other.example.com"
    assert olga("GET", f"{code.headers['Location']}/qr.svg").body != told.body


# ------------------------------------------------------------------ redeeming


def test_a_code_gives_a_right_however_it_is_typed(olga: Asker, house: House) -> None:
    """Case, hyphens and spaces don't matter; what comes of it says where it is from."""
    code = made(olga, grant_days=7).body
    told = redeemed(olga, "eva", f" {code['code'].lower().replace('-', ' ')} ")
    assert told.status == 200
    assert (told.body["role"], told.body["scope"], told.body["source"]) == ("user", "site/s", f"code:{code['id']}")
    assert olga.as_("eva")("GET", STATES).status == 200
    house.clock.at += 7 * 86_400
    assert olga.as_("eva")("GET", STATES).status == 404


def test_the_same_user_counts_once(olga: Asker) -> None:
    """Redeeming again gives the same grant, also when the code is used up."""
    code = made(olga, uses=1)
    one, two = (redeemed(olga, "eva", code.body["code"]) for _ in range(2))
    assert one.body == two.body
    told = olga("GET", code.headers["Location"]).body
    assert (told["used"], told["state"]) == (1, "used_up")


def test_why_a_code_fails_is_told_to_nobody(olga: Asker, house: House) -> None:
    """Unknown, used up, early, over and ended codes sound alike."""
    used_up, ended = made(olga, uses=1), made(olga)
    early, over = made(olga, begins_at="2027-02-01T00:00:00Z"), made(olga, ends_at="2027-01-15T09:00:00Z")
    redeemed(olga, "kim", used_up.body["code"])
    olga("DELETE", ended.headers["Location"])
    house.clock.at += 7200
    codes = ["AAAA-BBBB-CCCC", *(c.body["code"] for c in (used_up, ended, early, over))]
    told = [redeemed(olga, "eva", code) for code in codes]
    assert all(t.refused(404, "code_unknown") for t in told)
    assert len({t.body["detail"] for t in told}) == 1
    assert olga.as_("eva")("GET", STATES).status == 404


def test_guessing_ends_after_ten_wrong_codes(olga: Asker, house: House) -> None:
    """Then even the right one is refused, for the user and for the place on the net, until the hour is over."""
    code = made(olga, uses=100).body["code"]
    for n in range(30):
        assert redeemed(olga, f"u{n}", code).status == 200, "right ones don't count"
    for n in range(10):
        assert redeemed(olga, "eva", f"WRONG{n}").refused(404, "code_unknown")
    told = redeemed(olga, "eva", code)
    assert told.refused(429, "too_often")
    assert 60 < int(told.headers["Retry-After"]) <= 3600
    assert redeemed(olga, "kim", code).refused(429, "too_often"), "from the same place"
    house.clock.at += 3600
    assert redeemed(olga, "eva", code).status == 200


def test_only_people_redeem(olga: Asker, house: House) -> None:
    """A guest is asked to sign in, and another system is told what to do instead."""
    code = made(olga).body["code"]
    token = Token("tok", OWNER_ID, "portal", secret_hash("s"), ("use", "administer"), f"owner/{OWNER_ID}")
    house.registry.commit([Put(TOKEN, None, token)])
    assert olga.as_(None)("POST", REDEEM, {"code": code}).refused(401, "not_signed_in")
    assert redeemed(olga, token_text("tok", "s"), code).refused(403, "not_allowed")


def test_what_is_revoked_does_not_come_back(olga: Asker) -> None:
    """Whose grant was taken away gets nothing more of the same code."""
    code = made(olga).body["code"]
    id_ = redeemed(olga, "eva", code).body["id"]
    assert olga("DELETE", f"/v1/owners/{OWNER_ID}/grants/{id_}").status == 204
    assert redeemed(olga, "eva", code).refused(404, "code_unknown")


@pytest.mark.parametrize(("query", "after"), [("", 200), ("?revoke=true", 404)])
def test_the_end_of_a_code(olga: Asker, query: str, after: int) -> None:
    """What it has given stays, unless it is to be revoked too; it stands in the list as ended."""
    code = made(olga, uses=10)
    for n in range(3):
        redeemed(olga, f"u{n}", code.body["code"])
    assert olga("DELETE", f"{code.headers['Location']}{query}").status == 204
    assert olga("DELETE", f"{code.headers['Location']}{query}").status == 204
    assert [olga.as_(f"u{n}")("GET", STATES).status for n in range(3)] == [after] * 3
    told = olga("GET", code.headers["Location"]).body
    assert (told["state"], told["used"]) == ("ended", 3)


def test_the_audit_log_does_not_tell_the_code(olga: Asker, house: House) -> None:
    """Making, redeeming and ending leave a line each, without the text of the code."""
    code = made(olga)
    redeemed(olga, "eva", code.body["code"])
    olga("DELETE", code.headers["Location"])
    lines = house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER_ID}").items
    assert [line.what for line in lines] == ["access_code.created", "access_code.redeemed", "access_code.ended"]
    assert lines[1].by == "user:eva"
    assert code.body["code"] not in str(lines)


def test_what_a_code_is_for_must_be_there(olga: Asker, house: House) -> None:
    """A code for a site that has another owner now gives nothing."""
    code = made(olga).body
    kept = house.registry.get(ACCESS_CODE, of_owner(OWNER_ID), code["id"])
    assert kept is not None
    moved = ACCESS_CODE.type(**{n: getattr(kept, n) for n in kept.__slots__} | {"scope": "site/gone"})
    house.registry.commit([Put(ACCESS_CODE, kept, moved)])
    assert redeemed(olga, "eva", code["code"]).refused(404, "code_unknown")
    assert not house.registry.under(GRANT, "SUBJECT#user:eva").items
