"""An owner changes a site while people use it."""

from dataclasses import replace
from typing import Any

import pytest

from epspot.control.state import Phase
from epspot.errors import Conflict, InvalidSite
from epspot.site import Cap, Fuse
from infra.local.drivers import Api
from iot.simulator.loads import Car
from tests.system.stage import QUICK, Place, Stage, Watch, outlet, wait_for


def allowances(place: Place) -> list[float]:
    """Tell what each outlet with a session may draw, when nothing is under way any more."""

    def look() -> list[float] | None:
        live = place.live()
        used = [live.outlets[o.id] for o in place.site.outlets if live.session_at(o.id)]
        settled = all(not s.held_a and s.reason != "settling" for s in used)
        return [s.limit_a for s in used] if settled else None

    return wait_for("all is settled", look)


def becomes(place: Place, *expected: float) -> None:
    """Wait until the outlets may draw what they should."""
    wait_for(f"the allowances are {expected}", lambda: allowances(place) == [*expected])
    assert all(s.phase is Phase.ACTIVE for s in place.live().sessions.values())


def three_that_charge(place: Place) -> list[tuple[Api, dict[str, Any]]]:
    """Let three users charge at the first three outlets, in their order."""
    started = []
    for n in (1, 2, 3):
        user = place.user(f"user{n}")
        place.runner.plug(f"M{n}", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
        started.append((user, user.start(place.outlet(n))))
    return started


def test_rules_are_changed_while_cars_charge(stage: Stage) -> None:
    """Principle, fuse and caps take effect on who charges already, nobody is dropped, and no fuse is ever exceeded."""
    outlets = [outlet("owner", n) for n in (1, 2, 3)]
    place = stage.place("owner", *outlets, fuse_a=30.0, policy=replace(QUICK, min_on_s=0)).start()
    started = three_that_charge(place)
    becomes(place, 10.0, 10.0, 10.0)
    with Watch(stage.world, "owner") as watch:
        place.change(policy=replace(place.site.policy, principle="first_come"))
        becomes(place, 16.0, 8.0, 6.0)
        place.change(caps=(Cap("evening", limit_a=18.0),))
        becomes(place, 6.0, 6.0, 6.0)
        assert {s.reason for s in place.live().outlets.values()} == {"cap:evening"}
        place.change(caps=(), policy=replace(place.site.policy, principle="equal"))
        becomes(place, 10.0, 10.0, 10.0)
        place.change(fuses=(Fuse("main", None, (24.0,) * 3, planning_factor=1.0),))
        becomes(place, 8.0, 8.0, 8.0)
        # A new outlet counts at its maximum until it is heard of: the fuse must carry that as well.
        larger, new = Fuse("main", None, (48.0,) * 3, planning_factor=1.0), outlet("owner", 4, bridge=2)
        place.change(fuses=(larger,), outlets=(*place.site.outlets, new))
        becomes(place, 10.66, 10.66, 10.66)
    assert watch.broken == []
    assert place.site.revision == 6
    for user, session in started:
        seen = user.session(session["id"])
        assert (seen["state"], seen["allowance_a"], seen["limited_by"]) == ("active", 10.66, "main/L1")
    kinds = [kind for kind, _, _ in place.facts() if kind.startswith("session.")]
    assert kinds == ["session.active"] * 3
    listed = {o["id"]: o["state"] for o in started[0][0].outlets("owner")}
    assert listed["owner-4"] == "offline"


def test_a_change_that_is_not_safe_is_refused_whole(stage: Stage) -> None:
    """What is unsound, takes an outlet away under its user, or is another site's, changes nothing at all."""
    place = stage.place("stays", outlet("stays", 1), outlet("stays", 2)).start()
    other = stage.deserted("others", outlet("others", 1))
    anna = place.user()
    anna.start(place.outlet(1))
    before = place.live()
    with pytest.raises(InvalidSite, match="fallbacks and other load come to 20 A"):
        place.change(fuses=(Fuse("main", None, (16.0,) * 3, other_a=(20.0, 0.0, 0.0)),))
    with pytest.raises(InvalidSite, match="outlet stays-1 has a session"):
        place.change(outlets=place.site.outlets[1:])
    with pytest.raises(Conflict):
        place.change(outlets=(*place.site.outlets, *(replace(o, number="3") for o in other.outlets)))
    after, site = place.live(), stage.world.lives.load("stays")[0]
    assert (after.revision, after.sessions.keys()) == (before.revision, before.sessions.keys())
    assert site == place.site
    assert stage.world.lives.load("others")[0] == other
