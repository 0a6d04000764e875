"""A session's life at the controller: start, plug, guard, stop, and what a module has to do with it."""

import pytest

from epspot.control.events import EdgeReceived, FrameReceived, StartRequested, Watched
from epspot.control.state import End, Fault, Phase, Plug
from epspot.control.step import step
from epspot.errors import OutletFaulty, OutletOccupied, OutletOffline, OutletUnknown, Refusal, SessionOver
from epspot.site import Policy
from tests.unit.domain.world import NOW, Yard, fuse, outlet, site


def charging(**policy: object) -> Yard:
    """Make two outlets on different phases, with a session at the first that draws 16 A."""
    yard = Yard(site(outlet("a"), outlet("b", phase=1), policy=Policy(**policy)))  # type: ignore[arg-type]
    yard.start("a")
    yard.after(10).frame()
    return yard


def ended(yard: Yard) -> list[tuple[str, str]]:
    return [(f.about, f.detail["reason"]) for f in yard.told("session.ended")]


# ------------------------------------------------------------------ start and stop


def test_a_start_is_answered_with_current() -> None:
    """A start at a free outlet gives it a session, an allowance and a command in the same step."""
    yard = Yard(site(outlet("a")))
    done = yard.start("a", "s1")
    assert yard.session("a").phase is Phase.ACTIVE
    assert [c.modules["A"].limit_a for c in done.commands] == [16]
    assert [f.kind for f in done.facts] == ["session.active"]


@pytest.mark.parametrize(
    ("spoil", "at", "refusal"),
    [
        ("none", "nowhere", OutletUnknown),
        ("none", "a", OutletOccupied),
        ("module", "b", OutletOffline),
        ("bridge", "b", OutletOffline),
    ],
)
def test_a_start_that_cannot_be_is_refused(spoil: str, at: str, refusal: type[Refusal]) -> None:
    """A start at an unknown, used or unreachable outlet is refused and changes nothing."""
    yard = charging()
    if spoil == "module":
        yard.loads["b"].answers = False
        yard.after(10).frame()
    if spoil == "bridge":
        yard.after(1000).tick()
    before = yard.live
    with pytest.raises(refusal):
        step(yard.site, before, StartRequested(yard.now, "s2", at))
    assert yard.live == before


def test_a_start_before_a_bridge_was_ever_heard_is_refused() -> None:
    """An outlet of which nothing is known can't be used yet."""
    yard = Yard(site(outlet("a")), heard=False)
    with pytest.raises(OutletOffline):
        yard.start("a")


def test_a_stop_ends_when_the_outlet_is_seen_off() -> None:
    """A stopped session ends with its last register, when the relay is open and no current flows."""
    yard = charging()
    yard.bridges["b1"].obeys = False
    yard.loads["a"].energy_wh = 1040
    yard.stop("s-a")
    assert yard.session("a").phase is Phase.STOPPING
    assert yard.limits_a() == {}
    yard.loads["a"].energy_wh = 1050
    yard.after(10).frame()
    assert ended(yard) == []
    yard.apply(yard.commands[-1])
    yard.loads["a"].energy_wh = 1060
    yard.after(10).frame()
    assert ended(yard) == [("s-a", "stopped")]
    detail = yard.told("session.ended")[0].detail
    assert (detail["energy_wh"], detail["start_wh"], detail["end_wh"], detail["complete"]) == (60, 1000, 1060, True)
    assert not yard.live.sessions


def test_a_session_stops_once() -> None:
    """A second stop, or one of a session that has ended or never was, is refused."""
    yard = charging()
    yard.stop("s-a")
    with pytest.raises(SessionOver):
        yard.stop("s-a")
    yard.after(10).frame()
    with pytest.raises(SessionOver):
        yard.stop("s-a")
    with pytest.raises(SessionOver):
        yard.stop("s-b")
    assert ended(yard) == [("s-a", "stopped")]


def test_a_stopped_session_ends_even_if_its_bridge_is_never_heard_again() -> None:
    """When the last register doesn't come in a quarter of an hour, it ends with what is known, and says so."""
    yard = charging()
    yard.bridges["b1"].obeys = False
    yard.stop("s-a")
    yard.after(900).tick()
    assert ended(yard) == []
    yard.after(1).tick()
    assert ended(yard) == [("s-a", "stopped")]
    assert yard.told("session.ended")[0].detail["complete"] is False


def test_a_waiting_session_that_stops_ends_at_once() -> None:
    """Who has had no current has no last register to wait for."""
    yard = Yard(site(outlet("a", min_a=16.0), outlet("b", min_a=16.0)))
    yard.start("a")
    yard.after(10).frame()
    yard.start("b")
    yard.stop("s-b")
    assert ended(yard) == [("s-b", "stopped")]


# ------------------------------------------------------------------ plug and standby


def test_pulling_the_plug_ends_a_session() -> None:
    """The edge that tells of an unplugged cable stops the session at once."""
    yard = charging()
    yard.loads["a"].plug = Plug.NONE
    yard.after(5).edge("unplugged", "a")
    yard.after(5).frame()
    assert ended(yard) == [("s-a", "unplugged")]


def test_a_lost_edge_is_made_up_for_by_the_next_frame() -> None:
    """A frame without the plug says the same as the edge."""
    yard = charging()
    yard.loads["a"].plug = Plug.NONE
    yard.after(60).frame()
    yard.after(10).frame()
    assert ended(yard) == [("s-a", "unplugged")]


def test_an_older_unplugging_is_not_this_session_s() -> None:
    """An unplugged edge of before the session ends nothing; one of its own does, however late it comes."""
    yard = charging()
    first = yard.session("a").first_rev
    assert first is not None
    yard.do(EdgeReceived(yard.now, "b1", "00000001", 1, first - 1, "unplugged", "A"))
    assert yard.session("a").phase is Phase.ACTIVE
    yard.do(EdgeReceived(yard.now, "b1", "00000001", 1, first, "unplugged", "A"))
    assert yard.session("a").phase is Phase.STOPPING


def test_a_start_waits_for_its_plug_but_not_for_ever() -> None:
    """Who starts before plugging in has the owner's time to do it."""
    yard = Yard(site(outlet("a"), policy=Policy(plug_wait_s=600)))
    yard.loads["a"].plug = Plug.NONE
    yard.frame()
    yard.start("a")
    yard.after(600).frame()
    assert yard.session("a").phase is Phase.ACTIVE
    yard.after(1).frame()
    yard.after(1).frame()
    assert ended(yard) == [("s-a", "not_plugged")]


def test_standby_ends_a_session() -> None:
    """A session that has drawn and then draws next to nothing for the set time is done."""
    yard = charging(standby_s=900)
    yard.loads["a"].energy_wh += 50
    yard.loads["a"].wants_a = 0.2
    yard.after(60).frame()
    yard.after(899).frame()
    assert yard.session("a").phase is Phase.ACTIVE
    yard.after(1).frame()
    yard.after(10).frame()
    assert ended(yard) == [("s-a", "full")]


def test_drawing_again_ends_standby() -> None:
    """The time of standby is one stretch, not a sum."""
    yard = charging(standby_s=900)
    yard.loads["a"].energy_wh += 50
    for wants_a in (0.2, 10, 0.2):
        yard.loads["a"].wants_a = wants_a
        yard.after(600).frame()
    yard.after(600).frame()
    assert yard.session("a").phase is Phase.ACTIVE


def test_a_session_that_has_not_drawn_yet_is_not_in_standby() -> None:
    """A car that wakes late is not sent away."""
    yard = Yard(site(outlet("a"), policy=Policy(standby_s=900)))
    yard.loads["a"].wants_a = 0
    yard.start("a")
    yard.run(3600)
    assert yard.session("a").phase is Phase.ACTIVE


# ------------------------------------------------------------------ guard


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("over_current", "power_guard"), ("limit_breach", "limit_breach"), ("target_reached", "target"), ("shed", "shed")],
)
def test_what_the_bridge_has_ended_is_ended(kind: str, reason: str) -> None:
    """The bridge has opened the relay; the session ends with its reason."""
    yard = charging()
    yard.after(5).edge(kind, "a")
    yard.after(5).frame()
    assert ended(yard) == [("s-a", reason)]
    assert len(yard.told("guard.tripped")) == (kind == "over_current")


def test_a_guard_event_of_an_earlier_session_is_not_this_one_s() -> None:
    """An event under a revision before the session's first, however late it comes, ends nothing."""
    yard = charging()
    earlier = yard.bridges["b1"].rev
    yard.stop("s-a")
    yard.after(10).frame()
    yard.start("a", "s2")
    first = yard.session("a").first_rev
    assert first is not None
    assert first > earlier
    yard.do(EdgeReceived(yard.now, "b1", yard.bridges["b1"].boot, 1, first - 1, "over_current", "A", rule="instant"))
    assert yard.session("a").phase is Phase.ACTIVE
    assert yard.told("guard.tripped") == []
    yard.edge("over_current", "a", rev=first)
    assert yard.session("a").phase is Phase.STOPPING


def test_a_guard_event_that_comes_twice_is_told_once() -> None:
    """A doubled event trips the guard once."""
    yard = charging()
    yard.after(5).edge("over_current", "a")
    yard.edge("over_current", "a")
    assert len(yard.told("guard.tripped")) == 1


def test_a_frame_above_one_and_a_half_times_the_max_trips_the_guard() -> None:
    """If the event was lost, the current in the frame says the same."""
    yard = charging()
    yard.loads["a"].current_a = 24.1
    yard.after(10).frame()
    assert yard.session("a").end == "power_guard"


@pytest.mark.parametrize(("faults", "ends"), [(1, True), (2, True), (16, True), (64, True), (4, False), (32, False)])
def test_a_grave_fault_ends_a_session(faults: int, ends: bool) -> None:  # noqa: FBT001 - a table
    """Welded, hot, leaking or broken: over; a voltage or a lock is told only."""
    yard = charging()
    yard.after(5).edge("fault", "a", faults=faults)
    assert (yard.session("a").phase is Phase.STOPPING) is ends
    assert [f.detail["faults"] for f in yard.told("outlet.fault")] == [faults]


# ------------------------------------------------------------------ modules


def test_a_module_of_no_configuration_is_found_once() -> None:
    """A module that nobody has installed, or that is another bridge's, is kept as found; its reading is not used."""
    yard = Yard(site(outlet("a"), outlet("b", bridge="b2")))
    strange = yard.loads["a"].reading(1)._replace(current_a=(40.0, 0.0, 0.0))
    for _ in range(3):
        yard.do(yard.after(10).next_frame(also={"X9": strange, "B": strange}))
    yard.do(EdgeReceived(yard.now, "b1", "00000001", 99, 0, "module_found", "X9", strange))
    assert set(yard.live.found) == {"b1/X9", "b1/B"}
    assert len(yard.told("module.found")) == 2
    assert yard.live.readings["b1"].modules.keys() == {"A"}
    assert yard.live.readings["b2"].modules["B"].current_a[0] == 0


def test_a_bridge_of_another_site_is_ignored() -> None:
    """A frame of a bridge that stands in no configuration changes nothing."""
    yard = charging()
    frame = yard.next_frame()
    stranger = FrameReceived(yard.now, "b9", "00000001", 5, 5, 0, frame.modules)
    assert yard.do(stranger).live == yard.live
    assert yard.do(EdgeReceived(yard.now, "b9", "00000001", 6, 0, "unplugged", "A")).live == yard.live
    assert yard.session("a").phase is Phase.ACTIVE


def test_a_lost_module_keeps_its_allowance_counted() -> None:
    """A module that doesn't answer is told once, counts at what it had, and is served again when it is back."""
    yard = Yard(site(outlet("a"), outlet("b")))
    yard.start("a")
    yard.after(10).frame()
    yard.loads["a"].answers = False
    for _ in range(3):
        yard.after(10).frame()
    assert [f.about for f in yard.told("module.lost")] == ["a"]
    assert yard.at("a").counted_a == 16
    yard.start("b")
    assert yard.limits_a() == {"a": 16, "b": 9}
    yard.loads["a"].answers = True
    yard.run(60, every=10)
    assert yard.limits_a() == {"a": 12.5, "b": 12.5}


def test_a_module_that_a_full_frame_leaves_out_is_lost() -> None:
    """A full frame lists every module that answers."""
    yard = charging()
    frame = yard.next_frame()
    del frame.modules["B"]  # type: ignore[attr-defined]
    yard.do(frame)
    assert [f.about for f in yard.told("module.lost")] == ["b"]


def test_an_edge_tells_of_a_lost_module_at_once() -> None:
    """The bridge's own word is taken before the next frame."""
    yard = charging()
    yard.edge("module_lost", "b")
    assert [f.about for f in yard.told("module.lost")] == ["b"]
    with pytest.raises(OutletOffline):
        yard.start("b")


# ------------------------------------------------------------------ registers


def energy_after(*registers: int, every_s: float = 60) -> tuple[int, list[str]]:
    """Charge while the register shows these, stop, and return the energy and the doubts."""
    yard = charging()
    for wh in registers:
        yard.loads["a"].energy_wh = wh
        yard.after(every_s).frame()
    yard.stop("s-a")
    yard.after(10).frame()
    return yard.told("session.ended")[0].detail["energy_wh"], [f.detail["doubt"] for f in yard.told("meter.put_aside")]


@pytest.mark.parametrize(
    ("registers", "energy_wh", "doubts"),
    [
        ((1050, 1100), 100, []),
        ((1050, 0, 0, 1100), 100, ["register_zero"]),
        ((1050, 20, 70), 100, ["register_fell"]),
        ((1050, 900_000, 900_040), 90, ["register_leapt"]),
        ((1050, 3, 43, 900_000, 900_010), 100, ["register_fell", "register_leapt"]),
        ((1200, 1010, 1200, 1250), 250, ["register_fell", "register_returned"]),
        ((), 0, []),
    ],
)
def test_energy_is_what_is_certain(registers: tuple[int, ...], energy_wh: int, doubts: list[str]) -> None:
    """A register that falls, leaps or shows 0 bills nothing of its own; what was certain before and after is kept."""
    found, told = energy_after(*registers)
    assert found == energy_wh
    assert told == doubts


def test_energy_of_a_time_without_connection_is_right() -> None:
    """A bridge that was cut off for two minutes, or ten, has gone on metering."""
    assert energy_after(1040, 1040 + 16 * 230 * 600 // 3600, every_s=600) == (653, [])


def test_energy_of_a_time_without_the_module_is_right() -> None:
    """A module that didn't answer for an hour has gone on metering; what it counted is within physics."""
    yard = charging()
    yard.loads["a"].answers = False
    for _ in range(10):
        yard.after(60).frame()
    yard.loads["a"].answers = True
    yard.loads["a"].energy_wh += 16 * 230 * 600 // 3600
    yard.after(60).frame()
    yard.stop("s-a")
    yard.after(10).frame()
    assert yard.told("session.ended")[0].detail["energy_wh"] == 613
    assert yard.told("meter.put_aside") == []


# ------------------------------------------------------------------ main meter and pace


def metered() -> Yard:
    yard = Yard(site(outlet("a"), outlet("b", phase=1), meter="b1", fuses=[fuse(other_a=(5.0, 5.0, 5.0))]))
    yard.frame(meter_a=(0, 0, 0))
    yard.start("a")
    yard.after(10).frame(meter_a=(16, 0, 0))
    return yard


def test_other_load_under_the_main_meter_lowers_at_once() -> None:
    """What the grid connection carries beyond the outlets is left to the house, and given back with a margin."""
    yard = metered()
    assert yard.limits_a() == {"a": 16}
    yard.after(10).frame(meter_a=(16 + 14.2, 0, 0))
    assert yard.live.other_a == (15, 0, 0)
    assert yard.limits_a() == {"a": 10}
    yard.after(10).frame(meter_a=(10 + 13.5, 0, 0))
    assert yard.limits_a() == {"a": 10}
    yard.after(10).frame(meter_a=(10 + 13, 0, 0))
    assert yard.limits_a() == {"a": 12}


def test_a_silent_main_meter_means_the_largest_other_load() -> None:
    """Without the meter, what the owner has named as the largest is assumed."""
    yard = metered()
    yard.after(10).frame(meter_a=None)
    assert yard.live.other_a == (5, 5, 5)


def test_watching_asks_for_fast_frames() -> None:
    """Somebody who looks gets fresh figures for 90 s; then the pace falls back."""
    yard = charging()
    (command,) = yard.do(Watched(yard.now)).commands
    assert command.interval_s == 10
    assert yard.do(Watched(yard.now + 1)).commands == ()
    yard.after(100).frame()
    yard.after(100).frame()
    assert yard.commands[-1].interval_s == 60


def test_a_hot_fuse_asks_for_fast_frames() -> None:
    """A fuse that carries more than was planned is looked at often; one that carries just that is not."""
    yard = Yard(site(outlet("a"), fuses=[fuse(rating_a=16)]))
    yard.start("a")
    yard.after(10).frame()
    assert yard.live.bridges["b1"].interval_s == 60
    yard.bridges["b1"].obeys = False
    yard.loads["a"].current_a = 16.8
    yard.after(10).frame()
    assert yard.commands[-1].interval_s == 10


def test_nothing_depends_on_the_bridge_s_clock() -> None:
    """No event of the domain carries the bridge's own time: only when the cloud received it."""
    assert [f for f in FrameReceived.__dataclass_fields__ if f.endswith("at")] == ["at"]
    yard = charging()
    assert yard.live.readings["b1"].at == NOW + 10


def test_an_edge_at_a_neighbour_makes_no_leap() -> None:
    """A module's register is judged by when it was last told, not by a neighbour's event in between."""
    yard = charging()
    yard.after(600).edge("plugged", "b")
    yard.loads["a"].energy_wh += 16 * 230 * 610 // 3600
    yard.after(10).frame()
    assert yard.told("meter.put_aside") == []


def test_an_event_that_was_kept_makes_no_leap() -> None:
    """The register that an old event shows is left out: the frame that follows bills the whole time without connection."""
    yard = charging()
    yard.after(780).edge("plugged", "a")
    yard.loads["a"].energy_wh += 790
    yard.after(1).frame()
    yard.stop("s-a")
    yard.after(10).frame()
    assert yard.told("session.ended")[0].detail["energy_wh"] == 790
    assert yard.told("meter.put_aside") == []


def test_a_grave_fault_in_a_frame_ends_the_session() -> None:
    """A fault needs no event to be heard, and nobody starts at an outlet that has one."""
    yard = charging()
    yard.loads["a"].faults = Fault.OVER_TEMPERATURE
    yard.after(10).frame()
    assert yard.session("a").end is End.FAULT
    yard.after(10).frame()
    assert ended(yard) == [("s-a", "fault")]
    with pytest.raises(OutletFaulty):
        yard.start("a", "s2")


def test_a_guard_event_after_a_restart_counts() -> None:
    """A bridge that has restarted has no revision yet; what it tells is the newest all the same."""
    yard = charging()
    yard.reboot()
    yard.after(1).frame()
    yard.edge("over_current", "a", rev=0)
    assert yard.session("a").end is End.GUARD


def test_what_a_session_left_unread_is_not_the_next_one_s() -> None:
    """A session that ended without its last register leaves energy behind, which nobody pays."""
    yard = charging()
    yard.bridges["b1"].obeys = False
    yard.stop("s-a")
    for _ in range(16):
        yard.after(60).frame()
    yard.bridges["b1"].obeys = True
    (end,) = yard.told("session.ended")
    assert not end.detail["complete"]
    yard.start("a", "s2")
    yard.loads["a"].energy_wh += 100
    yard.after(10).frame()
    yard.after(10).frame()
    yard.stop("s2")
    yard.after(10).frame()
    yard.after(10).frame()
    assert yard.told("session.ended")[1].detail["energy_wh"] == 0
    assert [f.detail["doubt"] for f in yard.told("meter.put_aside")] == ["unread"]


def test_current_that_another_bridge_s_outlet_no_longer_draws_counts_as_other_load() -> None:
    """It may have stopped before the meter was read; until the meter speaks again the building is taken to draw it."""
    main = fuse(rating_a=63, other_a=(20.0, 20.0, 20.0))
    yard = Yard(site(outlet("a"), outlet("b", bridge="b2"), fuses=[main], meter="b1"))
    yard.frame("b1", meter_a=(5.0, 5.0, 5.0))
    yard.start("b")
    yard.after(10).frame("b2")
    yard.after(10).frame("b1", meter_a=(21.0, 5.0, 5.0))
    before = yard.live.other_a[0]
    yard.loads["b"].wants_a = 0
    yard.after(10).frame("b2")
    assert yard.live.other_a[0] == min(before + 16, 20)
    yard.after(10).frame("b1", meter_a=(5.0, 5.0, 5.0))
    assert yard.live.other_a[0] == min(before + 16, 20)
    yard.after(10).frame("b1", meter_a=(5.0, 5.0, 5.0))
    assert yard.live.other_a[0] == 5


def test_the_meter_must_say_twice_that_a_building_with_another_bridge_s_outlets_draws_less() -> None:
    """A load of ours that rests just when the meter is read does not make the building seem to draw less."""
    main = fuse(rating_a=25, other_a=(5.0, 5.0, 5.0))
    yard = Yard(site(outlet("a"), outlet("b", bridge="b2"), fuses=[main], meter="b1"))
    yard.frame("b1", meter_a=(5.0, 5.0, 5.0))
    yard.start("b")
    yard.after(10).frame("b2")
    yard.after(10).frame("b1", meter_a=(21.0, 5.0, 5.0))
    assert yard.live.other_a == (5, 5, 5)
    yard.after(10).frame("b1", meter_a=(5.0, 5.0, 5.0))
    assert yard.live.other_a == (5, 5, 5)
    yard.after(10).frame("b1", meter_a=(21.0, 5.0, 5.0))
    assert (yard.live.other_a, yard.live.fell_to_a) == ((5, 5, 5), None)
    for _ in range(2):
        yard.after(10).frame("b1", meter_a=(17.0, 5.0, 5.0))
    assert yard.live.other_a == (1, 5, 5)
