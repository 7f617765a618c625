"""Signatures of both APIs, written apart from the client's so that each tests the other."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from uuid import uuid4

TOLERANCE = 300  # seconds


def new_secret() -> str:
    """A secret for both sides."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class Webhooks:
    """Standard Webhooks, version 1."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))

    def headers(self, body: bytes) -> dict[str, str]:
        """For a new message."""
        message_id, timestamp = f"msg_{uuid4().hex}", str(int(time.time()))
        return {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": self._signature(message_id, timestamp, body),
            "content-type": "application/json",
        }

    def genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether a request is signed and fresh."""
        timestamp = headers.get("webhook-timestamp", "")
        if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE:
            return False
        expected = self._signature(headers.get("webhook-id", ""), timestamp, body)
        return hmac.compare_digest(headers.get("webhook-signature", "").encode(), expected.encode())

    def _signature(self, message_id: str, timestamp: str, body: bytes) -> str:
        signed = f"{message_id}.{timestamp}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()


def seven_headers(key: str, url: str, body: bytes) -> dict[str, str]:
    """As seven.io signs its webhooks."""
    timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
    content = hashlib.md5(body, usedforsecurity=False).hexdigest()
    signed = "\n".join((timestamp, nonce, "POST", url, content))
    return {
        "x-timestamp": timestamp,
        "x-nonce": nonce,
        "x-signature": hmac.digest(key.encode(), signed.encode(), "sha256").hex(),
        "content-type": "application/json",
    }
