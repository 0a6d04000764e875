"""What users and owners can want of a session, as the simulated relay shows it."""

import time
from datetime import UTC, datetime
from typing import Any

from epspot.control.state import Phase
from epspot.ports import SessionRecord
from iot.simulator.loads import Car
from tests.system.stage import Place, Stage, outlet, refused, wait_for


def car() -> Car:
    """Make a car that soon draws all it may."""
    return Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5)


def iso(at: float) -> str:
    """Write a time as the API takes it."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def seconds(at: str) -> float:
    """Read a time as the API gives it."""
    return datetime.fromisoformat(at).timestamp()


def kinds_of(place: Place, session: str) -> list[str]:
    """List what was told of a session, in order."""
    return [kind.removeprefix("session.") for kind, about, _ in place.facts() if about == session]


def test_an_outlet_that_begins_by_itself(stage: Stage) -> None:
    """Plugging in is enough where the outlet pays: its own account has the record, and pulling out ends it."""
    own = outlet("auto", 1, autostart=True, paid_by="outlet")
    place = stage.place("auto", own, outlet("auto", 2), registers_wh={"M1": 300}).start()
    anna = place.user()
    place.runner.plug("M1", car())
    place.runner.plug("M2", car())
    session = wait_for("a session begins", lambda: place.live().session_at("auto-1")).id
    wait_for("current flows", lambda: place.module(1).energy_wh > 303)

    def kept(state: str) -> SessionRecord | None:
        record = place.record(session)
        return record if record is not None and record.state == state else None

    begun = wait_for("its record is written", lambda: kept("active"))
    assert (begun.user, begun.site, begun.outlet, begun.number) == ("outlet:auto-1", "auto", "auto-1", "1")
    assert {o["id"]: o["state"] for o in anna.outlets("auto")} == {
        "auto-1": "in_use",
        "auto-2": "plugged",
    }
    assert refused(anna.start, "auto-1") == (409, "outlet_occupied")
    assert refused(anna.session, session) == (404, "session_unknown")

    place.runner.unplug("M1")
    ended = wait_for("it ends", lambda: kept("ended"))
    register = int(place.module(1).energy_wh)
    assert (ended.reason, ended.start_wh, ended.end_wh) == ("unplugged", 300, register)
    assert ended.energy_wh == register - 300
    assert kinds_of(place, session) == ["begun", "active", "stopping", "ended"]
    place.runner.plug("M1", car())
    again = wait_for("another begins", lambda: place.live().session_at("auto-1")).id
    assert again != session
    assert place.live().session_at("auto-2") is None
    wait_for("both are its outlet's", lambda: len(stage.world.sessions.of_user("outlet:auto-1", 10)) == 2)
    assert anna.history() == []


def test_a_planned_start(stage: Stage) -> None:
    """Until its time a session is planned and its relay open; then it has current by itself."""
    place = stage.place("planned", outlet("planned", 1)).start()
    anna = place.user()
    place.runner.plug("M1", car())
    begins = time.time() + 8
    started = anna.start(place.outlet(1), start_at=iso(begins))
    assert (started["state"], started["allowance_a"], started["limited_by"]) == ("planned", 0.0, "planned")
    assert abs(seconds(started["begins_at"]) - begins) < 0.01
    while time.time() < begins - 0.2:
        assert not place.module(1).relay
        time.sleep(0.1)
    seen = place.charging(anna, started["id"])
    assert (seen["state"], seen["begins_at"], seen["allowance_a"]) == ("active", None, 16.0)
    wait_for("all is told", lambda: [r["state"] for r in anna.history()] == ["active"])
    assert kinds_of(place, started["id"]) == ["planned", "active"]


def test_an_end_by_energy_is_exact(stage: Stage) -> None:
    """The relay opens at the register value that was asked for, without the cloud, and not a Wh is drawn or billed beyond."""
    place = stage.place("target", outlet("target", 1), registers_wh={"M1": 7_000}).start()
    anna = place.user()
    place.runner.plug("M1", car())
    ready_by = time.time() + 3600
    started = anna.start(place.outlet(1), until_wh=12, ready_by=iso(ready_by), needs_wh=12)
    assert (started["state"], started["cut_short"]) == ("active", False)
    place.charging(anna, started["id"])
    place.agent().disconnect()
    wait_for("the relay opens", lambda: not place.module(1).relay)
    place.agent().reconnect()
    ended = place.until(anna, started["id"], "ended")
    assert ended["reason"] == "target"
    assert (ended["start_wh"], ended["end_wh"], ended["energy_wh"]) == (7_000, 7_012, 12)
    # 16 A for the longest that a sample, five times a second, may take on a busy machine.
    assert 7_012 <= place.module(1).energy_wh < 7_013


def test_an_end_by_the_clock(stage: Stage) -> None:
    """A session ends at the time that was asked for, with what it has had by then; its wish may be changed meanwhile."""
    place = stage.place("until", outlet("until", 1)).start()
    anna = place.user()
    place.runner.plug("M1", car())
    session = anna.start(place.outlet(1), until=iso(time.time() + 3600))["id"]
    place.charging(anna, session)
    ends = time.time() + 6
    changed = anna.change(session, until=iso(ends))
    assert abs(seconds(changed["wishes"]["until"]) - ends) < 0.01
    while time.time() < ends - 2:
        assert place.module(1).relay
        time.sleep(0.1)
    ended = place.until(anna, session, "ended")
    assert ended["reason"] == "time"
    # The bridge counts whole seconds, and opens gently: 0 A first.
    assert -2 < seconds(ended["ended_at"]) - ends < 20
    assert not place.module(1).relay
    assert ended["energy_wh"] == int(place.module(1).energy_wh) > 0
    assert kinds_of(place, session) == ["active", "changed", "stopping", "ended"]


def test_a_pause_opens_the_relay(stage: Stage) -> None:
    """A pause takes the current away until it is resumed, and it stays one session with one energy."""
    place = stage.place("pause", outlet("pause", 1)).start()
    anna = place.user()
    place.runner.plug("M1", car())
    session = anna.start(place.outlet(1))["id"]
    place.charging(anna, session)
    paused = anna.pause(session)
    assert (paused["state"], paused["allowance_a"], paused["limited_by"]) == ("paused", 0.0, "paused")
    wait_for("the relay opens", lambda: not place.module(1).relay)
    before = place.module(1).energy_wh
    assert place.module(1).current_a == (0.0, 0.0, 0.0)
    wait_for("the history says so", lambda: anna.history()[0]["state"] == "paused")
    assert place.live().sessions[session].phase is Phase.PAUSED
    assert place.module(1).energy_wh == before

    assert anna.resume(session)["state"] in ("active", "queued")
    wait_for("the relay closes", lambda: place.module(1).relay)
    wait_for("energy flows again", lambda: place.module(1).energy_wh > before + 2)
    place.charging(anna, session)
    anna.stop(session)
    ended = place.until(anna, session, "ended")
    assert ended["energy_wh"] == int(place.module(1).energy_wh)
    assert kinds_of(place, session) == ["active", "paused", "resumed", "active", "stopping", "ended"]


def test_a_heater_that_is_asked_for_warmth(stage: Stage) -> None:
    """A motor heater's plan is shown with the time that it begins, by the weather that is not known: freezing point."""
    place = stage.place("warm", outlet("warm", 1, modulated=False)).start()
    anna = place.user()
    ready_by = time.time() + 7200
    started: dict[str, Any] = anna.start(place.outlet(1), ready_by=iso(ready_by), heats_engine=True)
    assert started["state"] == "planned"
    assert abs(seconds(started["begins_at"]) - (ready_by - 3600)) < 1
    assert anna.stop(started["id"])["state"] in ("stopping", "ended")
    assert place.until(anna, started["id"], "ended")["energy_wh"] == 0
