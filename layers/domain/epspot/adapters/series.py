"""Series in files: what changes with time, one row for each change.

A file is a CSV table in UTF-8. Its first line names two columns: ``start``, a time with its offset from UTC
(2026-11-24T13:00:00+01:00), and the value. The rows are in order, and a value holds until the next one:

    start,ore_per_kwh
    2026-11-24T13:00:00+01:00,45.31
    2026-11-24T14:00:00+01:00,38.02
"""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from math import isfinite
from pathlib import Path

from epspot.errors import SourceUnavailable

START = "start"
_COLUMNS = 2

Series = Sequence[tuple[int, float]]


def within(series: Series, start: float, end: float) -> Series:
    """Select what begins from ``start`` on and before ``end``."""
    return [(at, value) for at, value in series if start <= at < end]


def read_series(path: Path, column: str) -> Series:
    """Read a file's values of ``column`` by epoch seconds. Raises SourceUnavailable that names line and column."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceUnavailable(f"{path} can't be read ({error.strerror}): put the file there") from error
    except UnicodeDecodeError as error:
        raise SourceUnavailable(f"{path} is not UTF-8 text: save it as UTF-8") from error
    return [*_rows(path, csv.reader(text.splitlines()), column)]


def _rows(path: Path, table: Iterator[list[str]], column: str) -> Iterator[tuple[int, float]]:
    header = next(table, [])
    if header != [START, column]:
        raise SourceUnavailable(
            f"{path}, line 1: the columns are {','.join(header)!r}; they must be '{START},{column}'"
        )
    before: int | None = None
    for line, row in enumerate(table, start=2):
        where = f"{path}, line {line}"
        if len(row) != _COLUMNS:
            raise SourceUnavailable(f"{where}: {len(row)} columns; there must be {_COLUMNS}, '{START},{column}'")
        at = _time(where, row[0])
        if before is not None and at <= before:
            raise SourceUnavailable(
                f"{where}, column {START}: {row[0]} is not later than the line before: sort the lines"
            )
        before = at
        yield at, _number(f"{where}, column {column}", row[1])


def _time(where: str, text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise SourceUnavailable(
            f"{where}, column {START}: {text!r} is not a time with its offset from UTC, such as 2026-11-24T13:00:00+01:00"
        )
    return int(at.timestamp())


def _number(where: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise SourceUnavailable(f"{where}: {text!r} is not a number, such as 45.31")
    return number
