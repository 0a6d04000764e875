"""Which commands are obeyed, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot.bridge.core import Applied, ModuleConfig
from iot.contract import Plug, Setting
from tests.unit.bridge.rig import Rig, charging, on, reading


def test_a_command_is_carried_out_with_the_time_that_is_left() -> None:
    """The lease runs from when the answered message was sent, not from when the command came."""
    rig = Rig()
    rig.step()
    rig.now += 20
    assert rig.order(rev=3, ttl_s=60, modules=on(10))
    assert rig.step().apply["M1"] == Applied(10, relay=True, lease_s=39.0, fallback_a=6)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("boot", {"boot": "ffffffff"}),
        ("rev", {"rev": 4}),
        ("unknown_seq", {"seq": 99}),
        ("expired", {"rev": 6, "ttl_s": 1}),
        ("repeated", {}),
        ("not_json", {"rev": 6, "modules": on(limit_a=float("nan"))}),
        ("schema", {"rev": 0}),
    ],
)
def test_what_must_not_be_obeyed_is_counted(reason: str, changes: dict[str, object]) -> None:
    """A command of another boot, an older revision, an unknown or old answer, or a repetition is ignored."""
    rig = Rig()
    rig.step()
    rig.order(rev=5)
    rig.step()
    before = rig.bridge.rev
    assert not rig.order(None, **{"rev": 5, "seq": 1, **changes})
    assert rig.bridge.refused == {reason: 1}
    assert rig.bridge.rev == before


@given(st.one_of(st.binary(max_size=200), st.sampled_from([b"[" * 30_000, b"null", b'{"v":1}', b"\xff"])))
def test_no_payload_ever_raises(payload: bytes) -> None:
    """Whatever comes from the network is refused quietly."""
    rig = Rig()
    assert not rig.bridge.receive(rig.now, payload)
    assert sum(rig.bridge.refused.values()) == 1


def test_the_same_revision_with_a_newer_answer_renews() -> None:
    """A renewal moves the end of the lease and nothing else."""
    rig = Rig()
    rig.step()
    rig.order(rev=1, ttl_s=100, modules=on(10))
    rig.run(65)
    assert rig.order(rev=1, ttl_s=100, modules=on(10))
    assert rig.bridge.seq > 1
    assert rig.step().apply["M1"].lease_s > 90


def test_after_the_lease_the_fallback_holds() -> None:
    """When the cloud is silent the module falls to the smaller of limit and fallback, and stays on."""
    rig = Rig()
    rig.step()
    rig.order(rev=1, ttl_s=10, modules=on(10))
    rig.run(5)
    assert rig.step(6).apply["M1"] == Applied(6, relay=True, lease_s=0, fallback_a=6)


def test_without_a_fallback_the_relay_opens_when_the_lease_ends() -> None:
    """A fallback of 0 A means off."""
    rig = Rig()
    rig.step()
    rig.order(rev=1, ttl_s=10, modules=on(10, fallback_a=0))
    rig.run(5)
    assert rig.step(6).apply["M1"] == Applied(0, relay=False, lease_s=0, fallback_a=0)


def test_a_fallback_never_raises() -> None:
    """The end of a lease never gives more than the lease did."""
    rig = Rig()
    rig.step()
    rig.order(rev=1, ttl_s=10, modules=on(5, fallback_a=8))
    assert rig.run(20).apply["M1"].limit_a == 5


def test_a_module_that_is_not_listed_is_off() -> None:
    """A command is the whole desired state."""
    rig = Rig(modules=("M1", "M2"))
    rig.step()
    rig.order(rev=1, modules=on(10))
    assert rig.step().apply["M2"] == Applied(0, relay=False, lease_s=119.0, fallback_a=6)


def test_a_restart_in_the_middle_of_a_session_falls_to_the_fallback() -> None:
    """Before the first command of a boot a module that was on keeps min(what it applies, fallback)."""
    rig = Rig()
    rig.readings["M1"] = reading(9, relay=True, limit_a=10)
    assert rig.step().apply["M1"] == Applied(6, relay=True, lease_s=0, fallback_a=6)


def test_a_restart_never_closes_a_relay() -> None:
    """Before the first command of a boot a module that was off stays off."""
    rig = Rig()
    rig.readings["M1"] = reading(0, relay=False, limit_a=10)
    assert not rig.step().apply["M1"].relay


def test_a_module_that_is_not_remembered_is_off() -> None:
    """With its state lost, the bridge gives nothing; it opens the relay gently."""
    rig = Rig(known={})
    rig.obeys = False
    rig.readings["M1"] = reading(9, relay=True, limit_a=10)
    step = rig.step()
    assert step.apply["M1"] == Applied(0, relay=True, lease_s=6, fallback_a=0)
    assert rig.run(6).apply["M1"] == Applied(0, relay=False, lease_s=0, fallback_a=0)


def test_a_module_that_was_never_seen_is_off() -> None:
    """What is not seen is not given anything."""
    rig = Rig()
    rig.readings["M1"] = None
    assert rig.step().apply["M1"] == Applied(0, relay=False, lease_s=0, fallback_a=6)


def test_a_paid_register_value_binds_after_a_restart() -> None:
    """What is paid for is remembered with the module, so a restart without the cloud gives no more."""
    rig = Rig(known={"M1": ModuleConfig(16, 6, until_wh=1010)})
    rig.readings["M1"] = reading(6, relay=True, limit_a=6, wh=1009)
    assert rig.step().apply["M1"].relay
    rig.set(energy_wh=1010)
    assert not rig.step().apply["M1"].relay
    assert ("target_reached", "M1", "energy") in rig.events


def test_what_has_to_be_remembered_follows_the_commands() -> None:
    """The shell persists what `known` tells."""
    rig = Rig(known={})
    rig.step()
    rig.order(rev=1, modules={"M1": Setting(10, relay=True, max_a=20, fallback_a=7, until_wh=5000)})
    assert rig.bridge.known == {"M1": ModuleConfig(20, 7, 5000)}


def test_frames_show_a_revision_only_with_what_was_read_under_it() -> None:
    """A reading from before a command was carried out is never told under its revision."""
    rig = Rig()
    rig.step()
    rig.run(5)
    rig.order(rev=1, full=True, modules=on(10))
    rig.step()
    rig.run(3)
    shown = [(f.rev, r.limit_a) for f in rig.frames if (r := f.modules.get("M1"))]
    assert shown == [(0, 0), (0, 0), (1, 10)]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(1, 40), st.integers(0, 30)), max_size=15))
def test_no_reordering_gives_more_than_some_live_command(arrivals: list[tuple[int, int, int, int]]) -> None:
    """However commands are delayed, doubled and mixed, more than the fallback needs a live lease."""
    rig = Rig()
    rig.step()
    sent = {1: rig.now}
    best: list[tuple[float, float]] = []
    for rev, back, ttl_s, wait in arrivals:
        seq = max(1, rig.bridge.seq - back)
        sent_at = sent[seq]
        if rig.order(rev=rev, seq=seq, ttl_s=ttl_s, modules=on(float(8 + rev))):
            best.append((sent_at + ttl_s, 8.0 + rev))
        for _ in range(wait):
            step = rig.step()
            sent |= {m.seq: rig.now for m in step.send}
            a = step.apply["M1"]
            assert a.limit_a <= max([6.0, *(limit for end, limit in best if end > rig.now)])


def test_settings_of_a_renewal_hold() -> None:
    """A renewal is the whole state too: a longer paid time comes with it."""
    rig = charging(until_s=30)
    rig.order(modules=on(until_s=3000), full=True)
    rig.run(3)
    assert rig.order(modules=on(until_s=3000), ttl_s=1000)
    rig.run(60)
    assert rig.events == []


def test_an_unplugged_module_stays_off_until_the_cloud_has_said_so() -> None:
    """A newer revision that has it on closes nothing, whatever it answers; one that has it off lets the next one."""
    rig = charging()
    rig.set(plug=Plug.NONE)
    assert not rig.step().apply["M1"].relay
    rig.set(plug=Plug.ASKING)
    rig.run(3)
    assert rig.order(rev=2, modules=on(10))
    assert not rig.step().apply["M1"].relay
    assert rig.order(rev=3, modules={})
    rig.step()
    assert rig.order(rev=4, modules=on(10))
    assert rig.step().apply["M1"].relay


def test_unplugging_what_is_off_leaves_no_trace() -> None:
    """A cable that is taken out of an outlet without current does not keep the next session waiting."""
    rig = charging()
    assert rig.order(rev=2, modules={})
    rig.run(8)
    rig.set(plug=Plug.NONE, relay=False, current_a=(0.0, 0.0, 0.0))
    rig.run(2)
    rig.set(plug=Plug.ASKING)
    rig.run(2)
    assert rig.order(rev=3, modules=on(10))
    assert rig.step().apply["M1"].relay
