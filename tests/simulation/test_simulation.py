"""Sites in simulated time: short runs at every level of faults, and what they rest on."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from random import Random
from unittest.mock import patch

import pytest

from infra.local.trondheim import Visit
from iot.bridge.settings import UNKNOWN
from iot.simulator.loads import Car
from tests.simulation import run
from tests.simulation.faults import LEVELS
from tests.simulation.habits import Recorded
from tests.simulation.run import Life, lives, simulate, simulate_many
from tests.simulation.timeline import Timeline
from tests.simulation.world import World

_HOUR = 1 / 24
KINDS = {
    *(
        "cloud down",
        "conflict",
        "crash after load",
        "crash before publish",
        "crash between puts",
        "half a commit",
        "race",
    ),
    *("command delayed", "command lost", "doubled", "event delayed", "event unacknowledged", "frame delayed"),
    *("frame lost", "line slow", "offline", "reboot", "reboot, forgetful", "configuration stale", "wall clock"),
    *("meter silent", "module silent", "rcbo trips", "phases change", "put aside"),
    *("register fall", "register leap", "register reset", "register zero"),
}
"""All that can go wrong."""


@pytest.mark.parametrize("faults", LEVELS)
@pytest.mark.parametrize("seed", [4, 201])
def test_what_must_hold_holds(faults: str, seed: int) -> None:
    """Nothing that the world does breaks an invariant, and something did happen."""
    report = simulate(seed, 3 * _HOUR, faults)
    assert {name: n for name, n in report["invariants"].items() if n} == {}, report["examples"]
    assert report["sessions"] > 0
    assert any(report["faults"].values()) == (faults != "none")


def test_every_kind_of_fault_is_reached() -> None:
    """Under heavy faults some hours suffice for each, at one site or another."""
    faults = Counter[str]()
    for seed in (13, 19):
        report = simulate(seed, 8 * _HOUR, "heavy")
        faults.update(report["faults"])
        assert {name: n for name, n in report["invariants"].items() if n} == {}, report["examples"]
    assert KINDS - {kind for kind, n in faults.items() if n} == set()


def test_a_seed_says_it_all() -> None:
    """The same seed gives the same report, another another."""
    assert simulate(3, _HOUR, "heavy") == simulate(3, _HOUR, "heavy") != simulate(4, _HOUR, "heavy")


def test_what_is_due_together_comes_in_the_order_of_asking() -> None:
    """Time decides, then the order; only what is concurrent may come in the midst of another."""
    timeline, order = Timeline(0.0), list[str]()
    timeline.after(2, lambda: order.append("late"))
    timeline.after(1, lambda: order.append("first"), concurrent=True)
    timeline.after(1, lambda: order.append("second"))
    timeline.now = 1.0
    assert timeline.run_concurrent()
    assert not timeline.run_concurrent()
    timeline.run_due()
    assert order == ["first", "second"]
    assert timeline.next_at == 2


def test_a_leap_of_days_is_divided_into_worlds() -> None:
    """Each site's days are cut into lives of at most ten, each with a seed of its own."""
    assert lives(5, 1, 10, "light") == [Life(5, 10, "light")]
    assert [(w.seed, w.days) for w in lives(5, 2, 24, "light")] == [(5, 10), (6, 10), (7, 4), (8, 10), (9, 10), (10, 4)]


def test_many_worlds_add_up_to_one_report() -> None:
    """Whatever processor they lived on."""
    told: list[str] = []
    both = simulate_many([Life(n, _HOUR, "light") for n in (1, 2)], told.append)
    one, two = (simulate(n, _HOUR, "light") for n in (1, 2))
    assert both["steps"] == one["steps"] + two["steps"]
    assert both["site_days"] == pytest.approx(2 * _HOUR)
    assert set(both["invariants"]) == set(one["invariants"])
    assert told == []


def test_a_world_that_breaks_down_tells_its_seed() -> None:
    """As a violation, so that the other worlds go on."""
    with patch.object(run, "World", side_effect=KeyError("o07")):
        report = run._report(Life(7, 2.5, "heavy"))
    assert report["invariants"] == {"no_world_breaks": 1}
    assert "KeyError('o07')" in report["examples"][0]
    assert Life(7, 2.5, "heavy").command == "python -m tests.simulation --seed 7 --days 2.5 --faults heavy"


def test_the_recorded_come_at_their_time_of_the_day() -> None:
    """And stay as long as they did."""
    plugged_at = datetime(2019, 3, 1, 17, 30, tzinfo=UTC)
    visit = Visit(1, "A", "A1", "u", plugged_at, plugged_at + timedelta(hours=3), 10_000)
    now = 1_800_000_000.0
    coming = Recorded([visit]).next(Random(1), now)
    assert (now + coming.in_s) % 86_400 == 17.5 * 3600
    assert (coming.stay_s, coming.needs_wh) == (3 * 3600, 9000)


def test_a_bridge_is_looked_at_when_a_lease_ends() -> None:
    """Nobody may take a module for closed that has fallen back by itself."""
    world = World(1, LEVELS["none"])
    [box, *_] = world.boxes.values()
    box.core = None
    module = world.modules[world.site.outlets[0].module]
    module.apply(16, relay=True, lease_s=12.5, fallback_a=0)
    world.timeline.now += 5
    box.stir(0)
    box.look()
    assert box.look_at == world.timeline.now + 8
    world.timeline.now = box.look_at
    box.look()
    assert not module.closed


def test_a_bridge_is_looked_at_when_a_target_is_reached() -> None:
    """The real one would see it within a second."""
    world = World(1, LEVELS["none"])
    o = world.site.outlets[0]
    module, box = world.modules[o.module], world.boxes[o.bridge]
    module.plug(Car(needs_wh=40_000))
    module.apply(10, relay=True, lease_s=900, fallback_a=0)
    box._known = {o.module: replace(UNKNOWN, until_wh=int(module.energy_wh) + 10)}
    assert box._target_at() == inf
    for _ in range(2):
        world.timeline.now += 10
        box.stir(0)
    at = box._target_at()
    assert world.timeline.now < at < world.timeline.now + 20


def test_nothing_runs_while_the_cloud_is_down() -> None:
    """What has come meanwhile is taken when it is up again."""
    world = World(1, LEVELS["none"])
    world.cloud.go_down()
    steps = world.scene.watcher.steps
    for b in world.boxes.values():
        b.connect()
        b.look()
    world.timeline.now += 29
    world.timeline.run_due()
    assert world.scene.watcher.steps == steps
    world.timeline.now += 1300
    world.timeline.run_due()
    assert world.scene.watcher.steps > steps
