"""Change the registry: with every change stands who made it, and a creating request is carried out once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from epspot.access import Level, Scope
from epspot.ports import Clock, Ids, Registry
from epspot.registry.kinds import Change, Put
from epspot.registry.records import AUDIT_LINE, ONCE, AuditLine, Once


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, when, and by which request."""

    by: str
    at: float
    once: Once | None = None
    """Of a creating request: the repeated one is to find what the first has made."""


@dataclass(frozen=True, slots=True)
class Changing:
    """What it takes to change the registry."""

    registry: Registry
    ids: Ids
    clock: Clock


@dataclass(frozen=True, slots=True)
class Deed:
    """What the audit log says of a change."""

    owner: str
    scope: str
    what: str
    """Such as ``grant.created``."""
    about: str = ""
    """Left out: the id of what was changed."""


def deed_of(owner: str, what: str, about: str = "") -> Deed:
    """Tell of something that is done to what belongs to an owner as a whole."""
    return Deed(owner, str(Scope(Level.OWNER, owner)), what, about)


def commit(world: Changing, actor: Actor, deed: Deed, *changes: Change, made: str = "") -> None:
    """Write changes, the first of which is what the audit log tells of, with the audit line. Raises Conflict.

    ``made`` is the id of what a creating request has made.
    """
    world.registry.commit([*changes, *traces(world, actor, deed, changes[0], made)])


def traces(world: Changing, actor: Actor, deed: Deed, change: Change, made: str = "") -> Sequence[Change]:
    """Make what is written beside a change: its audit line and, for a creating request, what it made."""
    before = _told(change, change.before)
    after = _told(change, change.after) if isinstance(change, Put) else None
    about = change.kind.id(change.after if isinstance(change, Put) else change.before) or deed.scope
    line = audit_line(world, actor, replace(deed, about=deed.about or about), before, after)
    return [line, *once(actor, made)]


def audit_line(
    world: Changing, actor: Actor, deed: Deed, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> Put[AuditLine]:
    """Make a line of the audit log; lines stand in the order of time."""
    id_ = f"{actor.at:014.3f}-{world.ids.new()}"
    line = AuditLine(
        id=id_,
        owner=deed.owner,
        at=actor.at,
        by=actor.by,
        what=deed.what,
        scope=deed.scope,
        about=deed.about,
        before=before,
        after=after,
    )
    return Put(AUDIT_LINE, None, line)


def _told(change: Change, record: Any) -> dict[str, Any] | None:
    if record is None:
        return None
    return {name: value for name, value in asdict(record).items() if name not in change.kind.hidden | {"version"}}


def once(actor: Actor, made: str) -> Sequence[Change]:
    """Note what a creating request has made, so that its repetition finds it."""
    return [] if actor.once is None or not made else [Put(ONCE, None, replace(actor.once, made=made))]
