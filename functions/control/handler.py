"""Frames, events, history and presence of the bridges → the site controller."""

import json
from base64 import b64decode
from collections import Counter
from typing import Any

from epspot.bootstrap import world
from epspot.services.take_message import Taken, note_presence, take_message
from functions.observability import logger, metrics, report

_PRESENCE = {"connected": True, "disconnected": False}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take in a batch from either queue; report what must come again.

    What fails of the frames' queue does not come again: the next frame tells the same.
    """
    counts: Counter[str] = Counter()
    failures = []
    for record in event["Records"]:
        try:
            counts[_take(record)] += 1
        except Exception:  # noqa: BLE001 - whatever one message does, the ones behind it are taken
            logger.exception("a message failed", message_id=record["messageId"])
            counts["failed"] += 1
            failures.append({"itemIdentifier": record["messageId"]})
    if lost := world().journal.take_lost():
        counts["journal_lost"] = lost
    if lost := world().live_topics.take_lost():
        counts["live_lost"] = lost
    report("messages taken", counts)
    return {"batchItemFailures": failures}


def _take(record: dict[str, Any]) -> Taken:
    body = json.loads(record["body"])
    received_at = body["received"] / 1000
    if body["topic"].startswith("$aws/events/presence/"):
        connected = _PRESENCE.get(body.get("eventType"))
        if connected is None:
            return Taken.REFUSED
        return note_presence(
            world().intake,
            body["clientId"],
            connected=connected,
            version=body["versionNumber"],
            at=received_at,
        )
    return take_message(world().intake, body["topic"], b64decode(body["payload"]), received_at)
