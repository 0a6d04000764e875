"""Prices and temperatures from files, through the deployed function, to what an outlet may draw."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from epspot.site import Cap
from iot.simulator.loads import Car
from tests.system.stage import Stage, outlet, wait_for

HOUR_S = 3600


def write(path: Path, column: str, values: list[float]) -> list[tuple[int, float]]:
    """Write a file of hourly values from this hour on, and return what it says."""
    hour = int(time.time()) // HOUR_S * HOUR_S
    series = [(hour + n * HOUR_S, value) for n, value in enumerate(values)]
    lines = [f"{datetime.fromtimestamp(at, UTC).isoformat()},{value}" for at, value in series]
    path.write_text("\n".join([f"start,{column}", *lines]), encoding="utf-8")
    return series


def test_prices_in_a_file_reach_the_outlets(stage: Stage) -> None:
    """A dear hour puts its cap in force for who charges already, a cheap one lifts it, and no other site is told."""
    folder = stage.cloud.outlook
    dear = Cap("dear", limit_a=7.0, above_ore=100.0)
    fields: dict[str, Any] = {"price_area": "SE4", "latitude": 63.4, "longitude": 10.4}
    heater = outlet("dear", 2, modulated=False)
    place = stage.place("dear", outlet("dear", 1), heater, caps=(dear,), **fields).start()
    plain = stage.place("plain", outlet("plain", 1)).start()
    anna = place.user()
    place.runner.plug("M1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
    session = anna.start(place.outlet(1))["id"]
    assert place.charging(anna, session)["allowance_a"] == 16.0

    prices = write(folder / "SE4.csv", "ore_per_kwh", [250.0, 250.0, 40.0])
    cold = write(folder / "63.4_10.4.csv", "celsius", [-7.5, -8.0])
    stage.cloud.run("outlook")
    live = place.live()
    assert (live.prices, live.temperatures) == (tuple(prices), tuple(cold))
    seen = wait_for("the cap holds", lambda: (s := anna.session(session))["allowance_a"] == 7.0 and s)
    assert (seen["state"], seen["limited_by"]) == ("active", "cap:dear")
    assert plain.live().prices == plain.live().temperatures == ()

    cheap = write(folder / "SE4.csv", "ore_per_kwh", [40.0, 40.0, 40.0])
    stage.cloud.run("outlook")
    assert place.live().prices == tuple(cheap)
    wait_for("the cap is lifted", lambda: anna.session(session)["allowance_a"] == 16.0)
    before = place.live().version
    (folder / "SE4.csv").write_text("nonsense", encoding="utf-8")
    stage.cloud.run("outlook")
    assert place.live().prices == tuple(cheap)
    assert place.live().version - before < 3
