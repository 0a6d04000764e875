"""What is kept of people, in memory and in DynamoDB alike."""

from typing import Any

import pytest

from epspot.adapters.dynamodb.registry import DynamoRegistry
from epspot.ports import Registry, Vehicle
from epspot.registry.identity_providers import IDENTITY_PROVIDER, IdentityProvider
from epspot.registry.kinds import Kind, Put, Remove
from epspot.registry.people import ATTEMPT, CAR, PROFILE, SIGN_UP, SIGN_UP_S, Attempt, Car, Profile, SignUp
from tests.contracts.houses import NOW, House

RECORDS: list[tuple[Kind[Any], Any]] = [
    (PROFILE, Profile("u1", "anna@example.com", "Åsa", "en", warnings="mail", version=1)),
    (CAR, Car("c1", "u1", "Volvo", 3, 16.0, 78_000, NOW, 1)),
    (SIGN_UP, SignUp("e1", "s1", "u1", "Åsa", "en", NOW, 1)),
    (ATTEMPT, Attempt("s1", "e1", "x" * 3000, NOW + 300, 1)),
    (
        IDENTITY_PROVIDER,
        IdentityProvider("o1", "oidc", "way", "https://login.example.com", "us", made_at=NOW, version=1),
    ),
]


def registry_of(house: House) -> Registry:
    """Reach the registry over the house's store."""
    if house.memory is not None:
        return house.memory.registry
    assert house.connection is not None
    return DynamoRegistry(house.connection)


@pytest.mark.parametrize(("kind", "record"), RECORDS, ids=[kind.name for kind, _ in RECORDS])
def test_a_record_is_found_as_it_was_written(house: House, kind: Kind[Any], record: Any) -> None:
    """Everything that is kept of people is read as it was written, and gone when it is removed."""
    registry = registry_of(house)
    registry.commit([Put(kind, None, record)])
    found = registry.get(kind, kind.under(record), kind.id(record))
    assert found == record
    registry.commit([Remove(kind, found)])
    assert registry.get(kind, kind.under(record), kind.id(record)) is None


def test_what_is_begun_vanishes(tables: House) -> None:
    """A sign-up and an attempt to sign in that nobody finishes are gone by themselves; a profile stays."""
    for kind, record in RECORDS:
        registry_of(tables).commit([Put(kind, None, record)])
    items = tables.client.scan(TableName="CoreTable")["Items"]
    expiries = {item["sk"]["S"].partition("#")[0]: item.get("expires_at", {}).get("N") for item in items}
    assert expiries["SIGNUP"] == f"{NOW + SIGN_UP_S:.0f}"
    assert expiries["ATTEMPT"] == f"{NOW + 300:.0f}"
    assert expiries["PROFILE"] is expiries["CAR"] is expiries["IDP"] is None


def test_what_was_learned_is_forgotten(house: House) -> None:
    """What is known of a user's vehicle is forgotten, again and again, and nobody else's."""
    house.vehicles.put("u1", Vehicle(7.5, "relay"))
    house.vehicles.put("u2", Vehicle(8.0))
    for _ in range(2):
        house.vehicles.forget("u1")
    assert (house.vehicles.get("u1"), house.vehicles.get("u2")) == (Vehicle(), Vehicle(8.0))
