"""Signatures over webhooks, compared in constant time and only while they are fresh.

The generic gateway follows Standard Webhooks (chassis/standard_webhooks.py).
"""

import hmac
from collections.abc import Mapping
from datetime import datetime

from chassis import standard_webhooks
from chassis.standard_webhooks import read_secret
from services.notification.sending.sms.receipts import Forged

__all__ = ["read_secret", "require_fresh", "same", "sign", "verify"]

TOLERANCE = 300  # seconds that a signature may be old, or ahead of our clock


def sign(key: bytes, message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The three headers for a message."""
    return standard_webhooks.sign([key], message_id, body, at)


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that is genuine and fresh. Raises Forged."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    require_fresh(timestamp, now)
    expected = standard_webhooks.mac(key, message_id, timestamp, body)
    offered = headers.get("webhook-signature", "").split()
    found = [same(one.removeprefix("v1,"), expected) for one in offered if one.startswith("v1,")]
    if not message_id or not any(found):
        raise Forged
    return message_id


def require_fresh(timestamp: str, now: datetime) -> None:
    """Raises Forged unless `timestamp` (Unix seconds) is within the tolerance."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Forged
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        raise Forged


def same(offered: str, expected: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(offered.encode(errors="replace"), expected.encode())
