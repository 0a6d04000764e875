"""What an outlet may draw, whatever is lost, late or doubled."""

from dataclasses import replace

import pytest

from epspot.control.draft import decision_equals
from epspot.control.events import PresenceChanged
from epspot.control.leases import span_s
from epspot.control.state import Phase, Plug
from epspot.site import Policy
from tests.unit.domain.world import NOW, Yard, fuse, outlet, site

LEASE_S = 900
SPAN_S = 900 * 1.02 + 8


def two_bridges(fallback_a: float = 0.0) -> Yard:
    """Make two outlets on the same phase of 25 A, at a bridge each."""
    return Yard(site(outlet("a", fallback_a=fallback_a), outlet("b", bridge="b2", fallback_a=fallback_a)), heard=False)


def one(**policy: object) -> Yard:
    return Yard(site(outlet("a"), policy=Policy(**policy)))  # type: ignore[arg-type]


# ------------------------------------------------------------------ cold


def test_an_unknown_outlet_counts_at_its_max() -> None:
    """Nothing is known at first: every outlet may draw its max until its lease would be over."""
    yard = two_bridges()
    yard.tick()
    for o in ("a", "b"):
        assert (yard.at(o).limit_a, yard.at(o).counted_a) == (0, 16)
        assert yard.at(o).held_until == NOW + SPAN_S


def test_nothing_is_granted_that_an_unknown_outlet_may_be_drawing() -> None:
    """One bridge is heard, the other not yet: what its outlet may draw is kept free."""
    yard = two_bridges()
    yard.frame("b1")
    yard.start("a")
    assert yard.limits_a() == {"a": 9}


def test_once_all_are_known_all_is_shared() -> None:
    """When the other bridge shows its relay open, its share is given away."""
    yard = two_bridges()
    yard.frame("b1")
    yard.start("a")
    yard.after(5).frame("b2")
    yard.after(5).frame("b2")
    assert yard.at("b").counted_a == 0
    assert yard.limits_a() == {"a": 16}


def test_an_unknown_outlet_is_off_when_its_lease_would_be_over() -> None:
    """An outlet that is never heard of counts for one lease, then at its fallback."""
    yard = two_bridges()
    yard.frame("b1")
    yard.start("a")
    for _ in range(16):
        yard.after(60).frame("b1")
    assert yard.at("b").counted_a == 0
    assert yard.limits_a() == {"a": 16}


def test_a_new_outlet_in_the_configuration_is_unknown() -> None:
    """What a new configuration adds counts at its max; what it keeps stays as it was; what it drops is forgotten."""
    yard = Yard(site(outlet("a"), outlet("b")))
    yard.start("a")
    yard.site = replace(site(outlet("a"), outlet("c", phase=1)), revision=2)
    yard.loads["c"] = yard.loads.pop("b")
    yard.after(1).tick()
    assert yard.live.outlets.keys() == {"a", "c"}
    assert (yard.at("a").limit_a, yard.at("c").counted_a) == (16, 16)


# ------------------------------------------------------------------ seen


def test_a_decrease_counts_when_it_is_seen() -> None:
    """A lowered allowance is given to another only when the frame shows its revision and a current that obeys."""
    yard = Yard(site(outlet("a"), outlet("b")))
    yard.bridges["b1"].obeys = False
    yard.start("a")
    yard.apply(yard.commands[-1])
    yard.after(10).frame()
    yard.start("b")
    lowering = yard.commands[-1]
    assert yard.limits_a() == {"a": 12.5, "b": 9}
    assert (yard.at("a").held_a, yard.at("b").reason) == (16, "settling")

    yard.after(10).frame(rev=lowering.rev)  # the revision, but 16 A still
    assert yard.at("a").held_a == 16
    yard.loads["a"].current_a = 12.5
    yard.after(10).frame(rev=lowering.rev)  # the current, but a module that was told 16 A still
    assert yard.at("a").held_a == 16
    yard.loads["a"].limit_a = 12.5
    yard.after(10).frame(rev=lowering.rev - 1)  # the current, but another revision
    assert yard.at("a").held_a == 16
    yard.after(10).frame(rev=lowering.rev)
    assert yard.at("a").held_a == 0
    assert yard.limits_a() == {"a": 12.5, "b": 12.5}


def test_a_frame_that_builds_on_a_lost_one_proves_only_what_it_lists() -> None:
    """A decrease is not seen in a module that a frame doesn't list, when what it builds on is not known."""
    yard = Yard(site(outlet("a"), outlet("b")))
    yard.start("a")
    yard.after(10).frame()
    yard.loads["a"].wants_a = 8
    yard.after(10).frame()
    yard.start("b")
    assert yard.at("a").held_a == 16
    lost, told = yard.after(10).next_frame(), yard.next_frame()
    lost_base = replace(told, base=lost.seq, modules={"B": told.modules["B"]})
    done = yard.do(lost_base)
    assert yard.at("a").held_a == 16
    assert done.commands[-1].full
    yard.after(1).frame()
    assert yard.at("a").held_a == 0


def test_a_partial_frame_on_a_known_one_proves_the_unlisted_too() -> None:
    """What a frame doesn't list has not changed since the full one that it builds on."""
    yard = Yard(site(outlet("a"), outlet("b")))
    yard.loads["a"].wants_a = 8
    yard.start("a")
    yard.start("b")
    yard.loads["a"].limit_a = 12.5
    base = yard.after(10).next_frame()
    yard.do(replace(base, rev=yard.at("a").since_rev - 1))
    assert yard.at("a").held_a == 16
    part = yard.after(10).next_frame()
    yard.do(replace(part, rev=yard.at("a").since_rev, base=base.seq, modules={}))
    assert yard.at("a").held_a == 0


@pytest.mark.parametrize("current_a", [0.51, 2.0, 16.0])
def test_off_is_seen_in_the_open_relay_without_current(current_a: float) -> None:
    """A relay that says open while current flows is not off."""
    yard = one()
    yard.start("a")
    yard.after(10).frame()
    yard.loads["a"].current_a = current_a
    yard.stop("s-a")
    yard.after(10).frame()
    assert yard.at("a").held_a == 16
    yard.loads["a"].current_a = 0.4
    yard.after(10).frame()
    assert yard.at("a").held_a == 0


# ------------------------------------------------------------------ renewed


def test_a_lease_is_renewed_at_half_life() -> None:
    """Frames before half of the lease bring no command; the first one after brings a new lease."""
    yard = one()
    yard.start("a")
    given = yard.commands[-1]
    yard.frame()
    before = len(yard.commands)
    assert yard.after(LEASE_S / 2 - 1).frame().commands == ()
    (renewal,) = yard.after(1).frame().commands
    assert len(yard.commands) == before + 1
    assert (renewal.rev, renewal.modules) == (given.rev, given.modules)
    assert renewal.seq == yard.bridges["b1"].seq
    assert yard.live.bridges["b1"].lease_until == yard.now + SPAN_S


def test_no_lease_is_renewed_where_nothing_is_on() -> None:
    """A bridge whose outlets are all off needs no lease."""
    yard = one()
    for _ in range(40):
        assert yard.after(60).frame().commands == ()


def test_an_outlet_falls_to_its_fallback_when_its_lease_is_over() -> None:
    """Without a frame the lease runs out: only the fallback counts from then on, and not a second earlier."""
    yard = two_bridges(fallback_a=6.0)
    for b in ("b1", "b2", "b1", "b2"):
        yard.frame(b)
    yard.start("a")
    until = yard.live.bridges["b1"].lease_until
    yard.now = until
    yard.tick()
    assert yard.at("a").counted_a == 16
    yard.after(1).tick()
    assert yard.at("a").limit_a == 6
    assert yard.at("a").counted_a == 6


def test_a_lease_counts_from_the_message_that_it_answers() -> None:
    """A start long after the last frame gets a lease from that frame's receipt."""
    yard = one()
    heard = yard.now
    yard.after(50).start("a")
    assert yard.live.bridges["b1"].lease_until == heard + span_s(yard.site.policy)
    assert yard.commands[-1].seq == yard.bridges["b1"].seq


# ------------------------------------------------------------------ lost and repeated


def test_a_lost_command_is_repeated_without_a_change_of_state() -> None:
    """A frame with an earlier revision shows that the command was lost: it is sent again as it was."""
    yard = one()
    yard.bridges["b1"].obeys = False
    yard.start("a")
    given = yard.commands[-1]
    before = yard.live
    done = yard.after(60).frame()
    assert done.commands == (given,)
    assert replace(done.live, readings={}) == replace(before, readings={})


def test_a_lost_command_whose_lease_is_over_is_given_anew() -> None:
    """To repeat a command when its lease is over would be in vain: it is renewed instead."""
    yard = one()
    yard.bridges["b1"].obeys = False
    yard.start("a")
    given = yard.commands[-1]
    (again,) = yard.after(LEASE_S / 2).frame().commands
    assert again.seq > given.seq


def test_an_unchanged_frame_changes_nothing_but_readings() -> None:
    """A frame that tells nothing new decides nothing and commands nothing."""
    yard = one()
    yard.start("a")
    yard.after(60).frame()
    before = yard.live
    done = yard.after(60).frame()
    assert (done.commands, done.facts) == ((), ())
    assert replace(done.live, readings={}) == replace(before, readings={})
    assert decision_equals(before, done.live)


def test_a_frame_that_comes_twice_changes_nothing() -> None:
    """The same frame again, however often, leaves the very same state."""
    yard = one()
    yard.start("a")
    frame = yard.after(60).next_frame()
    yard.do(frame)
    after_one = yard.live
    for _ in range(10):
        done = yard.do(replace(frame, at=frame.at + 5))
        assert (done.live, done.commands, done.facts) == (after_one, (), ())


def test_an_older_frame_changes_nothing() -> None:
    """A frame that was overtaken by a newer one is not used."""
    yard = one()
    yard.start("a")
    yard.loads["a"].plug = Plug.NONE
    late = yard.after(10).next_frame()
    yard.loads["a"].plug = Plug.ASKING
    yard.after(10).frame()
    before = yard.live
    assert yard.do(replace(late, at=yard.now)).live == before
    assert yard.session("a").phase is Phase.ACTIVE


def test_time_never_goes_back() -> None:
    """An event that is received with an earlier time happens at the newest time known."""
    yard = one()
    yard.start("a")
    at = yard.live.at
    yard.now -= 3600
    yard.stop("s-a")
    assert yard.live.at == at
    assert yard.session("a").stopping_since == at


# ------------------------------------------------------------------ boots


def test_an_unknown_boot_opens_an_epoch() -> None:
    """A bridge that has started anew gets the whole desired state for its new boot at once."""
    yard = one()
    yard.start("a")
    yard.after(60).frame()
    yard.reboot()
    (command,) = yard.after(60).frame().commands
    assert (command.boot, command.seq) == ("00000002", 1)
    assert command.modules["A"].limit_a == 16
    assert yard.live.bridges["b1"].earlier == ("00000001",)


def test_a_frame_of_an_earlier_boot_tells_only_registers() -> None:
    """A frame that an earlier boot had sent moves a register on, and nothing else."""
    yard = one()
    yard.start("a")
    yard.loads["a"].energy_wh = 1100
    late = yard.after(30).next_frame()
    late.modules["A"] = late.modules["A"]._replace(plug=Plug.NONE)  # type: ignore[index, union-attr]
    yard.loads["a"].energy_wh = 1000
    yard.reboot()
    yard.after(10).frame()
    before = yard.live
    done = yard.do(replace(late, at=yard.now))
    assert (done.commands, done.facts) == ((), ())
    assert replace(done.live, readings={}) == replace(before, readings={})
    reading = done.live.readings["b1"].modules["A"]
    assert (reading.energy_wh, reading.plug) == (1100, 2)


def test_a_register_of_an_earlier_boot_never_goes_back() -> None:
    """A lower register of an earlier boot is no news."""
    yard = one()
    late = yard.next_frame()
    yard.reboot()
    yard.loads["a"].energy_wh = 1200
    yard.after(10).frame()
    yard.do(replace(late, at=yard.now))
    assert yard.live.readings["b1"].modules["A"].energy_wh == 1200


@pytest.mark.parametrize(("later_s", "boot"), [(90, "00000002"), (91, "00000001")])
def test_an_earlier_boot_that_still_speaks_after_a_while_is_the_living_one(later_s: float, boot: str) -> None:
    """Frames are at most a minute old: a boot heard 90 s after another took over was overtaken, not over."""
    yard = one()
    old = yard.bridges["b1"]
    yard.reboot()
    yard.after(1).frame()
    yard.bridges["b1"] = old
    yard.after(later_s).frame()
    assert yard.live.bridges["b1"].boot == boot


def test_a_revision_from_the_future_is_taken_over() -> None:
    """A bridge that knows a later revision than we do shows that our state was lost: all is unknown again."""
    yard = one()
    yard.start("a")
    yard.after(10).frame(rev=50)
    assert yard.live.bridges["b1"].rev > 50
    assert yard.at("a").counted_a == 16
    assert yard.commands[-1].rev > 50


# ------------------------------------------------------------------ silence


def test_a_bridge_that_is_silent_keeps_its_outlets_counted() -> None:
    """The outlets of a bridge that isn't heard count as before until their lease is over; the others go on."""
    yard = two_bridges()
    for b in ("b1", "b2", "b1", "b2"):
        yard.frame(b)
    yard.start("a")
    yard.after(5).frame("b1")
    yard.start("b")
    yard.after(5).frame("b1")
    assert yard.limits_a() == {"a": 12.5, "b": 12.5}
    yard.do(PresenceChanged(yard.now, "b1", connected=False, version=1))
    yard.after(60).frame("b2")
    assert yard.told("bridge.silent") == []
    yard.after(61).frame("b2")
    assert [f.about for f in yard.told("bridge.silent")] == ["b1"]
    assert yard.at("a").counted_a == 12.5
    while yard.now <= yard.live.bridges["b1"].lease_until:
        assert yard.limits_a()["b"] == 12.5
        yard.after(60).frame("b2")
    assert yard.at("a").counted_a == 0
    assert yard.limits_a() == {"b": 16}


def test_without_a_hint_a_bridge_is_silent_when_two_full_frames_would_be_due() -> None:
    """If the broker says nothing, twelve intervals without a frame are silence."""
    yard = one()
    yard.after(12 * 60).tick()
    assert yard.told("bridge.silent") == []
    yard.after(1).tick()
    assert len(yard.told("bridge.silent")) == 1


def test_a_bridge_that_is_back_is_served_again() -> None:
    """The first frame after a silence is told, and its outlets are given current again."""
    yard = one()
    yard.start("a")
    yard.after(2000).tick()
    assert yard.limits_a() == {}
    yard.loads["a"].limit_a = 0
    yard.after(10).frame()
    yard.after(10).frame()
    assert [f.about for f in yard.told("bridge.back")] == ["b1"]
    assert yard.limits_a() == {"a": 16}


def test_an_older_presence_is_ignored() -> None:
    """Presence is ordered by its version: an earlier one that comes late changes nothing."""
    yard = one()
    yard.do(PresenceChanged(yard.now, "b1", connected=True, version=5))
    yard.do(PresenceChanged(yard.now, "b1", connected=False, version=4))
    assert yard.live.bridges["b1"].suspect_since is None
    yard.do(PresenceChanged(yard.now, "b9", connected=False, version=1))
    assert yard.live.bridges.keys() == {"b1"}


def test_what_a_silent_bridge_told_last_is_not_taken_off_the_main_meter() -> None:
    """Its modules may draw nothing any more: then what the meter shows is other load."""
    here = site(
        outlet("a"), outlet("b", bridge="b2"), outlet("c"), fuses=[fuse(rating_a=32, other_a=(16, 16, 16))], meter="b1"
    )
    yard = Yard(here)
    for o in ("a", "b", "c"):
        yard.start(o)
    for n in range(30):
        ours = [yard.loads[o].reading(1).current_a[0] for o in ("a", "c", *(["b"] if n < 4 else []))]
        yard.after(60).frame("b1", meter_a=(sum(ours) + 10, 10, 10))
        if n < 4:
            yard.frame("b2")
    assert yard.live.bridges["b2"].silent
    assert yard.live.other_a[0] >= 10
    assert yard.at("a").limit_a + yard.at("c").limit_a + 10 <= 32
