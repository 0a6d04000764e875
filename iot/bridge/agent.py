"""The bridge among its surroundings: AWS IoT Device SDK v2, a clock, a state file, links to the hardware.

One thread owns the core and everything else that changes; the SDK's callbacks only put what they bring on a
queue. The SDK is imported where it is used, since only the real agent needs it.
"""

import json
import logging
import os
import queue
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from iot.bridge.core import Bridge, BridgeSettings, ModuleConfig, Step
from iot.bridge.links import Measured, MeterLink, ModuleLink, SlowMeterLink
from iot.contract import Event, Frame, GuardLimits, History, Reading, Topics, Upward, encode

if TYPE_CHECKING:
    from concurrent.futures import Future

    from awscrt import mqtt5

_log = logging.getLogger(__name__)

_KINDS = {Frame: "frame", Event: "event", History: "history"}
_UNACKNOWLEDGED = 500
"""Events and histories that are kept until the broker has them; the oldest go first."""
_RETRY_S = 5.0
_REFUSAL = 0x80
"""MQTT 5: reason codes from here on are failures."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Where the broker is, who this bridge is, and where it remembers."""

    bridge: BridgeSettings
    endpoint: str
    certificate: Path
    private_key: Path
    state: Path
    ca: Path | None = None
    port: int = 8883
    topics: Topics = field(default_factory=Topics)
    keep_alive_s: int = 30
    reconnect_min_ms: int = 1_000
    reconnect_max_ms: int = 120_000
    period_s: float = 0.2


class AgentStatus(NamedTuple):
    """Counts since the start."""

    connected: bool
    sent: int
    received: int
    refused: Mapping[str, int]
    reconnects: int
    unacknowledged: int
    meter: Mapping[str, int] = MappingProxyType({})
    """What has come of a main meter that counts it."""


class Agent:
    """Runs a bridge: samples, steps, applies, sends."""

    def __init__(self, settings: AgentSettings, modules: Sequence[ModuleLink], meter: MeterLink | None = None) -> None:
        self.settings = settings
        self._modules = modules
        self._meter = meter
        self._known = load_known(settings.state)
        self.core = Bridge(settings.bridge, secrets.token_hex(4), self._known)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._counts: Counter[str] = Counter()
        self._unacknowledged: dict[int, tuple[float, Event | History]] = {}
        self._in_flight: set[int] = set()
        self._retry_at = 0.0
        self._connected = False
        self._subscribe_at: float | None = None
        self._stopping = threading.Event()
        self._client: mqtt5.Client | None = None
        self._client_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"bridge-{settings.bridge.bridge}", daemon=True)

    @property
    def status(self) -> AgentStatus:
        """Tell how it goes."""
        return AgentStatus(
            connected=self._connected,
            sent=self._counts["sent"],
            received=self._counts["received"],
            refused=dict(self.core.refused),
            reconnects=max(0, self._counts["connections"] - 1),
            unacknowledged=len(self._unacknowledged),
            meter=self._meter.counts if isinstance(self._meter, SlowMeterLink) else {},
        )

    def start(self) -> None:
        """Begin to guard the modules, and connect."""
        self._client = self._new_client()
        self._thread.start()
        self.reconnect()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Disconnect properly and stop; the modules live on by their own leases."""
        self.disconnect(timeout_s)
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._client, self._connected = None, False

    def disconnect(self, timeout_s: float = 5.0) -> None:
        """Close the connection for maintenance; the bridge goes on living by itself."""
        from awscrt import mqtt5  # noqa: PLC0415

        if self._client is not None:
            # Without the packet the broker would take it for a lost connection.
            self._client.stop(mqtt5.DisconnectPacket())
            self._client_stopped.wait(timeout_s)

    def reconnect(self) -> None:
        """Open the connection, at first or after `disconnect`."""
        if self._client is not None:
            self._client_stopped.clear()
            self._client.start()

    # ------------------------------------------------------------------ the loop

    def _run(self) -> None:
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                self._turn(begun)
            except Exception:  # noqa: BLE001 - the guards outlive what surrounds them
                _log.exception("a turn of the bridge failed")
            self._stopping.wait(max(0.0, begun + self.settings.period_s - time.monotonic()))

    def _turn(self, now: float) -> None:
        while True:
            try:
                happened = self._inbox.get_nowait()
            except queue.Empty:
                break
            happened()
        if self._subscribe_at is not None and now >= self._subscribe_at:
            self._subscribe()
        if self._connected and now >= self._retry_at:
            for seq in [s for s in self._unacknowledged if s not in self._in_flight]:
                self._publish_until_taken(now, seq)
        readings = {module.id: _sample(module) for module in self._modules}
        measured = None if self._meter is None else _measured(self._meter)
        at = time.monotonic()
        if measured is None:
            step = self.core.step(at, int(time.time()), readings)
        else:
            step = self.core.step(at, int(time.time()), readings, measured.current_a, at - measured.age_s)
        self._carry_out(step)

    def _carry_out(self, step: Step) -> None:
        if self.core.known != self._known:
            # Before the cloud can see the command obeyed: it then counts on what the next boot falls back to.
            self._known = dict(self.core.known)
            try:
                save_known(self.settings.state, self._known)
            except OSError:
                _log.exception("the state file can't be written")
        for module in self._modules:
            a = step.apply[module.id]
            try:
                module.apply(a.limit_a, a.relay, a.lease_s, a.fallback_a)
            except Exception:  # noqa: BLE001 - the guards outlive what surrounds them
                _log.exception("module %s could not be told", module.id)
        for message in step.send:
            self._send(time.monotonic(), message)

    # ------------------------------------------------------------------ upward

    def _send(self, now: float, message: Upward) -> None:
        self._counts["sent"] += 1
        if isinstance(message, Frame):
            self._publish(message, None)
            return
        self._unacknowledged[message.seq] = (now, message)
        if len(self._unacknowledged) > _UNACKNOWLEDGED:
            del self._unacknowledged[next(iter(self._unacknowledged))]
        self._publish_until_taken(now, message.seq)

    def _publish_until_taken(self, now: float, seq: int) -> None:
        """Publish an event or a history that is kept until the broker has it."""
        made_at, message = self._unacknowledged[seq]
        if isinstance(message, History):
            # Its ages are as of now.
            rows = tuple(row._replace(age_s=row.age_s + int(now - made_at)) for row in message.rows)
            message = replace(message, rows=rows)
        self._in_flight.add(seq)
        self._publish(message, seq)

    def _publish(self, message: Upward, seq: int | None) -> None:
        """Publish; with a number it must arrive, while a frame that is lost is lost."""
        from awscrt import mqtt5  # noqa: PLC0415

        if self._client is None:
            return
        packet = mqtt5.PublishPacket(
            topic=self.settings.topics.up(self.settings.bridge.bridge, _KINDS[type(message)]),
            payload=encode(message),
            qos=mqtt5.QoS.AT_MOST_ONCE if seq is None else mqtt5.QoS.AT_LEAST_ONCE,
        )
        future = self._client.publish(packet)
        future.add_done_callback(lambda done: self._inbox.put(lambda: self._published(seq, done)))

    def _published(self, seq: int | None, done: "Future[Any]") -> None:
        failed = done.exception() is not None
        if failed:
            self._counts["unsent"] += 1
            self._retry_at = time.monotonic() + _RETRY_S
        if seq is not None:
            self._in_flight.discard(seq)
            if not failed:
                self._unacknowledged.pop(seq, None)
                if (code := int(done.result().puback.reason_code)) >= _REFUSAL:
                    _log.error("the broker refuses message %d: reason %d", seq, code)

    # ------------------------------------------------------------------ the connection

    def _subscribe(self) -> None:
        from awscrt import mqtt5  # noqa: PLC0415

        if self._client is None:
            return
        self._subscribe_at = time.monotonic() + _RETRY_S
        topic = self.settings.topics.command(self.settings.bridge.bridge)
        packet = mqtt5.SubscribePacket(
            subscriptions=[mqtt5.Subscription(topic_filter=topic, qos=mqtt5.QoS.AT_LEAST_ONCE)]
        )
        future = self._client.subscribe(packet)
        future.add_done_callback(lambda done: self._inbox.put(lambda: self._subscribed(done)))

    def _subscribed(self, done: "Future[Any]") -> None:
        if self._subscribe_at is None or done.exception() is not None:
            return
        if any(int(code) >= _REFUSAL for code in done.result().reason_codes):
            _log.error("the broker refuses the command topic")
            return
        # Only who hears the answer greets.
        self._subscribe_at = None
        self._connected = True
        self._counts["connections"] += 1
        self.core.connected(time.monotonic())
        self._retry_at = 0.0

    def _up(self) -> None:
        self._subscribe_at = 0.0

    def _down(self) -> None:
        self._subscribe_at = None
        if self._connected:
            self._connected = False
            self.core.disconnected(time.monotonic())

    def _command(self, payload: bytes) -> None:
        self._counts["received"] += 1
        self.core.receive(time.monotonic(), payload)

    def _new_client(self) -> "mqtt5.Client":
        from awscrt import mqtt5  # noqa: PLC0415
        from awsiot import mqtt5_client_builder  # noqa: PLC0415

        s = self.settings
        return mqtt5_client_builder.mtls_from_path(
            str(s.certificate),
            str(s.private_key),
            endpoint=s.endpoint,
            port=s.port,
            ca_filepath=None if s.ca is None else str(s.ca),
            client_id=s.bridge.bridge,
            keep_alive_interval_sec=s.keep_alive_s,
            session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN,
            offline_queue_behavior=mqtt5.ClientOperationQueueBehaviorType.FAIL_ALL_ON_DISCONNECT,
            retry_jitter_mode=mqtt5.ExponentialBackoffJitterMode.FULL,
            min_reconnect_delay_ms=s.reconnect_min_ms,
            max_reconnect_delay_ms=s.reconnect_max_ms,
            on_publish_received=lambda got: self._inbox.put(
                lambda: self._command(bytes(got.publish_packet.payload or b""))
            ),
            on_lifecycle_connection_success=lambda _: self._inbox.put(self._up),
            on_lifecycle_disconnection=lambda _: self._inbox.put(self._down),
            on_lifecycle_stopped=lambda _: self._client_stopped.set(),
        )


def _sample(module: ModuleLink) -> Reading | None:
    try:
        return module.sample()
    except Exception:  # noqa: BLE001 - a driver may raise anything
        _log.exception("module %s could not be read", module.id)
        return None


def _measured(meter: MeterLink) -> Measured | None:
    try:
        if isinstance(meter, SlowMeterLink):
            return meter.newest()
        current_a = meter.sample()
        return None if current_a is None else Measured(current_a, 0.0)
    except Exception:  # noqa: BLE001 - a driver may raise anything
        _log.exception("the main meter could not be read")
        return None


# ------------------------------------------------------------------ what is remembered


def load_known(path: Path) -> dict[str, ModuleConfig]:
    """Read what an earlier boot remembered; nothing if that is missing or broken, and all modules are off."""
    try:
        return {m: _config(**c) for m, c in json.loads(path.read_text("utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError):
        _log.exception("the state file can't be read; modules stay off until a command")
        return {}


def _config(*, guard: Sequence[float] = (), **config: Any) -> ModuleConfig:
    """Read one module; a file of an earlier version says nothing of the guard."""
    return ModuleConfig(**config, guard=GuardLimits(*guard))


def save_known(path: Path, known: Mapping[str, ModuleConfig]) -> None:
    """Replace the file as a whole, so that a power cut leaves the old one or the new one."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({m: asdict(c) for m, c in known.items()}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
