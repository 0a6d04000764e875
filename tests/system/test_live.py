"""News of sites and sessions as a browser hears them: MQTT over WebSocket, at an address that is signed for one topic."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from awscrt import mqtt5

from epspot.access import Grant, Role
from epspot.access.subjects import email_subject
from epspot.registry.kinds import Put
from epspot.registry.records import GRANT
from iot.simulator.loads import Car
from tests.system.stage import Place, Stage, outlet, refused, wait_for

_DONE_S = 15.0


@dataclass
class Listener:
    """A browser that listens at an address."""

    given: Mapping[str, Any]
    client_id: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    refused: bool = False
    _connected: threading.Event = field(default_factory=threading.Event)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        url = urlsplit(self.given["address"])
        assert url.port is not None
        self._client = mqtt5.Client(
            mqtt5.ClientOptions(
                host_name="127.0.0.1",  # only browsers look names under localhost up by themselves
                port=url.port,
                connect_options=mqtt5.ConnectPacket(client_id=self.client_id),
                websocket_handshake_transform=self._handshake,
                on_publish_callback_fn=lambda told: self.heard.append(json.loads(told.publish_packet.payload)),
                on_lifecycle_event_connection_success_fn=lambda _: self._connected.set(),
                on_lifecycle_event_connection_failure_fn=lambda _: self._fail(),
                on_lifecycle_event_stopped_fn=lambda _: self._stopped.set(),
            )
        )

    def _handshake(self, transform_args: Any) -> None:
        url = urlsplit(self.given["address"])
        transform_args.http_request.path = f"{url.path}?{url.query}"
        transform_args.http_request.headers.set("Host", url.netloc)
        transform_args.set_done()

    def _fail(self) -> None:
        self.refused = True
        self._connected.set()

    def connect(self) -> "Listener":
        """Try to connect, until it is known whether that is allowed."""
        self._client.start()
        assert self._connected.wait(_DONE_S)
        return self

    def may_hear(self, topic: str) -> bool:
        """Subscribe, and tell whether that was allowed."""
        asked = mqtt5.SubscribePacket([mqtt5.Subscription(topic, mqtt5.QoS.AT_MOST_ONCE)])
        try:
            (code,) = self._client.subscribe(asked).result(_DONE_S).reason_codes
        except Exception:  # noqa: BLE001 - AWS ends the connection instead
            return False
        return bool(code == mqtt5.SubackReasonCode.GRANTED_QOS_0)

    def may_say(self, topic: str) -> bool:
        """Publish, and tell whether that was allowed."""
        packet = mqtt5.PublishPacket(topic=topic, payload=b"{}", qos=mqtt5.QoS.AT_LEAST_ONCE)
        try:
            told = self._client.publish(packet).result(_DONE_S)
        except Exception:  # noqa: BLE001 - likewise
            return False
        return bool(told.puback.reason_code == mqtt5.PubackReasonCode.SUCCESS)

    def until(self, what: str, **fields: Any) -> dict[str, Any]:
        """Wait until something is heard that has these fields."""

        def look() -> dict[str, Any] | None:
            return next((b for b in self.heard if all(b.get(n) == v for n, v in fields.items())), None)

        return wait_for(what, look)

    def close(self) -> None:
        self._client.stop(mqtt5.DisconnectPacket())
        assert self._stopped.wait(_DONE_S)


@contextmanager
def listening(given: Mapping[str, Any], client_id: str | None = None) -> Iterator[Listener]:
    """Connect at an address, as its client unless another is named."""
    listener = Listener(given, client_id or given["client_id"]).connect()
    try:
        yield listener
    finally:
        listener.close()


def open_place(stage: Stage, name: str) -> Place:
    """Build a site with a public outlet and another; olga administers its owner."""
    owner = f"{name}-owner"
    place = stage.place(name, outlet(name, 1), outlet(name, 2, public=False), owner=owner)
    grant = Grant("g", owner, email_subject(place.email("olga")), Role.OWNER_ADMIN.value, f"owner/{owner}")
    stage.world.registry.commit([Put(GRANT, None, grant)])
    return place.start()


def test_guest_owner_and_user_hear_each_their_own(stage: Stage) -> None:
    """A session is heard on three topics, each with what its reader may know."""
    place = open_place(stage, "heard")
    guest, anna, olga = place.cloud.anyone(), place.user("anna"), place.user("olga")
    site = {"site": place.site.id}
    assert refused(guest.call, "POST", "/v1/live", site | {"channel": "owner"}) == (401, "not_signed_in")
    assert refused(anna.call, "POST", "/v1/live", site | {"channel": "owner"}) == (404, "not_found")
    public = guest.call("POST", "/v1/live", site | {"channel": "public"})
    owner = olga.call("POST", "/v1/live", site | {"channel": "owner"})
    with listening(public) as street, listening(owner) as office:
        for listener, given in ((street, public), (office, owner)):
            (topic,) = given["topics"]
            assert listener.may_hear(topic)
            assert not listener.refused
        place.runner.plug("M1", Car(needs_wh=100_000.0, battery_wh=100_000.0, reaction_s=0.5, ramp_s=0.5))
        session = anna.start(place.outlet(1))["id"]
        own = anna.call("POST", "/v1/live", {"session": session})
        assert refused(guest.call, "POST", "/v1/live", {"session": session}) == (401, "not_signed_in")
        with listening(own) as phone:
            assert phone.may_hear(own["topics"][0])
            assert street.until("the street hears of it", outlets={"heard-1": "in_use"})["counts"] == {"in_use": 1}
            wait_for("the car is seen to draw", lambda: any(any(b["current_a"]) for b in phone.heard))
            wait_for("the office sees a current", lambda: any(drawn(b) for b in office.heard))
            anna.stop(session)
            ended = phone.until("the phone hears the end", state="ended")
        assert ended["reason"] == "stopped"
        assert {b["id"] for b in phone.heard} == {session}
        street.until("the outlet is free again", outlets={"heard-1": "plugged"})
    assert all(b["outlets"].keys() <= {"heard-1"} for b in street.heard)
    assert not any(session in json.dumps(b) for b in street.heard)


def drawn(body: dict[str, Any]) -> bool:
    """Tell whether an owner's news have a current at the first outlet, and at the fuse above it."""
    of_outlet = body["outlets"].get("heard-1", {}).get("current_a", [])
    return any(of_outlet) and any(body.get("fuses", {}).get("main", {}).get("measured_a", []))


def test_an_address_opens_nothing_else(stage: Stage) -> None:
    """Another's topics, all topics and presence events can't be heard, nothing can be said, and no other name be taken."""
    place = open_place(stage, "shut")
    given = place.cloud.anyone().call("POST", "/v1/live", {"site": place.site.id, "channel": "public"})
    topics = place.cloud.topics
    with listening(given) as listener:
        assert listener.may_hear(given["topics"][0])
    for topic in (
        topics.live(place.site.id, "owner"),
        topics.live("another", "public"),
        topics.live("+", "public"),
        f"{topics.prefix}/v1/#",
        topics.command("shut-b1"),
        "$aws/events/presence/connected/#",
    ):
        with listening(given) as listener:
            assert not listener.may_hear(topic)
    with listening(given) as listener:
        assert not listener.may_say(given["topics"][0])
    with listening(given) as listener:
        assert not listener.may_say(topics.command("shut-b1"))
    with listening(given, client_id="shut-b1") as listener:
        assert listener.refused
