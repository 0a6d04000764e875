"""Tokens of an owner's: what they let in, what nobody can give, and how they end."""

from typing import Any

import pytest

from epspot.access import Grant, Role
from epspot.registry.kinds import Put
from epspot.registry.records import AUDIT_LINE, GRANT, OWNER, TOKEN, Owner
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import OWNER_ID, grant

PATH = f"/v1/owners/{OWNER_ID}/tokens"


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as who administers the owner."""
    return ask.as_("olga")


def make(who: Asker, *capabilities: str, **more: Any) -> Answer:
    return who("POST", PATH, {"name": "Parking", "capabilities": list(capabilities), **more})


def test_a_token_lets_in(olga: Asker) -> None:
    """A token is shown once, lets in with what it says, and tells when it was last used, to the hour."""
    made = make(olga, "view", "administer")
    assert (made.status, made.headers["Location"]) == (201, f"{PATH}/{made.body['id']}")
    assert made.body["token"].startswith(f"eps_{made.body['id']}_")
    shown = olga("GET", made.headers["Location"]).body
    assert made.body == shown | {"token": made.body["token"]}
    assert (shown["state"], shown["used_at"], shown["scope"]) == ("active", None, f"owner/{OWNER_ID}")
    system = olga.as_(made.body["token"])
    assert system("GET", PATH).body["items"][0]["used_at"] == "2027-01-15T08:00:00.000+00:00"
    olga.house.clock.at += 3599
    system("GET", PATH)
    assert olga("GET", made.headers["Location"]).body["used_at"] == "2027-01-15T08:00:00.000+00:00"
    olga.house.clock.at += 1
    system("GET", PATH)
    assert olga("GET", made.headers["Location"]).body["used_at"] == "2027-01-15T09:00:00.000+00:00"


def test_its_secret_is_not_kept(olga: Asker) -> None:
    """Neither the registry nor the audit log holds a token's secret, and the log not even its hash."""
    made = make(olga, "view").body
    secret = made["token"].rpartition("_")[2]
    token = olga.house.registry.get(TOKEN, f"TOKEN#{made['id']}", "")
    assert token is not None
    assert secret not in str(list(olga.house.registry.records.values()))
    lines = str(olga.house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER_ID}").items)
    assert ("token.created" in lines, token.secret_hash in lines) == (True, False)


def test_a_token_is_made_once(olga: Asker) -> None:
    """A repeated request finds the token, without the text that was shown."""
    wish = {"name": "Parking", "capabilities": ["view"]}
    first = olga("POST", PATH, wish, key="k")
    again = olga("POST", PATH, wish, key="k")
    assert (again.status, again.body) == (201, first.body | {"token": None})
    assert len(olga("GET", PATH).body["items"]) == 1


def test_a_token_does_no_more_than_it_says(olga: Asker) -> None:
    """A token without a capability, or for another place, is refused as anybody without it."""
    viewing = olga.as_(make(olga, "view").body["token"])
    assert viewing("GET", PATH).refused(403, "not_allowed")
    at_site = olga.as_(make(olga, "use", "administer", scope="site/s").body["token"])
    assert at_site("GET", PATH).refused(404, "not_found")
    assert at_site("GET", "/v1/sites/s/outlet-states").status == 200


def test_a_token_is_revoked_at_once(olga: Asker) -> None:
    """A revoked token lets nobody in, stays in the list, and may be revoked again."""
    made = make(olga, "administer").body
    system = olga.as_(made["token"])
    assert system("GET", PATH).status == 200
    assert [olga("DELETE", f"{PATH}/{made['id']}").status for _ in range(2)] == [204, 204]
    assert system("GET", PATH).refused(401, "not_signed_in")
    (listed,) = olga("GET", PATH).body["items"]
    assert (listed["state"], listed["revoked_at"]) == ("revoked", "2027-01-15T08:00:00.000+00:00")
    lines = [line.what for line in olga.house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER_ID}").items]
    assert lines == ["token.created", "token.revoked"]


def test_revoking_wins_against_use(olga: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is revoked also when its use is noted in the same moment."""
    made, registry = make(olga, "administer").body, olga.house.registry
    system, get = olga.as_(made["token"]), registry.get
    met: list[bool] = []

    def get_and_use(*what: Any) -> Any:
        found = get(*what)
        if what[0] is TOKEN and not met:
            met.append(True)
            assert system("GET", PATH).status == 200
        return found

    monkeypatch.setattr(registry, "get", get_and_use)
    assert olga("DELETE", f"{PATH}/{made['id']}").status == 204
    monkeypatch.undo()
    assert olga.house.registry.get(TOKEN, f"TOKEN#{made['id']}", "").revoked_at is not None  # type: ignore[union-attr]


def test_a_token_is_over(olga: Asker) -> None:
    """A token lets in until it ends, and none is made that has ended."""
    made = make(olga, "administer", ends_at="2027-01-15T09:00:00+01:00")
    assert made.refused(400, "invalid_request")
    made = make(olga, "administer", ends_at="2027-01-15T09:00:01+01:00")
    system = olga.as_(made.body["token"])
    assert system("GET", PATH).status == 200
    olga.house.clock.at += 1
    assert system("GET", PATH).refused(401, "not_signed_in")
    assert olga("GET", made.headers["Location"]).body["state"] == "over"


def test_a_token_calls_as_often_as_it_may(olga: Asker) -> None:
    """A token that calls too often waits for the next minute; another is not hindered."""
    made = make(olga, "administer", per_minute=2).body
    other = olga.as_(make(olga, "administer").body["token"])
    system = olga.as_(made["token"])
    assert [system("GET", PATH).status for _ in range(3)] == [200, 200, 429]
    told = system("GET", PATH)
    assert told.refused(429, "too_often")
    assert int(told.headers["Retry-After"]) == 60
    assert other("GET", PATH).status == 200
    olga.house.clock.at += 60
    assert system("GET", PATH).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"capabilities": []},
        {"capabilities": ["fly"]},
        {"capabilities": ["view", "view"]},
        {"name": ""},
        {"scope": "owner"},
        {"scope": "planet/earth"},
        {"per_minute": 0},
        {"ends_at": "soon"},
        {"secret": "mine"},
    ],
)
def test_what_is_no_token(olga: Asker, change: dict[str, object]) -> None:
    """Capabilities, scopes, times and limits that there are not are refused."""
    assert olga("POST", PATH, {"name": "T", "capabilities": ["view"], **change}).refused(400, "invalid_request")


def test_what_is_no_secret(olga: Asker) -> None:
    """Whatever is wrong with a token, it is refused alike."""
    made = make(olga, "administer").body
    shown = [
        f"eps_{made['id']}_",
        f"eps_{made['id']}_x",
        "eps_",
        "eps_x",
        f"eps_{'x' * 3000}_y",
        made["token"][:-1],
        "eps_#_#",
    ]
    answers = [olga.as_(text)("GET", PATH) for text in shown]
    assert all(a.refused(401, "not_signed_in") for a in answers)
    assert len({a.body["detail"] for a in answers}) == 1


# ------------------------------------------------------------------ who gives what


def test_who_may_make_tokens(olga: Asker) -> None:
    """Only who administers the owner's own scope makes, sees and revokes tokens."""
    made = make(olga, "view").body
    grant(olga.house, "user:sia", Role.SITE_ADMIN, "site/s")
    grant(olga.house, "user:fia", Role.FINANCE, f"owner/{OWNER_ID}")
    for who, refusal in (("eva", (404, "not_found")), ("sia", (404, "not_found")), ("fia", (403, "not_allowed"))):
        other = olga.as_(who)
        answers = [make(other, "view"), other("GET", PATH), other("GET", f"{PATH}/{made['id']}")]
        answers.append(other("DELETE", f"{PATH}/{made['id']}"))
        assert all(a.refused(*refusal) for a in answers)
    assert olga.as_(made["token"])("GET", f"{PATH}/{made['id']}").refused(403, "not_allowed")


def test_the_tokens_of_another_owner(olga: Asker) -> None:
    """An owner's administrator neither sees nor revokes another's token, nor makes one for another's site."""
    house = olga.house
    house.registry.commit([Put(OWNER, None, Owner("owner2", "Other"))])
    grant(house, "user:otto", Role.OWNER_ADMIN, "owner/owner2", owner="owner2")
    otto, made, path = olga.as_("otto"), make(olga, "view").body, "/v1/owners/owner2/tokens"
    assert otto("GET", f"{path}/{made['id']}").refused(404, "not_found")
    assert otto("DELETE", f"{path}/{made['id']}").refused(404, "not_found")
    assert otto("GET", path).body["items"] == []
    for scope in ("site/s", f"owner/{OWNER_ID}", "outlet/s-1", "site/t"):
        wish = {"name": "T", "capabilities": ["view"], "scope": scope}
        assert otto("POST", path, wish).refused(404, "not_found")
    assert olga("GET", f"{PATH}/{made['id']}").body["state"] == "active"


def test_nobody_gives_more_than_they_have(olga: Asker) -> None:
    """A token makes no token that may do more, or for longer, than itself."""
    made = make(olga, "view", "administer", ends_at="2027-02-01T00:00:00Z").body
    system = olga.as_(made["token"])
    assert make(system, "finance", ends_at="2027-01-31T00:00:00Z").refused(403, "not_allowed")
    assert make(system, "view").refused(403, "not_allowed")
    assert make(system, "view", ends_at="2027-02-01T00:00:01Z").refused(403, "not_allowed")
    assert make(system, "view", "administer", ends_at="2027-02-01T00:00:00Z").status == 201


def test_nobody_gives_for_longer_than_they_have(olga: Asker) -> None:
    """Who administers until a time gives until then, and not beyond."""
    ends_at = olga.house.clock.at + 3600
    ending = Grant("e", OWNER_ID, "user:tim", Role.OWNER_ADMIN, f"owner/{OWNER_ID}", ends_at=ends_at)
    olga.house.registry.commit([Put(GRANT, None, ending)])
    tim = olga.as_("tim")
    assert make(tim, "view").refused(403, "not_allowed")
    assert make(tim, "view", ends_at="2027-01-15T09:00:01Z").refused(403, "not_allowed")
    assert make(tim, "view", ends_at="2027-01-15T09:00:00Z").status == 201


def test_what_a_token_has_made_is_known(olga: Asker) -> None:
    """The audit log tells which tokens a token has made, so that those of a leaked one are found."""
    made = make(olga, "view", "administer").body
    make(olga.as_(made["token"]), "view")
    lines = olga.house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER_ID}").items
    assert sorted((line.by, line.what) for line in lines) == [
        (f"token:{made['id']}", "token.created"),
        ("user:olga", "token.created"),
    ]
