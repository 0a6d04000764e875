"""One structured log line per invocation, with counts that become metrics; nothing personal in either."""

import logging
from collections import Counter
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

logger = Logger(level=None)
metrics = Metrics(namespace="EpSpot")
logging.getLogger("botocore").setLevel(logging.WARNING)


def report(what: str, counts: Counter[str], **more: Any) -> None:
    """Log what an invocation did, and count it (CloudWatch embedded metric format)."""
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    logger.info(what, **more, counts=dict(counts))
