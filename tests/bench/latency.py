"""How long it takes from a cause to its effect, in the emulated account: ``python -m tests.bench.latency --trials 20``.

The functions are warm and nothing else happens meanwhile. What is measured is real: MQTT over mutual TLS, the deployed
template, the agent. What is emulated is AWS, so that the figures say how much our own part takes, not what AWS adds.
"""

import argparse
import queue
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from awscrt import mqtt5
from awsiot import mqtt5_client_builder

from epspot.bootstrap import World
from epspot.services.register_site import register_site
from epspot.services.start_session import start_session
from epspot.site import Fuse, Outlet, Site
from infra.local.deploy import Outputs, deploy, warm_up
from infra.local.devices import BridgeFiles, register_bridge
from infra.local.drivers import Api, address_of, enrol
from infra.local.ministack import Account
from infra.local.plant import erect, world_of
from iot.bridge.agent import Agent, AgentSettings, save_known
from iot.bridge.core import BridgeSettings, ModuleConfig
from iot.contract import (
    Command,
    Event,
    EventKind,
    Fault,
    Frame,
    Plug,
    Reading,
    Topics,
    Upward,
    decode_command,
    encode,
)
from iot.simulator.loads import Car, Overdraw
from iot.simulator.module import SimModule
from tests.bench.figures import Figure

TRIALS = 200
MAX_A = 16.0
OUTLETS = 20
WARM_UP = 5
"""Trials before the ones that count: the first of each way meet cold caches."""
_QUIET_S = 0.4
"""What a step has set off (stream, bus, history) is over after this."""
_PATIENCE_S = 30.0
_PHYSICS_S = 0.005


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds per trial of each way."""

    bridge: list[float]
    cloud: list[float]
    handler: list[float]
    """Of the way through the cloud, what the control function's own runtime was billed."""
    start: list[float]


def quantile(values: Sequence[float], share: float) -> float:
    """Tell the value that this share of the values does not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]


@contextmanager
def deployed() -> Iterator[tuple[Account, Outputs, Path]]:
    """Start an account with the template in it and every function warm, and a folder for the bridges' files."""
    with tempfile.TemporaryDirectory() as folder, Account() as account:
        outputs = deploy(account)
        warm_up(account, outputs)
        yield account, outputs, Path(folder)


def run(trials: int = TRIALS) -> Latencies:
    """Measure all ways, one after the other."""
    bridge = alone(trials)
    with deployed() as (account, outputs, folder):
        cloud, handler = through_the_cloud(account, outputs, folder, trials)
        start = from_the_api(account, outputs, folder, trials)
    return Latencies(bridge, cloud, handler, start)


# ------------------------------------------------------------------ the bridge alone


class _Timed(SimModule):
    """A module that notes when its load began to draw too much and when its relay opened."""

    __slots__ = ("lock", "opened_at", "over_at")

    def __init__(self, module: str, lock: threading.Lock) -> None:
        super().__init__(module, phases=1, rcbo_a=MAX_A)
        self.lock = lock
        self.over_at: float | None = None
        self.opened_at: float | None = None
        self.plug(Overdraw(top_a=10, start_a=10, phases=1))
        self.apply(MAX_A, relay=True, lease_s=0, fallback_a=MAX_A)

    def live(self, dt: float) -> None:
        """Let time pass for the module."""
        with self.lock:
            if max(self.advance(dt)) > 1.5 * MAX_A and self.over_at is None:
                self.over_at = time.monotonic()

    def sample(self) -> Reading | None:
        with self.lock:
            return super().sample()

    def apply(self, limit_a: float, relay: bool, lease_s: float, fallback_a: float) -> None:  # noqa: FBT001
        with self.lock:
            super().apply(limit_a, relay, lease_s, fallback_a)
            if self.over_at is not None and self.opened_at is None and not self.relay:
                self.opened_at = time.monotonic()


def alone(trials: int) -> list[float]:
    """Measure over-current at a module → its relay open, by an agent without connection, 50 modules at a time."""
    found: list[float] = []
    while len(found) < trials:
        found += _alone(min(50, trials - len(found)), seed=len(found))
    return found


def _alone(count: int, seed: int) -> list[float]:
    chance = random.Random(seed)
    modules = [_Timed(f"M{i}", threading.Lock()) for i in range(count)]
    stop = threading.Event()

    def physics() -> None:
        last = time.monotonic()
        while not stop.wait(_PHYSICS_S):
            now = time.monotonic()
            for m in modules:
                m.live(now - last)
            last = now

    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.json"
        save_known(state, {m.id: ModuleConfig(MAX_A, MAX_A) for m in modules})
        missing = Path(folder) / "none"
        agent = _Offline(AgentSettings(BridgeSettings("alone"), "localhost", missing, missing, state), modules)
        thread = threading.Thread(target=physics, daemon=True)
        thread.start()
        agent.start()
        time.sleep(1)  # the agent has seen every module
        for m in modules:
            time.sleep(chance.uniform(0.05, 0.15))
            with m.lock:
                m.plug(Overdraw(top_a=26, start_a=26, phases=1))
        _await(lambda: all(m.opened_at is not None for m in modules))
        agent.stop()
        stop.set()
        thread.join()
    return [m.opened_at - m.over_at for m in modules if m.opened_at is not None and m.over_at is not None]


class _Offline(Agent):
    """An agent that never gets a connection."""

    def _new_client(self) -> Any:
        return None


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.002)


# ------------------------------------------------------------------ through the cloud


@dataclass
class _Device:
    """A bridge played by hand over real MQTT: it says what it is told to say, and notes when commands come."""

    files: BridgeFiles
    topics: Topics
    modules: Sequence[str]
    boot: str = "be9c0001"
    seq: int = 0
    rev: int = 0
    readings: dict[str, Reading] = field(default_factory=dict)
    came: "queue.SimpleQueue[tuple[float, Command]]" = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.readings = dict.fromkeys(self.modules, _reading(0))
        connected = threading.Event()
        self.client = mqtt5_client_builder.mtls_from_path(
            str(self.files.certificate),
            str(self.files.key),
            endpoint=self.files.host,
            port=self.files.port,
            ca_filepath=str(self.files.ca),
            client_id=self.files.bridge,
            on_publish_received=self._take,
            on_lifecycle_connection_success=lambda _: connected.set(),
        )
        self.client.start()
        if not connected.wait(_PATIENCE_S):
            raise TimeoutError
        topic = self.topics.command(self.files.bridge)
        self.client.subscribe(mqtt5.SubscribePacket([mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE)])).result(
            _PATIENCE_S
        )

    def stop(self) -> None:
        """Go."""
        self.client.stop(mqtt5.DisconnectPacket())

    def frame(self) -> None:
        """Tell every module."""
        self.seq += 1
        message = Frame(
            self.files.bridge, self.boot, self.seq, self.seq, int(time.time()), self.rev, dict(self.readings)
        )
        self._publish(message, "frame")

    def over_current(self, module: str) -> float:
        """Tell that a module's guard has tripped, and when that was."""
        self.readings[module] = _reading(0)
        self.seq += 1
        message = Event(
            self.files.bridge,
            self.boot,
            self.seq,
            int(time.time()),
            self.rev,
            EventKind.OVER_CURRENT,
            module,
            _reading(0),
            "instant",
        )
        begun = time.monotonic()
        self._publish(message, "event")
        return begun

    def until(self, holds: Callable[[Command], bool]) -> float:
        """Wait for a command; obey those that come before it too. Tell when it came."""
        while True:
            at, command = self.came.get(timeout=_PATIENCE_S)
            self.rev = max(self.rev, command.rev)
            if holds(command):
                return at

    def _publish(self, message: Upward, kind: str) -> None:
        packet = mqtt5.PublishPacket(
            topic=self.topics.up(self.files.bridge, kind), payload=encode(message), qos=mqtt5.QoS.AT_LEAST_ONCE
        )
        self.client.publish(packet)

    def _take(self, got: Any) -> None:
        at = time.monotonic()
        self.came.put((at, decode_command(bytes(got.publish_packet.payload))))


def _reading(limit_a: float) -> Reading:
    a = min(limit_a, 10.0)
    return Reading(
        Plug.ASKING, limit_a > 0, (a, 0.0, 0.0), (230.0, 0.0, 0.0), 230 * a, 1000, 20.0, limit_a, Fault(0), 90
    )


def _site(name: str) -> Site:
    """Build a site whose fuses limit nobody, so that a start has nobody to wait for."""
    outlets = tuple(
        Outlet(f"{name}-{i}", str(i), "main", (i % 3,), MAX_A, name, f"M{i}", public=True) for i in range(OUTLETS)
    )
    return Site(name, name, (Fuse("main", None, (400.0, 400.0, 400.0)),), outlets).checked()


def through_the_cloud(account: Account, outputs: Outputs, folder: Path, trials: int) -> tuple[list[float], list[float]]:
    """Measure event published by a device → command that opens the outlet received; and the handler's part of it."""
    site = _site("cloud")
    world = world_of(account, outputs)
    register_site(world.lives, world.clock, site)
    device = _Device(
        register_bridge(account, outputs, "cloud", folder), Topics(outputs.prefix), [o.module for o in site.outlets]
    )
    try:
        device.frame()
        device.until(lambda c: c.boot == device.boot)
        found = []
        for n in range(WARM_UP + trials):
            if n == WARM_UP:
                since_ms = int(time.time() * 1000)
            _cool_down(device)
            found.append(_trip(world, device, site.outlets[n % OUTLETS]))
        handler = _billed_s(account, outputs, since_ms)
    finally:
        device.stop()
    return found[WARM_UP:], handler


def _cool_down(device: _Device) -> None:
    """Show that all relays are as told; what that ends and sets off is over when this returns."""
    device.frame()
    time.sleep(_QUIET_S + random.uniform(0, 0.1))


def _trip(world: World, device: _Device, outlet: Outlet) -> float:
    start_session(world.starting, "bench", outlet.id, str(uuid4()))
    device.until(lambda c: c.modules[outlet.module].limit_a > 0)
    device.readings[outlet.module] = _reading(MAX_A)
    _cool_down(device)
    begun = device.over_current(outlet.module)
    return device.until(lambda c: not c.modules[outlet.module].relay) - begun


def _billed_s(account: Account, outputs: Outputs, since_ms: int) -> list[float]:
    """Read the durations of the control function's runs out of its REPORT lines."""
    logs = account.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{outputs.function('control')}", startTime=since_ms
    )
    lines = [e["message"] for page in pages for e in page["events"] if e["message"].startswith("REPORT")]
    return [float(line.split("\tDuration: ")[1].split(" ms")[0]) / 1000 for line in lines]


# ------------------------------------------------------------------ from the API


def from_the_api(account: Account, outputs: Outputs, folder: Path, trials: int) -> list[float]:
    """Measure start over the API → relay closed at the simulated module, by the real agent."""
    site = _site("start")
    runner = erect(account, outputs, site, folder)
    with runner.world() as simulated:
        modules = dict(simulated.modules)
    user = Api(address_of(account, outputs)).sign_in("bench@example.com", enrol(account, outputs, "bench@example.com"))
    runner.start()
    try:
        _await(lambda: all(o["state"] != "offline" for o in user.outlets(site.id)))
        for m in modules:
            runner.plug(m, Car(needs_wh=0, phases=1))  # full: its relay opens at once when it is stopped
        time.sleep(2)
        _start_all(site, user, modules, WARM_UP)
        found: list[float] = []
        while len(found) < trials:
            found += _start_all(site, user, modules, min(OUTLETS, trials - len(found)))
    finally:
        runner.stop()
    return found


def _start_all(site: Site, user: Api, modules: dict[str, SimModule], count: int) -> list[float]:
    found, sessions = [], []
    for outlet in site.outlets[:count]:
        time.sleep(_QUIET_S + random.uniform(0, 0.2))
        module = modules[outlet.module]
        begun = time.monotonic()
        sessions.append(user.start(outlet.id)["id"])
        _await(lambda m=module: m.relay)  # type: ignore[misc]
        found.append(time.monotonic() - begun)
    for session in sessions:
        user.stop(session)
    _await(lambda: not any(s["state"] != "ended" for s in user.history()))
    return found


# ------------------------------------------------------------------ figures


def figures(found: Latencies) -> list[Figure]:
    """Make figures of the trials."""
    return [
        *_figures("bridge_over_current_to_relay", found.bridge, {"max": "<= 1000"}),
        *_figures("emulated_event_to_command", found.cloud, {"p50": "<= 60", "p99": "<= 250"}),
        *_figures("emulated_control_invocation", found.handler, {}),
        *_figures("emulated_api_start_to_relay", found.start, {}),
    ]


def _figures(name: str, seconds: Sequence[float], goals: Mapping[str, str]) -> Iterator[Figure]:
    for label, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        yield Figure(f"{name}_{label}", round(1000 * quantile(seconds, share), 1), "ms", goals.get(label))


def measure(trials: int = TRIALS) -> list[Figure]:
    """Measure the bridge alone, the way through the cloud, and a start over the API."""
    return figures(run(trials))


def main() -> None:
    """Measure with as many trials as asked, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.latency", description="Measure latencies.")
    parser.add_argument("--trials", type=int, default=TRIALS)
    for f in measure(parser.parse_args().trials):
        print(f"{f.name:<38} {f.value:>10g} {f.unit:<6} {f.goal or ''}")


if __name__ == "__main__":
    main()
