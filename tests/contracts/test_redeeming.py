"""Redeeming access codes at once, in memory and in DynamoDB: nothing is given oftener than its maker has said."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from epspot.access import Grant, Level, Scope
from epspot.adapters.dynamodb.registry import DynamoRegistry, DynamoThrottle
from epspot.adapters.ids import RandomIds
from epspot.errors import CodeUnknown
from epspot.ports import Registry, Throttle
from epspot.registry.access_codes import ACCESS_CODE, REDEMPTION, AccessCode, of_code
from epspot.registry.kinds import Change, Put
from epspot.registry.records import GRANT, OWNER, Owner, of_owner
from epspot.services.advance import Controller
from epspot.services.authorize import Caller, Gate, Place
from epspot.services.changing import Actor, Changing
from epspot.services.follow_session import Following
from epspot.services.give_grant import Gift, Granting
from epspot.services.make_code import make_code
from epspot.services.redeem_code import redeem_code
from tests.contracts.houses import Stand, make_tables
from tests.fakes import FakeClock, FakeCommands, FakeLives, FakeRegistry, FakeThrottle

NOW = FakeClock().at


class Racing:
    """A registry in which something happens just before the next commit."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.meanwhile: Callable[[], object] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def commit(self, changes: Sequence[Change]) -> None:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        self._registry.commit(changes)


@pytest.fixture(params=["memory", "dynamodb"])
def throttle(request: pytest.FixtureRequest, account: Stand) -> Throttle:
    """Give a throttle of each kind."""
    if request.param == "memory":
        return FakeThrottle()
    make_tables(account.client)
    return DynamoThrottle()


@pytest.fixture
def racing(throttle: Throttle, account: Stand) -> Racing:
    """Give a registry of the throttle's kind, in which there is an owner."""
    made: Registry = FakeRegistry() if isinstance(throttle, FakeThrottle) else DynamoRegistry(account.connection)
    made.commit([Put(OWNER, None, Owner("owner1", "Garden"))])
    return Racing(made)


@pytest.fixture
def world(racing: Racing, throttle: Throttle) -> Granting:
    """Give what it takes to redeem codes."""
    clock, lives = FakeClock(), FakeLives()
    following = Following(Controller(lives, FakeCommands()), lives.sessions, clock)
    gate = Gate(racing, lives, lives.sites, clock)
    return Granting(Changing(racing, RandomIds(), clock), gate, following, throttle)


def code_for(world: Granting, uses: int) -> AccessCode:
    place = Place((Scope(Level.OWNER, "owner1"),), "owner1")
    return make_code(world, Actor("user:olga", NOW), place, Gift("user", None, NOW + 3600), uses=uses, grant_days=None)


def redeem(world: Granting, code: AccessCode, user: str) -> Grant | None:
    try:
        return redeem_code(world, Actor(f"user:{user}", NOW), Caller(f"user:{user}"), code.text, "192.0.2.1")
    except CodeUnknown:
        return None


def used(world: Granting, code: AccessCode) -> int:
    kept = world.registry.get(ACCESS_CODE, of_owner("owner1"), code.id)
    assert kept is not None
    return kept.used


def test_two_at_once_get_the_last_use_once(world: Granting, racing: Racing) -> None:
    """The one who comes second gets nothing."""
    code, first = code_for(world, 1), list[Grant | None]()
    racing.meanwhile = lambda: first.append(redeem(world, code, "anna"))
    assert redeem(world, code, "kim") is None
    assert first[0] is not None
    assert used(world, code) == 1
    assert not world.registry.under(GRANT, "SUBJECT#user:kim").items


def test_one_user_twice_at_once_counts_once(world: Granting, racing: Racing) -> None:
    """Both requests get the same grant."""
    code, first = code_for(world, 5), list[Grant | None]()
    racing.meanwhile = lambda: first.append(redeem(world, code, "anna"))
    second = redeem(world, code, "anna")
    assert second is not None
    assert first[0] is not None
    assert second.id == first[0].id
    assert used(world, code) == 1
    assert len(world.registry.under(REDEMPTION, of_code(code.id)).items) == 1


def test_many_at_once_get_as_many_as_there_are(world: Granting, racing: Racing) -> None:
    """Of eight users, each of whom comes while the one before is about to write, three get one of three."""
    code, told = code_for(world, 3), list[Grant | None]()

    def come(n: int) -> None:
        if n < 8:
            racing.meanwhile = lambda: come(n + 1)
            told.append(redeem(world, code, f"u{n}"))

    come(0)
    assert len(told) == 8
    assert sum(g is not None for g in told) == used(world, code) == 3
    assert len(world.registry.under(REDEMPTION, of_code(code.id)).items) == 3


def test_what_is_given_back_does_not_count(throttle: Throttle) -> None:
    """As many may be taken again as were given back, and never more than there are."""
    assert [throttle.take("k", 2, 60, NOW) for _ in range(3)] == [True, True, False]
    throttle.give_back("k", 60, NOW)
    assert [throttle.take("k", 2, 60, NOW) for _ in range(2)] == [True, False]
    throttle.give_back("other", 60, NOW)
    for _ in range(4):
        throttle.give_back("k", 60, NOW)
    assert [throttle.take("k", 2, 60, NOW) for _ in range(3)] == [True, True, False]
