"""What tests of handlers share."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest

from epspot.access import Grant, Role
from epspot.registry.kinds import Put
from epspot.registry.records import GRANT, OWNER, Owner
from functions.api import calls
from functions.observability import logger
from tests.unit.functions.asking import Asker
from tests.unit.services.house import House

Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """Give the lines that are logged within the test."""
    handler = logger.registered_handler
    assert hasattr(handler, "setStream")
    told = StringIO()
    before = handler.setStream(told)
    yield lambda: [json.loads(line) for line in told.getvalue().splitlines()]
    handler.setStream(before)


OWNER_ID = "owner1"
"""Whose the site ``s`` of the house is: ``olga`` administers the owner, ``anna`` may use the site, ``eva`` nothing."""


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """Open a site of an owner's, and put its house behind every operation."""
    made = House().open(owner=OWNER_ID)
    monkeypatch.setattr(calls, "world", lambda: made)
    made.registry.commit([Put(OWNER, None, Owner(OWNER_ID, "Garden"))])
    grant(made, "user:olga", Role.OWNER_ADMIN, f"owner/{OWNER_ID}")
    grant(made, "user:anna", Role.USER, "site/s")
    return made


@pytest.fixture
def ask(house: House) -> Asker:
    """Give the means to ask, as ``anna`` unless another is named."""
    return Asker(house)


def grant(house: House, subject: str, role: Role, scope: str, owner: str = OWNER_ID) -> None:
    """Grant something, as an owner has done before."""
    id_ = f"{subject}/{role}/{scope}"
    house.registry.commit([Put(GRANT, None, Grant(id_, owner, subject, role.value, scope))])
