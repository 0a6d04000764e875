"""The journal of a site: what each step was given and what came of it, so that it can be made again.

An entry tells the event, names the state that the step has loaded, and holds what it changed. States are named by their
content, so that entries may come in any order, twice, and from steps that raced. Everything in an entry is plain JSON:
another version of the code, which may have other states, reads it as it was written.

A step that wrote nothing has left no trace in the state, and needs no entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args

from epspot.control import events
from epspot.control.draft import decision_equals
from epspot.control.effects import Step
from epspot.control.events import Event
from epspot.control.state import Live, Readings
from epspot.control.worth import readings_to_write
from epspot.control.written import Plain, alike, digest, into, out, text, usual
from epspot.site import Site

FORMAT = 1
CHECKPOINT_EVERY = 100
"""Every so many versions of a site's decision an entry holds the whole state: after a gap the journal goes on there."""

_APART = ("site", "version", "readings", "look_at")
"""What of a state is no part of a decision: its name, and what is written beside it."""
_DECISION = tuple(f.name for f in fields(Live) if f.name not in _APART)


class UnknownEntry(ValueError):
    """A line is no entry that this version can read."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a step was given beside its event."""

    site: Plain
    decision: Plain
    readings: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Entry:
    """One step that has written something, or, if it is not ``committed``, has tried to and perhaps did.

    A commit that fails may have written the decision before it met another's readings.
    """

    site: str
    at: float
    """When the event came, in epoch seconds."""
    event: Plain
    """[kind, what it says]."""
    revision: int
    version: int
    """Of the decision that was loaded."""
    decision: str
    """Its name."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """The names of the readings that were loaded, by bridge."""
    decided: Mapping[str, Plain] | None = None
    """What became of the decision, field by field; of a table only the rows that changed. None as a value: as usual,
    and of a row: gone. None at all: no decision was written."""
    order: Mapping[str, Plain] = field(default_factory=dict)
    """The order of a table's rows, where it is not that of the rows before with the new ones behind."""
    read: Mapping[str, Plain] = field(default_factory=dict)
    """The readings that were written, by bridge; None as a module's: as the event tells."""
    facts: Plain = field(default_factory=list)
    commands: Plain = field(default_factory=list)
    committed: bool = True
    before: Checkpoint | None = None
    """Only now and then."""
    format: int = 0


# ------------------------------------------------------------------ writing


def entry_of(
    site: Site, before: Live, event: Event, done: Step, *, committed: bool = True, whole: bool = False
) -> Entry | None:
    """Make the entry of a step; ``whole``: it is a checkpoint. None if the step has nothing to write."""
    decides = bool(done.facts) or not decision_equals(before, done.live)
    written = readings_to_write(before, done.live, told=bool(done.facts))
    if not decides and not written:
        return None
    decision = decision_out(before)
    loaded = {b: out(r) for b, r in before.readings.items()}
    decided, order = _changes(before, done.live) if decides else (None, {})
    whole = whole or before.version % CHECKPOINT_EVERY == 0
    return Entry(
        site=site.id,
        at=event.at,
        event=event_out(event),
        revision=site.revision,
        version=before.version,
        decision=digest(decision),
        readings={b: digest(r) for b, r in loaded.items()},
        decided=decided,
        order=order,
        read={b: _read_out(r, event) for b, r in written.items()},
        facts=out(done.facts),
        commands=out(done.commands),
        committed=committed,
        before=Checkpoint(out(site), decision, loaded) if whole else None,
        format=FORMAT,
    )


def decision_out(live: Live) -> Plain:
    """Write everything of a state that its versions count."""
    return {n: v for n, v in out(replace(live, readings={})).items() if n in _DECISION}


def event_out(event: Event) -> Plain:
    """Write an event of any kind."""
    return [type(event).__name__, out(event)]


def _changes(before: Live, after: Live) -> tuple[dict[str, Plain], dict[str, Plain]]:
    """Tell what became of a decision, and of which tables the rows stand in another order."""
    changed: dict[str, Plain] = {}
    order: dict[str, Plain] = {}
    for name in _DECISION:
        was, now = getattr(before, name), getattr(after, name)
        if now is was:
            continue
        if not isinstance(now, Mapping):
            changed[name] = None if now == getattr(_USUAL, name) else out(now)
            continue
        if rows := _rows(was, now):
            changed[name] = rows
        if [*now] != [*(k for k in was if k in now), *(k for k in now if k not in was)]:
            order[name] = [*now]
    return changed, order


_USUAL = Live("")


def _rows(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Plain]:
    """List the rows that changed; what a step left alone is the same object before and after."""
    new = {k: out(v) for k, v in now.items() if k not in was or (v is not was[k] and not alike(out(v), out(was[k])))}
    return new | dict.fromkeys(k for k in was if k not in now)


def _read_out(readings: Readings, event: Event) -> Plain:
    """Write readings without what the event tells already."""
    told = getattr(event, "modules", {})
    modules = {m: None if told.get(m) is r else out(r) for m, r in readings.modules.items()}
    return out(replace(readings, modules={})) | {"modules": modules}


# ------------------------------------------------------------------ reading


def line_of(entry: Entry) -> str:
    """Write an entry as one line of text."""
    default = usual(Entry)
    told = {f.name: v for f in fields(entry) if (v := getattr(entry, f.name)) != default.get(f.name, ...)}
    if entry.before is not None:
        told["before"] = {f.name: getattr(entry.before, f.name) for f in fields(entry.before)}
    return text(told)


def entry_in(told: Plain) -> Entry:
    """Read an entry. Raises UnknownEntry."""
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise UnknownEntry("no journal entry of a format that this version reads")
    try:
        return into(Entry, told)
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownEntry(f"a journal entry that lacks something: {error!r}") from None


def decision_after(decision: Plain, entry: Entry) -> Plain:
    """Tell what an entry made of the decision that it had loaded."""
    after = dict(decision)
    for name, change in (entry.decided or {}).items():
        after[name] = _patched(after.get(name, {}), change) if isinstance(change, dict) else change
    for name, rows in entry.order.items():
        after[name] = {k: after[name][k] for k in rows}
    return {n: v for n, v in after.items() if v is not None and v != {}}


def _patched(rows: Plain, change: Plain) -> Plain:
    return {k: r for k, r in {**rows, **change}.items() if r is not None}


def readings_after(entry: Entry) -> dict[str, Plain]:
    """Tell the readings that an entry has written, by bridge, in full."""
    told = entry.event[1].get("modules", {})
    return {
        b: r | {"modules": {m: told[m] if v is None else v for m, v in r["modules"].items()}}
        for b, r in entry.read.items()
    }


def event_in(told: Plain) -> Event:
    """Read an event of any kind. Raises UnknownEntry."""
    kind = _EVENTS.get(told[0])
    if kind is None:
        raise UnknownEntry(f"events of the kind {told[0]} are not known")
    event: Event = into(kind, told[1])
    return event


def live_in(site: str, version: int, decision: Plain, readings: Mapping[str, Plain]) -> Live:
    """Read a state."""
    return into(Live, {**decision, "site": site, "version": version, "readings": readings})


_EVENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(events.Event)}
