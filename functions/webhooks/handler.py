"""Facts from the bus → messages to owners' systems → the internet: two queues, told apart by what is in them."""

import json
from collections import Counter
from typing import Any

from epspot.bootstrap import world
from epspot.services.deliver_webhook import Reminder, deliver_webhook
from epspot.services.tell_webhooks import Happened, tell_webhooks
from functions.observability import logger, metrics, report


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take a batch of facts or reminders; report what must come again."""
    failures, counts = [], Counter[str]()
    for record in event["Records"]:
        try:
            counts += _take(json.loads(record["body"]))
        except Exception:  # noqa: BLE001 - whatever one does, the ones behind it are taken
            logger.exception("a webhook failed", message_id=record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    report("webhooks", counts + Counter({"crashed": len(failures)}))
    return {"batchItemFailures": failures}


def _take(body: dict[str, Any]) -> Counter[str]:
    if "delivery" in body:
        return Counter([deliver_webhook(world().hooking, _reminder(body))])
    return Counter({"messages": tell_webhooks(world().telling, _fact(body))})


def _reminder(body: dict[str, Any]) -> Reminder:
    # One that was given up says why as well, and is read all the same when people put it back.
    return Reminder(body["owner"], body["webhook"], body["delivery"])


def _fact(body: dict[str, Any]) -> Happened:
    d = body["detail"]
    return Happened(
        id=d["id"], kind=body["detail-type"], site=d["site"], at=d["at"], about=d["about"], detail=d["detail"]
    )
