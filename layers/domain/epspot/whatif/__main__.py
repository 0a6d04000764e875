"""``python -m epspot.whatif SITE.json VISITS.csv``: let a site's past happen again, and compare it with variants.

A variant is the same site with the changes that a file names: other fuses, outlets, principles or caps. The visits come
from a table, or with --journal from the kept journal of the site. Prints a table, or with --json one object. Returns 2
with one line about it if something can't be read. The forms of the files: docs/examples/whatif/README.md.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from zoneinfo import ZoneInfo

from epspot.adapters.journal import entries_of, files_below
from epspot.adapters.prices import FilePrices
from epspot.control.journal import Entry
from epspot.errors import EpSpotError
from epspot.services.what_if import Figures, Visit, check, visits_of_journal, what_if
from epspot.site import Site
from epspot.whatif.files import NotReadable, changed, read_json, read_visits, site_of, time_of
from epspot.whatif.report import as_json, as_text

_BASELINE = "baseline"
_DAY_S = 86_400.0


def main(argv: list[str] | None = None) -> int:
    """Compare, and print."""
    asked = _parser().parse_args(argv)
    try:
        sites = _sites(asked.site, asked.variant)
        baseline = sites[_BASELINE]
        visits = _visits(baseline, asked)
        figures = {name: _figures(name, site, visits, asked.prices) for name, site in sites.items()}
    except (NotReadable, EpSpotError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(as_json(baseline, visits, figures) if asked.json else "\n".join(as_text(baseline, visits, figures)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m epspot.whatif", description=(__doc__ or "").partition("\n")[2])
    parser.add_argument("site", type=Path, metavar="SITE.json")
    parser.add_argument("visits", type=Path, nargs="?", metavar="VISITS.csv")
    parser.add_argument(
        "--journal", type=Path, action="append", metavar="PATH", help="a file or folder, for the visits"
    )
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME=CHANGES.json", help="as often as there are variants"
    )
    parser.add_argument("--from", dest="since", metavar="T", help="only who comes from this time on (ISO 8601)")
    parser.add_argument("--to", dest="until", metavar="T", help="only who comes before this time")
    parser.add_argument(
        "--prices", type=Path, metavar="FOLDER", help="spot prices, for caps that go by them: SE3.csv …"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _sites(path: Path, variants: Sequence[str]) -> dict[str, Site]:
    """Read the site as it is, and as each variant has it."""
    told = read_json(path)
    sites = {_BASELINE: site_of(told, str(path))}
    for variant in variants:
        name, _, changes = variant.partition("=")
        if not name or not changes or name in sites:
            raise NotReadable(f"--variant {variant}: it must be NAME=CHANGES.json, with a name of its own")
        sites[name] = _variant(told, Path(changes))
    return sites


def _variant(told: Mapping[str, object], path: Path) -> Site:
    try:
        return site_of(changed(told, read_json(path), str(path)), str(path))
    except EpSpotError as error:
        raise NotReadable(f"{path}: {error}") from error


def _visits(site: Site, asked: argparse.Namespace) -> list[Visit]:
    """Read the visits of the time that is asked for, in order of arrival."""
    if (asked.visits is None) == (asked.journal is None):
        raise NotReadable("Name the visits: either a VISITS.csv or --journal.")
    zone = ZoneInfo(site.time_zone)
    if asked.journal is None:
        known = _visits_of_table(site, asked.visits, zone)
    else:
        known = visits_of_journal(site, _entries(site, asked.journal))
    since = -inf if asked.since is None else time_of(asked.since, zone, "--from")
    until = inf if asked.until is None else time_of(asked.until, zone, "--to")
    visits = [v for v in known if since <= v.plugged_at < until]
    if not visits:
        raise NotReadable("There are no visits of that time.")
    return sorted(visits, key=lambda v: v.plugged_at)


def _visits_of_table(site: Site, path: Path, zone: ZoneInfo) -> list[Visit]:
    rows = read_visits(path, zone)
    visits = [visit for _, visit in rows]
    for n, problem in check(site, visits):
        raise NotReadable(f"{path}, line {rows[n][0]}: {problem}")
    return visits


def _entries(site: Site, journals: Sequence[Path]) -> Iterator[Entry]:
    """Read the site's entries, and tell of each line that is none."""
    for name, data in files_below(journals):
        for entry in entries_of(data, site.id):
            if isinstance(entry, Entry):
                yield entry
            else:
                print(f"{name}: {entry}", file=sys.stderr)


def _figures(name: str, site: Site, visits: Sequence[Visit], prices: Path | None) -> Figures:
    start, end = visits[0].plugged_at, max(v.leaves_at for v in visits)
    known: Sequence[tuple[int, float]] = ()
    if site.uses_prices:
        if prices is None:
            raise NotReadable(f"{name}: a cap goes by the price of electricity; name the prices with --prices")
        known = FilePrices(prices).series(site.price_area, start - _DAY_S, end)
    try:
        return what_if(site, visits, tuple(known)).figures
    except EpSpotError as error:
        raise NotReadable(f"{name}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
