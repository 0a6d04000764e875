"""The shell: threads, files and the SDK, without a broker."""

import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from iot.bridge import __main__ as command_line
from iot.bridge.agent import Agent, AgentSettings, load_known, save_known
from iot.bridge.core import BridgeSettings, FuseLimit, ModuleConfig
from iot.bridge.meters import P1Meter
from iot.contract import Command, Event, EventKind, GuardLimits, History, Row, Setting, encode
from iot.simulator.loads import Heater
from iot.simulator.p1 import telegram
from iot.simulator.runner import SimRunner, simulated_links
from iot.simulator.site import ModulePlan, SimSite, SitePlan


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "b1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "b1.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "b1.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return AgentSettings(
        bridge=BridgeSettings("b1", main_rating_a=(63, 63, 63)),
        endpoint="127.0.0.1",
        port=port,
        certificate=tmp_path / "b1.crt",
        private_key=tmp_path / "b1.key",
        ca=tmp_path / "b1.crt",
        state=tmp_path / "state.json",
        period_s=0.02,
    )


def site() -> SimSite:
    return SimSite(SitePlan([ModulePlan("M1", "b1")], metered_by="b1"))


def wait_for(holds: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def listening() -> set[tuple[str, int]]:
    return {
        (c.laddr.ip, c.laddr.port)
        for c in psutil.Process().net_connections(kind="inet")
        if c.status == psutil.CONN_LISTEN
    }


class Broker:
    """Stands in for the SDK's client: publishes into a list."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.published: list[tuple[Any, Any]] = []
        agent._client = self

    def publish(self, packet: Any) -> "Broker":
        self.published.append((packet, None))
        return self

    subscribe = publish

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        self.published[-1] = (self.published[-1][0], call)

    def answer(self, index: int, error: Exception | None = None, code: int = 0) -> None:
        self.published[index][1](Answer(error, code))


class Answer:
    def __init__(self, error: Exception | None, code: int) -> None:
        self._error = error
        self.reason_codes = [code]
        self.reason_code = code
        self.puback = self

    def exception(self) -> Exception | None:
        return self._error

    def result(self) -> "Answer":
        return self


def test_the_bridge_opens_no_listening_socket(settings: AgentSettings) -> None:
    """It is a client only, and guards on without a broker."""
    before = listening()
    runner = SimRunner(site(), [settings])
    runner.start()
    try:
        runner.plug("M1", Heater())
        time.sleep(0.5)
        assert listening() == before
        agent = runner.agents["b1"]
        assert not agent.status.connected
        agent.disconnect()
        agent.reconnect()
        with runner.world() as world:
            assert not world.modules["M1"].relay
        runner.unplug("M1")
    finally:
        runner.stop()
    assert listening() == before


def test_a_command_is_persisted_before_it_is_carried_out(settings: AgentSettings) -> None:
    """The next boot must know the fallback that the cloud counts on."""
    hardware = site()
    agent = Agent(settings, hardware.of("b1"), hardware.meter)
    broker = Broker(agent)
    agent._up()
    agent._turn(time.monotonic())
    broker.answer(0)
    agent._turn(time.monotonic())
    assert agent.status.connected
    assert broker.published[-1][0].topic == "$aws/rules/epspot_frame/epspot/v1/b1/frame"
    command = Command(1, agent.core.boot, 1, 60, 60, {"M1": Setting(10, relay=True, max_a=16, fallback_a=7)})
    agent._inbox.put(lambda: agent._command(encode(command)))
    agent._turn(time.monotonic())
    assert load_known(settings.state) == {"M1": ModuleConfig(16, 7)}
    assert hardware.modules["M1"].relay
    assert (agent.status.received, agent.status.refused) == (1, {})


def test_an_event_is_kept_until_the_broker_has_it(settings: AgentSettings) -> None:
    """After a failure or a new connection it is published again; a history with its ages as of then."""
    agent = Agent(settings, [])
    broker = Broker(agent)
    agent._connected = True
    agent._send(100, Event("b1", agent.core.boot, 7, 0, 0, EventKind.PLUGGED, "M1"))
    agent._send(100, History("b1", agent.core.boot, 8, 0, (Row("M1", 5, 10),)))
    broker.answer(0, error=OSError("gone"))
    broker.answer(1, error=OSError("gone"))
    agent._turn(0)
    assert agent.status.unacknowledged == 2
    agent._retry_at = 0
    agent._turn(160)
    event, history = (json.loads(packet.payload) for packet, _ in broker.published[2:4])
    assert event["seq"] == 7
    assert history["rows"] == [["M1", 65, 10]]
    broker.answer(2)
    broker.answer(3, code=0x87)
    agent._turn(0)
    assert agent.status.unacknowledged == 0


def test_a_refused_subscription_is_tried_again(settings: AgentSettings) -> None:
    """A bridge that can't hear does not greet."""
    agent = Agent(settings, [])
    broker = Broker(agent)
    agent._up()
    for index, answer in enumerate([{"code": 0x87}, {"error": OSError("gone")}, {}]):
        agent._turn(time.monotonic() + 10 * index)
        assert not agent.status.connected
        broker.answer(index, **answer)  # type: ignore[arg-type]
    agent._turn(time.monotonic())
    assert agent.status.connected
    agent._down()
    assert not agent.status.connected


def test_broken_hardware_does_not_stop_the_guards(settings: AgentSettings) -> None:
    """A link that raises is a module that does not answer."""

    class Broken:
        id = "M1"

        def sample(self) -> None:
            raise OSError

        def apply(self, *_: object) -> None:
            raise OSError

    agent = Agent(settings, [Broken()], Broken())
    agent._turn(time.monotonic())
    assert agent.core.boot
    assert agent.status.sent == 0


def test_a_disk_that_is_full_does_not_stop_the_guards(settings: AgentSettings, tmp_path: Path) -> None:
    """Remembering is less than guarding."""
    hardware = site()
    agent = Agent(settings, hardware.of("b1"))
    (tmp_path / "state.json.new").mkdir()
    agent.core.connected(0)
    Broker(agent)
    agent._turn(time.monotonic())
    command = Command(1, agent.core.boot, 1, 60, 60, {"M1": Setting(10, relay=True, max_a=16)})
    agent._command(encode(command))
    agent._turn(time.monotonic())
    assert hardware.modules["M1"].relay


def test_a_turn_that_fails_is_not_the_last(settings: AgentSettings) -> None:
    """Whatever it was, the next one comes."""
    agent = Agent(settings, [])
    turns: list[float] = []

    def turn(now: float) -> None:
        turns.append(now)
        raise RuntimeError

    agent._turn = turn  # type: ignore[method-assign]
    agent._thread.start()
    wait_for(lambda: len(turns) > 2)
    agent.stop()
    assert not agent._thread.is_alive()


def test_what_is_remembered_survives_or_is_nothing(tmp_path: Path) -> None:
    """A missing or broken file means that every module is off."""
    path = tmp_path / "state.json"
    assert load_known(path) == {}
    known = {"M1": ModuleConfig(16, 6, 5000), "M2": ModuleConfig(16, 6, guard=GuardLimits(seconds_s=12))}
    save_known(path, known)
    assert load_known(path) == known
    for broken in ("{", "[]", '{"M1": {"max": 1}}', '{"M1": 3}', '{"M1": {"max_a": 1, "fallback_a": 1, "guard": 3}}'):
        path.write_text(broken)
        assert load_known(path) == {}


def test_what_an_earlier_version_remembered_is_read(tmp_path: Path) -> None:
    """An agent that is brought up to date in the middle of a session knows what it knew."""
    path = tmp_path / "state.json"
    path.write_text('{"M1": {"max_a": 16.0, "fallback_a": 6.0, "until_wh": null}}')
    assert load_known(path) == {"M1": ModuleConfig(16, 6, None, GuardLimits())}


def test_a_slow_main_meter_is_read_with_its_age(settings: AgentSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it told ten seconds ago is not taken for new, and what has come of it is counted."""
    now = 0.0
    meter = P1Meter("/dev/none", clock=lambda: now)
    agent = Agent(settings, site().of("b1"), meter)
    seen: list[tuple[object, ...]] = []
    step = agent.core.step

    def spy(*told: Any) -> Any:
        seen.append(told[3:])
        return step(*told)

    monkeypatch.setattr(agent.core, "step", spy)
    agent._turn(0)
    meter.hear(telegram((1, 2, 3)))
    now = 10
    agent._turn(0)
    assert seen == [(), ((1, 2, 3), pytest.approx(time.monotonic() - 10, abs=2))]
    assert agent.status.meter == {"sound": 1}


def test_a_config_tells_fuses_and_the_main_meter(tmp_path: Path) -> None:
    """A meter of its own needs the main fuse's rating."""
    config: dict[str, Any] = {
        "bridge": "b1",
        "endpoint": "localhost",
        "certificate": "c",
        "private_key": "k",
        "state": "s",
        "fuses": [{"id": "row-1", "rating_a": [25, 25, 20], "modules": ["M1", "M2"]}],
    }
    told = command_line.settings(config, tmp_path).bridge
    assert told.fuses == (FuseLimit("row-1", (25, 25, 20), ("M1", "M2")),)
    assert told.main_rating_a is None
    with pytest.raises(KeyError, match="main_rating_a"):
        command_line.settings({**config, "meter": {"kind": "p1", "port": "/dev/ttyUSB0"}}, tmp_path)


def test_a_config_names_the_hardware(tmp_path: Path) -> None:
    """The simulator's factory makes a site out of it, which lives."""
    modules, meter = simulated_links({"bridge": "b1", "modules": [{"id": "M1", "phases": [1]}], "metered": True})
    assert [m.id for m in modules] == ["M1"]
    assert meter is not None
    wait_for(lambda: (meter.sample() or (0, 0, 0))[0] > 0)
    config = {
        "bridge": "b1",
        "endpoint": "localhost",
        "certificate": "c",
        "private_key": "k",
        "state": "s",
        "main_rating_a": [63, 63, 63],
    }
    settings = command_line.settings(config, tmp_path)
    assert settings.bridge.main_rating_a == (63, 63, 63)
    assert settings.state == tmp_path / "s"
