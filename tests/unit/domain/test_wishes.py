"""What a user wishes of a session: when, how much, until when; and what becomes of it when the wishes change."""

from typing import Any

import pytest

from epspot.control.due import due_at
from epspot.control.effects import Setting
from epspot.control.events import EdgeReceived
from epspot.control.state import Phase, Plug
from epspot.errors import InvalidRequest, SessionOver
from epspot.site import Policy
from tests.unit.domain.street import Car, Street
from tests.unit.domain.world import NOW, Yard, fuse, outlet, site

HOUR_S = 3600


def alone(**car: Any) -> Street:
    """Make one outlet with a car that takes 3.68 kW."""
    return Street(site(outlet("a")), a=Car(**car))


def setting(yard: Yard) -> Setting:
    """Tell what the newest command says to outlet a's module."""
    return yard.commands[-1].modules["A"]


def ended(yard: Yard) -> list[str]:
    return [f.detail["reason"] for f in yard.told("session.ended")]


def on_hours(street: Street, hours: int) -> list[int]:
    """Run hour by hour, and list the hours in whose middle outlet a had current."""
    found = []
    for hour in range(hours):
        street.run(HOUR_S / 2)
        if street.limits_a():
            found.append(hour)
        street.run(HOUR_S / 2)
    return found


# ------------------------------------------------------------------ when to begin


def test_a_planned_start_begins_on_time() -> None:
    """Until its time a session holds its outlet without current; the site is looked at then, and it begins."""
    street = alone()
    done = street.start("a", start_at=NOW + 1800)
    assert [f.kind for f in done.facts] == ["session.planned"]
    assert (street.limits_a(), street.reason("a")) == ({}, "planned")
    street.run(1740)
    assert street.limits_a() == {}
    assert due_at(street.site, street.live) == NOW + 1800
    street.now = NOW + 1800
    street.tick()
    assert street.limits_a() == {"a": 16}
    assert [f.about for f in street.told("session.active")] == ["s-a"]


def test_a_start_that_is_just_past_begins_at_once() -> None:
    """A start at the present minute is no plan."""
    street = alone()
    street.start("a", start_at=NOW - 30)
    assert street.session("a").phase is Phase.ACTIVE


@pytest.mark.parametrize(
    ("outdoors_c", "lasts_s"),
    [(10.0, 1200), (0.0, 3600), (-15.0, 5400), (-20.0, 7200), (-30.0, 7200), (5.0, 2400)],
)
def test_an_engine_is_heated_for_as_long_as_the_weather_asks(outdoors_c: float, lasts_s: int) -> None:
    """Heating begins so long before the departure, by the temperature then, and is over a quarter after it."""
    street = alone()
    departs = NOW + 4 * HOUR_S
    street.outlook(temperatures=((int(NOW), 20.0), (int(departs) - HOUR_S, outdoors_c), (int(departs) + HOUR_S, 20.0)))
    street.start("a", ready_by=departs, heats_engine=True)
    street.run(departs - lasts_s - 60 - street.now)
    assert street.limits_a() == {}
    street.run(60)
    assert street.limits_a() == {"a": 16}
    street.run(departs + 900 - 60 - street.now)
    assert street.limits_a() == {"a": 16}
    street.run(120)
    assert ended(street) == ["time"]


def test_an_engine_is_not_heated_in_mild_weather() -> None:
    """Above +10 °C no current is given, neither before the departure nor after it."""
    street = alone()
    street.outlook(temperatures=((int(NOW), 10.5),))
    street.start("a", ready_by=NOW + 2 * HOUR_S, heats_engine=True)
    street.run(2 * HOUR_S + 960)
    assert street.told("session.active") == []
    assert ended(street) == ["time"]


def test_freezing_is_assumed_while_nobody_knows_the_weather() -> None:
    """Without a forecast an engine is heated for an hour."""
    street = alone()
    street.start("a", ready_by=NOW + 2 * HOUR_S, heats_engine=True)
    street.run(HOUR_S - 60)
    assert street.limits_a() == {}
    street.run(60)
    assert street.limits_a() == {"a": 16}


def hourly(*ore: float) -> tuple[tuple[int, float], ...]:
    return tuple((int(NOW) + n * HOUR_S, p) for n, p in enumerate(ore))


def test_the_cheapest_hours_are_used() -> None:
    """Needing 6.6 kWh at 3.68 kW, just under two hours with the slack, it charges in the two cheapest, and is ready."""
    street = alone()
    street.outlook(prices=hourly(90, 80, 20, 70, 30, 60))
    street.start("a", ready_by=NOW + 6 * HOUR_S, needs_wh=6_600, cheapest=True)
    assert street.session("a").phase is Phase.PLANNED
    assert on_hours(street, 6) == [2, 4]
    assert street.cars["a"].charged_wh >= 6_600


def test_prices_that_come_later_move_what_has_begun() -> None:
    """Without prices it charges at once, since the unknown may be dear; when they come it rests until it is cheap."""
    street = alone()
    street.start("a", ready_by=NOW + 6 * HOUR_S, needs_wh=6_600, cheapest=True)
    assert street.limits_a() == {"a": 16}
    street.run(120)
    street.outlook(prices=hourly(90, 80, 20, 70, 30, 60))
    assert (street.session("a").phase, street.limits_a(), street.reason("a")) == (Phase.PLANNED, {}, "planned")
    assert [f.about for f in street.told("session.planned")] == ["s-a"]
    assert on_hours(street, 5) == [2, 4]
    street.run(HOUR_S)
    assert street.cars["a"].charged_wh >= 6_600


def test_cheapest_takes_more_hours_where_it_had_to_wait() -> None:
    """What it could not have in the cheapest hour, because of another, it takes in the next cheapest."""
    street = Street(site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=16)]))
    street.outlook(prices=hourly(90, 80, 20, 70, 30, 60))
    street.start("a", ready_by=NOW + 6 * HOUR_S, needs_wh=3_300, cheapest=True)
    street.run(2 * HOUR_S)
    street.start("b")
    street.run(HOUR_S)  # half of the current: half of what it needs
    assert street.cars["a"].charged_wh == pytest.approx(1_840, rel=0.05)
    street.run(30 * 60)
    assert street.session("a").phase is Phase.PLANNED
    street.run(HOUR_S)
    assert street.limits_a()["a"] == 8
    street.run(90 * 60)
    assert street.cars["a"].charged_wh >= 3_300


# ------------------------------------------------------------------ until when


def test_an_energy_target_is_the_register_s_value() -> None:
    """The command names the register at which the relay opens; the edge ends the session: ``target``."""
    street = alone(first_wh=5_000)
    street.start("a", until_wh=2_000)
    assert setting(street).until_wh == 7_000
    street.run(1800)
    street.cars["a"].charged_wh = 2_000
    street.cars["a"].limit_a = 0
    reached(street, "energy", at_wh=7_000)
    street.after(10).frame()
    assert ended(street) == ["target"]
    assert street.told("session.ended")[0].detail["energy_wh"] == 2_000


def reached(street: Street, rule: str, at_wh: int) -> None:
    """Let the bridge say that a target is reached at this register."""
    b = street.bridges["b1"]
    b.seq += 1
    reading = street.loads["a"].reading(1)._replace(energy_wh=at_wh)
    street.do(EdgeReceived(street.now, "b1", b.boot, b.seq, b.rev, "target_reached", "A", reading, rule))


def test_an_energy_target_follows_a_register_that_begins_anew() -> None:
    """After 600 Wh the register falls to 10: what was had counts, and 1400 Wh more are told to the bridge."""
    street = alone(first_wh=5_000)
    street.start("a", until_wh=2_000)
    street.cars["a"].charged_wh = 600
    street.after(600).frame()
    had = street.cars["a"].reading(1).energy_wh - 5_000
    street.cars["a"].first_wh, street.cars["a"].charged_wh = 10, 0.0
    street.frame()
    assert setting(street).until_wh == 10 + 2_000 - had


def test_a_time_target_is_never_later_than_asked() -> None:
    """Counted from the message that each command answers, the time is what was asked, or less than a second before."""
    street = alone()
    sent_at = {street.bridges["b1"].seq: street.now}
    until = NOW + 2 * HOUR_S + 0.5
    street.start("a", until_at=until)
    while street.now < NOW + 1.9 * HOUR_S:
        street.run(67.3, every=67.3)
        sent_at[street.bridges["b1"].seq] = street.now
    told = [c for c in street.commands if c.modules["A"].limit_a]
    assert len(told) > 10
    for command in told:
        until_s = command.modules["A"].until_s
        assert until_s is not None
        assert until - 1 < sent_at[command.seq] + until_s <= until


def test_the_clock_ends_a_session_at_its_time() -> None:
    """Even if nothing is heard from the bridge, the time ends the session: ``time``; the site is looked at then."""
    street = alone()
    street.start("a", until_at=NOW + 600)
    street.run(300)
    assert due_at(street.site, street.live) == NOW + 600
    street.now = NOW + 600
    done = street.tick()
    assert [(f.kind, f.detail["reason"]) for f in done.facts] == [("session.stopping", "time")]
    street.after(10).frame()
    assert ended(street) == ["time"]


def test_a_bridge_s_clock_may_be_a_little_before_ours() -> None:
    """A bridge that reports the time reached some seconds early is right; one that is much too early is outdated."""
    street = alone()
    street.start("a", until_at=NOW + 600)
    street.run(300)
    reached(street, "time", at_wh=1_000)
    assert street.session("a").phase is Phase.ACTIVE
    street.run(290)
    reached(street, "time", at_wh=1_000)
    assert street.session("a").phase is Phase.STOPPING


# ------------------------------------------------------------------ changes


def test_wishes_change_while_it_runs() -> None:
    """A new target is in a command at once, is told, and group and vehicle stay what they were."""
    street = alone()
    street.start("a", until_wh=2_000, group="staff", least_a=8.0, wakes_by="relay")
    rev = street.commands[-1].rev
    street.change("s-a", until_wh=3_000)
    assert (street.commands[-1].rev, setting(street).until_wh) == (rev + 1, 4_000)
    w = street.session("a").wishes
    assert (w.group, w.least_a, w.wakes_by) == ("staff", 8.0, "relay")
    assert [f.about for f in street.told("session.changed")] == ["s-a"]


def test_the_same_wishes_change_nothing() -> None:
    """Asked again for what it has, a session is not commanded anew, and nothing is told."""
    street = alone()
    street.start("a", until_wh=2_000)
    done = street.change("s-a", until_wh=2_000)
    assert (done.facts, done.commands) == ((), ())


def test_a_target_that_was_reached_before_the_change_is_outdated() -> None:
    """The bridge says 2000 Wh reached while the user has just asked for 3000: the session goes on."""
    street = alone(first_wh=5_000)
    street.start("a", until_wh=2_000)
    street.change("s-a", until_wh=3_000)
    reached(street, "energy", at_wh=7_000)
    assert street.session("a").phase is Phase.ACTIVE
    reached(street, "energy", at_wh=8_000)
    assert street.session("a").phase is Phase.STOPPING


def test_a_target_that_was_taken_back_is_outdated() -> None:
    """Without a target any more, what the bridge says of the old one ends nothing."""
    street = alone(first_wh=5_000)
    street.start("a", until_wh=2_000)
    street.change("s-a")
    assert setting(street).until_wh is None
    reached(street, "energy", at_wh=7_000)
    assert street.session("a").phase is Phase.ACTIVE


def test_less_than_it_has_had_is_refused() -> None:
    """A target below what was delivered can't be met; the session stays as it was."""
    street = alone()
    street.start("a", until_wh=5_000)
    street.run(HOUR_S)
    before = street.live
    with pytest.raises(InvalidRequest, match="has had 36"):
        street.change("s-a", until_wh=3_000)
    assert street.live == before


def test_a_running_session_can_be_put_off() -> None:
    """With a start in an hour, one that runs rests until then, and its current is given back."""
    street = alone()
    street.start("a")
    street.run(60)
    street.change("s-a", start_at=NOW + HOUR_S)
    assert (street.session("a").phase, street.limits_a()) == (Phase.PLANNED, {})
    street.run(HOUR_S - 60)
    assert street.limits_a() == {"a": 16}


def test_a_start_that_has_passed_is_no_hindrance_to_other_wishes() -> None:
    """Who sends all wishes anew may send the start that was, but no other in the past."""
    street = alone()
    street.start("a", start_at=NOW + 600)
    street.run(1200)
    street.change("s-a", start_at=NOW + 600, until_wh=9_000)
    assert street.session("a").wishes.until_wh == 9_000
    assert street.session("a").phase is Phase.ACTIVE
    with pytest.raises(InvalidRequest):
        street.change("s-a", start_at=NOW + 660)


BAD: dict[str, dict[str, Any]] = {
    "a start in the past": {"start_at": NOW - 61},
    "a start in a month": {"start_at": NOW + 30 * 86_400},
    "a departure that was": {"ready_by": NOW},
    "an end that was": {"until_at": NOW - 1},
    "nothing at all": {"until_wh": 0},
    "a power station": {"until_wh": 1_000_001},
    "a negative need": {"needs_wh": -1, "ready_by": NOW + 60},
    "a need by no time": {"needs_wh": 1_000},
    "the cheapest of all time": {"cheapest": True},
    "an engine that is never used": {"heats_engine": True},
    "a start after the departure": {"start_at": NOW + 120, "ready_by": NOW + 60},
}


@pytest.mark.parametrize("wishes", BAD.values(), ids=BAD.keys())
def test_wishes_that_can_not_be_meant_are_refused(wishes: dict[str, Any]) -> None:
    """The refusal says why, in English and in Swedish, at a start as at a change, and changes nothing."""
    street = alone()
    before = street.live
    with pytest.raises(InvalidRequest) as refused:
        street.start("a", **wishes)
    assert refused.value.swedish != str(refused.value)
    assert street.live == before
    street.start("a")
    with pytest.raises(InvalidRequest):
        street.change("s-a", **wishes)


# ------------------------------------------------------------------ pause and resume


def test_a_paused_session_has_no_current_and_keeps_its_outlet() -> None:
    """Paused, it is off with that reason; resumed, it has current again, and what it was served is remembered."""
    street = alone()
    street.start("a")
    street.run(300)
    street.pause("s-a")
    assert (street.session("a").phase, street.limits_a(), street.reason("a")) == (Phase.PAUSED, {}, "paused")
    assert street.session("a").served_s == pytest.approx(300)
    street.run(HOUR_S)
    assert street.session("a").phase is Phase.PAUSED
    street.resume("s-a")
    assert street.limits_a() == {"a": 16}
    assert street.session("a").served_s == pytest.approx(300)
    kinds = [f.kind for f in street.facts]
    assert kinds == ["session.active", "session.paused", "session.resumed", "session.active"]


def test_a_pause_lets_the_next_one_in() -> None:
    """What a paused session leaves is the next one's; resumed, it waits for its own turn."""
    street = Street(site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=8)]))
    street.start("a")
    street.start("b")
    street.run(60)
    street.pause("s-a")
    street.run(30, every=10)
    assert street.limits_a() == {"b": 8}
    street.resume("s-a")
    assert street.session("a").phase is Phase.QUEUED
    assert street.session("a").position == 1


def test_a_pause_while_planned_holds_over_its_start() -> None:
    """A planned session that is paused does not begin; resumed before its time it is planned again."""
    street = alone()
    street.start("a", start_at=NOW + 600)
    street.pause("s-a")
    street.run(1200)
    assert street.limits_a() == {}
    street.resume("s-a")
    assert street.limits_a() == {"a": 16}
    again = alone()
    again.start("a", start_at=NOW + 600)
    again.pause("s-a")
    again.resume("s-a")
    assert again.session("a").phase is Phase.PLANNED


def test_pausing_twice_is_pausing_once() -> None:
    """What is so already is told no second time."""
    street = alone()
    street.start("a")
    street.pause("s-a")
    street.pause("s-a")
    street.resume("s-a")
    street.resume("s-a")
    kinds = [f.kind for f in street.facts]
    assert (kinds.count("session.paused"), kinds.count("session.resumed")) == (1, 1)


def test_a_paused_session_ends_at_its_time() -> None:
    """A pause does not stop the clock."""
    street = alone()
    street.start("a", until_at=NOW + 600)
    street.pause("s-a")
    street.run(660)
    assert ended(street) == ["time"]


@pytest.mark.parametrize("how", ["planned", "paused", "queued"])
@pytest.mark.parametrize("leaves", ["stop", "unplug"])
def test_who_leaves_before_it_has_current_is_gone(how: str, leaves: str) -> None:
    """A session that is planned, paused or waiting ends at once when it is stopped or unplugged."""
    street = Street(site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=8)]))
    street.start("b")
    street.run(20, every=10)
    street.start("a", start_at=NOW + 3 * HOUR_S if how == "planned" else None)
    if how == "paused":
        street.pause("s-a")
    street.after(10).frame()
    assert street.session("a").phase.value == how
    if leaves == "stop":
        street.stop("s-a")
    else:
        street.cars["a"].plug = Plug.NONE
        street.edge("unplugged", "a")
        street.after(10).frame()
    assert ended(street) == ["stopped" if leaves == "stop" else "unplugged"]
    assert street.live.sessions.keys() == {"s-b"}
    street.run(1800)
    assert street.limits_a() == {"b": 8}
    assert street.told("session.waiting") == []


def test_what_is_over_can_not_be_changed() -> None:
    """A session that stops or has ended is refused, whatever is asked of it."""
    street = alone()
    street.start("a")
    street.run(20, every=10)
    street.bridges["b1"].obeys = False
    street.stop("s-a")
    for ask in (street.pause, street.resume, street.change):
        with pytest.raises(SessionOver):
            ask("s-a")
    street.bridges["b1"].obeys = True
    street.apply(street.commands[-1])
    street.after(10).frame()
    assert ended(street) == ["stopped"]
    for ask in (street.pause, street.resume, street.change):
        with pytest.raises(SessionOver):
            ask("s-a")


def test_a_planned_session_may_wait_for_its_turn() -> None:
    """When its time comes and there is no room, it waits like everybody else, and that is told."""
    street = Street(site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=8)], policy=Policy(turn_s=3600, min_on_s=300)))
    street.start("a", start_at=NOW + 600)
    street.start("b")
    street.run(660)
    assert (street.session("a").phase, street.session("a").position) == (Phase.QUEUED, 1)
    assert [f.about for f in street.told("session.queued")] == ["s-a"]


def test_a_planned_session_has_its_time_to_be_plugged_in() -> None:
    """It counts from when its turn or its place in the queue begins, not from when it was asked for."""
    yard = Yard(site(outlet("a"), outlet("b"), fuses=[fuse(rating_a=8)]))
    yard.start("a")
    yard.loads["b"].plug = Plug.NONE
    yard.after(10).frame()
    yard.start("b", start_at=yard.now + 3600)
    yard.run(3600 + 500)
    assert yard.session("b").phase is Phase.QUEUED
    yard.run(300)
    assert [f.detail["reason"] for f in yard.told("session.stopping")] == ["not_plugged"]


def test_a_register_that_returns_moves_the_target() -> None:
    """The bridge is told the register value that is right now."""
    yard = Yard(site(outlet("a")))
    yard.start("a", until_wh=5000)
    yard.after(10).frame()
    for wh in (1050, 10, 20, 1100):
        yard.loads["a"].energy_wh = wh
        yard.after(60).frame()
    assert yard.commands[-1].modules["A"].until_wh == 6000
