"""Tariffs of owners, and all their versions: what a session cost can be told for as long as its version is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from epspot.registry.kinds import Kind
from epspot.registry.records import of_owner
from epspot.tariffs import Tariff, tariff_in


def of_tariff(tariff: str) -> str:
    """Key the versions of a tariff."""
    return f"TARIFF#{tariff}"


@dataclass(frozen=True, slots=True)
class OwnedTariff:
    """That an owner has a tariff, as it is now: its version is the number of its newest version."""

    id: str
    owner: str
    document: Mapping[str, Any] = field(default_factory=dict)
    valid_from: float = 0.0
    version: int = 0

    @property
    def tariff(self) -> Tariff:
        """Read its document."""
        return tariff_in(self.document)


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """A tariff as it is from a time on, until there is a newer one. It is never changed or taken away."""

    id: str
    owner: str
    number: int
    document: Mapping[str, Any] = field(default_factory=dict)
    valid_from: float = 0.0
    version: int = 0

    @property
    def tariff(self) -> Tariff:
        """Read its document."""
        return tariff_in(self.document)

    @property
    def name(self) -> str:
        """Name it as sessions do: ``<tariff>/<number>``."""
        return f"{self.id}/{self.number}"


def version_id(number: int) -> str:
    """Write a version's number so that versions are in order."""
    return f"{number:06d}"


OWNED_TARIFF = Kind("TARIFF", OwnedTariff, under=lambda t: of_owner(t.owner), id=lambda t: t.id)
TARIFF_VERSION = Kind("VERSION", TariffVersion, under=lambda v: of_tariff(v.id), id=lambda v: version_id(v.number))
