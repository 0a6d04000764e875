"""What differs between two documents, as the audit log tells it: the changed paths and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any

MOST = 50
"""So many paths are told; of the rest how many there are."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what stood at each path that differs, and what stands there now.

    Things in lists are told apart by their ``id`` or ``name``: ``outlets[x].max_a``.
    """
    found = [*_walk("", before, after)]
    was, is_ = ({path: pair[side] for path, *pair in found[:MOST]} for side in (0, 1))
    if len(found) > MOST:
        is_["more"] = len(found) - MOST
    return was, is_


def _walk(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {**before, **after}:
            yield from _walk(f"{path}.{name}" if path else name, before.get(name), after.get(name))
    elif (old := _by_name(before)) is not None and (new := _by_name(after)) is not None:
        for name in {**old, **new}:
            yield from _walk(f"{path}[{name}]", old.get(name), new.get(name))
    elif before != after:
        yield path, before, after


def _by_name(value: Any) -> dict[str, Any] | None:
    """Name the things of a list, or of none at all; None if they have no names, or share one."""
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
        return None
    named = {str(v.get("id", v.get("name"))): v for v in value}
    return named if len(named) == len(value) and "None" not in named else None
