"""Once an hour: what electricity will cost, and how cold it will be."""

from collections import Counter
from typing import Any

from epspot.bootstrap import world
from epspot.services.refresh_outlook import refresh_outlook
from functions.observability import logger, metrics, report


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], _context: object) -> None:
    """Tell every site that needs it what has changed."""
    told, failed = refresh_outlook(world().outlooks)
    report("outlook", Counter({"sites_told": told, "outlooks_failed": len(failed)}), failed=failed)
