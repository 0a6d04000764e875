"""What goes on the bus and what is put aside: EventBridge and SQS."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from epspot.ports import Notice

_MOST_ENTRIES = 10
_TRIES = 3
_MOST_CHARACTERS = 20_000
"""Of each text that is put aside: escaped, a character takes up to 12 bytes, and SQS takes 262,144."""
SOURCE = "epspot"


class EventBridgeBus:
    """``Bus`` on EventBridge."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, notices: Sequence[Notice]) -> Sequence[tuple[Notice, str]]:
        """Send notices ten at a time; return those that the bus did not take, with its reason."""
        return [failure for part in _parts(notices) for failure in self._publish(part)]

    def _publish(self, part: Sequence[Notice]) -> Sequence[tuple[Notice, str]]:
        """Send up to ten notices, those that fail again: most failures pass."""
        failed: list[tuple[Notice, str]] = [(n, "") for n in part]
        for _ in range(_TRIES):
            told = self._client.put_events(Entries=[self._entry(n) for n, _ in failed])["Entries"]
            failed = [(n, str(t["ErrorCode"])) for (n, _), t in zip(failed, told, strict=True) if t.get("ErrorCode")]
            if not failed:
                break
        return failed

    def _entry(self, n: Notice) -> dict[str, Any]:
        detail = {
            "id": n.id,
            "site": n.site,
            "position": n.position,
            "at": n.at,
            "about": n.fact.about,
            "detail": n.fact.detail,
        }
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": n.fact.kind,
            "Detail": json.dumps(detail, separators=(",", ":"), ensure_ascii=False),
        }


def _parts(notices: Sequence[Notice]) -> Iterable[Sequence[Notice]]:
    for i in range(0, len(notices), _MOST_ENTRIES):
        yield notices[i : i + _MOST_ENTRIES]


class SqsRefused:
    """``Refused`` and ``Aside``: a queue that people look into."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, reason: str, *about: str | bytes) -> None:
        """Keep what can't be used with the reason; bytes as far as they are text, and the beginning of what is long."""
        texts = [(a.decode("utf-8", "replace") if isinstance(a, bytes) else a)[:_MOST_CHARACTERS] for a in about]
        # ASCII only: SQS refuses some characters, and a message that can't be put aside would come again and again.
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"reason": reason, "about": texts}))
