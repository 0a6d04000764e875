"""AWS IoT asks before it registers a device: whether it may be registered, and as which bridge."""

from collections import Counter
from typing import Any

from epspot.bootstrap import world
from epspot.errors import Refusal
from epspot.services.claim_bridge import take_claim
from functions.observability import logger, metrics, report


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take a claim (PayloadVersion 2020-04-01). The device only learns whether it may; the log has the reason."""
    told = event.get("parameters") or {}
    try:
        bridge = take_claim(world().claiming, str(told.get("Code", "")), str(told.get("SerialNumber", "")))
    except Refusal as error:
        report("claim refused", Counter(claims_refused=1), code=error.code, reason=str(error))
        return {"allowProvisioning": False}
    report("claim taken", Counter(claims_taken=1), bridge=bridge)
    return {"allowProvisioning": True, "parameterOverrides": {"BridgeId": bridge}}
