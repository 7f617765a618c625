"""Signatures of Standard Webhooks, version 1 (github.com/standard-webhooks/standard-webhooks).

„webhook-id", „webhook-timestamp", and „webhook-signature" with „v1,<base64 of HMAC-SHA-256 over
id.timestamp.body>", several of them, with spaces between, while a secret rotates.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
KEY_BYTES = 32  # of a new secret


def new_secret() -> str:
    """A secret as both sides keep it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_secret(secret: str) -> bytes:
    """The key behind „whsec_<base64>". Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret is base64, with or without whsec_ before it") from None
    if not 24 <= len(key) <= 64:
        raise ValueError("a webhook secret has 24 to 64 bytes")
    return key


def sign(keys: Sequence[bytes], message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The three headers for a message, with a signature by each key."""
    timestamp = str(int(at.timestamp()))
    signatures = (f"v1,{mac(key, message_id, timestamp, body)}" for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def mac(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """What follows „v1,"."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
