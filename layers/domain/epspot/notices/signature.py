"""Signed messages to other systems, as Standard Webhooks has them, so that receivers need no library of ours."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def secret_text(chance: str) -> str:
    """Write a signing secret, 256 bits, from a secret of ``Ids``."""
    raw = base64.urlsafe_b64decode(chance + "=" * (-len(chance) % 4))
    return PREFIX + base64.b64encode(raw).decode()


def signed(secrets: Sequence[str], message: str, at: float, body: bytes) -> dict[str, str]:
    """Make the headers of a message: its id, the second in which it is sent, and a signature with each secret."""
    second = str(int(at))
    told = b".".join((message.encode(), second.encode(), body))
    signatures = [f"v1,{base64.b64encode(_mac(secret, told)).decode()}" for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "EpSpot-Webhooks/1",
        "webhook-id": message,
        "webhook-timestamp": second,
        "webhook-signature": " ".join(signatures),
    }


def _mac(secret: str, told: bytes) -> bytes:
    return hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), told, hashlib.sha256)
