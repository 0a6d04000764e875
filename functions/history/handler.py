"""Facts about sessions → the users' history."""

import json
from collections import Counter
from typing import Any

from epspot.bootstrap import world
from epspot.ports import SessionFact
from epspot.services.note_session import note_session
from functions.observability import logger, metrics, report


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Note a batch of facts; report what must come again."""
    failures = []
    for record in event["Records"]:
        try:
            note_session(world().noting, _fact(json.loads(record["body"])))
        except Exception:  # noqa: BLE001 - whatever one fact does, the ones behind it are noted
            logger.exception("a fact failed", message_id=record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    report("facts noted", Counter({"noted": len(event["Records"]) - len(failures), "failed": len(failures)}))
    return {"batchItemFailures": failures}


def _fact(body: dict[str, Any]) -> SessionFact:
    d = body["detail"]
    return SessionFact(
        session=d["about"],
        kind=body["detail-type"],
        position=d["position"],
        at=d["at"],
        detail=d["detail"],
        site=d["site"],
    )
