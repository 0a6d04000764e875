"""The core table's stream → the bus."""

import json
from collections import Counter
from typing import Any

from epspot.bootstrap import notices_of, world
from epspot.services.relay_outbox import relay_outbox
from functions.observability import logger, metrics, report


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> None:
    """Pass on a batch of outbox items. Never raises for one record: it is put aside, and the rest goes on."""
    outbox, unreadable = [], 0
    for record in event["Records"]:
        try:
            outbox.append(notices_of(record["dynamodb"]["NewImage"]))
        except (KeyError, ValueError, TypeError) as error:
            unreadable += 1
            world().aside.put(f"not an outbox item: {error!r}", json.dumps(record.get("dynamodb", {}).get("Keys")))
    sent = relay_outbox(world().bus, world().aside, outbox) if outbox else 0
    report("relayed", Counter({"sent": sent, "put_aside": unreadable + sum(map(len, outbox)) - sent}))
