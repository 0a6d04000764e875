"""Reminders of messages to webhooks: SQS."""

import json
from math import ceil
from typing import Any

_MOST_DELAY_S = 900
"""SQS waits no longer; whoever is reminded too early has it put back."""


class SqsDeliveries:
    """``DeliveryQueue`` on a queue, and on one behind it that people look into."""

    def __init__(self, client: Any, url: str, dlq_url: str) -> None:
        self._client = client
        self._url = url
        self._dlq_url = dlq_url

    def remind(self, owner: str, webhook: str, delivery: str, after_s: float = 0.0) -> None:
        """Put a reminder into the queue."""
        delay_s = min(max(ceil(after_s), 0), _MOST_DELAY_S)
        told = {"owner": owner, "webhook": webhook, "delivery": delivery}
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(told), DelaySeconds=delay_s)

    def give_up(self, owner: str, webhook: str, delivery: str, reason: str) -> None:
        """Put a delivery where people look, with the reason."""
        told = {"owner": owner, "webhook": webhook, "delivery": delivery, "reason": reason}
        self._client.send_message(QueueUrl=self._dlq_url, MessageBody=json.dumps(told))
