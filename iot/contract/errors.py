"""What can be wrong with a message.

InvalidMessage
    reason: ``not_json`` | ``oversized`` | ``version`` | ``schema`` | ``topic`` | ``prefix``
"""


class InvalidMessage(ValueError):
    """A message that the contract does not allow; it is refused, counted and put aside with the reason."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
