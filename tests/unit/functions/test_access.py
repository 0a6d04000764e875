"""Every operation, as every role, at home and abroad: what happens is what docs/access.md says."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from chalice.app import Request

from epspot.access import CAPABILITIES, Capability, Role
from epspot.ports import SessionRecord
from epspot.registry.kinds import Put
from epspot.registry.records import OWNER, TOKEN, Owner, Token
from epspot.services.show_token import secret_hash, token_text
from functions.api.access_table import ROLES, WHERE, table
from functions.api.calls import answer
from functions.api.operations import OPERATIONS, Operation
from tests.unit.functions.conftest import OWNER_ID, grant
from tests.unit.services.house import House

MANUAL = (Path(__file__).parents[3] / "docs" / "access.md").read_text("utf-8")
COLUMNS = ("operation", "takes", "on", *(r.value for r in ROLES), "guest")
ABROAD = "owner2"


def rows() -> dict[str, dict[str, str]]:
    """Read the table of the manual."""
    lines = re.findall(r"^\| `[A-Z]+ /v1/.*$", MANUAL, re.MULTILINE)
    cells = ([c.strip() for c in line.strip("|").split("|")] for line in lines)
    return {c[0].strip("`"): dict(zip(COLUMNS, c, strict=True)) for c in cells}


TABLE = rows()


def test_the_manual_has_the_table_that_the_code_makes() -> None:
    """docs/access.md holds what ``python -m functions.api access`` prints."""
    assert table() in MANUAL


def test_every_operation_stands_in_it() -> None:
    """No operation is missing, and none stands there that is not."""
    assert set(TABLE) == {f"{op.method} {op.path}" for op in OPERATIONS}


@pytest.fixture
def house(house: House) -> House:
    """Add a second owner with a site of the same kind, everybody's roles at home, and a session at each site."""
    made = house.open("t", owner=ABROAD)
    made.registry.commit([Put(OWNER, None, Owner(ABROAD, "Abroad"))])
    for role in Role:
        grant(made, f"user:{role.value}", role, f"owner/{OWNER_ID}" if WHERE[role] == "owner" else "site/s")
    for site in ("s", "t"):
        made.sessions.add(SessionRecord(f"of-{site}", "somebody", site, f"{site}-1", "1", 0.0, "ended"))
    return made


def called(op: Operation, shows: str | None, *, abroad: bool) -> int:
    """Call an operation as far as its view, which here only says that it was reached; return the status."""
    bare = replace(op, view=lambda _: {"reached": True}, body=None, creates=False, changes=False, query=(), status=200)
    here = {"owner": ABROAD, "site": "t", "outlet": "t-1", "session": "of-t", "group": "g"}
    home = {"owner": OWNER_ID, "site": "s", "outlet": "s-1", "session": "of-s", "group": "g"}
    params = {name: (here if abroad else home).get(name, "x") for name in op.parameters}
    headers = {} if shows is None else {"authorization": f"Bearer {shows}"}
    request = Request(
        {
            "headers": headers,
            "multiValueQueryStringParameters": None,
            "pathParameters": params or None,
            "requestContext": {"httpMethod": op.method, "resourcePath": op.path, "identity": {"sourceIp": "192.0.2.1"}},
            "body": None,
            "isBase64Encoded": False,
            "stageVariables": None,
        }
    )
    return int(answer(bare, request).status_code)


def name_of(op: Operation) -> str:
    return f"{op.method} {op.path}"


each_operation = pytest.mark.parametrize("op", OPERATIONS, ids=name_of)
SCOPED = [op for op in OPERATIONS if op.needs is not None]


@each_operation
@pytest.mark.usefixtures("house")
def test_each_role_may_do_at_home_what_the_manual_says(op: Operation) -> None:
    """Yes means that the view is reached; no means 403 or 404, and for guests 401."""
    said = TABLE[name_of(op)]
    for role in Role:
        allowed = said[role.value] in ("yes", "own")
        status = called(op, role.value, abroad=False)
        assert (status == 200) == allowed, (role, status)
        if not allowed:
            assert status in (403, 404), (role, status)
    assert called(op, None, abroad=False) == (200 if said["guest"] == "yes" else 401)


@pytest.mark.parametrize("op", SCOPED, ids=name_of)
@pytest.mark.usefixtures("house")
def test_no_role_reaches_anything_abroad(op: Operation) -> None:
    """What another owner has looks as if it were not there, whatever one is at home."""
    for role in Role:
        assert called(op, role.value, abroad=True) == 404, role
    assert called(op, None, abroad=True) == 401


@pytest.mark.parametrize("op", SCOPED, ids=name_of)
@pytest.mark.parametrize("capability", Capability)
def test_a_token_may_do_what_it_was_made_for(op: Operation, capability: Capability, house: House) -> None:
    """A token reaches what takes its capability within its owner, and nothing else."""
    made = Token("tok", OWNER_ID, "portal", secret_hash("secret"), (capability.value,), f"owner/{OWNER_ID}")
    house.registry.commit([Put(TOKEN, None, made)])
    shows = token_text("tok", "secret")
    assert (called(op, shows, abroad=False) == 200) == (op.needs is capability)
    assert called(op, shows, abroad=True) == 404


def test_a_token_for_one_site_does_not_reach_the_owner(house: House) -> None:
    """A token's scope is as wide as it was made."""
    everything = tuple(c.value for c in CAPABILITIES[Role.OWNER_ADMIN])
    house.registry.commit([Put(TOKEN, None, Token("tok", OWNER_ID, "p", secret_hash("s"), everything, "site/s"))])
    for op in SCOPED:
        assert (called(op, token_text("tok", "s"), abroad=False) == 200) == (op.on != "owner"), name_of(op)


def test_what_takes_no_capability_is_ones_own_or_everybodys() -> None:
    """An operation without a capability is marked as such in the manual."""
    for op in OPERATIONS:
        if op.needs is None:
            assert TABLE[name_of(op)]["user"] == ("yes" if op.guests else "own")
