"""SCIM's filters and patches."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epspot.access.scim import BadScim, equalities, matches, parse_filter, parse_path, patched, truth

WORK = {"value": "anna@example.com", "type": "work", "primary": True}
HOME = {"value": "anna@home.se", "type": "home"}
ANNA = {
    "id": "Id1",
    "userName": "Anna@Example.com",
    "externalId": "E1",
    "displayName": "Anna Ek",
    "active": True,
    "emails": [WORK, HOME],
    "level": 3,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('userName eq "anna@example.com"', True),
        ('USERNAME Eq "anna@example.com"', True),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "anna@example.com"', True),
        ('externalId eq "E1"', True),
        ('externalId eq "e1"', False),
        ('id eq "id1"', False),
        ('emails.value eq "ANNA@home.se"', True),
        ('emails eq "anna@home.se"', True),
        ('emails[type eq "work"].value eq "anna@home.se"', False),
        ('emails[type eq "home"].value eq "anna@home.se"', True),
        ('emails[type eq "work" and value co "@example"]', True),
        ('emails[type eq "work" and value co "@home"]', False),
        ("active eq true", True),
        ('active eq "False"', False),
        ('active eq "True"', True),
        ("active eq false", False),
        ("title pr", False),
        ("displayName pr", True),
        ('displayName sw "anna"', True),
        ('displayName ew "EK"', True),
        ('displayName co "x"', False),
        ('displayName ne "Eva"', True),
        ('displayName ne "anna ek"', False),
        ('title ne "Boss"', True),
        ("level gt 2", True),
        ("level ge 3 and level le 3 and level lt 4", True),
        ('level gt "2"', False),
        ("active gt false", False),
        ('userName eq "x" or userName sw "anna" and active eq false', False),
        ('(userName eq "x" or userName sw "anna") and active eq true', True),
        ('not (userName eq "x")', True),
        ('displayName eq "Anna \\"Ek"', False),
        ("displayName eq null", False),
    ],
)
def test_a_filter_selects(text: str, *, holds: bool) -> None:
    """Attributes and values differ by case only where SCIM says so; and binds closer than or."""
    assert matches(parse_filter(text), ANNA) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        "userName eq",
        'userName is "x"',
        'userName eq "x" and',
        '(userName eq "x"',
        'userName eq "x") ',
        "userName eq x",
        'userName eq "x',
        'emails[type eq "work"',
        "not userName pr",
        "(" * 30 + "a pr" + ")" * 30,
        "a pr and " * 100 + "a pr",
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    """It is told as SCIM tells it, and never takes long."""
    with pytest.raises(BadScim) as told:
        parse_filter(text)
    assert told.value.scim_type == "invalidFilter"


@given(st.text(alphabet='()[]"\\ .:aeqndortpr1', max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    """Nothing else comes of it."""
    try:
        matches(parse_filter(text), ANNA)
    except BadScim:
        return


def test_what_must_be_equal_can_be_looked_up() -> None:
    """Through and, and within lists; not through or and not."""
    both = parse_filter('userName eq "a" and emails[type eq "work" and value eq "b"]')
    assert equalities(both) == {"username": "a", "emails.type": "work", "emails.value": "b"}
    assert equalities(parse_filter('userName eq "a" or id eq "b"')) == {}
    assert equalities(parse_filter('not (userName eq "a")')) == {}
    assert equalities(parse_filter('userName sw "a"')) == {}


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "Replace", "path": "active", "value": "False"}, {"active": "False"}),
        ({"op": "replace", "value": {"active": False, "displayName": "A"}}, {"active": False, "displayName": "A"}),
        ({"op": "add", "path": "DISPLAYNAME", "value": "A"}, {"displayName": "A"}),
        ({"op": "remove", "path": "displayName"}, {"displayName": None}),
        ({"op": "add", "path": "name.formatted", "value": "A"}, {"name": {"formatted": "A"}}),
        ({"op": "add", "value": {"name.formatted": "A"}}, {"name": {"formatted": "A"}}),
        (
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "a@b.se"},
            {"emails": [WORK | {"value": "a@b.se"}, HOME]},
        ),
        (
            {"op": "replace", "value": {'emails[type eq "home"].value': "a@b.se"}},
            {"emails": [WORK, HOME | {"value": "a@b.se"}]},
        ),
        (
            {"op": "Add", "path": 'emails[type eq "other"].value', "value": "a@b.se"},
            {"emails": [WORK, HOME, {"type": "other", "value": "a@b.se"}]},
        ),
        ({"op": "remove", "path": 'emails[type eq "home"]'}, {"emails": [WORK]}),
        (
            {"op": "remove", "path": 'emails[type eq "home"].type'},
            {"emails": [WORK, {"value": "anna@home.se"}]},
        ),
        ({"op": "remove", "path": "emails"}, {"emails": []}),
        ({"op": "Remove", "path": "emails", "value": [{"value": "anna@home.se"}]}, {"emails": [WORK]}),
        ({"op": "replace", "path": "emails", "value": [{"value": "a@b.se"}]}, {"emails": [{"value": "a@b.se"}]}),
        ({"op": "add", "path": "emails", "value": HOME}, {}),
        (
            {"op": "replace", "path": 'emails[type eq "home"]', "value": {"value": "x"}},
            {"emails": [WORK, {"value": "x"}]},
        ),
        (
            {
                "op": "add",
                "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                "value": "A",
            },
            {},
        ),
        (
            {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:displayName", "value": "A"},
            {"displayName": "A"},
        ),
    ],
)
def test_a_patch_changes(operation: dict[str, Any], changed: dict[str, Any]) -> None:
    """As the standard says, and as directories in the field write it; what is not kept is left out."""
    assert patched(ANNA, [operation]) == ANNA | changed


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "move", "path": "active"}, "invalidSyntax"),
        ({}, "invalidSyntax"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": 'emails[type eq "other"].value', "value": "x"}, "noTarget"),
        ({"op": "remove", "path": 'emails[type eq "other"].value'}, "noTarget"),
        ({"op": "replace", "path": "a b", "value": 1}, "invalidPath"),
        ({"op": "replace", "path": 'displayName[type eq "x"]', "value": 1}, "invalidPath"),
        ({"op": "replace", "path": "emails[type is x]", "value": 1}, "invalidFilter"),
        ({"op": "replace", "value": "x"}, "invalidValue"),
        ({"op": "add", "path": "emails", "value": [{"value": {}}]}, "invalidValue"),
        ({"op": "replace", "path": 'emails[type eq "work"]', "value": []}, "invalidValue"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
    ],
)
def test_what_is_no_patch_is_refused(operation: dict[str, Any], scim_type: str) -> None:
    """Each reason has SCIM's word."""
    with pytest.raises(BadScim) as told:
        patched(ANNA, [operation])
    assert told.value.scim_type == scim_type


def test_members_are_added_removed_and_replaced() -> None:
    """Nobody is in a group twice."""
    group: dict[str, Any] = {"displayName": "Staff", "members": [{"value": "a"}, {"value": "b"}]}

    def after(**operation: Any) -> list[str]:
        return sorted(m["value"] for m in patched(group, [{"path": "members", **operation}])["members"])

    assert after(op="add", value=[{"value": "b"}, {"value": "c"}]) == ["a", "b", "c"]
    assert after(op="remove", value=[{"value": "a"}]) == ["b"]
    assert after(op="remove") == []
    assert after(op="replace", value=[{"value": "c"}]) == ["c"]
    assert after(op="remove", path='members[value eq "b"]') == ["a"]
    assert after(op="remove", path='members[value eq "x"]') == ["a", "b"]


def test_truth_may_be_a_text() -> None:
    """In any case; nothing else is a truth."""
    assert [truth(v) for v in (True, False, "True", "false")] == [True, False, True, False]
    for wrong in ("yes", 1, None):
        with pytest.raises(BadScim):
            truth(wrong)


@given(st.text(alphabet=string.printable, max_size=40))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    """Nothing else comes of it."""
    try:
        parse_path(text)
    except BadScim:
        return
