"""The hardware contract as the cloud sees it: messages in, commands out."""

from typing import Any

from epspot.control.effects import SendCommand, Setting
from epspot.control.events import EdgeReceived, FrameReceived, HistoryReceived, Message
from epspot.control.state import Plug, Reading
from epspot.errors import InvalidRequest
from iot import contract
from iot.contract import InvalidMessage, Topics


class ContractInbound:
    """``Inbound`` for contract version 1."""

    def read(self, topic: str, payload: bytes, at: float) -> Message:
        """Read a message; what it says of its bridge must be what its topic says."""
        try:
            bridge = contract.bridge_of(topic)
            event = _event(topic.rsplit("/", 1)[1], payload, at)
        except InvalidMessage as error:
            raise InvalidRequest(str(error)) from None
        if event.bridge != bridge:
            raise InvalidRequest(f"topic: a message of {event.bridge} came on the topic of {bridge}")
        return event


def _event(kind: str, payload: bytes, at: float) -> Message:
    match kind:
        case "frame":
            f = contract.decode_frame(payload)
            return FrameReceived(
                at=at,
                bridge=f.bridge,
                boot=f.boot,
                seq=f.seq,
                base=f.base,
                rev=f.rev,
                modules={m: None if r is None else _reading(r) for m, r in f.modules.items()},
                meter_a=f.meter_a,
            )
        case "event":
            e = contract.decode_event(payload)
            return EdgeReceived(
                at=at,
                bridge=e.bridge,
                boot=e.boot,
                seq=e.seq,
                rev=e.rev,
                kind=e.kind.value,
                module=e.module,
                reading=None if e.reading is None else _reading(e.reading),
                rule=e.rule,
            )
        case "history":
            h = contract.decode_history(payload)
            rows = sorted((at - row.age_s, row.module, row.energy_wh) for row in h.rows)
            return HistoryReceived(at, h.bridge, h.boot, h.seq, tuple((m, when, wh) for when, m, wh in rows))
        case _:
            raise InvalidMessage("topic", f"no message of the kind {kind[:20]!r} is known")


def _reading(r: contract.Reading) -> Reading:
    return Reading(
        plug=Plug(r.plug),
        relay=r.relay,
        current_a=r.current_a,
        voltage_v=r.voltage_v,
        power_w=r.power_w,
        energy_wh=r.energy_wh,
        temperature_c=r.temperature_c,
        limit_a=r.limit_a,
        faults=int(r.faults),
        link_pct=r.link_pct,
    )


def encode_command(command: SendCommand) -> bytes:
    """Render a command in its wire form."""
    return contract.encode(
        contract.Command(
            rev=command.rev,
            boot=command.boot,
            seq=command.seq,
            ttl_s=command.ttl_s,
            interval_s=command.interval_s,
            full=command.full,
            modules={m: _setting(s) for m, s in command.modules.items()},
        )
    )


def _setting(s: Setting) -> contract.Setting:
    return contract.Setting(
        limit_a=s.limit_a,
        relay=s.limit_a > 0,
        max_a=s.max_a,
        fallback_a=s.fallback_a,
        until_wh=s.until_wh,
        until_s=s.until_s,
        conductors=s.conductors,
        guard=contract.GuardLimits(*s.guard),
    )


class IotCommands:
    """``Commands`` over AWS IoT Core."""

    def __init__(self, client: Any, topics: Topics) -> None:
        self._client = client
        self._topics = topics

    def publish(self, command: SendCommand) -> None:
        """Send a command with QoS 1; the broker queues nothing for an absent bridge (clean start)."""
        self._client.publish(topic=self._topics.command(command.bridge), qos=1, payload=encode_command(command))
