"""Bridges that claim themselves with a code, over real MQTT, with the certificate that all devices share."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from epspot.access import Level, Scope
from epspot.control.state import Live
from epspot.services.authorize import place_of
from epspot.services.changing import Actor
from epspot.services.claim_bridge import Invitation, invite_bridge
from epspot.services.register_site import register_site
from infra.local.deploy import ROOT
from infra.local.devices import make_claimant
from iot.bridge.claim import ClaimRefused, ClaimSettings, MqttRegistrar, claim, load_identity
from tests.system.stage import PATIENCE_S, QUICK, Stage, site_of, wait_for


@dataclass(frozen=True, slots=True)
class Yard:
    """A site with a main fuse and nothing else, and who may ask for codes there."""

    stage: Stage
    id: str

    def invite(self) -> Invitation:
        """Ask for a code."""
        world = self.stage.world
        place = place_of(world.gate, Scope(Level.SITE, self.id))
        return invite_bridge(world.claiming, Actor("user:anna", world.clock.now()), place)

    def bridges(self) -> tuple[str, ...]:
        """List the bridges that have claimed themselves."""
        return self.stage.world.lives.load(self.id)[0].bridges

    def live(self) -> Live:
        """Read the site's state."""
        return self.stage.world.lives.load(self.id)[1]


@pytest.fixture
def yard(stage: Stage, request: pytest.FixtureRequest) -> Yard:
    """Register a bare site of the test's own, and have the hook at hand: AWS IoT waits for it only for seconds."""
    stage.cloud.run("provisioning")
    name = f"claims-{request.node.name.removeprefix('test_')[:20].replace('_', '-').strip('-')}"
    site = replace(site_of(name, (), 63.0, QUICK), owner="yard-owners")
    register_site(stage.world.lives, stage.world.clock, site, stage.world.journal)
    return Yard(stage, name)


class Device:
    """A device from the factory: a folder with a config, and the agent as a process."""

    def __init__(self, yard: Yard, folder: Path, module: str) -> None:
        self.serial = f"EP-{uuid4()}"
        self.folder = folder
        cloud = yard.stage.cloud
        self.settings = make_claimant(cloud.account, cloud.outputs, self.serial, folder)
        s = self.settings
        config = {
            "endpoint": s.endpoint,
            "port": s.port,
            "prefix": s.topics.prefix,
            "ca": s.ca.name if s.ca else None,
            "claim": {"serial": s.serial, "certificate": s.certificate.name, "private_key": s.private_key.name},
            "state": "state.json",
            "links": "iot.simulator.runner:simulated_links",
            "hardware": {"modules": [{"id": module}]},
        }
        (folder / "bridge.json").write_text(json.dumps(config))

    @property
    def identity(self) -> Path:
        """Where it keeps what it becomes."""
        return self.folder / "identity"

    @contextmanager
    def run(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Run the agent; it has ended when this has."""
        command = [sys.executable, "-m", "iot.bridge", "--config", str(self.folder / "bridge.json"), *arguments]
        process = subprocess.Popen(  # noqa: S603 - our own agent
            command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _environment() -> Mapping[str, str]:
    """Give the agent nothing that a device does not have."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def things(yard: Yard) -> set[str]:
    """List the things of the account."""
    pages = yard.stage.cloud.client("iot").get_paginator("list_things").paginate()
    return {thing["thingName"] for page in pages for thing in page["things"]}


def test_a_bridge_claims_itself_and_works(yard: Yard, tmp_path: Path) -> None:
    """With its code it becomes the site's bridge, its module is found, and after a restart it needs no code."""
    bridge, code = yard.invite()
    device = Device(yard, tmp_path / "device", "X1")
    with device.run("--claim", code.lower()) as process:
        wait_for("its module is found", lambda: yard.live().found == (f"{bridge}/X1",))
        assert process.stdout is not None
        assert process.stdout.readline() == f"This is the bridge {bridge} from now on.\n"
    assert process.returncode == 0
    assert yard.bridges() == (bridge,)
    assert {p.stat().st_mode & 0o777 for p in device.identity.iterdir()} == {0o600}

    iot = yard.stage.cloud.client("iot")
    assert iot.describe_thing(thingName=bridge)["attributes"] == {"serial": device.serial}
    (principal,) = iot.list_thing_principals(thingName=bridge)["principals"]
    assert [p["policyName"] for p in iot.list_attached_policies(target=principal)["policies"]] == ["epspot-bridge"]

    boot = yard.live().bridges[bridge].boot
    with device.run():
        wait_for("it is heard again", lambda: yard.live().bridges[bridge].boot not in (None, boot))
    assert yard.stage.cloud.refused_of(bridge) == []


def test_a_wrong_code_makes_nothing(yard: Yard, tmp_path: Path) -> None:
    """The agent ends and says what to do; there is no thing, no bridge and no file, and the right code is still good."""
    before = things(yard)
    bridge, code = yard.invite()
    device = Device(yard, tmp_path / "device", "X1")
    files = {*device.folder.iterdir()}
    with device.run("--claim", "WRNG-WRNG-WRNG") as process:
        _, error = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "The cloud does not take this code" in error
    assert "Traceback" not in error
    assert (yard.bridges(), things(yard), {*device.folder.iterdir()}) == ((), before, files)
    with MqttRegistrar(device.settings) as registrar:
        assert claim(registrar, device.serial, code, device.identity).bridge == bridge


def test_a_second_device_does_not_get_a_code(yard: Yard, tmp_path: Path) -> None:
    """The same code again makes no other bridge; the device that has it is told the same once more."""
    bridge, code = yard.invite()
    first, second = (Device(yard, tmp_path / name, "X1") for name in ("first", "second"))
    with MqttRegistrar(first.settings) as registrar:
        claim(registrar, first.serial, code, first.identity)
        assert claim(registrar, first.serial, code, first.folder / "again").bridge == bridge
    with MqttRegistrar(second.settings) as registrar, pytest.raises(ClaimRefused):
        claim(registrar, second.serial, code, second.identity)
    assert load_identity(second.identity) is None
    assert yard.bridges() == (bridge,)


def test_the_claim_certificate_is_good_for_nothing_else(yard: Yard, tmp_path: Path) -> None:
    """With it nobody speaks for a bridge, hears a command, or connects as a bridge."""
    from awscrt import mqtt5  # noqa: PLC0415

    bridge, code = yard.invite()
    device = Device(yard, tmp_path / "device", "X1")
    with MqttRegistrar(device.settings) as registrar:
        claim(registrar, device.serial, code, device.identity)
        topics, client = device.settings.topics, _client(registrar)
        for topic in (topics.up(bridge, "frame"), topics.plain(bridge, "frame"), topics.command(bridge)):
            packet = mqtt5.PublishPacket(topic=topic, payload=b"{}", qos=mqtt5.QoS.AT_LEAST_ONCE)
            assert int(client.publish(packet).result(PATIENCE_S).puback.reason_code) == 135
        for topic in (topics.command(bridge), "#", "$aws/events/#"):
            asked = mqtt5.SubscribePacket([mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE)])
            assert [int(c) for c in client.subscribe(asked).result(PATIENCE_S).reason_codes] == [135]
    assert yard.live().readings == {}

    assert not connects(device.settings, bridge)
    assert connects(device.settings, f"{topics.claimants}x")


def _client(registrar: MqttRegistrar) -> Any:
    return registrar._client


def connects(settings: ClaimSettings, client_id: str) -> bool:
    """Try whether a device may connect under a name, with the certificate from the factory."""
    from awscrt import mqtt5  # noqa: PLC0415
    from awsiot import mqtt5_client_builder  # noqa: PLC0415

    told: SimpleQueue[bool] = SimpleQueue()
    stopped = Event()
    client = mqtt5_client_builder.mtls_from_path(
        str(settings.certificate),
        str(settings.private_key),
        endpoint=settings.endpoint,
        port=settings.port,
        ca_filepath=str(settings.ca),
        client_id=client_id,
        on_lifecycle_connection_success=lambda _: told.put(True),
        on_lifecycle_connection_failure=lambda _: told.put(False),
        on_lifecycle_stopped=lambda _: stopped.set(),
    )
    client.start()
    answer = told.get(timeout=PATIENCE_S)
    client.stop(mqtt5.DisconnectPacket())
    assert stopped.wait(PATIENCE_S)
    return answer
