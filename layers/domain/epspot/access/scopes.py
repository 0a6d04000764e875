"""Where something is allowed: scopes nest, owner ▸ site ▸ group ▸ outlet."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeAlias

from epspot.errors import InvalidRequest


class Level(StrEnum):
    """How wide a scope is."""

    OWNER = "owner"
    SITE = "site"
    GROUP = "group"
    OUTLET = "outlet"


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of what an owner has; as text ``site/<id>``, a group's id being ``<site>/<group>``."""

    level: Level
    id: str

    def __str__(self) -> str:
        return f"{self.level}/{self.id}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a scope from its text. Raises InvalidRequest."""
        level, _, id_ = text.partition("/")
        if level not in set(Level) or not id_ or (level == Level.GROUP) != ("/" in id_):
            raise InvalidRequest(
                f"{text[:80]!r} is no scope: write owner/<id>, site/<id>, group/<site>/<group> or outlet/<id>."
            )
        return cls(Level(level), id_)


Chain: TypeAlias = tuple[Scope, ...]
"""A scope with those that it lies in, the widest first: what is allowed on any of them is allowed on it."""


def group_scope(site: str, group: str) -> Scope:
    """Name a group of a site."""
    return Scope(Level.GROUP, f"{site}/{group}")
