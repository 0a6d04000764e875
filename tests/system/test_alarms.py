"""What goes wrong in the ground, as the bus tells it to whoever mends it: once when it begins, once when it is over.

The faults are ordered from the simulator and seen by real bridges. What takes minutes to be told is told by frames of
the same bridges that come from times ahead.
"""

from dataclasses import replace
from typing import Any, cast

import pytest

from epspot.control.silence import POOR_LINK_PCT
from epspot.notices.alarms import CATALOGUE, DAY_S, LANGUAGES, render
from epspot.site import Fuse
from iot.simulator.loads import Car, Heater, Overdraw
from iot.simulator.module import SimModule
from tests.system.stage import QUICK, Ahead, Cloud, Ear, Place, Stage, outlet, wait_for

FUSES = (
    Fuse("main", None, (80.0,) * 3, planning_factor=1.0),
    Fuse("garage", "main", (20.0,) * 3),
)


@pytest.fixture(scope="module")
def alarms(cloud: Cloud) -> Ear:
    """Listen to the alarms of all sites."""
    return Ear(cloud, "alarm.")


def told(alarms: Ear, place: Place, kind: str) -> list[str]:
    """List the alarms of a site that the bus has told to be raised, or cleared, as ``code/about``."""
    heard = alarms.heard(place.site.id)
    return sorted(f"{detail['detail']['code']}/{detail['about']}" for told, detail in heard if told == f"alarm.{kind}")


def faulty(stage: Stage) -> Place:
    """Let a site live on two bridges with a main meter: six outlets on the main fuse, two in a garage, one apart."""
    here = "ill"
    outlets = [
        outlet(here, 1),
        outlet(here, 2),
        outlet(here, 3),
        outlet(here, 4, fuse="garage"),
        outlet(here, 5, fuse="garage"),
        outlet(here, 6),
        outlet(here, 7),
        outlet(here, 8, modulated=False),
        outlet(here, 9, bridge=2),
    ]
    # Frames so seldom that a bridge that is not heard for some minutes is not silent yet.
    policy = replace(QUICK, interval_s=60)
    place = stage.place(here, *outlets, policy=policy, fuses=FUSES, meter_bridge=f"{here}-b1")
    cast("list[Any]", place.agent()._modules).append(SimModule("X1"))
    return place.start()


RAISED = sorted(
    [
        "bridge_silent/ill-b2",
        "fuse_out/garage",
        "link_poor/ill-3",
        "meter_silent/ill",
        "module_unknown/ill-b1/X1",
        "over_temperature/ill-6",
        "rcbo_or_module/ill-2",
        "rcbo_tripped/ill-1",
        "register_put_aside/ill-6",
        "register_put_aside/ill-7",  # its relay is welded: what flows after the session is nobody's
        "relay_welded/ill-7",
        "vehicle_not_asking/ill-8",
    ]
)


def endanger(place: Place) -> None:
    """Overheat an outlet, and weld the relay of another that somebody has just stopped using."""
    with place.runner.world() as site:
        site.modules["M6"].overheat()
        site.modules["M7"].weld()


def weaken(place: Place, ahead: Ahead) -> None:
    """Disturb the link of a module, and the register of another."""
    with place.runner.world() as site:
        site.modules["M3"].set_link(8)
        site.modules["M6"].leap_register(1_000_000)
    wait_for("a weak link", lambda: (r := ahead.sees(1, "M3")) and r.link_pct < POOR_LINK_PCT)


def silence(place: Place, ahead: Ahead) -> None:
    """Trip a breaker under load, silence two modules and a whole garage, and the main meter."""
    with place.runner.world() as site:
        site.modules["M1"].breaker.tripped = True
        for module in ("M2", "M3", "M4", "M5"):
            site.modules[module].go_silent()
        site.meter.silent = True
    wait_for("silence", lambda: all(ahead.sees(1, f"M{n}") is None for n in range(1, 6)))


def mend(place: Place, ahead: Ahead) -> None:
    """Mend everything, and enter the module that nobody knew."""
    with place.runner.world() as site:
        site.modules["M1"].reset_rcbo()
        for module in ("M2", "M3", "M4", "M5"):
            site.modules[module].go_silent(silent=False)
        site.modules["M3"].set_link(90)
        site.modules["M6"].clear_faults()
        site.modules["M7"].weld(welded=False)
        cast("Heater", site.modules["M8"].load).power_w = 2000.0
        site.meter.silent = False
    wait_for("all answer", lambda: all(ahead.sees(1, f"M{n}") for n in range(1, 9)))
    wait_for("the weld is gone", lambda: (r := ahead.sees(1, "M7")) and not r.faults)
    wait_for("the heater draws", lambda: (r := ahead.sees(1, "M8")) and r.current_a[0] > 1)
    place.change(outlets=(*place.site.outlets, outlet("ill", 10, module="X1")))


def test_every_fault_is_told_and_when_it_is_mended(stage: Stage, alarms: Ear) -> None:
    """Each fault that can be ordered raises its own alarm once, and no other; mended, each is cleared once."""
    place = faulty(stage)
    anna = place.user()
    place.runner.plug("M1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
    place.runner.plug("M7", Overdraw(top_a=10.0, start_a=10.0, phases=1))
    place.runner.plug("M8", Heater(power_w=0.0))
    sessions = {n: anna.start(place.outlet(n))["id"] for n in (1, 7, 8)}
    place.charging(anna, sessions[1])
    place.charging(anna, sessions[7])

    # What is dangerous is told at once, by the bridge's own event.
    endanger(place)
    anna.stop(sessions[7])
    at_once = ["over_temperature/ill-6", "relay_welded/ill-7"]
    wait_for("danger is told", lambda: told(alarms, place, "raised") == at_once)

    ahead = Ahead(place)
    weaken(place, ahead)
    ahead.frames(2, 1, 2)
    silence(place, ahead)
    # The other bridge is not heard any more.
    for _ in range(4):
        ahead.frames(310)
    wait_for("every fault is told", lambda: len(told(alarms, place, "raised")) >= len(RAISED))
    assert told(alarms, place, "raised") == RAISED
    assert told(alarms, place, "cleared") == []

    mend(place, ahead)
    for after_s in (2, 460, 460, DAY_S):
        ahead.frames(after_s, 1, 2)
    wait_for("every fault is over", lambda: len(told(alarms, place, "cleared")) >= len(RAISED))
    assert told(alarms, place, "cleared") == RAISED
    assert told(alarms, place, "raised") == RAISED
    assert not [a for a in place.live().alarms.values() if a.raised]
    heard = [(kind, told["about"], told["detail"]) for kind, told in alarms.heard("ill")]
    for _, about, alarm in heard:
        assert alarm["severity"] == CATALOGUE[alarm["code"]].severity
        for language in LANGUAGES:
            assert "?" not in "".join(render(alarm["code"], about, alarm["detail"], language))
    (whose,) = [alarm["session"] for kind, about, alarm in heard if (kind, about) == ("alarm.raised", "ill-8")]
    assert whose == sessions[8]
