"""Read long lists of the registry: all of one, or a page of what is wanted in it."""

from collections.abc import Callable, Iterator

from epspot.ports import Registry
from epspot.registry.kinds import Kind, Page, R

_READ = 1000


def everything(
    registry: Registry, kind: Kind[R], under: str, after: str | None = None, *, at_once: int = _READ
) -> Iterator[R]:
    """List all that belongs somewhere, however much it is, from behind an id on."""
    return _all(lambda cursor: registry.under(kind, under, at_once, cursor), after)


def everything_also(registry: Registry, kind: Kind[R], also: str) -> Iterator[R]:
    """List all that is also found somewhere; what was written a moment ago may be missing."""
    return _all(lambda cursor: registry.also_under(kind, also, _READ, cursor), None)


def _all(read: Callable[[str | None], Page[R]], after: str | None) -> Iterator[R]:
    while True:
        page = read(after)
        yield from page.items
        if page.next is None:
            return
        after = page.next


def sifted(
    read: Callable[[str | None], Page[R]],
    wanted: Callable[[R], bool],
    id_of: Callable[[R], str],
    limit: int,
    cursor: str | None,
) -> Page[R]:
    """Make a page of what is wanted in a list, from ``cursor`` on."""
    found: list[R] = []
    while True:
        page = read(cursor)
        found += [r for r in page.items if wanted(r)]
        if len(found) > limit:
            return Page(tuple(found[:limit]), id_of(found[limit - 1]))
        if page.next is None:
            return Page(tuple(found))
        cursor = page.next
