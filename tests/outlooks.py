"""Nord Pool and MET Norway as they answer: the documented shapes, filled with values that tests choose."""

import gzip
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.loopback import Answer, Asked

_MARKET = ZoneInfo("Europe/Oslo")


def iso(at: float) -> str:
    """Write an epoch time as both services do."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def nordpool(days: Mapping[date, Callable[[int], float]], currency: str = "SEK") -> Callable[[Asked], Answer]:
    """Answer as DayAheadPriceIndices does: SEK/MWh, for every quarter of a market's day that is published."""

    def answer(asked: Asked) -> Answer:
        day = date.fromisoformat(asked.query["date"])
        entries = [
            {
                "deliveryStart": iso(at),
                "deliveryEnd": iso(at + 900),
                "entryPerArea": {asked.query["indexNames"]: days[day](at)},
            }
            for at in (_quarters(day) if day in days else ())
        ]
        told = {
            "deliveryDateCET": day.isoformat(),
            "version": 3,
            "updatedAt": "2026-11-24T11:57:12.1234567Z",
            "market": "DayAhead",
            "indexNames": [asked.query["indexNames"]],
            "currency": currency,
            "resolutionInMinutes": int(asked.query["resolutionInMinutes"]),
            "areaStates": [{"state": "Final", "areas": [asked.query["indexNames"]]}],
            "multiIndexEntries": entries,
        }
        return Answer(json.dumps(told).encode(), headers={"Content-Type": "application/json"})

    return answer


def _quarters(day: date) -> range:
    """List the quarters of a market's day: 92 or 100 of them when clocks are changed."""
    midnights = [datetime.combine(day + timedelta(days=n), datetime.min.time(), _MARKET).timestamp() for n in (0, 1)]
    return range(int(midnights[0]), int(midnights[1]), 900)


def met(celsius: Mapping[int, float], **headers: str) -> Answer:
    """Answer as Locationforecast 2.0 compact does, gzipped; headers are named with underscores."""
    steps = [
        {
            "time": iso(at),
            "data": {
                "instant": {
                    "details": {
                        "air_pressure_at_sea_level": 1013.2,
                        "air_temperature": value,
                        "relative_humidity": 81.0,
                        "wind_speed": 3.4,
                    }
                },
                "next_1_hours": {"summary": {"symbol_code": "cloudy"}, "details": {"precipitation_amount": 0.0}},
            },
        }
        for at, value in celsius.items()
    ]
    told = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [18.1, 59.3, 12]},
        "properties": {
            "meta": {"updated_at": "2026-11-24T10:11:12Z", "units": {"air_temperature": "celsius"}},
            "timeseries": steps,
        },
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(gzip.compress(json.dumps(told).encode()), headers={"Content-Encoding": "gzip"} | named)
