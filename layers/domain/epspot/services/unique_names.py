"""Give members and user groups their names, each of which stands for one alone."""

from collections.abc import Callable, Iterable

from epspot.errors import NameTaken
from epspot.ports import Registry
from epspot.registry.kinds import Change, Put, Remove
from epspot.registry.names import NAME, Name, Naming, name_key
from epspot.registry.records import of_owner

Find = Callable[[str], Name | None]
"""How a name is looked up by its key."""


def finder(registry: Registry, owner: str) -> Find:
    """Look names up one by one."""
    return lambda key: registry.get(NAME, of_owner(owner), key)


def named(registry: Registry, owner: str, naming: Naming, text: str) -> str:
    """Tell the id of what has a name, or nothing."""
    found = registry.get(NAME, of_owner(owner), name_key(naming, text))
    return "" if found is None else found.of


def renamings(find: Find, owner: str, id_: str, before: Iterable[str], after: Iterable[str]) -> list[Change]:
    """Make the changes from some names of a thing to others. Raises NameTaken."""
    before, after = set(before), set(after)
    changes: list[Change] = []
    for key in sorted(before | after):
        found = find(key)
        if key not in after:
            changes += [Remove(NAME, found)] if found is not None and found.of == id_ else []
        elif found is None:
            changes.append(Put(NAME, None, Name(key, owner, id_)))
        elif found.of != id_:
            kind = _KINDS[Naming(key.partition("/")[0])]
            raise NameTaken(
                f"Another has this {kind} already. Change that one, or choose another {kind}.",
                "Namnet eller id:t är upptaget. Ändra det där det används, eller välj ett annat.",
            )
    return changes


_KINDS = {
    Naming.MEMBER: "external id",
    Naming.USER_NAME: "userName",
    Naming.GROUP: "external id",
    Naming.GROUP_NAME: "name",
}
