"""Signatures over webhooks, compared in constant time and only while they are fresh.

The generic gateway follows Standard Webhooks (github.com/standard-webhooks/standard-webhooks,
spec version 1.0.0): „webhook-id", „webhook-timestamp", and „webhook-signature" with
„v1,<base64 of HMAC-SHA-256 over id.timestamp.body>", several of them while a secret rotates.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from services.notification.sending.sms.receipts import Forged

TOLERANCE = 300  # seconds that a signature may be old, or ahead of our clock


def read_secret(secret: str) -> bytes:
    """The key behind „whsec_<base64>". Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret is base64, with or without whsec_ before it") from None
    if not 24 <= len(key) <= 64:
        raise ValueError("a webhook secret has 24 to 64 bytes")
    return key


def sign(key: bytes, message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The three headers for a message."""
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_mac(key, message_id, timestamp, body)}",
    }


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that is genuine and fresh. Raises Forged."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    require_fresh(timestamp, now)
    expected = _mac(key, message_id, timestamp, body)
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


def _mac(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
