"""``python -m epspot.replay JOURNAL...``: make the kept steps of sites again with this version of the code.

A journal is a file, a folder, or s3://bucket/prefix. Prints for each site how many steps come out as they did then, and
what comes out otherwise. Returns 1 if anything does, 2 if there is no journal to read.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from epspot.adapters.journal import entries_of, files_below, objects_below
from epspot.control.journal import Entry, UnknownEntry
from epspot.replay.report import as_json, as_text, timeline
from epspot.services.replay import explain, replay

_S3 = "s3://"


def main(argv: list[str] | None = None) -> int:
    """Read the journals that are named, and report."""
    asked = _parser().parse_args(argv)
    try:
        entries, unreadable = _read(asked.journals, asked.site, asked.since, asked.until)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    for text in unreadable:
        print(text, file=sys.stderr)
    if not entries:
        print("There is no journal of that.", file=sys.stderr)
        return 2
    if asked.explain is not None:
        return _explain(entries, asked.explain)
    reports = replay(entries, since=_or(asked.since, -inf), until=_or(asked.until, inf))
    if asked.json:
        print(as_json(reports.values(), len(unreadable)))
    else:
        print("\n".join(line for report in reports.values() for line in as_text(report)))
    return int(any(r.differences for r in reports.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m epspot.replay", description=(__doc__ or "").partition("\n")[2])
    parser.add_argument("journals", nargs="+", metavar="JOURNAL", help="a file, a folder or s3://bucket/prefix")
    parser.add_argument("--site", help="only this one")
    parser.add_argument("--from", dest="since", type=_time, metavar="T", help="from this time on (ISO 8601, UTC)")
    parser.add_argument("--to", dest="until", type=_time, metavar="T", help="before this time")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--explain", metavar="SESSION", help="tell what a session had when, and why, as decided then")
    return parser


def _time(text: str) -> float:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _explain(entries: list[Entry], session: str) -> int:
    moments = explain(entries, session)
    print("\n".join(timeline(moments)) or f"There is nothing about session {session}.")
    return 0 if moments else 2


def _read(
    journals: list[str], site: str | None, since: float | None, until: float | None
) -> tuple[list[Entry], list[str]]:
    """Read all entries, and tell of each line that is none."""
    entries, unreadable = [], []
    for name, data in _objects(journals, since, until):
        for entry in entries_of(data, site):
            if isinstance(entry, UnknownEntry):
                unreadable.append(f"{name}: {entry}")
            else:
                entries.append(entry)
    return entries, unreadable


def _objects(journals: Iterable[str], since: float | None, until: float | None) -> Iterator[tuple[str, bytes]]:
    for journal in journals:
        if not journal.startswith(_S3):
            yield from files_below([Path(journal)])
            continue
        import botocore.session  # noqa: PLC0415 - only where the journal is in a bucket

        bucket, _, prefix = journal.removeprefix(_S3).partition("/")
        yield from objects_below(botocore.session.get_session().create_client("s3"), bucket, prefix, since, until)


if __name__ == "__main__":
    sys.exit(main())
