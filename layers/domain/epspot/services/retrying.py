"""Change the registry though others change it too, and change much of it in several commits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from epspot.errors import Conflict
from epspot.registry.kinds import Change

TRIES = 12
"""Every try that fails is another's success."""
MOST_CHANGES = 100
"""That are written all or none."""

_T = TypeVar("_T")


def until_written(attempt: Callable[[], _T]) -> _T:
    """Read, decide and commit, anew on what the winner wrote if somebody else was first.

    Raises Conflict when the races never end.
    """
    for _ in range(TRIES - 1):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()


def in_commits(plans: Iterable[Sequence[Change]]) -> Iterator[list[Change]]:
    """Put plans together, each of which is written all or none, into as few commits as may be."""
    together: list[Change] = []
    for plan in plans:
        if together and len(together) + len(plan) > MOST_CHANGES:
            yield together
            together = []
        together = [*together, *plan]
    if together:
        yield together
