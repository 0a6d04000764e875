"""User groups, and members as an owner's other systems keep them."""

from typing import Any

import pytest

from epspot.errors import Conflict
from epspot.registry.kinds import Put
from epspot.registry.names import NAME
from epspot.registry.records import AUDIT_LINE, GRANT, MEMBER, MEMBERSHIP, OWNER, Owner, of_owner
from epspot.services import keep_members
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import OWNER_ID
from tests.unit.functions.test_grants import STATES, stop_on_revoke
from tests.unit.functions.test_grants import states as phases
from tests.unit.services.house import House

GROUPS = f"/v1/owners/{OWNER_ID}/user-groups"
MEMBERS = f"/v1/owners/{OWNER_ID}/members"
ANNA = {"email": "Anna@Example.com", "name": "Anna"}


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as the owner's administrator."""
    return ask.as_("olga")


@pytest.fixture
def staff(olga: Asker) -> str:
    """Make a user group that may use the site."""
    made = olga("POST", GROUPS, {"name": "Staff"}).body["id"]
    body = {"subject": {"group": made}, "role": "user", "scope": "site/s"}
    assert olga("POST", f"/v1/owners/{OWNER_ID}/grants", body).status == 201
    return str(made)


def put(ask: Asker, external_id: str = "e1", **more: Any) -> Answer:
    return ask("PUT", f"{MEMBERS}/{external_id}", {**ANNA, **more})


def bulk(ask: Asker, ids: range, *, others: bool = False, query: str = "", **more: Any) -> Any:
    members = [{"external_id": f"e{n:04}", "email": f"e{n}@example.com", **more} for n in ids]
    told = ask("PUT", f"{MEMBERS}{query}", {"members": members, "remove_others": others})
    assert told.status == 200, told
    return told.body


def check_twins(house: House) -> None:
    """See that every member has its membership, and nothing is left of others."""
    records = [r for _, r in house.registry.records.values()]
    members = [r for r in records if isinstance(r, MEMBER.type)]
    twins = [r for r in records if isinstance(r, MEMBERSHIP.type)]
    names = [r for r in records if isinstance(r, NAME.type) and "group" not in r.key]
    shown = ("owner", "email_hash", "groups", "active", "begins_at", "ends_at")
    assert sorted((m.id, *(repr(getattr(m, n)) for n in shown)) for m in members) == sorted(
        (t.member, *(repr(getattr(t, n)) for n in shown)) for t in twins
    )
    assert sorted(n.of for n in names) == sorted(m.id for m in members for text in (m.external_id, m.user_name) if text)


# ------------------------------------------------------------------ user groups


def test_a_group_is_made_read_changed_and_removed(olga: Asker) -> None:
    """Changes take the version that was read."""
    made = olga("POST", GROUPS, {"name": "Staff", "external_id": "x1"})
    where = made.headers["Location"]
    assert (made.status, made.body["external_id"]) == (201, "x1")
    assert olga("GET", GROUPS).body["items"] == [made.body]
    assert olga("PUT", where, {"name": "All"}).refused(428, "version_missing")
    changed = olga("PUT", where, {"name": "All"}, if_match=made.etag)
    assert (changed.body["name"], changed.body["external_id"]) == ("All", None)
    assert olga("PUT", where, {"name": "None"}, if_match=made.etag).refused(412, "version_changed")
    assert olga("DELETE", where, if_match=made.etag).refused(412, "version_changed")
    assert olga("DELETE", where, if_match=changed.etag).status == 204
    assert olga("GET", where).refused(404, "not_found")
    assert olga("POST", GROUPS, {"name": "ALL", "external_id": "x1"}).status == 201


def test_names_of_groups_are_their_own(olga: Asker) -> None:
    """No two groups of an owner have the same name, in whatever case, or external id."""
    one = olga("POST", GROUPS, {"name": "Staff", "external_id": "x1"}, key="k")
    assert olga("POST", GROUPS, {"name": "Staff", "external_id": "x1"}, key="k").body == one.body
    assert olga("POST", GROUPS, {"name": "STAFF"}).refused(409, "name_taken")
    assert olga("POST", GROUPS, {"name": "Guests", "external_id": "x1"}).refused(409, "name_taken")
    two = olga("POST", GROUPS, {"name": "Guests"})
    taken = olga("PUT", two.headers["Location"], {"name": "staff"}, if_match=two.etag)
    assert taken.refused(409, "name_taken")


def test_a_removed_group_leaves_nothing(olga: Asker, staff: str, house: House) -> None:
    """Its grants end at once, no member mentions it, and whoever had a right by it has none."""
    for n in range(70):
        put(olga, f"e{n}", email=f"e{n}@example.com", groups=[staff])
    someone = olga.as_("eva e7@example.com")
    assert someone("GET", STATES).status == 200
    etag = olga("GET", f"{GROUPS}/{staff}").etag
    assert olga("DELETE", f"{GROUPS}/{staff}", if_match=etag).status == 204
    assert someone("GET", STATES).refused(404, "not_found")
    assert not house.registry.under(GRANT, f"SUBJECT#group:{OWNER_ID}/{staff}").items
    assert all(m.groups == () for m in house.registry.under(MEMBER, of_owner(OWNER_ID)).items)
    check_twins(house)


def test_a_grant_does_not_outlive_its_group(
    olga: Asker, staff: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is made while the group goes is either taken away with it, or refused."""
    commit, told = house.registry.commit, list[int]()

    def meanwhile(changes: Any) -> None:
        if any(c.kind.name == "UGROUP" for c in changes) and not told:
            told.append(0)
            body = {"subject": {"group": staff}, "role": "maintenance", "scope": "site/s"}
            told[0] = olga.as_("olga")("POST", f"/v1/owners/{OWNER_ID}/grants", body, key="other").status
        commit(changes)

    monkeypatch.setattr(house.registry, "commit", meanwhile)
    assert olga("DELETE", f"{GROUPS}/{staff}", if_match="*").status == 204
    assert told == [201]
    assert not house.registry.under(GRANT, f"SUBJECT#group:{OWNER_ID}/{staff}").items


# ------------------------------------------------------------------ one member


def test_putting_a_member_again_changes_nothing(olga: Asker, house: House) -> None:
    """The first PUT makes it, the same again is told to be no change and writes nothing, another says what changed."""
    first = put(olga)
    assert (first.status, first.body["email"]) == (201, "anna@example.com")
    before = dict(house.registry.records)
    again = put(olga)
    assert (again.status, again.body["changed"], again.etag) == (200, [], first.etag)
    assert house.registry.records == before
    other = put(olga, name="Anna Ek", active=False)
    assert (other.status, sorted(other.body["changed"])) == (200, ["active", "name"])
    assert olga("GET", f"{MEMBERS}/e1").body["name"] == "Anna Ek"
    check_twins(house)


def test_a_member_has_the_rights_of_its_groups_by_its_address(olga: Asker, staff: str, house: House) -> None:
    """Whoever proves the address is let in while the membership is active and in its time."""
    anna = olga.as_("eva anna@example.com")

    def status() -> int:
        return anna("GET", STATES).status

    put(olga)
    assert status() == 404
    put(olga, groups=[staff])
    assert status() == 200
    put(olga, groups=[staff], active=False)
    assert status() == 404
    put(olga, groups=[staff], ends_at="2027-01-16T00:00:00Z")
    assert status() == 200
    house.clock.at += 2 * 86_400
    assert status() == 404


def test_a_changed_address_moves_the_right(olga: Asker, staff: str, house: House) -> None:
    """The old address gives nothing from then on, the new one does."""
    put(olga, groups=[staff])
    told = put(olga, groups=[staff], email="ek@example.com")
    assert told.body["changed"] == ["email"]
    assert olga.as_("eva anna@example.com")("GET", STATES).status == 404
    assert olga.as_("eva ek@example.com")("GET", STATES).status == 200
    check_twins(house)


def test_a_removed_member_leaves_nothing(olga: Asker, staff: str, house: House) -> None:
    """Its right ends at once, and it can be made anew."""
    put(olga, groups=[staff])
    assert olga("DELETE", f"{MEMBERS}/e1").status == 204
    assert olga("DELETE", f"{MEMBERS}/e1").refused(404, "not_found")
    assert olga.as_("eva anna@example.com")("GET", STATES).status == 404
    check_twins(house)
    assert put(olga).status == 201


def test_members_are_listed_in_pages(olga: Asker) -> None:
    """Every member comes once."""
    bulk(olga, range(7))
    one = olga("GET", f"{MEMBERS}?limit=4").body
    two = olga("GET", f"{MEMBERS}?limit=4&cursor={one['next']}").body
    ids = [m["external_id"] for m in one["items"] + two["items"]]
    assert (len(one["items"]), two["next"]) == (4, None)
    assert sorted(ids) == [f"e{n:04}" for n in range(7)]


@pytest.mark.parametrize(
    "body",
    [
        {"email": "none"},
        {"email": "a@b.se", "groups": ["nobody"]},
        {"email": "a@b.se", "begins_at": "2027-01-02T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z"},
        {"email": "a@b.se", "salary": 1},
    ],
)
def test_what_makes_no_sense_is_refused(olga: Asker, house: House, body: dict[str, Any]) -> None:
    """No address, no such group, a time that never is, a field that nobody knows."""
    assert olga("PUT", f"{MEMBERS}/e1", body).refused(400, "invalid_request")
    assert olga("PUT", f"{MEMBERS}/{'x' * 121}", ANNA).refused(400, "invalid_request")
    assert not house.registry.under(MEMBER, of_owner(OWNER_ID)).items


def test_members_are_their_owners_alone(olga: Asker, house: House) -> None:
    """Another owner's system does not see them, and may use the same ids."""
    put(olga)
    house.registry.commit([Put(OWNER, None, Owner("owner2", "Other"))])
    assert olga("GET", "/v1/owners/owner2/members/e1").refused(404, "not_found")
    assert olga.as_("anna")("GET", f"{MEMBERS}/e1").refused(404, "not_found")


def test_the_audit_log_knows_nobodys_name(olga: Asker, house: House) -> None:
    """Each change has its line, in which neither address nor name stands."""
    put(olga)
    put(olga, name="Anna Ek", email="ek@example.com")
    olga("DELETE", f"{MEMBERS}/e1")
    lines = house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER_ID}").items
    assert [line.what for line in lines] == ["member.added", "member.changed", "member.removed"]
    assert "example.com" not in str(lines).lower()
    assert "Anna" not in str(lines)


def test_a_member_who_loses_the_right_stops_by_the_owners_rule(olga: Asker, staff: str, house: House) -> None:
    """A session that rests on a membership ends with it, if that is the rule."""
    stop_on_revoke(house)
    put(olga, groups=[staff])
    assert olga.as_("eva anna@example.com")("POST", "/v1/sessions", {"outlet": "s-1"}).status == 201
    put(olga, groups=[staff], name="Anna Ek")
    assert phases(house) == ["active"]
    put(olga, groups=[staff], active=False)
    assert phases(house) == ["stopping"]


def test_the_end_of_a_groups_grant_stops_its_members(olga: Asker, staff: str, house: House) -> None:
    """A session that rests on a grant to a user group ends with that grant, if that is the owner's rule."""
    stop_on_revoke(house)
    put(olga, groups=[staff])
    assert olga.as_("eva anna@example.com")("POST", "/v1/sessions", {"outlet": "s-1"}).status == 201
    grants = olga("GET", f"/v1/owners/{OWNER_ID}/grants?scope=site/s").body["items"]
    of_staff = next(g["id"] for g in grants if g["subject"] == {"group": staff})
    assert olga("DELETE", f"/v1/owners/{OWNER_ID}/grants/{of_staff}").status == 204
    assert phases(house) == ["stopping"]


def test_two_who_put_the_same_member_at_once_make_one(
    olga: Asker, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who comes second finds the member that the first has made."""
    commit, told = house.registry.commit, list[int]()

    def meanwhile(changes: Any) -> None:
        if not told:
            told.append(0)
            told[0] = put(olga).status
        commit(changes)

    monkeypatch.setattr(house.registry, "commit", meanwhile)
    second = put(olga, name="Anna Ek")
    assert (told, second.status, second.body["changed"]) == ([201], 200, ["name"])
    check_twins(house)


# ------------------------------------------------------------------ many members


def test_a_whole_list_is_put_and_put_again(olga: Asker, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added, changed, removed and unchanged is told by id; each commit stays within what the table takes."""
    commit, sizes = house.registry.commit, list[int]()

    def counted(changes: Any) -> None:
        sizes.append(len(changes))
        commit(changes)

    monkeypatch.setattr(house.registry, "commit", counted)
    told = bulk(olga, range(500))
    assert (len(told["added"]), told["done"]) == (500, True)
    assert max(sizes) <= 100
    assert len(sizes) <= 21
    told = bulk(olga, range(500))
    assert (len(told["unchanged"]), told["added"], told["done"]) == (500, [], True)
    assert len(house.registry.under(MEMBER, of_owner(OWNER_ID)).items) == 500
    told = bulk(olga, range(20, 501), others=True)
    assert told["removed"] == [f"e{n:04}" for n in range(20)]
    assert told["added"] == ["e0500"]
    assert len(told["unchanged"]) == 480
    check_twins(house)


def test_a_preview_changes_nothing(olga: Asker, house: House) -> None:
    """It tells what would change."""
    bulk(olga, range(3))
    before = dict(house.registry.records)
    told = bulk(olga, range(1, 5), others=True, query="?preview=true", name="X")
    assert told["preview"] is True
    assert told["done"] is False
    assert (told["added"], told["changed"], told["removed"]) == (["e0003", "e0004"], ["e0001", "e0002"], ["e0000"])
    assert house.registry.records == before
    assert bulk(olga, range(3), others=True, query="?preview=true")["done"] is True


def test_what_is_left_is_done_when_it_is_put_again(olga: Asker, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too much for one answer, or a lost race, is told as left; the same request again does the rest."""
    monkeypatch.setattr(keep_members, "MOST_COMMITS", 2)
    told = bulk(olga, range(60))
    assert (len(told["added"]), len(told["left"]), told["done"]) == (50, 10, False)
    commit, lost = house.registry.commit, list[bool]()

    def lose(changes: Any) -> None:
        if not lost:
            lost.append(True)
            raise Conflict("somebody was first")
        commit(changes)

    monkeypatch.setattr(house.registry, "commit", lose)
    told = bulk(olga, range(60))
    assert (len(told["unchanged"]), len(told["left"]), told["done"]) == (50, 10, False)
    told = bulk(olga, range(60))
    assert (len(told["added"]), told["left"], told["done"]) == (10, [], True)
    check_twins(house)


def test_a_list_is_refused_whole(olga: Asker, house: House) -> None:
    """Twice the same id, an unknown group or too many: nothing of it is taken."""
    one = {"external_id": "e1", "email": "e1@example.com"}
    for members in ([one, one], [one, {"external_id": "e2", "email": "x@y.se", "groups": ["none"]}], [one] * 1001):
        assert olga("PUT", MEMBERS, {"members": members}).refused(400, "invalid_request")
    assert not house.registry.under(MEMBER, of_owner(OWNER_ID)).items
