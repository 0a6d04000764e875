"""Once a minute: silent bridges, turns, expiries."""

from collections import Counter
from typing import Any

from epspot.bootstrap import world
from epspot.services.tick_sites import tick_sites
from functions.observability import logger, metrics, report


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], _context: object) -> None:
    """Let time pass at every site that is due."""
    due, failed = tick_sites(world().ticking)
    counts = Counter(sites_due=due, sites_failed=len(failed))
    if lost := world().journal.take_lost():
        counts["journal_lost"] = lost
    if lost := world().live_topics.take_lost():
        counts["live_lost"] = lost
    report("clock", counts, failed=failed)
