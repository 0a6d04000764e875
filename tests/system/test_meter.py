"""What else the building draws: read at the customer port of its electricity meter, over a serial line."""

from pathlib import Path
from typing import Any

from epspot.site import Fuse
from iot.bridge.meters import P1Meter
from iot.contract import Currents
from iot.simulator.loads import OFF, Building, Car
from iot.simulator.p1 import P1Port
from tests.system.stage import Ahead, Ear, Place, Stage, outlet, wait_for

SAFE_A = 12.0
"""What the owner has named as the largest other load."""


def over_p1(place: Place, path: Path) -> tuple[P1Port, P1Meter]:
    """Let a site's bridge read its main meter over a serial line, once a second."""

    def sample() -> Currents | None:
        with place.runner.world() as site:
            return site.meter.sample()

    port = P1Port(sample, path, pace_s=1.0)
    port.start()
    meter = P1Meter(str(path), stale_s=3.0, retry_s=1.0)
    meter.start()
    vars(place.agent()).update(_meter=meter)
    return port, meter


def allowed(place: Place) -> tuple[float, float]:
    """Tell the other load that is counted on, and what the outlet may draw."""
    live = place.live()
    return live.other_a[0], live.outlets[place.outlet(1)].limit_a


def kinds_of(alarms: Ear) -> list[str]:
    """List how the alarm of the silent meter has gone."""
    return [kind.removeprefix("alarm.") for kind, _ in alarms.heard("meter")]


def test_the_building_goes_first(stage: Stage, tmp_path: Path) -> None:
    """What else is drawn lowers the allowance and gives it back; a meter that is cut off leaves the safe plan and an alarm."""
    alarms = Ear(stage.cloud, "alarm.")
    fuse = Fuse("main", None, (40.0,) * 3, planning_factor=0.5, other_a=(SAFE_A,) * 3)
    building = Building(base_a=(2.0, 0.0, 0.0), morning_a=0.0, evening_a=0.0, noise_a=0.0)
    fields: dict[str, Any] = {"fuses": (fuse,), "meter_bridge": "meter-b1"}
    place = stage.place("meter", outlet("meter", 1), building=building, **fields)
    port, meter = over_p1(place, tmp_path / "tty")
    try:
        place.start()
        anna = place.user()
        place.runner.plug("M1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
        session = anna.start(place.outlet(1))["id"]
        wait_for("all that the outlet carries", lambda: allowed(place) == (2.0, 16.0))
        place.charging(anna, session)

        with place.runner.world():
            building.extra_a = (8.0, 0.0, 0.0)
        wait_for("the building's load goes off", lambda: allowed(place) == (10.0, 10.0))
        seen = anna.session(session)
        assert (seen["state"], seen["limited_by"]) == ("active", "main/L1")
        wait_for("the car obeys", lambda: place.module(1).current_a[0] <= 10.0)
        with place.runner.world() as site:
            assert site.main_a[0] <= 20.5
            building.extra_a = OFF
        wait_for("it is given back", lambda: allowed(place) == (2.0, 16.0))

        port.unplug()
        wait_for("the safe plan", lambda: allowed(place) == (SAFE_A, 20.0 - SAFE_A))
        assert anna.session(session)["state"] == "active"
        port.plug()
        wait_for("the meter is read again", lambda: allowed(place) == (2.0, 16.0), 60.0)
        counts = place.agent().status.meter
        assert counts["sound"] > 5
        assert counts["port"] >= 1

        # What takes minutes is told by frames that come from times ahead.
        ahead = Ahead(place)
        port.unplug()
        wait_for("the bridge has no meter", lambda: meter.sample() is None)
        for _ in range(2):
            ahead.frames(190)
        assert wait_for("the alarm", lambda: kinds_of(alarms)) == ["raised"]
        port.plug()
        wait_for("the bridge has its meter", meter.sample)
        for _ in range(2):
            ahead.frames(310)
        wait_for("it is over", lambda: kinds_of(alarms) == ["raised", "cleared"])
    finally:
        port.stop()
        meter.stop()
