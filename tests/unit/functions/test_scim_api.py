"""SCIM as directories and benefit portals speak it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.registry.kinds import Put
from epspot.registry.records import MEMBER, OWNER, TOKEN, Owner, Token, of_owner
from epspot.services.show_token import secret_hash, token_text
from functions.api import calls
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import OWNER_ID
from tests.unit.functions.test_grants import STATES
from tests.unit.functions.test_members import check_twins
from tests.unit.services.house import House

BASE = "/v1/scim/v2"
MEDIA = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Directory:
    """Speaks SCIM with a token of an owner's."""

    def __init__(self, house: House, owner: str = OWNER_ID, capabilities: tuple[str, ...] = ("administer",)) -> None:
        token = Token(
            f"tok-{owner}", owner, "portal", secret_hash("s"), capabilities, f"owner/{owner}", per_minute=6000
        )
        house.registry.commit([Put(TOKEN, None, token)])
        self._ask = Asker(house, token_text(f"tok-{owner}", "s"))

    def __call__(self, method: str, path: str, body: Any = None, *, media: str = MEDIA, **more: Any) -> Answer:
        return self._ask(method, f"{BASE}{path}", body, key=None, media=media, **more)

    def patch(self, path: str, *operations: dict[str, Any], **more: Any) -> Answer:
        schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
        return self("PATCH", path, {"schemas": schemas, "Operations": list(operations)}, **more)


@pytest.fixture
def directory(house: House) -> Directory:
    """Speak as the owner's directory."""
    return Directory(house)


def sent(n: int = 1, **more: Any) -> dict[str, Any]:
    """Make a user as Entra ID sends it."""
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"x{n}",
        "userName": f"Anna{n}@example.com",
        "active": True,
        "displayName": f"Anna {n}",
        "emails": [{"primary": True, "type": "work", "value": f"Anna{n}@example.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": f"Anna {n}", "familyName": "Ek", "givenName": "Anna"},
        "roles": [],
        ENTERPRISE: {"department": "IT"},
        **more,
    }


def refused(told: Answer, status: int, scim_type: str | None = None) -> bool:
    """Tell whether it is a refusal in SCIM's own form."""
    assert told.headers["Content-Type"] == MEDIA
    assert told.body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert told.body["detail"]
    return (told.status, told.body["status"], told.body.get("scimType")) == (status, str(status), scim_type)


def found(directory: Directory, filter_: str, kind: str = "Users") -> list[str]:
    told = directory("GET", f"/{kind}?filter={filter_}")
    assert told.status == 200, told
    assert told.body["totalResults"] == len(told.body["Resources"])
    return [r.get("userName") or r["displayName"] for r in told.body["Resources"]]


# ------------------------------------------------------------------ a life


def test_a_benefit_portal_adds_500_and_removes_20(directory: Directory, house: House, ask: Asker) -> None:
    """Each is looked for, made, put into the group, and has its right at once; who is taken away has none."""
    group = directory("POST", "/Groups", {"schemas": [GROUP], "displayName": "Staff", "externalId": "g"}).body["id"]
    grant = {"subject": {"group": group}, "role": "user", "scope": "site/s"}
    assert ask.as_("olga")("POST", f"/v1/owners/{OWNER_ID}/grants", grant).status == 201
    ids = []
    for n in range(500):
        assert found(directory, f'userName eq "anna{n}@example.com"') == []
        made = directory("POST", "/Users", sent(n))
        assert made.status == 201
        ids.append(made.body["id"])
    for some in range(0, 500, 100):
        members = [{"value": i} for i in ids[some : some + 100]]
        told = directory.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": members})
        assert (told.status, told.body) == (204, "")
    driver = ask.as_("driver anna499@example.com")
    assert driver("GET", STATES).status == 200
    for i in ids[480:]:
        assert directory("DELETE", f"/Users/{i}").status == 204
    assert driver("GET", STATES).status == 404
    assert ask.as_("driver anna479@example.com")("GET", STATES).status == 200
    told = directory("GET", "/Users?startIndex=451&count=100").body
    assert (told["totalResults"], told["startIndex"], told["itemsPerPage"]) == (480, 451, 30)
    assert len(directory("GET", f"/Groups/{group}").body["members"]) == 480
    check_twins(house)


def test_a_user_is_made_as_entra_sends_it(directory: Directory) -> None:
    """What is kept comes back, with where it is and its version; what is not kept is not refused."""
    made = directory("POST", "/Users", sent(), headers={"Host": "api.example.com"})
    assert made.headers["Content-Type"] == MEDIA
    told = made.body
    assert (told["userName"], told["externalId"], told["active"]) == ("Anna1@example.com", "x1", True)
    assert told["emails"] == [{"value": "anna1@example.com", "type": "work", "primary": True}]
    assert (told["displayName"], told["name"]["formatted"]) == ("Anna 1", "Anna 1")
    assert told["meta"]["location"] == f"https://api.example.com{BASE}/Users/{told['id']}"
    assert made.headers["Location"] == told["meta"]["location"]
    assert made.headers["ETag"] == told["meta"]["version"] == 'W/"1"'
    assert directory("GET", f"/Users/{told['id']}", headers={"Host": "api.example.com"}).body == told
    assert directory("POST", "/Users", sent(2), media="application/json").status == 201


@pytest.mark.parametrize(
    "body",
    [
        {"userName": None},
        {"userName": "anna", "emails": []},
        {"userName": "anna", "emails": [{"value": 7}]},
        {"userName": "anna", "emails": "anna@example.com"},
        {"active": "perhaps"},
        {"externalId": 7},
        {"displayName": "x" * 121},
    ],
)
def test_a_user_that_makes_no_sense_is_refused(directory: Directory, body: dict[str, Any]) -> None:
    """A user has a name, and an address by which somebody proves to be that user."""
    told = directory("POST", "/Users", sent() | body)
    assert told.status == 400
    assert directory("GET", "/Users").body["totalResults"] == 0


def test_names_are_their_own(directory: Directory, house: House) -> None:
    """Another user with the same userName, in whatever case, or externalId is a conflict; so POST may be repeated."""
    directory("POST", "/Users", sent(1))
    other = directory("POST", "/Users", sent(2)).body["id"]
    assert refused(directory("POST", "/Users", sent(1)), 409, "uniqueness")
    assert refused(directory("POST", "/Users", sent(3, userName="ANNA1@example.com")), 409, "uniqueness")
    assert refused(directory("POST", "/Users", sent(3, externalId="x1")), 409, "uniqueness")
    taken = {"op": "replace", "path": "userName", "value": "anna1@EXAMPLE.com"}
    assert refused(directory.patch(f"/Users/{other}", taken), 409, "uniqueness")
    assert len(house.registry.under(MEMBER, of_owner(OWNER_ID)).items) == 2
    directory("POST", "/Groups", {"displayName": "Staff"})
    assert refused(directory("POST", "/Groups", {"displayName": "staff"}), 409, "uniqueness")


def test_users_are_found(directory: Directory, ask: Asker) -> None:
    """By each of their names, alone and together with more; also who was made by the other API."""
    for n in (1, 2, 3):
        directory("POST", "/Users", sent(n))
    ask.as_("olga")("PUT", f"/v1/owners/{OWNER_ID}/members/e7", {"email": "eva@example.com"})
    one = "Anna1@example.com"
    id_ = directory("GET", f'/Users?filter=userName eq "{one}"').body["Resources"][0]["id"]
    for text in (
        f'userName eq "{one.lower()}"',
        'externalId eq "x1"',
        f'emails.value eq "{one}"',
        f'emails[type eq "work"].value eq "{one}"',
        f'id eq "{id_}"',
        f'userName eq "{one}" and active eq true',
        'externalId eq "x1" and displayName sw "anna"',
        'displayName eq "Anna 1"',
    ):
        assert found(directory, text) == [one], text
    for text in ('externalId eq "X1"', f'userName eq "{one}" and active eq false', 'userName eq "kim"', 'id eq "x"'):
        assert found(directory, text) == [], text
    assert found(directory, 'userName eq "e7"') == found(directory, 'emails.value eq "eva@example.com"') == ["e7"]
    assert refused(directory("GET", "/Users?filter=userName is x"), 400, "invalidFilter")


def test_a_list_shows_what_is_asked_for(directory: Directory) -> None:
    """Attributes are left out that are not wanted, and a count of none tells how many there are."""
    directory("POST", "/Users", sent())
    told = directory("GET", "/Users?attributes=userName").body["Resources"]
    assert set(told[0]) == {"schemas", "id", "userName"}
    told = directory("GET", "/Users?excludedAttributes=emails,name.formatted").body["Resources"]
    assert not {"emails", "name"} & set(told[0])
    told = directory("GET", "/Users?count=0").body
    assert (told["totalResults"], told["Resources"]) == (1, [])
    assert directory("GET", "/Users?count=-1&startIndex=-3").body["startIndex"] == 1


# ------------------------------------------------------------------ changes


def test_entra_switches_off_and_on(directory: Directory, house: House, ask: Asker) -> None:
    """Active comes as a text, and op in capitals; the right goes and comes with it."""
    group = directory("POST", "/Groups", {"displayName": "Staff"}).body["id"]
    ask.as_("olga")(
        "POST", f"/v1/owners/{OWNER_ID}/grants", {"subject": {"group": group}, "role": "user", "scope": "site/s"}
    )
    id_ = directory("POST", "/Users", sent()).body["id"]
    directory.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": [{"value": id_}]})
    anna = ask.as_("eva anna1@example.com")
    for value, active, status in (("False", False, 404), ("True", True, 200), (False, False, 404)):
        told = directory.patch(f"/Users/{id_}", {"op": "Replace", "path": "active", "value": value})
        assert told.body["active"] is active
        assert anna("GET", STATES).status == status
    told = directory.patch(f"/Users/{id_}", {"op": "remove", "path": "active"})
    assert told.body["active"] is False, "nobody comes back by accident"
    check_twins(house)


def test_an_address_moves(directory: Directory, house: House) -> None:
    """By a path with a filter, and with the userName that it was taken from."""
    id_ = directory("POST", "/Users", sent()).body["id"]
    path = 'emails[type eq "work"].value'
    told = directory.patch(f"/Users/{id_}", {"op": "Replace", "path": path, "value": "ek@example.com"})
    assert told.body["emails"][0]["value"] == "ek@example.com"
    told = directory.patch(f"/Users/{id_}", {"op": "Replace", "path": "userName", "value": "a.ek@example.com"})
    assert told.body["emails"][0]["value"] == "ek@example.com", "it was given by itself"
    other = directory("POST", "/Users", {"userName": "kim@example.com"}).body["id"]
    told = directory.patch(f"/Users/{other}", {"op": "Replace", "value": {"userName": "kim.k@example.com"}})
    assert told.body["emails"][0]["value"] == "kim.k@example.com"
    check_twins(house)


def test_a_patch_is_all_or_nothing(directory: Directory) -> None:
    """If one operation is refused, none is carried out."""
    id_ = directory("POST", "/Users", sent()).body["id"]
    good = {"op": "replace", "path": "displayName", "value": "Eva"}
    bad = {"op": "replace", "path": 'emails[type eq "home"].value', "value": "x@y.se"}
    assert refused(directory.patch(f"/Users/{id_}", good, bad), 400, "noTarget")
    assert directory("GET", f"/Users/{id_}").body["displayName"] == "Anna 1"


def test_a_put_changes_what_it_tells(directory: Directory, house: House) -> None:
    """What it does not tell stays, in whatever case it is written."""
    id_ = directory("POST", "/Users", sent()).body["id"]
    told = directory("PUT", f"/Users/{id_}", {"UserName": "eva@example.com", "ACTIVE": False})
    assert (told.body["userName"], told.body["active"], told.body["externalId"]) == ("eva@example.com", False, "x1")
    check_twins(house)


def test_a_change_of_another_version_is_refused(directory: Directory) -> None:
    """Whoever sends If-Match changes only what they have read."""
    made = directory("POST", "/Users", sent())
    path, off = f"/Users/{made.body['id']}", {"op": "replace", "path": "active", "value": False}
    assert directory.patch(path, off, if_match=made.headers["ETag"]).status == 200
    assert refused(directory.patch(path, off, if_match=made.headers["ETag"]), 412)
    assert refused(directory("DELETE", path, if_match=made.headers["ETag"]), 412)


def test_what_is_not_there(directory: Directory) -> None:
    """Unknown users and groups are told as SCIM does."""
    for path in ("/Users/x", "/Groups/x", "/Schemas/x", "/ResourceTypes/x"):
        assert refused(directory("GET", path), 404)
    off = {"op": "replace", "path": "active", "value": False}
    for path in ("/Users/x", "/Groups/x"):
        assert refused(directory.patch(path, off), 404)
        assert refused(directory("DELETE", path), 404)


# ------------------------------------------------------------------ groups


def test_a_group_has_its_members(directory: Directory, house: House) -> None:
    """Added, removed and replaced in the ways that directories do."""
    one, two, three = (directory("POST", "/Users", sent(n)).body["id"] for n in (1, 2, 3))
    made = directory("POST", "/Groups", {"displayName": "Staff", "externalId": "g1", "members": [{"value": one}]})
    assert [m["value"] for m in made.body["members"]] == [one]
    path = f"/Groups/{made.body['id']}"

    def after(op: str, where: str | None, value: Any = None) -> set[str]:
        told = {"op": op, "value": value} | ({} if where is None else {"path": where})
        assert directory.patch(path, told).status == 204
        return {m["value"] for m in directory("GET", path).body["members"]}

    assert after("Add", "members", [{"value": two}, {"value": one}]) == {one, two}
    assert after("Remove", "members", [{"value": one}]) == {two}
    assert after("remove", f'members[value eq "{two}"]') == set()
    assert after("add", None, {"members": [{"value": three}]}) == {three}
    assert after("replace", "members", [{"value": one}, {"value": two}]) == {one, two}
    assert after("Replace", "displayName", "All staff") == {one, two}
    told = directory("PUT", path, {"displayName": "Staff", "members": [{"value": three}]})
    assert (told.body["displayName"], told.body["externalId"]) == ("Staff", "g1")
    assert [m["value"] for m in told.body["members"]] == [three]
    groups = directory("GET", f"/Users/{three}").body["groups"]
    assert [(g["value"], g["display"]) for g in groups] == [(made.body["id"], "Staff")]
    check_twins(house)
    assert directory("DELETE", path).status == 204
    assert directory("GET", f"/Users/{three}").body["groups"] == []


def test_groups_are_found_without_their_members(directory: Directory) -> None:
    """As Entra looks for them; or by who is in them."""
    one = directory("POST", "/Users", sent(1)).body["id"]
    directory("POST", "/Groups", {"displayName": "Staff", "members": [{"value": one}]})
    directory("POST", "/Groups", {"displayName": "Guests", "externalId": "g2"})
    told = directory("GET", '/Groups?excludedAttributes=members&filter=displayName eq "staff"').body
    assert [(g["displayName"], "members" in g) for g in told["Resources"]] == [("Staff", False)]
    assert found(directory, 'externalId eq "g2"', "Groups") == ["Guests"]
    assert found(directory, f'members[value eq "{one}"]', "Groups") == ["Staff"]
    assert found(directory, f'members.value eq "{one}"', "Groups") == ["Staff"]


def test_a_group_takes_only_users_that_are_there(directory: Directory) -> None:
    """An unknown user, or something else, is refused, and a group keeps its name."""
    path = f"/Groups/{directory('POST', '/Groups', {'displayName': 'Staff'}).body['id']}"
    wrong: list[Any] = [{"value": "x"}, {"value": 7}, {}]
    for value in ([w] for w in wrong):
        assert refused(directory.patch(path, {"op": "add", "path": "members", "value": value}), 400, "invalidValue")
    assert refused(directory.patch(path, {"op": "remove", "path": "displayName"}), 400, "invalidValue")
    assert refused(directory("POST", "/Groups", {"members": []}), 400, "invalidValue")


# ------------------------------------------------------------------ who speaks


def test_only_a_system_that_administers_speaks_scim(directory: Directory, house: House, ask: Asker) -> None:
    """People are told to use a token, a token without the right is refused, a guest is asked to sign in."""
    house.registry.commit([Put(OWNER, None, Owner("owner2", "Other"))])
    assert refused(ask.as_("olga")("GET", f"{BASE}/Users"), 403)
    assert refused(Directory(house, "owner2", ("view",))("GET", "/Users"), 403)
    assert ask.as_(None)("GET", f"{BASE}/Users").refused(401, "not_signed_in")
    assert directory("GET", "/Users").status == 200


def test_directories_see_their_owner_alone(directory: Directory, house: House) -> None:
    """Another owner's users are not there, and have the same names freely."""
    id_ = directory("POST", "/Users", sent()).body["id"]
    house.registry.commit([Put(OWNER, None, Owner("owner2", "Other"))])
    other = Directory(house, "owner2")
    assert other("GET", "/Users").body["totalResults"] == 0
    assert refused(other("GET", f"/Users/{id_}"), 404)
    assert found(other, 'emails.value eq "anna1@example.com"') == []
    assert other("POST", "/Users", sent()).status == 201
    group = other("POST", "/Groups", {"displayName": "Staff"}).body["id"]
    add = {"op": "add", "path": "members", "value": [{"value": id_}]}
    assert refused(other.patch(f"/Groups/{group}", add), 400, "invalidValue")


def test_what_is_supported_is_told(directory: Directory) -> None:
    """The configuration, the kinds of resources and their attributes are there to be read."""
    told = directory("GET", "/ServiceProviderConfig").body
    assert (told["patch"]["supported"], told["bulk"]["supported"], told["filter"]["supported"]) == (True, False, True)
    assert [r["id"] for r in directory("GET", "/ResourceTypes").body["Resources"]] == ["User", "Group"]
    assert directory("GET", "/ResourceTypes/User").body["endpoint"] == "/Users"
    names = {a["name"] for a in directory("GET", f"/Schemas/{USER}").body["attributes"]}
    made = directory("POST", "/Users", sent()).body
    assert set(made) - {"schemas", "id", "meta"} <= names


# ------------------------------------------------------------------ whatever is patched

_VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, "False", "", "a@b.se", "C@d.se", "not an address", 7, [], {}, [{"value": "e@f.se", "type": "work"}]]
)
_PATHS = st.sampled_from(
    [
        "userName",
        "externalId",
        "displayName",
        "name.formatted",
        "active",
        "emails",
        "emails.value",
        'emails[type eq "work"]',
        'emails[type eq "work"].value',
        'emails[type eq "home"].value',
        "title",
    ]
)
_OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "remove"]), "path": _PATHS, "value": _VALUES}
)


@given(st.lists(st.lists(_OPERATIONS, min_size=1, max_size=3), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_no_patch_parts_a_member_from_its_membership(patches: list[list[dict[str, Any]]]) -> None:
    """Whatever a directory sends, it is carried out or refused; a member, its membership and its names stay together."""
    with pytest.MonkeyPatch.context() as patch:
        house = House()
        patch.setattr(calls, "world", lambda: house)
        house.registry.commit([Put(OWNER, None, Owner(OWNER_ID, "Garden"))])
        directory = Directory(house)
        ids = [directory("POST", "/Users", sent(n)).body["id"] for n in (1, 2)]
        for n, some in enumerate(patches):
            assert directory.patch(f"/Users/{ids[n % 2]}", *some).status in (200, 400, 409)
            check_twins(house)
