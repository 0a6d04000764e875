"""Live topics over AWS IoT: what is told there, and addresses at which a browser hears it."""

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from epspot.control.effects import Step
from epspot.control.events import Event
from epspot.control.state import Live
from epspot.ports import Ids, LiveAddress
from epspot.services.tell_live import is_heard, news_of
from epspot.site import Site
from iot.contract import Topics

_LOG = logging.getLogger(__name__)
HOLDS_S = 900
"""The shortest that AWS gives credentials for."""
_SERVICE = "iotdevicegateway"


class IotLive:
    """``LiveTopics`` over AWS IoT Core, with QoS 0."""

    def __init__(self, client: Any, topics: Topics) -> None:
        self._client = client
        self._topics = topics
        self._lost = 0

    def tell(self, site: Site, before: Live, event: Event, done: Step) -> None:
        """Send what a step has changed; after a failure nothing more of it, since control must not wait."""
        try:
            if is_heard(done.live):
                for news in news_of(site, before, event, done):
                    payload = json.dumps(news.body, separators=(",", ":"), ensure_ascii=False).encode()
                    self._client.publish(topic=self._topics.live(news.site, news.channel), qos=0, payload=payload)
        except Exception as error:  # noqa: BLE001 - the step has been made; those who watch it must not unmake it
            self._lost += 1
            _LOG.warning("a step of site %s was not told live: %r", site.id, error)

    def take_lost(self) -> int:
        """Tell how often something could not be sent since this was last asked."""
        lost, self._lost = self._lost, 0
        return lost


class SignedAddresses:
    """``LiveAddresses``: credentials of a role that may do little, for one client and its topics less still."""

    def __init__(
        self, sts: Any, role_arn: str, *, host: Callable[[], str], region: str, topics: Topics, ids: Ids
    ) -> None:
        self._sts = sts
        self._role_arn = role_arn
        self._host = host
        self._region = region
        self._topics = topics
        self._ids = ids

    def sign(self, site: str, channel: str) -> LiveAddress:
        """Make an address; it may be used for fifteen minutes."""
        client, topic = f"{self._topics.listeners}{self._ids.new()}", self._topics.live(site, channel)
        told = self._sts.assume_role(
            RoleArn=self._role_arn,
            RoleSessionName=client[-64:],
            DurationSeconds=HOLDS_S,
            Policy=json.dumps(self._policy(client, topic), separators=(",", ":")),
        )["Credentials"]
        return LiveAddress(self._address(told), client, (topic,), told["Expiration"].timestamp())

    def _policy(self, client: str, topic: str) -> dict[str, Any]:
        """Allow a client to connect as itself, and to hear one topic."""
        partition, _, _, account = self._role_arn.split(":")[1:5]
        arn = f"arn:{partition}:iot:{self._region}:{account}"
        allowed = {
            "iot:Connect": f"{arn}:client/{client}",
            "iot:Subscribe": f"{arn}:topicfilter/{topic}",
            "iot:Receive": f"{arn}:topic/{topic}",
        }
        statements = [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in allowed.items()]
        return {"Version": "2012-10-17", "Statement": statements}

    def _address(self, told: dict[str, Any]) -> str:
        """Sign the address; AWS IoT wants the session's token after the signature, not within what is signed."""
        host = self._host()
        scheme = "wss" if ".amazonaws.com" in host else "ws"
        request = AWSRequest("GET", f"https://{host}/mqtt")
        credentials = Credentials(told["AccessKeyId"], told["SecretAccessKey"])
        SigV4QueryAuth(credentials, _SERVICE, self._region, expires=HOLDS_S).add_auth(request)
        signed = str(request.url).partition("://")[2]
        return f"{scheme}://{signed}&X-Amz-Security-Token={quote(told['SessionToken'], safe='')}"
