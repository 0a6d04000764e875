"""The real charging sessions that the demo and the benches replay (infra/local/data/README.md has the credit)."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

FILE = Path(__file__).parent / "data" / "trondheim-sessions.csv"
CREDIT = "Data: Sørensen et al., Data in Brief (2021), CC BY 4.0"
_ZONE = ZoneInfo("Europe/Oslo")
_LEAST_KWH = 0.1


@dataclass(frozen=True, slots=True)
class Visit:
    """One car at one outlet, as recorded."""

    id: int
    garage: str
    outlet: str
    user: str
    plugged_at: datetime
    unplugged_at: datetime
    energy_wh: int


@dataclass(frozen=True, slots=True)
class Record:
    """All usable visits by time of plug-in, and how many rows were left out and why."""

    visits: tuple[Visit, ...]
    left_out: Counter[str]

    @property
    def outlets(self) -> dict[str, str]:
        """Name every outlet's garage."""
        return {v.outlet: v.garage for v in sorted(self.visits, key=lambda v: (v.garage, v.outlet))}

    def busiest_days(self, count: int) -> list[date]:
        """List the days with the most plug-ins, the busiest first."""
        days = Counter(v.plugged_at.date() for v in self.visits)
        return [day for day, _ in sorted(days.items(), key=lambda d: (-d[1], d[0]))[:count]]

    def between(self, start: datetime, end: datetime) -> list[Visit]:
        """List the visits that are there at any time from ``start`` to ``end``."""
        return [v for v in self.visits if v.plugged_at < end and v.unplugged_at > start]

    def densest(self, day: date, length: timedelta) -> datetime:
        """Find the time of a day from which the most plug-ins follow within a length of time."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=_ZONE)
        starts = [midnight + timedelta(minutes=15 * i) for i in range(96)]
        return max(starts, key=lambda s: sum(s <= v.plugged_at < s + length for v in self.visits))


def read(file: Path = FILE) -> Record:
    """Read the record; leave out what can't be replayed, and count it."""
    left_out: Counter[str] = Counter()
    with file.open(encoding="utf-8-sig", newline="") as rows:
        visits = sorted(_usable(csv.DictReader(rows, delimiter=";"), left_out), key=lambda v: (v.plugged_at, v.id))
    return Record(tuple(_one_at_a_time(visits, left_out)), left_out)


def _usable(rows: Iterable[dict[str, str]], left_out: Counter[str]) -> Iterator[Visit]:
    for row in rows:
        kwh = float(row["El_kWh"].replace(",", "."))
        if row["End_plugout"] in ("", "NA"):
            left_out["without an end"] += 1
            continue
        if kwh < _LEAST_KWH:
            left_out[f"under {_LEAST_KWH} kWh"] += 1
            continue
        plugged, unplugged = _time(row["Start_plugin"]), _time(row["End_plugout"])
        if unplugged <= plugged:
            left_out["end not after start"] += 1
            continue
        place = row["Shared_ID"] if row["User_type"] == "Shared" else row["User_ID"]
        yield Visit(
            id=int(row["session_ID"]),
            garage=row["Garage_ID"],
            outlet=place if place.startswith(row["Garage_ID"]) else f"{row['Garage_ID']}-{place}",
            user=row["User_ID"],
            plugged_at=plugged,
            unplugged_at=unplugged,
            energy_wh=round(kwh * 1000),
        )


def _one_at_a_time(visits: Sequence[Visit], left_out: Counter[str]) -> Iterator[Visit]:
    """Leave out a visit at an outlet, or of a user, that begins before the one before it has ended."""
    free_at: dict[str, datetime] = {}
    for v in visits:
        keys = (f"outlet {v.outlet}", f"user {v.user}")
        if any(k in free_at and v.plugged_at < free_at[k] for k in keys):
            left_out["overlapping another"] += 1
            continue
        for k in keys:
            free_at[k] = v.unplugged_at
        yield v


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=_ZONE)
