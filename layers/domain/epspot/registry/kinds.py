"""How records are found: each kind names what its records belong to, and by what they are told apart there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Record(Protocol):
    """A frozen dataclass of plain values (texts, numbers, tuples, mappings of them) with the version that it has."""

    @property
    def version(self) -> int:
        """0: not written yet. Grows by one with each write."""
        ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """Records of one kind. Keys are texts like ``OWNER#<id>``; ``#`` stands in no id."""

    name: str
    """In capitals, such as ``GRANT``."""
    type: type[R]
    under: Callable[[R], str]
    """What a record belongs to; all that belong there are read together, consistently."""
    id: Callable[[R], str]
    """Tells it apart there; lists are in its order."""
    also: Callable[[R], str] | None = None
    """What else it is listed under, a moment later."""
    expires_at: Callable[[R], float | None] = lambda _: None
    """When it may vanish by itself."""
    hidden: frozenset[str] = frozenset()
    """Fields that are personal or secret, and stand in no audit line."""


@dataclass(frozen=True, slots=True)
class Put(Generic[R]):
    """Write ``after`` if ``before`` still stands (None: if there is none yet)."""

    kind: Kind[R]
    before: R | None
    after: R


@dataclass(frozen=True, slots=True)
class Remove(Generic[R]):
    """Take a record away if it still stands as it was read."""

    kind: Kind[R]
    before: R


Change = Put[Any] | Remove[Any]


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some of a list, in order."""

    items: tuple[R, ...]
    next: str | None = None
    """Where the rest begins; None: this is all."""
