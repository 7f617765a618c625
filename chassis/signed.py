"""Short binary tokens that nobody else can make, signed under keys that rotate.

    key number, 1 byte | payload | MAC

The MAC is HMAC-SHA-256 (RFC 2104) over the purpose and what stands before it, cut to `mac_bytes`
(RFC 2104, section 5), under the key of that number. The highest number that does not wait
(chassis/secret_keys.py) signs; the others hold.
"""

import hashlib
import hmac
from collections.abc import Mapping

from chassis.secret_keys import newest

KEY_NUMBER_BYTES = 1


class Signer:
    """Signs and verifies payloads of one purpose: what was signed for another does not hold."""

    def __init__(self, keys: Mapping[int, bytes], *, purpose: bytes, mac_bytes: int) -> None:
        self._keys = dict(keys)
        self._newest = newest(keys)
        self._purpose = purpose
        self._mac_bytes = mac_bytes

    def sign(self, payload: bytes) -> bytes:
        """The token of this payload under the newest key."""
        head = bytes([self._newest]) + payload
        return head + self._mac(self._keys[self._newest], head)

    def verify(self, token: bytes) -> bytes | None:
        """The payload, or None where the token is not one of ours. Constant time in the MAC."""
        if len(token) <= KEY_NUMBER_BYTES + self._mac_bytes:
            return None
        head, mac = token[: -self._mac_bytes], token[-self._mac_bytes :]
        key = self._keys.get(head[0])
        if key is None or not hmac.compare_digest(mac, self._mac(key, head)):
            return None
        return head[KEY_NUMBER_BYTES:]

    def _mac(self, key: bytes, head: bytes) -> bytes:
        return hmac.new(key, self._purpose + head, hashlib.sha256).digest()[: self._mac_bytes]
