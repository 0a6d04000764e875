"""Every refusal that the API knows."""

from collections.abc import Iterator, Mapping
from functools import cache

from epspot.errors import Refusal
from functions.api import errors


@cache
def statuses() -> Mapping[str, int]:
    """Tell the status of each code; a fault of ours has none."""
    return {"busy": 503} | {kind.code: _status(kind) for kind in _below(Refusal)}


def _status(kind: type[Refusal]) -> int:
    return next((status for known, status in errors.STATUSES.items() if issubclass(kind, known)), 400)


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)
