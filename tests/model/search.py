"""Breadth-first search through everything that can happen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.model.lease import State, broken, key, successors

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has seen; ``trace`` is the shortest way to what is broken."""

    states: int
    transitions: int
    broken: str | None = None
    trace: tuple[str, ...] = ()


def search(start: State, depth: int) -> Found:
    """Visit every state within ``depth`` happenings; stop at the first that is broken."""
    seen: set[Hashable] = {key(start)}
    level: list[tuple[State, tuple[str, ...]]] = [(start, ())]
    transitions = 0
    for _ in range(depth):
        following: list[tuple[State, tuple[str, ...]]] = []
        for state, trace in level:
            for label, after in successors(state):
                transitions += 1
                if (wrong := broken(after)) is not None:
                    return Found(len(seen), transitions, wrong, (*trace, label))
                name = key(after)
                if name not in seen:
                    seen.add(name)
                    following.append((after, (*trace, label)))
        level = following
    return Found(len(seen), transitions)
