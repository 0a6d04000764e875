"""Tariffs over either store: versions stand as they were written, in order, and bind what began under them."""

from typing import Any

import pytest

from epspot.adapters.dynamodb.registry import DynamoRegistry
from epspot.errors import Conflict
from epspot.services.changing import Actor, Changing
from epspot.services.keep_tariffs import (
    Tariffing,
    change_tariff,
    make_tariff,
    newest_of,
    remove_tariff,
    tariff_of,
    version_of,
    versions_of,
)
from epspot.tariffs import tariff_in
from tests.contracts.houses import NOW, House
from tests.fakes import FakeClock, FakeIds

FORM: dict[str, Any] = {
    "name": "Brygga",
    "energy": [
        {"ore": 250.25, "windows": [{"days": [0, 1, 2, 3, 4]}]},
        {"ore": -5, "windows": [{"days": [5, 6]}], "market": {"otherwise_ore": 100}},
    ],
    "most_ore": 20_000,
}
BY = Actor("user:olga", NOW)


def world(house: House) -> Tariffing:
    """Make what it takes to keep tariffs in the house's store."""
    if house.memory is not None:
        return Tariffing(Changing(house.memory.registry, FakeIds(), FakeClock(NOW)), house.lives)
    assert house.connection is not None
    return Tariffing(Changing(DynamoRegistry(house.connection), FakeIds(), FakeClock(NOW)), house.lives)


def test_versions_stand_as_they_were_written(house: House) -> None:
    """Each change adds a version; all are read as they were meant, the newest first, also beyond the ninth."""
    at = world(house)
    kept = make_tariff(at, BY, "o", FORM)
    for n in range(2, 12):
        kept = change_tariff(at, Actor("user:olga", NOW + n), kept, FORM | {"least_ore": n})
    read = tariff_of(at.registry, "o", kept.id)
    assert (read.version, read.valid_from, read.tariff) == (11, NOW + 11, tariff_in(FORM | {"least_ore": 11}))
    first = versions_of(at.registry, "o", kept.id, 6, None)
    rest = versions_of(at.registry, "o", kept.id, 6, first.next)
    assert [v.number for v in (*first.items, *rest.items)] == [*range(11, 0, -1)]
    assert version_of(at.registry, "o", kept.id, 1).tariff == tariff_in(FORM)
    newest = newest_of(at.registry, "o", kept.id)
    assert newest is not None
    assert (newest.name, newest.valid_from) == (f"{kept.id}/11", NOW + 11)
    assert newest_of(at.registry, "other", kept.id) is None


def test_two_changes_at_once(house: House) -> None:
    """Of two changes of the same version one is made, and no version is written twice."""
    at = world(house)
    kept = make_tariff(at, BY, "o", FORM)
    change_tariff(at, BY, kept, FORM | {"least_ore": 1})
    with pytest.raises(Conflict):
        change_tariff(at, BY, kept, FORM | {"least_ore": 2})
    assert version_of(at.registry, "o", kept.id).tariff.least_ore == 1


def test_versions_outlive_their_tariff(house: House) -> None:
    """What was had by a tariff can be priced when it has been taken away."""
    at = world(house)
    kept = make_tariff(at, BY, "o", FORM)
    remove_tariff(at, BY, kept)
    assert version_of(at.registry, "o", kept.id, 1).tariff == kept.tariff
