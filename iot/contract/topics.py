"""Where messages go: the topic names of contract version 1.

Upward messages use AWS IoT basic ingest (``$aws/rules/<rule>/…``): they reach one rule and no subscriber, and
cost no messaging charge. Every topic begins with a prefix, so that several environments live in one account.
"""

import re
from dataclasses import dataclass

from iot.contract.errors import InvalidMessage

_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]{0,30}\Z")
_BRIDGE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one environment."""

    prefix: str = "epspot"

    def __post_init__(self) -> None:
        if not _PREFIX.match(self.prefix):
            raise InvalidMessage("prefix", f"{self.prefix!r} is not 1 to 31 lower-case letters, digits and hyphens")

    def rule(self, kind: str) -> str:
        """Name the IoT rule that takes messages of a kind (``frame``, ``event`` or ``history``)."""
        return f"{self.prefix.replace('-', '_')}_{kind}"

    def up(self, bridge: str, kind: str) -> str:
        """Name the topic that a bridge publishes a kind of message to."""
        return f"$aws/rules/{self.rule(kind)}/{self.plain(bridge, kind)}"

    def plain(self, bridge: str, kind: str) -> str:
        """Name the same topic as rules and policies see it."""
        return f"{self.prefix}/v1/{bridge}/{kind}"

    @property
    def template(self) -> str:
        """Name the provisioning template that makes a bridge of a device that shows a code."""
        return self.prefix

    @property
    def claimants(self) -> str:
        """Tell how client ids begin with which devices connect to claim themselves."""
        return f"{self.prefix}-claim-"

    def live(self, site: str, channel: str) -> str:
        """Name the topic on which a channel of a site is told to browsers; no bridge hears it or speaks on it."""
        return f"{self.prefix}/v1/live/{site}/{channel}"

    @property
    def listeners(self) -> str:
        """Tell how client ids begin with which browsers listen: no bridge is named so."""
        return f"{self.prefix}-live-"

    def command(self, bridge: str) -> str:
        """Name the topic that a bridge listens to."""
        return self.plain(bridge, "command")


def bridge_of(topic: str) -> str:
    """Read the bridge's id out of a topic as rules see it (``<prefix>/v1/<bridge>/<kind>``).

    Raises InvalidMessage if the topic is not one of this contract's version.
    """
    parts = topic.split("/")
    if len(parts) != 4 or parts[1] != "v1" or not _BRIDGE.match(parts[2]):  # noqa: PLR2004 - the topic's four levels
        raise InvalidMessage("topic", f"{topic[:80]!r} is not <prefix>/v1/<bridge>/<kind>")
    return parts[2]
