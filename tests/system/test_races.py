"""Many hands at one site: users, bridges and the clock in several Lambdas at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from epspot.control.invariants import violations
from epspot.control.state import Phase
from epspot.site import Policy
from infra.local.drivers import Api, ApiError
from iot.simulator.loads import Car
from tests.system.stage import Place, Stage, Watch, outlet, wait_for

OUTLETS = 12
USERS = 4


def surely(place: Place, user: Api, n: int) -> dict[str, Any]:
    """Start as an app does: again, with the same key, while the server is busy."""
    key = str(uuid4())

    def ask() -> dict[str, Any] | None:
        try:
            return user.start(place.outlet(n), key)
        except ApiError as error:
            if error.status in (429, 500, 502, 503, 504) and error.code != "outlet_offline":
                return None
            raise

    return wait_for(f"a session at outlet {n}", ask)


def test_lambdas_race_on_one_site(stage: Stage) -> None:
    """Starts, stops, frames, events and ticks at once never break an invariant, and lose or double no session."""
    policy = Policy(interval_s=1, fast_interval_s=1, turn_s=5, min_on_s=2)
    outlets = [outlet("race", n, phases=(n % 3,), bridge=1 + n % 3) for n in range(1, OUTLETS + 1)]
    place = stage.place("race", *outlets, fuse_a=20.0, policy=policy).start()
    users = [place.user(f"user{n}") for n in range(USERS)]
    owner = {n: users[n % USERS] for n in range(1, OUTLETS + 1)}
    for n in owner:
        place.runner.plug(f"M{n}", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
    lambdas, clock = stage.cloud.client("lambda"), stage.cloud.outputs.function("clock")
    with Watch(stage.world, "race") as watch, ThreadPoolExecutor(USERS) as pool:
        started = dict(zip(owner, pool.map(lambda n: surely(place, owner[n], n), owner), strict=True))
        assert len({s["id"] for s in started.values()}) == OUTLETS
        lambdas.invoke(FunctionName=clock, Payload=b"{}")
        stopped = range(1, OUTLETS + 1, 2)
        list(pool.map(lambda n: owner[n].stop(started[n]["id"]), stopped))
        lambdas.invoke(FunctionName=clock, Payload=b"{}")
        for n in stopped:
            place.until(owner[n], started[n]["id"], "ended")
        wait_for(
            "all that remain have current",
            lambda: all(s.phase is Phase.ACTIVE for s in place.live().sessions.values()),
        )
    site, live = stage.world.lives.load("race")
    assert watch.broken == []
    assert len(watch.seen) > OUTLETS
    assert violations(site, live, live) == []
    assert set(live.sessions) == {s["id"] for n, s in started.items() if n not in stopped}
    ends = [about for kind, about, _ in place.facts() if kind == "session.ended"]
    assert sorted(ends) == sorted(started[n]["id"] for n in stopped)
    assert len({json.dumps(kept) for user in users for kept in user.history()}) == OUTLETS


def test_one_request_sent_at_once_is_one_session(stage: Stage) -> None:
    """The same key in several requests at the same moment starts one session, and all are told of it."""
    place = stage.place("once", outlet("once", 1)).start()
    anna, key = place.user(), str(uuid4())
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: anna.start(place.outlet(1), key), range(4)))
    assert len({t["id"] for t in told}) == 1
    assert [kept["id"] for kept in anna.history()] == [told[0]["id"]]


def test_one_outlet_is_given_to_one(stage: Stage) -> None:
    """Of several users who start at one outlet at the same moment one gets it."""
    place = stage.place("one", outlet("one", 1)).start()
    users = [place.user(name) for name in ("anna", "bo", "cecilia")]

    def ask(user: Api) -> str:
        try:
            return str(user.start(place.outlet(1))["state"])
        except ApiError as error:
            return str(error.code)

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(ask, users)) == ["active", "outlet_occupied", "outlet_occupied"]
    assert len(place.live().sessions) == 1
