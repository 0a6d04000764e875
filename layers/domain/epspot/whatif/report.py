"""How a comparison is told: to people as a table, to programs as JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from epspot.control.written import Plain, out
from epspot.services.what_if import Figures, Visit
from epspot.site import PHASES, Site

Variants = Mapping[str, Figures]
"""What came of each variant by its name, the baseline first."""

_GAP = "  "


class _Row(NamedTuple):
    """One figure of all variants."""

    name: str
    unit: str
    digits: int
    values: tuple[float, ...]


def as_text(site: Site, visits: Sequence[Visit], variants: Variants) -> Iterator[str]:
    """Tell in lines; what differs from the baseline has the difference beside it."""
    first, last = _time(site, visits[0].plugged_at), _time(site, max(v.leaves_at for v in visits))
    yield f"{site.name}: {len(site.outlets)} outlets, {len(visits)} visits, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    yield ""
    rows = [*_rows([*variants.values()]), *_limits(site, [*variants.values()])]
    columns = [["", *variants], *([f"{r.name}", *_cells(r)] for r in rows)]
    units = ["", *(r.unit for r in rows)]
    widths = [max(len(line[k]) for line in columns) for k in range(len(variants) + 1)]
    unit_width = max(map(len, units))
    for (name, *cells), unit in zip(columns, units, strict=True):
        values = (cell.rjust(w) for cell, w in zip(cells, widths[1:], strict=True))
        yield _GAP.join((name.ljust(widths[0]), unit.ljust(unit_width), *values)).rstrip()


def _time(site: Site, at: float) -> datetime:
    return site.local(at)


def _cells(row: _Row) -> Iterator[str]:
    base = row.values[0]
    for value in row.values:
        text, difference = f"{value:.{row.digits}f}", f"{value - base:+.{row.digits}f}"
        yield text if float(difference) == 0 else f"{text} ({difference})"


def _rows(of: Sequence[Figures]) -> Iterator[_Row]:
    yield _row("sessions", "", 0, (f.sessions for f in of))
    yield _row("energy needed", "kWh", 1, (f.needed_wh / 1000 for f in of))
    yield _row("delivered", "kWh", 1, (f.delivered_wh / 1000 for f in of))
    yield _row("not delivered", "kWh", 1, (f.unmet_wh / 1000 for f in of))
    yield _row("delivered", "%", 2, (100 * f.delivered_share for f in of))
    yield _row("wait for first current, median", "min", 0, (f.first_wait_p50_s / 60 for f in of))
    yield _row("wait for first current, 95 %", "min", 0, (f.first_wait_p95_s / 60 for f in of))
    yield _row("waited in all, median", "min", 0, (f.waited_p50_s / 60 for f in of))
    yield _row("waited in all, 95 %", "min", 0, (f.waited_p95_s / 60 for f in of))
    yield _row("evenness (Jain)", "", 3, (f.jain for f in of))
    for i, phase in enumerate(PHASES):
        yield _row(f"peak {phase}", "A", 1, (f.peak_a[i] for f in of))
    yield _row("peak", "kW", 1, (f.peak_w / 1000 for f in of))
    yield _row("turns", "", 0, (f.turns for f in of))


def _limits(site: Site, of: Sequence[Figures]) -> Iterator[_Row]:
    """Tell how long each phase of the main fuse was at its limit, and of every other fuse the one that was for longest."""
    for fuse in sorted(site.fuses, key=lambda f: f is not site.main):
        lines = [f"{fuse.id}/{p}" for p in PHASES]
        groups = [[line] for line in lines] if fuse is site.main else [lines]
        for group in groups:
            hours = [max(f.at_limit_h.get(line, 0.0) for line in group) for f in of]
            if any(hours):
                yield _row(f"at the limit, {group[0] if len(group) == 1 else fuse.id}", "h", 1, hours)


def _row(name: str, unit: str, digits: int, values: Iterable[float]) -> _Row:
    return _Row(name, unit, digits, tuple(values))


def as_json(site: Site, visits: Sequence[Visit], variants: Variants) -> str:
    """Tell as one JSON object."""
    told: dict[str, Plain] = {
        "site": site.id,
        "outlets": len(site.outlets),
        "visits": len(visits),
        "from": _time(site, visits[0].plugged_at).isoformat(),
        "to": _time(site, max(v.leaves_at for v in visits)).isoformat(),
        "variants": [{"name": name} | out(figures) for name, figures in variants.items()],
    }
    return json.dumps(told, ensure_ascii=False, indent=1)
