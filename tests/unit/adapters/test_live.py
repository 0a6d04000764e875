"""Live topics over AWS IoT: what is sent, what is lost, and how an address is signed."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from epspot.adapters.live import IotLive, SignedAddresses
from epspot.control.effects import Step
from epspot.control.events import Watched
from epspot.control.state import Live
from iot.contract import Topics
from tests.fakes import FakeIds
from tests.unit.services.house import site_of

ROLE = "arn:aws:iam::123456789012:role/listen"
BEFORE = Live("s", at=1000.0)
HEARD = replace(BEFORE, listened={"users": 1090.0})


@dataclass
class Broker:
    """Takes what is published, unless it is away."""

    away: bool = False
    taken: list[dict[str, Any]] = field(default_factory=list)
    tried: int = 0

    def publish(self, **message: Any) -> None:
        self.tried += 1
        if self.away:
            raise ConnectionError
        self.taken.append(message)


@dataclass
class Sts:
    """Lends credentials, and remembers for what."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        expiration = datetime(2027, 1, 15, 8, 15, tzinfo=UTC)
        return {
            "Credentials": {
                "AccessKeyId": "ASIAX",
                "SecretAccessKey": "secret",
                "SessionToken": "to/ken+==",
                "Expiration": expiration,
            }
        }


def test_news_go_out_once_and_small() -> None:
    """What is told goes to its own topic with QoS 0, as JSON."""
    broker = Broker()
    IotLive(broker, Topics("ab")).tell(site_of(), BEFORE, Watched(1000.0, "users"), Step(HEARD))
    (sent,) = broker.taken
    assert (sent["topic"], sent["qos"]) == ("ab/v1/live/s/users", 0)
    assert json.loads(sent["payload"])["outlets"] == {"s-1": "offline", "s-2": "offline", "s-3": "offline"}


def test_nothing_is_sent_that_nobody_hears() -> None:
    """Without anybody who listens the broker is not asked."""
    broker = Broker()
    IotLive(broker, Topics()).tell(site_of(), BEFORE, Watched(1000.0), Step(BEFORE))
    assert broker.tried == 0


def test_a_broker_that_is_away_is_tried_once_a_step() -> None:
    """A failure is counted and keeps nobody waiting; the next step tries again."""
    broker = Broker(away=True)
    live = IotLive(broker, Topics())
    both = Step(replace(BEFORE, listened={"users": 1090.0, "owner": 1090.0}, sessions={}))
    other = replace(site_of(), outlets=site_of().outlets[:2])
    for _ in range(2):
        live.tell(other, replace(BEFORE, site="x"), Watched(1000.0, "owner"), both)
    assert (broker.tried, live.take_lost(), live.take_lost()) == (2, 2, 0)


def test_what_cannot_be_rendered_is_lost_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours in what is told does not reach control."""
    monkeypatch.setattr("epspot.adapters.live.news_of", lambda *_: 1 / 0)
    live = IotLive(Broker(), Topics())
    live.tell(site_of(), BEFORE, Watched(1000.0, "users"), Step(HEARD))
    assert live.take_lost() == 1


def signed(host: str) -> tuple[Sts, Any]:
    """Sign an address for one session's channel."""
    sts = Sts()
    addresses = SignedAddresses(sts, ROLE, host=lambda: host, region="eu-north-1", topics=Topics("ab"), ids=FakeIds())
    return sts, addresses.sign("s", "session/x")


def test_an_address_is_lent_no_more_than_it_needs() -> None:
    """The policy of an address allows one client to connect, and one topic to be heard; nothing to be said."""
    sts, address = signed("a-ats.iot.eu-north-1.amazonaws.com")
    (asked,) = sts.asked
    assert (asked["RoleArn"], asked["DurationSeconds"]) == (ROLE, 900)
    assert address.client_id == "ab-live-id000000000000000000000001"
    assert address.topics == ("ab/v1/live/s/session/x",)
    assert address.expires_at == datetime(2027, 1, 15, 8, 15, tzinfo=UTC).timestamp()
    arn = "arn:aws:iot:eu-north-1:123456789012"
    assert {s["Action"]: s["Resource"] for s in json.loads(asked["Policy"])["Statement"]} == {
        "iot:Connect": f"{arn}:client/{address.client_id}",
        "iot:Subscribe": f"{arn}:topicfilter/ab/v1/live/s/session/x",
        "iot:Receive": f"{arn}:topic/ab/v1/live/s/session/x",
    }


@pytest.mark.parametrize(
    ("host", "scheme"), [("a-ats.iot.eu-north-1.amazonaws.com", "wss"), ("a-ats.iot.eu-north-1.localhost:4566", "ws")]
)
def test_an_address_is_signed_as_aws_has_it(host: str, scheme: str) -> None:
    """The signature is that of Signature Version 4 over all but the session's token, which follows it."""
    _, address = signed(host)
    url = urlsplit(address.address)
    assert (url.scheme, url.netloc, url.path) == (scheme, host, "/mqtt")
    query = {name: value for name, (value,) in parse_qs(url.query).items()}
    assert list(query)[-1] == "X-Amz-Security-Token"
    assert (query.pop("X-Amz-Security-Token"), query["X-Amz-Expires"]) == ("to/ken+==", "900")
    claimed, at = query.pop("X-Amz-Signature"), query["X-Amz-Date"]
    scope = f"{at[:8]}/eu-north-1/iotdevicegateway/aws4_request"
    assert query["X-Amz-Credential"] == f"ASIAX/{scope}"
    canonical = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(query.items()))
    request = f"GET\n/mqtt\n{canonical}\nhost:{host}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4secret"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    assert hmac.new(key, text.encode(), "sha256").hexdigest() == claimed
