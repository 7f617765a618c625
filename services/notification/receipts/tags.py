"""Signed names of deliveries and organizers, for what comes back to name them by.

    tag = base32(key number, 1 byte | id, 16 | MAC, 10), lower case, without padding

It is signed with 80 bit (chassis/signed.py), so nobody can make one up, and a tag of one purpose is
none of another. Base32, because some servers change the case of what they pass on.
"""

import base64
import binascii
from collections.abc import Mapping
from uuid import UUID

from chassis.signed import Signer

# Of the envelope id (RFC 3461 section 4.4), which has room for 100 characters. Mail servers see it
# and bring it back; unlike the return path it is in no header that the recipient gets to see.
ENVELOPE_ID = b"einladung/envelope-id/v1"
MAC_BYTES = 10
TAG_LENGTH = 44  # characters


class Tags:
    """Signs and reads the tags of one purpose. The highest key number signs."""

    def __init__(self, keys: Mapping[int, bytes], *, purpose: bytes) -> None:
        self._signer = Signer(keys, purpose=purpose, mac_bytes=MAC_BYTES)

    def of(self, delivery_id: UUID) -> str:
        """The tag of a delivery."""
        tag = base64.b32encode(self._signer.sign(delivery_id.bytes))
        return tag.decode().rstrip("=").lower()

    def read(self, tag: str) -> UUID | None:
        """The delivery that a tag names, in whatever case; None for what we have not signed."""
        if len(tag) != TAG_LENGTH:
            return None
        try:
            raw = base64.b32decode(tag + "=" * (-len(tag) % 8), casefold=True)
        except (binascii.Error, ValueError):
            return None
        payload = self._signer.verify(raw)
        return UUID(bytes=payload) if payload is not None and len(payload) == 16 else None
