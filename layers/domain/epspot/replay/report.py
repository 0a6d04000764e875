"""How a replay is told: to people as text, to programs as JSON."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from epspot.control.written import Plain, out
from epspot.services.replay import Change, Moment, Report


def time(at: float) -> str:
    """Render a time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def as_text(report: Report) -> Iterator[str]:
    """Tell one site's report in lines."""
    yield (
        f"{report.site}: {report.steps} steps made again, {report.reproduced} reproduced, "
        f"{len(report.differences)} different, {report.unchecked} not checked"
    )
    for gap in report.gaps:
        yield f"  gap {time(gap.since)} to {time(gap.until)}, {gap.steps} steps from version {gap.version}: {gap.reason}"
    for d in report.differences:
        yield f"  {time(d.at)} {d.event}, version {d.version}"
        yield from (f"    {_change(c)}" for c in d.changes)


def _change(change: Change) -> str:
    return f"{change.what}: {_value(change.before)} → {_value(change.now)}"


def _value(value: Plain) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def as_json(reports: Iterable[Report], unreadable: int) -> str:
    """Tell all reports as one JSON object."""
    sites = [_report(r) for r in reports]
    return json.dumps({"sites": sites, "unreadable": unreadable}, ensure_ascii=False, indent=1)


def _report(report: Report) -> dict[str, Any]:
    return {
        "site": report.site,
        "steps": report.steps,
        "reproduced": report.reproduced,
        "different": len(report.differences),
        "not_checked": report.unchecked,
        "doubled": report.doubled,
        "lost_races": report.lost_races,
        "gaps": out(report.gaps),
        "differences": out(report.differences),
    }


def timeline(moments: Iterable[Moment]) -> Iterator[str]:
    """Tell a session's time, one line for each change."""
    for m in moments:
        reason = f"  {m.reason}" if m.reason else ""
        facts = f"  ({', '.join(m.facts)})" if m.facts else ""
        yield f"{time(m.at)}  {m.phase:<9} {m.allowance_a:>5g} A{reason}  after {m.event}{facts}"
