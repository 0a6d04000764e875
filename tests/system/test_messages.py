"""Messages that come again, late, broken or from somebody else."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from epspot.control.state import Live
from infra.local.drivers import Api
from iot.bridge.agent import Agent, AgentSettings
from iot.bridge.core import BridgeSettings
from iot.contract import MAX_BYTES, Fault, Frame, Plug, Reading, decode_command, decode_frame, encode
from iot.simulator.loads import Car
from iot.simulator.module import SimModule
from tests.system.stage import QUICK, Cloud, Place, Stage, outlet, refused, say, wait_for

SLOW = replace(QUICK, interval_s=60)
"""Silent only after two minutes: a bridge may be away while a test looks at what it said."""


def charging(place: Place) -> tuple[Api, str]:
    """Let a car charge at the first outlet."""
    anna = place.user()
    place.runner.plug("M1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
    session = anna.start(place.outlet(1))["id"]
    place.charging(anna, session)
    return anna, session


def settled(place: Place) -> Live:
    """Read the site's state when nothing of it is under way any more."""
    outputs = place.cloud.outputs

    def look() -> bool:
        return place.cloud.waiting(outputs.frames_url) == 0 and place.cloud.waiting(outputs.events_url) == 0

    wait_for("the queues are empty", look)
    return place.live()


def test_what_comes_ten_times_changes_nothing(stage: Stage) -> None:
    """Frames and events that come again, the newest and the first, leave state, decision and energy as they were."""
    place = stage.place("again", outlet("again", 1), policy=SLOW).start()
    anna, session = charging(place)
    place.agent().disconnect()
    wait_for("the broker has said so", lambda: place.live().bridges["again-b1"].suspect_since)
    before = settled(place)
    seen = anna.session(session)
    frames, events = place.wire().of("frame"), place.wire().of("event")
    assert decode_frame(frames[-1]).seq > decode_frame(frames[0]).seq
    stage.cloud.deliver("again-b1", "frame", *[frames[-1], frames[0]] * 10)
    stage.cloud.deliver("again-b1", "event", *events * 10)
    assert place.live() == before
    assert anna.session(session) == seen

    place.agent().reconnect()
    wait_for("the bridge is back", lambda: place.live().readings["again-b1"].seq > decode_frame(frames[-1]).seq)
    anna.stop(session)
    ended = place.until(anna, session, "ended")
    assert ended["energy_wh"] == ended["end_wh"] == int(place.module(1).energy_wh)


def test_a_late_command_is_ignored(stage: Stage) -> None:
    """A command that newer ones have overtaken is counted as refused and moves nothing."""
    place = stage.place("late", outlet("late", 1)).start()
    off = place.wire().down[0]
    assert decode_command(off).modules["M1"].limit_a == 0
    anna, session = charging(place)
    before = place.agent().status
    assert decode_command(off).rev < place.agent().core.rev
    data = stage.cloud.client("iot-data")
    for _ in range(3):
        data.publish(topic=stage.cloud.topics.command("late-b1"), qos=1, payload=off)
    wait_for(
        "the bridge has refused it",
        lambda: place.agent().status.refused.get("rev", 0) >= before.refused.get("rev", 0) + 3,
    )
    assert (place.module(1).relay, place.module(1).limit_a) == (True, 16.0)
    assert anna.session(session)["state"] == "active"


def test_broken_messages_are_kept_with_the_reason(stage: Stage) -> None:
    """What breaks the contract is put aside with the reason, whatever it is, and what is behind it is used."""
    place = stage.place("broken", outlet("broken", 1)).start()
    agent, topics = place.agent(), stage.cloud.topics
    good = json.loads(place.wire().of("frame")[-1])
    broken: list[tuple[str, bytes, str]] = [
        ("frame", b"\x00\xff not json", "not_json"),
        ("frame", b"[1, 2, 3]", "not_json"),
        ("frame", b"\xff" * 100_000, "oversized"),
        ("event", ("\uffff" * MAX_BYTES).encode(), "oversized"),
        ("frame", json.dumps(good | {"pad": "x" * MAX_BYTES}).encode(), "oversized"),
        ("frame", json.dumps(good | {"v": 2}).encode(), "version"),
        ("history", json.dumps(good).encode(), "schema"),
        ("event", json.dumps(good).encode(), "schema"),
        ("frame", json.dumps(good | {"bridge": "stop-b1"}).encode(), "topic"),
        ("frame", json.dumps(good | {"modules": {"M1": [9] * 14}}).encode(), "schema"),
        ("frame", json.dumps(good).replace('"rev": ', '"rev": NaN, "x": ').encode(), "not_json"),
    ]
    for kind, payload, _ in broken:
        assert say(agent, topics.up("broken-b1", kind), payload) == 0
    # The emulated broker parses for its rules, and would fall over this one.
    stage.cloud.deliver("broken-b1", "event", b"[" * 30_000)
    broken.append(("event", b"", "not_json"))

    def all_refused() -> list[str] | None:
        reasons = stage.cloud.refused_of("broken-b1")
        return reasons if len(reasons) >= len(broken) else None

    reasons = wait_for("every broken message is in the queue", all_refused)
    assert sorted(r.partition(":")[0] for r in reasons) == sorted(reason for _, _, reason in broken)
    place.runner.plug("M1", Car(needs_wh=1000.0, phases=1))
    wait_for("the bridge is still heard", lambda: place.live().readings["broken-b1"].modules["M1"].plug)
    assert stage.cloud.waiting(stage.cloud.outputs.events_dlq_url) == 0


def test_the_message_behind_a_broken_one_is_used(stage: Stage) -> None:
    """In one batch with a message that breaks the contract, the good one is used."""
    place = stage.place("behind", outlet("behind", 1), policy=SLOW).start()
    place.agent().disconnect()
    known = settled(place).readings["behind-b1"]
    last = decode_frame(place.wire().of("frame")[-1])
    seq = last.seq + 1000
    good = encode(replace(last, seq=seq, base=seq, modules=known_modules(place)))
    stage.cloud.deliver("behind-b1", "frame", *[b"broken"] * 5, good)
    assert known.seq < seq
    assert place.live().readings["behind-b1"].seq == seq
    assert stage.cloud.refused_of("behind-b1") == ["not_json: Expecting value: line 1 column 1 (char 0)"] * 5


def known_modules(place: Place) -> dict[str, Reading | None]:
    """Read all modules of a place as a bridge does."""
    with place.runner.world() as site:
        return {m: module.sample() for m, module in site.modules.items()}


@pytest.fixture
def stranger(cloud: Cloud) -> Callable[[], Agent]:
    """Connect a bridge that is registered and belongs to no site."""

    def connect() -> Agent:
        files = cloud.bridge("stranger-b1")
        settings = AgentSettings(
            bridge=BridgeSettings("stranger-b1"),
            endpoint=files.host,
            port=files.port,
            ca=files.ca,
            certificate=files.certificate,
            private_key=files.key,
            state=cloud.folder / "stranger.json",
            topics=cloud.topics,
        )
        return Agent(settings, [SimModule("M1")])

    return connect


def test_a_bridge_speaks_for_itself_alone(stage: Stage, stranger: Callable[[], Agent]) -> None:
    """A bridge of no site is refused with the reason, and the broker lets none speak or listen for another."""
    place = stage.place("alone", outlet("alone", 1), policy=SLOW).start()
    topics = stage.cloud.topics
    agent = stranger()
    agent.start()
    try:
        wait_for("it is connected", lambda: agent.status.connected)
        reasons = wait_for("its first frame is refused", lambda: stage.cloud.refused_of("stranger-b1"))
        assert reasons[0] == "unknown_bridge: stranger-b1 belongs to no site"
        before = settled(place)
        for kind in ("frame", "event", "history"):
            assert say(agent, topics.up("alone-b1", kind), b"{}") == 135
        assert say(agent, topics.command("alone-b1"), b"{}") == 135
        assert say(agent, topics.plain("stranger-b1", "frame"), b"{}") == 135
        assert settled(place) == before
        assert stage.cloud.refused_of("alone-b1") == []
        assert "not_json" not in place.agent().status.refused
    finally:
        agent.stop()


def test_an_unknown_module_is_found(stage: Stage) -> None:
    """A module that stands in no configuration is remembered, stays off, and hinders nobody."""
    place = stage.place("found", outlet("found", 1))
    new = SimModule("X9")
    cast("list[Any]", place.agent()._modules).append(new)
    place.start()
    assert place.live().found == ("found-b1/X9",)
    assert [about for kind, about, _ in place.facts() if kind == "module.found"] == ["found-b1/X9"]
    anna, session = charging(place)
    assert anna.session(session)["state"] == "active"
    assert set(place.live().readings["found-b1"].modules) == {"M1"}
    assert all("X9" not in decode_command(payload).modules for payload in place.wire().down)
    assert not new.relay
    assert refused(anna.start, "found-X9") == (404, "not_found")


def test_a_foreign_module_is_not_believed(stage: Stage) -> None:
    """A frame that tells of another bridge's module changes nothing at that module's outlet."""
    place = stage.place("foreign", outlet("foreign", 1), outlet("foreign", 2, bridge=2), policy=SLOW).start()
    place.agent().disconnect()
    before = settled(place)
    last = decode_frame(place.wire().of("frame")[-1])
    lie = Reading(Plug.ASKING, True, (16.0, 0.0, 0.0), (230.0, 0.0, 0.0), 3680.0, 99_999, 20.0, 16.0, Fault(0), 90)
    frame = Frame("foreign-b1", last.boot, last.seq + 1, last.base, last.at, last.rev, {"M2": lie})
    stage.cloud.deliver("foreign-b1", "frame", encode(frame))
    after = place.live()
    assert after.readings["foreign-b2"].modules["M2"] == before.readings["foreign-b2"].modules["M2"]
    assert after.found == ("foreign-b1/M2",)
    assert after.outlets == before.outlets
