"""The main job, as a user meets it: current, turns, guards and energy that is right."""

from epspot.site import Policy
from iot.simulator.loads import Car, Overdraw
from tests.system.stage import Place, Stage, outlet, wait_for

THREE = (0, 1, 2)


def car(needs_wh: float = 100_000.0, phases: int = 1) -> Car:
    """Make a car that soon draws all it may."""
    return Car(needs_wh=needs_wh, battery_wh=max(60.0, needs_wh), phases=phases, reaction_s=0.5, ramp_s=0.5)


def energy_is_right(place: Place, ended: dict[str, object], n: int = 1, start_wh: int = 0) -> bool:
    """Tell whether a session's energy is the difference of its module's register, to the Wh."""
    register = int(place.module(n).energy_wh)
    told = (ended["start_wh"], ended["end_wh"], ended["energy_wh"])
    return told == (start_wh, register, register - start_wh)


def test_a_car_charges_until_it_is_full(stage: Stage) -> None:
    """A start gives current, and a load that is done ends its session by itself with the register's difference."""
    policy = Policy(interval_s=2, fast_interval_s=1, standby_s=3)
    place = stage.place("full", outlet("full", 1, phases=THREE), policy=policy, registers_wh={"M1": 7_000}).start()
    anna = place.user()
    place.runner.plug("M1", car(needs_wh=15.0, phases=3))
    started = anna.start(place.outlet(1))
    assert (started["state"], started["position"], started["energy_wh"]) == ("active", None, 0)
    seen = place.charging(anna, started["id"])
    assert seen["allowance_a"] == 16.0
    assert len(seen["current_a"]) == 3
    ended = place.until(anna, started["id"], "ended")
    assert ended["reason"] == "full"
    assert energy_is_right(place, ended, start_wh=7_000)
    assert 15 <= ended["energy_wh"] <= 25
    (kept,) = anna.history()
    assert (kept["id"], kept["state"], kept["reason"]) == (started["id"], "ended", "full")
    assert kept["energy_wh"] == ended["energy_wh"]


def test_a_user_stops(stage: Stage) -> None:
    """A stop opens the relay, and the session ends with the last register value."""
    place = stage.place("stop", outlet("stop", 1)).start()
    anna = place.user()
    place.runner.plug("M1", car())
    session = anna.start(place.outlet(1))["id"]
    place.charging(anna, session)
    assert place.module(1).relay
    assert anna.stop(session)["state"] in ("stopping", "ended")
    ended = place.until(anna, session, "ended")
    assert ended["reason"] == "stopped"
    assert not place.module(1).relay
    assert energy_is_right(place, ended)
    assert place.live().sessions == {}


def test_three_on_a_place_for_two(stage: Stage) -> None:
    """The third waits as number one, gets its turn, and whoever had to give way comes on when another stops."""
    policy = Policy(interval_s=2, fast_interval_s=1, turn_s=10, min_on_s=4)
    place = stage.place("turns", *(outlet("turns", n) for n in (1, 2, 3)), fuse_a=12.0, policy=policy).start()
    users = [place.user(name) for name in ("anna", "bo", "cecilia")]
    sessions = []
    for n, user in enumerate(users, 1):
        place.runner.plug(f"M{n}", car())
        sessions.append(user.start(place.outlet(n)))
    assert [s["state"] for s in sessions] == ["active", "active", "queued"]
    assert (sessions[2]["position"], sessions[2]["limited_by"]) == (1, "main/L1")

    last = place.charging(users[2], sessions[2]["id"])
    assert last["state"] == "active"
    states = [u.session(s["id"])["state"] for u, s in zip(users, sessions, strict=True)]
    assert sorted(states) == ["active", "active", "queued"]

    on, off = states.index("active"), states.index("queued")
    users[on].stop(sessions[on]["id"])
    place.until(users[off], sessions[off]["id"], "active")
    place.until(users[on], sessions[on]["id"], "ended")
    for user, session in zip(users, sessions, strict=True):
        if user is not users[on]:
            user.stop(session["id"])
    for n, (user, session) in enumerate(zip(users, sessions, strict=True), 1):
        assert energy_is_right(place, place.until(user, session["id"], "ended"), n)


def test_the_power_guard(stage: Stage) -> None:
    """A load that draws far too much loses its current, and its user reads why."""
    place = stage.place("guard", outlet("guard", 1, phases=THREE)).start()
    anna = place.user()
    place.runner.plug("M1", Overdraw(top_a=40.0, start_a=10.0, rise_a_s=5.0))
    session = anna.start(place.outlet(1))["id"]
    ended = place.until(anna, session, "ended")
    assert ended["reason"] == "power_guard"
    assert not place.module(1).relay
    assert place.module(1).current_a == (0.0, 0.0, 0.0)
    assert energy_is_right(place, ended)
    assert [kept["reason"] for kept in anna.history()] == ["power_guard"]
    assert "instant" in {tripped["rule"] for tripped in place.told("guard.tripped")}


def test_a_bridge_is_cut_off_in_the_middle(stage: Stage) -> None:
    """A session outlives its bridge's silence on its lease, and its energy is right to the Wh."""
    place = stage.place("cut", outlet("cut", 1, phases=THREE), outlet("cut", 2, bridge=2), registers_wh={"M1": 500})
    anna = place.start().user()
    place.runner.plug("M1", car(phases=3))
    session = anna.start(place.outlet(1))["id"]
    place.charging(anna, session)

    place.agent().disconnect()
    before = place.module(1).energy_wh
    # The frames of the other bridge let time pass at the site.
    wait_for("the cloud knows that the bridge is silent", lambda: place.live().bridges["cut-b1"].silent)
    wait_for("40 Wh flow meanwhile", lambda: place.module(1).energy_wh > before + 40)
    assert place.module(1).relay
    states = {o["id"]: o["state"] for o in anna.outlets("cut")}
    assert states == {"cut-1": "in_use", "cut-2": "free"}
    seen = anna.session(session)
    assert (seen["state"], seen["allowance_a"], seen["limited_by"]) == ("active", 16.0, "unknown")
    assert seen["energy_wh"] + 500 <= before + 1, "what was not measured is not guessed"

    place.agent().reconnect()
    (recorded,) = wait_for("the registers of the silence arrive", lambda: place.told("registers.recorded"))
    ((at, _, register_wh),) = recorded["rows"]
    assert at == "cut-1"
    assert before + 40 <= register_wh <= place.module(1).energy_wh
    wait_for("the session goes on", lambda: anna.session(session)["energy_wh"] + 500 >= register_wh)
    anna.stop(session)
    ended = place.until(anna, session, "ended")
    assert energy_is_right(place, ended, start_wh=500)
    kinds = [kind for kind, about, _ in place.facts() if about == "cut-b1" and kind.startswith("bridge.")]
    assert kinds[-2:] == ["bridge.silent", "bridge.back"]
    assert place.told("meter.put_aside") == []
