"""Make and change sites by their documents and tables: refused whole with every reason, and written with who did it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeAlias

from epspot.access import Level, Scope
from epspot.control.state import Live
from epspot.errors import Conflict, InvalidSite
from epspot.registry.differences import differences
from epspot.registry.kinds import Change, Put
from epspot.registry.outlet_table import Table, table_in
from epspot.registry.records import ONCE, OWNED_SITE, OwnedSite, of_owner
from epspot.registry.site_document import Document, Reading, document_of, named, new_document, site_in
from epspot.registry.sites import SITE_REVISION, SiteRevision
from epspot.services.advance import Controller
from epspot.services.change_site import edit_site, succeed
from epspot.services.changing import Actor, Changing, Deed, audit_line, once
from epspot.services.keep_tariffs import unknown_tariffs
from epspot.services.register_site import register_site
from epspot.site import Site

SameVersion: TypeAlias = Callable[[int], None]
"""Refuses a change of another version than the one that stands."""

_PLACE = re.compile(r"outlets\[(\d+)\](\.?)")


@dataclass(frozen=True, slots=True)
class Configuring:
    """What it takes to make and change sites."""

    controller: Controller
    changing: Changing


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a site: what the audit log calls it, and how it makes a new site of the present one."""

    what: str
    make: Callable[[Site], Reading]
    about: str = ""
    """Left out: the site."""
    made: str = ""
    """The id of what a creating request has made."""


def any_version(_: int) -> None:
    """Let a change be of whatever version stands."""


# ------------------------------------------------------------------ sites


def make_site(world: Configuring, actor: Actor, owner: str, told: Document) -> Site:
    """Make a site of an owner's; its id and those of its outlets are ours. Raises InvalidSite or Conflict."""
    ids = world.changing.ids
    blank = Site(ids.new(), told["name"], (), (), owner=owner)
    site, places = site_in(new_document(told), blank, ids.new)
    owned = Put(OWNED_SITE, None, OwnedSite(site.id, owner, site.name))
    changes = [
        owned,
        *_traces(world, actor, Edit("site.created", lambda _: Reading(site, {}), made=site.id), None, site),
    ]
    try:
        _check_tariffs(world, None, site)
        register_site(world.controller.lives, world.changing.clock, site, world.controller.journal, changes)
    except InvalidSite as error:
        raise InvalidSite(named(error.problems, places)) from None
    return site


def replace_document(world: Configuring, actor: Actor, site: str, told: Document, same: SameVersion) -> Site:
    """Let a site be as a document says. Raises as ``edit_site`` does, and what ``same`` raises."""
    return change(
        world, actor, site, Edit("site.changed", lambda now: site_in(told, now, world.changing.ids.new)), same
    )


def change(world: Configuring, actor: Actor, site: str, edit: Edit, same: SameVersion = any_version) -> Site:
    """Let a site be as an edit makes it, and write who did what. Raises as ``edit_site`` does, and what ``same`` raises."""
    places: dict[str, str] = {}

    def making(present: Site) -> tuple[Site, Sequence[Change]]:
        same(present.revision)
        new, where = edit.make(present)
        places.update(where)
        _check_tariffs(world, present, new)
        return new, _traces(world, actor, edit, present, replace(new, revision=present.revision + 1))

    try:
        return edit_site(world.controller, world.changing.clock, site, making)
    except InvalidSite as error:
        if _is_made(world, actor):
            raise Conflict(site) from None
        raise InvalidSite(named(error.problems, places)) from None


def _check_tariffs(world: Configuring, present: Site | None, new: Site) -> None:
    if unknown := unknown_tariffs(world.changing.registry, present, new):
        raise InvalidSite(unknown)


def _is_made(world: Configuring, actor: Actor) -> bool:
    """Tell whether the same request, sent twice at once, has won: what it has made then stands in the way of itself."""
    sent = actor.once
    return sent is not None and world.changing.registry.get(ONCE, ONCE.under(sent), ONCE.id(sent)) is not None


def _traces(world: Configuring, actor: Actor, edit: Edit, before: Site | None, after: Site) -> list[Change]:
    """Make what is written beside a configuration: the audit line, its revision's maker, its name where it is listed."""
    deed = Deed(after.owner, str(Scope(Level.SITE, after.id)), edit.what, edit.about or after.id)
    was, is_ = differences({} if before is None else document_of(before), document_of(after))
    line = audit_line(world.changing, actor, deed, None if before is None else was, is_)
    made_by = SiteRevision(after.id, after.revision, actor.at, actor.by, edit.what)
    changes: list[Change] = [line, Put(SITE_REVISION, None, made_by), *once(actor, edit.made)]
    if before is not None and before.name != after.name:
        listed = world.changing.registry.get(OWNED_SITE, of_owner(after.owner), after.id)
        changes.append(Put(OWNED_SITE, listed, OwnedSite(after.id, after.owner, after.name)))
    return changes


# ------------------------------------------------------------------ tables


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a table of outlets changes."""

    added: list[Mapping[str, Any]] = field(default_factory=list)
    changed: list[Mapping[str, Any]] = field(default_factory=list)
    removed: list[Mapping[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def preview_table(present: Site, live: Live, text: str) -> TableChange:
    """Tell what a table would change, and every problem that it would be refused for. Raises InvalidSite: no table."""
    table = table_in(text, present)
    return replace(_compare(present, table), problems=table.problems or _problems(present, live, table))


def _problems(present: Site, live: Live, table: Table) -> list[str]:
    numbers, places = count(1), dict[str, str]()
    try:
        site, where = _with_table(present, table, lambda: f"new-{next(numbers)}")
        places.update(where)
        succeed(present, live, site)
    except InvalidSite as error:
        return named(error.problems, places)
    return []


def replace_table(
    world: Configuring, actor: Actor, site: str, text: str, same: SameVersion
) -> tuple[Site, TableChange]:
    """Let a site's outlets be as a table says. Raises as ``edit_site`` does, and what ``same`` raises."""
    told = TableChange()

    def make(present: Site) -> Reading:
        nonlocal told
        table = table_in(text, present)
        if table.problems:
            raise InvalidSite(table.problems)
        told = _compare(present, table)
        return _with_table(present, table, world.changing.ids.new)

    changed = change(world, actor, site, Edit("outlets.imported", make), same)
    return changed, told


def _with_table(present: Site, table: Table, new_id: Callable[[], str]) -> Reading:
    """Make the site with the outlets of a table; problems are said by line. Raises InvalidSite."""
    try:
        site, places = site_in(document_of(present) | {"outlets": table.outlets}, present, new_id)
    except InvalidSite as error:
        raise InvalidSite([_by_line(p, table) for p in error.problems]) from None
    return Reading(site, {o: _by_line(where, table) for o, where in places.items()})


def _by_line(text: str, table: Table) -> str:
    """Say lines for places in the document that was made of a table."""
    return _PLACE.sub(lambda m: f"line {table.lines[int(m[1])]}" + (": " if m[2] else ""), text)


def _compare(present: Site, table: Table) -> TableChange:
    own = {o["id"]: o for o in document_of(present)["outlets"]}
    found = TableChange()
    for told, line in zip(table.outlets, table.lines, strict=True):
        was = own.pop(told.get("id", ""), None)
        if was is None:
            found.added.append({"number": told["number"], "line": line})
        elif fields := sorted(name for name, value in told.items() if value != was[name]):
            found.changed.append({"id": was["id"], "number": told["number"], "line": line, "fields": fields})
    found.removed.extend({"id": i, "number": o["number"]} for i, o in own.items() if i not in table.known)
    return found
