"""The outlets of a site as a table: CSV as spreadsheets write it, Swedish ones too, and how it is read again."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from epspot.errors import InvalidSite
from epspot.registry.site_document import Document, document_of
from epspot.site import PHASES, Site

COLUMNS = ("number", "fuse", "phases", "max_a", "kind", "group", "station", "public", "bridge", "module", "id")
_NEEDED = ("number", "fuse", "phases", "max_a")
_YES = {"true", "sant", "yes", "ja", "1", "x"}
_NO = {"", "false", "falskt", "no", "nej", "0"}
_FORMULA = ("=", "+", "-", "@", "\t")
_MOST_CHARACTERS = 64
_LEAST_A = 6.0


@dataclass(frozen=True, slots=True)
class Table:
    """What a table says: the documents of outlets, each with its line."""

    outlets: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    """The line of each outlet that the site has already."""


# ------------------------------------------------------------------ writing


def table_of(site: Site) -> str:
    """Write the outlets of a site, in their order."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for o in document_of(site)["outlets"]:
        writer.writerow([_cell(o[name]) for name in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    text = " ".join(value) if isinstance(value, list) else str(value or "")
    # A spreadsheet would take it for a formula.
    return f"'{text}" if text.startswith(_FORMULA) else text


# ------------------------------------------------------------------ reading


def table_in(text: str, site: Site) -> Table:
    """Read a table as what its outlets are to be; what it has no column for stays as it is.

    A row is an outlet of the site by its id, or, if it has none, by its number; else it is a new one. Raises InvalidSite
    if it is no such table at all; what is wrong with rows is told in ``problems``, by line.
    """
    rows = _rows(text)
    columns = _columns(next(rows, (1, []))[1])
    table = Table()
    own = {o["id"]: o for o in document_of(site)["outlets"]}
    by_number = {o["number"]: o for o in own.values()}
    for line, cells in rows:
        if len(cells) > len(columns):
            table.problems.append(f"line {line}: it has {len(cells)} cells for {len(columns)} columns")
            continue
        row = dict(zip(columns, [*cells, *[""] * (len(columns) - len(cells))], strict=True))
        was = own.get(row["id"]) if row.get("id") else by_number.get(row["number"])
        if row.get("id") and was is None:
            table.problems.append(f"line {line}: no outlet of this site has the id {row['id'][:40]}; leave it empty")
            continue
        if was is not None and (first := table.known.setdefault(was["id"], line)) != line:
            table.problems.append(f"line {line}: it is the same outlet as line {first}")
            continue
        outlet, problems = _outlet(row, was or {})
        table.problems.extend(f"line {line}: {p}" for p in problems)
        if not problems:
            table.outlets.append(outlet)
            table.lines.append(line)
    return table


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Walk over the rows that are not empty, with their lines. Raises InvalidSite."""
    first = text.removeprefix("\ufeff").partition("\n")[0]
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=max(",;\t", key=first.count))
    line = 1
    try:
        for cells in reader:
            told = [c.strip() for c in cells]
            while told and not told[-1]:
                told.pop()
            if told:
                yield line, [c[1:] if c[:1] == "'" and c[1:].startswith(_FORMULA) else c for c in told]
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidSite([f"line {line}: this is no CSV: {error}"]) from None


def _columns(told: Sequence[str]) -> list[str]:
    columns = [c.lower() for c in told]
    problems = [f"line 1: the column {c} is missing" for c in _NEEDED if c not in columns]
    problems += [
        f"line 1: the column {c[:40]!r} is not known; known are {', '.join(COLUMNS)}"
        for c in columns
        if c not in COLUMNS
    ]
    problems += [f"line 1: the column {c} stands twice" for c in COLUMNS if columns.count(c) > 1]
    if problems:
        raise InvalidSite(problems)
    return columns


def _outlet(row: Mapping[str, str], was: Document) -> tuple[dict[str, Any], list[str]]:
    """Make the document of an outlet from its row and what it was, with what is wrong with the row."""
    problems = [f"{name} is longer than {_MOST_CHARACTERS}" for name, v in row.items() if len(v) > _MOST_CHARACTERS]
    problems += [f"{name} is missing" for name in _NEEDED if not row[name]]
    phases = [p for p in re.split(r"[\s/+]+", row["phases"].upper()) if p]
    if row["phases"] and not {*phases} <= {*PHASES}:
        problems.append(f"phases {row['phases'][:20]!r} are not such as L1 or L1 L2 L3")
    max_a = _number(row["max_a"])
    if row["max_a"] and max_a is None:
        problems.append(f"max_a {row['max_a'][:20]!r} is not a number")
    public = row.get("public", "").lower()
    if public not in _YES | _NO:
        problems.append(f"public {public[:20]!r} is neither true nor false")
    if problems or max_a is None:
        return {}, problems
    told = dict(was) | {"number": row["number"], "fuse": row["fuse"], "phases": phases, "max_a": max_a}
    told["min_a"] = min(was.get("min_a", _LEAST_A), max_a)
    told |= {name: row[name] or None for name in ("group", "station", "bridge", "module") if name in row}
    if row.get("kind"):
        told["kind"] = row["kind"]
    if "public" in row:
        told["public"] = public in _YES
    return told, []


def _number(text: str) -> float | None:
    """Read a number with a point or a comma."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
