"""The journal on its way to S3 by Firehose, and back (docs/decisions/0009)."""

import gzip
import json
import logging
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from epspot.control.effects import Step
from epspot.control.events import Event
from epspot.control.journal import Entry, UnknownEntry, entry_in, entry_of, line_of
from epspot.control.state import Live
from epspot.site import Site

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 1_000_000
"""Firehose takes 1,024,000; only a site of a thousand busy outlets can make a checkpoint that is larger."""
_PAUSE_S = 30.0
"""How long nothing is tried after a failure: control must not wait for its journal again and again."""
_GZIP = b"\x1f\x8b"
_PACKED = "packed"


class FirehoseJournal:
    """``Journal`` on a delivery stream; the first entry of a site from this process holds its whole state."""

    def __init__(self, client: Any, stream: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._stream = stream
        self._monotonic = monotonic
        self._whole: set[tuple[str, int]] = set()
        """Sites, by revision, whose state the journal holds from here on."""
        self._silent_until = 0.0
        self._lost = 0

    def keep(self, site: Site, before: Live, event: Event, done: Step, *, committed: bool = True) -> None:
        """Send the entry of a step on its way, if it has one."""
        key = (site.id, site.revision)
        try:
            entry = entry_of(site, before, event, done, committed=committed, whole=key not in self._whole)
            if entry is not None:
                self._put(entry)
                if committed:
                    self._whole.add(key)
        except Exception as error:  # noqa: BLE001 - the step has been made; its journal must not unmake it
            self._whole.discard(key)
            self._lost += 1
            _LOG.warning("a step of site %s is not in the journal: %r", site.id, error)

    def _put(self, entry: Entry) -> None:
        if self._monotonic() < self._silent_until:
            raise StreamFailed("it has just failed")
        try:
            self._client.put_record(DeliveryStreamName=self._stream, Record={"Data": record_of(entry)})
        except Exception:
            self._silent_until = self._monotonic() + _PAUSE_S
            raise

    def take_lost(self) -> int:
        """Tell how many entries were lost since this was last asked."""
        lost, self._lost = self._lost, 0
        return lost


class StreamFailed(RuntimeError):
    """The stream is left alone for a while."""


def record_of(entry: Entry) -> bytes:
    """Write an entry as a record of the stream: a line, packed if it would be too long."""
    line = line_of(entry)
    if len(data := line.encode()) >= _MOST_BYTES:
        line = json.dumps({"site": entry.site, _PACKED: b64encode(zlib.compress(data)).decode()}, separators=(",", ":"))
    return line.encode() + b"\n"


# ------------------------------------------------------------------ back


def entries_of(data: bytes, site: str | None = None) -> Iterator[Entry | UnknownEntry]:
    """Read an object of the journal, compressed or not: its entries, or what is wrong with a line.

    ``site``: of this one only. The others' lines are not even parsed.
    """
    try:
        lines = (gzip.decompress(data) if data.startswith(_GZIP) else data).decode().splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        yield UnknownEntry(f"no journal: {error}")
        return
    mark = "" if site is None else f'"site":{json.dumps(site, ensure_ascii=False)}'
    for line in lines:
        if line and mark in line:
            entry = _entry_of(line)
            if site is None or isinstance(entry, UnknownEntry) or entry.site == site:
                yield entry


def _entry_of(line: str) -> Entry | UnknownEntry:
    try:
        told = json.loads(line)
        if isinstance(told, dict) and _PACKED in told:
            told = json.loads(zlib.decompress(b64decode(told[_PACKED])))
        return entry_in(told)
    except UnknownEntry as error:
        return error
    except (ValueError, zlib.error, RecursionError) as error:
        return UnknownEntry(f"a line that can't be read: {error}")


def files_below(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Read files, and all files of folders."""
    for path in paths:
        for file in sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]:
            yield str(file), file.read_bytes()


def objects_below(
    client: Any, bucket: str, prefix: str, since: float | None, until: float | None
) -> Iterator[tuple[str, bytes]]:
    """Read the objects of a bucket below a prefix, those of some days if ``since`` is given."""
    base = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    for below in [base] if since is None else [f"{base}{day}/" for day in days_of(since, until)]:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below):
            for found in page.get("Contents", []):
                key = found["Key"]
                yield f"s3://{bucket}/{key}", client.get_object(Bucket=bucket, Key=key)["Body"].read()


def days_of(since: float, until: float | None) -> Iterator[str]:
    """List the days whose objects hold a time, one more on either side: states before it, and what came late."""
    end = datetime.now(UTC) if until is None else datetime.fromtimestamp(until, UTC)
    day = datetime.fromtimestamp(since, UTC).date() - timedelta(days=1)
    while day <= end.date() + timedelta(days=1):
        yield day.isoformat()
        day += timedelta(days=1)
