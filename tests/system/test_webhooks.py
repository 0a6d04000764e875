"""Other systems of an owner's: a parking system that starts and stops sessions and is told of them, and one that is asked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from epspot.access import Capability
from epspot.registry.kinds import Put
from epspot.registry.records import OWNER, TOKEN, Owner, Token
from epspot.services.show_token import secret_hash, token_text
from infra.local.drivers import Api
from iot.simulator.loads import Car
from tests.loopback import Answer, Asked, Served, served
from tests.system.stage import Place, Stage, outlet, refused, wait_for


@pytest.fixture
def receiver() -> Iterator[Served]:
    """Run the owner's system: it takes everything."""
    with served(lambda _: Answer()) as server:
        yield server


def lot(stage: Stage, name: str) -> tuple[Place, Api]:
    """Let a site of an owner's live, and give the owner's parking system a token."""
    place = stage.place(name, outlet(name, 1), outlet(name, 2), owner=f"owner-{name}").start()
    secret = "parking-secret"
    token = Token(
        f"t-{name}",
        f"owner-{name}",
        "parking",
        secret_hash(secret),
        tuple(c.value for c in Capability),
        f"owner/owner-{name}",
    )
    stage.world.registry.commit([Put(OWNER, None, Owner(f"owner-{name}", name)), Put(TOKEN, None, token)])
    return place, Api(stage.cloud.anyone()._address, token_text(token.id, secret))


def register(parking: Api, name: str, url: str, key: str = "hook") -> dict[str, Any]:
    """Register a webhook for sessions."""
    form = {"url": url, "events": ["session.started", "session.ended"]}
    made: dict[str, Any] = parking.call("POST", f"/v1/owners/owner-{name}/webhooks", form, {"Idempotency-Key": key})
    return made


def read(hook: dict[str, Any], asked: Asked) -> dict[str, Any]:
    """Read a message as any receiver does: what is not signed is not believed."""
    headers = {name.lower(): value for name, value in asked.headers.items()}
    told: dict[str, Any] = Verifier(hook["secret"]).verify(asked.body, headers)
    return told


def test_what_fails_arrives_later(stage: Stage, receiver: Served) -> None:
    """A test message that is refused at first comes again under its id, and the log tells of both attempts."""
    _, parking = lot(stage, "resent")
    answers = [Answer(status=500), Answer(status=200)]
    receiver.answer = lambda _: answers.pop(0)
    hook = register(parking, "resent", f"{receiver.url}/epspot")
    path = f"/v1/owners/owner-resent/webhooks/{hook['id']}"
    sent = parking.call("POST", f"{path}/test", None, {"Idempotency-Key": "test"})
    wait_for("both attempts", lambda: len(receiver.asked) == 2)
    for asked in receiver.asked:
        assert asked.path == "/epspot"
        assert read(hook, asked) == sent["message"]
        assert asked.headers["webhook-id"] == sent["id"]

    def delivered() -> dict[str, Any] | None:
        (told,) = parking.call("GET", f"{path}/deliveries")["items"]
        return told if told["status"] != "pending" else None

    told = wait_for("the log knows", delivered)
    assert (told["status"], told["attempts"], told["answered"], told["next_at"]) == ("delivered", 2, 200, None)
    for url in ("https://169.254.169.254/latest", "https://10.0.0.1/", "http://hooks.example/"):
        assert refused(register, parking, "resent", url, url[-9:]) == (400, "invalid_request")


def test_a_parking_system_starts_and_stops(stage: Stage, receiver: Served) -> None:
    """A system starts a session with a reference of its own, and is told of start and end, signed, with the energy."""
    place, parking = lot(stage, "lot")
    hook = register(parking, "lot", receiver.url)
    place.runner.plug("M1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
    session = parking.start(place.outlet(1), reference="ticket 7")["id"]
    wait_for("the start is told", lambda: len(receiver.asked) == 1)
    started = read(hook, receiver.asked[0])
    assert (started["type"], started["owner"], started["site"]) == ("session.started", "owner-lot", "lot")
    assert (started["data"]["session"], started["data"]["reference"]) == (session, "ticket 7")
    assert (started["data"]["outlet"], started["data"]["number"]) == (place.outlet(1), "1")

    place.charging(parking, session)
    parking.stop(session)
    wait_for("the end is told", lambda: len(receiver.asked) == 2)
    ended = read(hook, receiver.asked[1])
    kept = place.until(parking, session, "ended")
    assert ended["type"] == "session.ended"
    told = {name: ended["data"][name] for name in ("session", "reference", "reason", "energy_wh", "end_wh")}
    assert told == {
        "session": session,
        "reference": "ticket 7",
        "reason": "stopped",
        "energy_wh": kept["energy_wh"],
        "end_wh": kept["end_wh"],
    }
    assert kept["reference"] == "ticket 7"


def test_the_owner_is_asked(stage: Stage, receiver: Served) -> None:
    """A user starts if the owner's system says so, is refused with its reason, and its silence is the owner's to judge."""
    place, parking = lot(stage, "gate")
    anna, path = place.user(), "/v1/owners/owner-gate/authorisation"
    form = {"url": receiver.url, "on_silence": "deny", "timeout_ms": 3000}
    parking.call("PUT", path, form, {"If-Match": '"0"'})
    receiver.answer = lambda _: Answer(json.dumps({"allow": False, "reason": "closed"}).encode())
    assert refused(anna.start, place.outlet(1)) == (403, "not_authorised")
    receiver.answer = lambda _: Answer(status=500)
    assert refused(anna.start, place.outlet(1)) == (503, "owner_silent")
    assert place.live().sessions == {}
    receiver.answer = lambda _: Answer(b'{"allow": true}')
    session = anna.start(place.outlet(1))["id"]
    assert session in place.live().sessions
    asked = [json.loads(a.body) for a in receiver.asked]
    assert {(q["site"], q["outlet"], q["number"]) for q in asked} == {("gate", place.outlet(1), "1")}
    assert len({q["user"]["id"] for q in asked}) == 1
