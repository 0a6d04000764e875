"""What the simulation has found, each in its smallest form."""

from dataclasses import replace

from epspot.control.invariants import i1a_planning
from epspot.control.state import Live, OutletState, Phase
from iot.contract import Event, Frame, Plug, Setting
from tests.unit.bridge.rig import Rig
from tests.unit.domain.world import Yard, fuse, outlet, site


def charging() -> Yard:
    """Let the only outlet of a site charge, with 600 Wh on its account."""
    yard = Yard(site(outlet("a")))
    yard.start("a")
    yard.after(10).frame()
    yard.loads["a"].energy_wh += 600
    yard.after(600).frame()
    return yard


def test_events_of_an_offline_time_are_older_than_the_frame_that_greets() -> None:
    """A kept event holds an old register: numbered after the frame, it would look like a register that fell."""
    rig = Rig()
    rig.run(3)
    rig.bridge.disconnected(rig.now)
    rig.set(plug=Plug.NONE, energy_wh=1000)
    rig.step()
    rig.set(energy_wh=1500)
    rig.run(10)
    rig.bridge.connected(rig.now)
    rig.step()
    newest = rig.all(Frame)[-1]
    assert rig.all(Event)[-1].seq < newest.seq
    assert newest.modules["M1"] == rig.readings["M1"]


def test_a_stopped_session_takes_its_current_from_a_silent_module() -> None:
    """The command says 0 A, and what the module may still draw stays counted, whenever it answers again."""
    yard = charging()
    yard.loads["a"].answers = False
    yard.after(10).frame()
    yard.stop("s-a")
    assert yard.at("a").limit_a == 0
    assert yard.at("a").held_a == 16
    assert yard.commands[-1].modules["A"].limit_a == 0


def test_a_stopped_session_waits_for_the_register_of_a_silent_module() -> None:
    """That its lease is over says that it is off, but not what it has counted."""
    yard = charging()
    yard.loads["a"].answers = False
    yard.after(10).frame()
    yard.bridges["b1"].obeys = False
    yard.after(600).tick()
    yard.stop("s-a")
    yard.after(400).tick()
    assert yard.at("a").counted_a == 0
    assert yard.session("a").phase is Phase.STOPPING
    yard.loads["a"].answers = True
    yard.loads["a"].limit_a = 0
    yard.loads["a"].energy_wh += 100
    yard.after(10).frame()
    [ended] = yard.told("session.ended")
    assert (ended.detail["energy_wh"], ended.detail["complete"]) == (700, True)


def test_readings_of_the_boot_before_do_not_outlive_a_crash() -> None:
    """A Lambda that dies between its two writes leaves a new epoch with old readings: the next frame opens it again."""
    yard = charging()
    before = yard.live.readings
    yard.reboot()
    yard.after(10).frame()
    yard.live = replace(yard.live, readings=before)
    overtaken = yard.after(10).next_frame()
    yard.after(10).frame()
    assert yard.live.readings["b1"].boot == yard.bridges["b1"].boot
    newest = yard.live.readings
    yard.do(overtaken)
    assert yard.live.readings == newest


def test_a_relay_that_waits_for_its_current_to_fall_does_not_wait_for_a_lost_line() -> None:
    """Told 0 A with its relay still closed, a module opens by itself in seconds, however long its lease would be."""
    rig = Rig()
    rig.run(3)
    rig.draws["M1"] = 10.0
    rig.order()
    rig.run(3)
    rig.order(rev=2, modules={"M1": Setting(0, relay=False, max_a=16)})
    rig.obeys = False
    told = rig.step().apply["M1"]
    assert (told.limit_a, told.relay) == (0, True)
    assert told.lease_s <= 6


def test_a_reading_from_before_the_current_does_not_end_a_session() -> None:
    """A bridge that was cut off right after a grant has shown an open relay last; what flowed since is still to come."""
    yard = Yard(site(outlet("a")))
    yard.start("a")
    yard.after(2000).tick()  # nothing was heard since, and the lease is over
    assert yard.at("a").counted_a == 0
    yard.stop("s-a")
    assert yard.session("a").phase is Phase.STOPPING
    yard.loads["a"].energy_wh += 641
    yard.loads["a"].limit_a = 0
    yard.after(60).frame()
    [ended] = yard.told("session.ended")
    assert (ended.detail["energy_wh"], ended.detail["complete"]) == (641, True)


def test_an_outlet_with_a_fallback_keeps_its_conductors() -> None:
    """Cut off, it falls to its fallback on all of them before the cloud's count of the lease is over."""
    for fallback_a, narrowed in ((0.0, (0,)), (6.0, None)):
        here = site(
            outlet("a", phase=None, fallback_a=fallback_a),
            outlet("b", phase=1),
            outlet("c", phase=1),
            fuses=[fuse(rating_a=22)],
        )
        yard = Yard(here)
        for o in ("a", "b", "c"):
            yard.start(o)
        one_phase = yard.loads["a"]
        for _ in range(8):
            reading = one_phase.reading(3)._replace(current_a=(one_phase.limit_a, 0.0, 0.0))
            yard.do(yard.after(30).next_frame(also={"A": reading}))
        assert yard.at("a").conductors == narrowed


def test_what_an_outlet_does_not_load_does_not_hinder_its_rise() -> None:
    """A line that is over-full for another's sake is no violation by one that is raised on other conductors."""
    here = site(outlet("a", phase=None), outlet("b", phase=1))
    before = Live("s", outlets={"a": OutletState(6.0, conductors=(0,)), "b": OutletState(16.0, held_a=30.0)})
    after = replace(before, outlets={**before.outlets, "a": OutletState(16.0, conductors=(0,))})
    assert [*i1a_planning(here, before, after)] == []
    whole = replace(before, outlets={**before.outlets, "a": OutletState(16.0)})
    assert [*i1a_planning(here, before, whole)] != []


def test_a_register_that_fell_twice_returns_to_where_it_fell_from_last() -> None:
    """After a reset a placeholder comes and goes: what it showed in between is nobody's, however high it once stood."""
    yard = Yard(site(outlet("a")))
    yard.loads["a"].energy_wh = 3_000_000
    yard.after(10).frame()
    yard.start("a")
    for wh in (93, 1102, 5, 1182, 1300):
        yard.loads["a"].energy_wh = wh
        yard.after(60 if wh in (5, 1182) else 900).frame()
    yard.stop("s-a")
    yard.after(10).frame()
    [ended] = yard.told("session.ended")
    assert ended.detail["energy_wh"] == 1300 - 93


def test_a_leap_is_no_way_back() -> None:
    """A register that fell long ago and then leaps past where it stood has not come back: what it leapt is nobody's."""
    yard = charging()
    yard.loads["a"].energy_wh = 1
    yard.after(10).frame()
    for _ in range(60):
        yard.loads["a"].energy_wh += 10
        yard.after(60).frame()
    yard.loads["a"].energy_wh = 9000
    yard.after(10).frame()
    for _ in range(60):
        yard.loads["a"].energy_wh += 10
        yard.after(60).frame()
    yard.stop("s-a")
    yard.after(10).frame()
    (end,) = yard.told("session.ended")
    assert [f.detail["doubt"] for f in yard.told("meter.put_aside")] == ["register_fell", "register_leapt"]
    assert end.detail["energy_wh"] == 600 + 600 + 600


def test_a_register_that_comes_back_later_bills_what_it_counts_itself() -> None:
    """Of two falls, a return to where the first began takes back what was counted in between too."""
    yard = charging()
    for low in (500, 100):
        yard.loads["a"].energy_wh = low
        yard.after(10).frame()
        yard.loads["a"].energy_wh += 40
        yard.after(60).frame()
    yard.loads["a"].energy_wh = 1600 + 90
    yard.after(10).frame()
    yard.stop("s-a")
    yard.after(10).frame()
    (end,) = yard.told("session.ended")
    assert end.detail["energy_wh"] == 600 + 90


def test_an_event_is_not_a_sessions_last_register() -> None:
    """That a plug is out, as an event tells, says nothing of what has flowed since the last frame."""
    yard = charging()
    yard.bridges["b1"].obeys = False
    yard.stop("s-a")  # in the second of the last frame
    yard.after(880).tick()
    yard.loads["a"].limit_a = 0.0
    yard.after(60).edge("plugged", "a")
    assert yard.at("a").counted_a == 0
    (end,) = yard.told("session.ended")
    assert not end.detail["complete"]
