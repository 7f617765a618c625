"""The patient's link: derived, not stored.

    token = base64url(key number, 1 byte | appointment id, 16 | link version, 4 | MAC, 16)

The MAC is HMAC-SHA-256 over what stands before it, cut to 128 bit, under the key of that
number; so keys rotate and a new version kills every older link. Whether a link is valid is
looked up when it is opened, from the appointment as it then is.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

PURPOSE = b"einladung/link/v1"
MAC_BYTES = 16
_HEAD = struct.Struct(">B16sI")


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: which appointment, and which version of its link."""

    appointment_id: UUID
    version: int


NOWHERE = Link(UUID(int=0), 0)  # no appointment has this id


class Links:
    """Signs and reads tokens. The key with the highest number signs, all are accepted."""

    def __init__(self, base_url: str, keys: Mapping[int, bytes]) -> None:
        self._base_url = base_url.rstrip("/")
        self._keys = dict(keys)

    def url(self, link: Link) -> str:
        """The address that goes to the patient."""
        return f"{self._base_url}/{self.token(link)}"

    def token(self, link: Link) -> str:
        """The token of this link under the newest key."""
        number = max(self._keys)
        head = _HEAD.pack(number, link.appointment_id.bytes, link.version)
        return _encode(head + self._mac(self._keys[number], head))

    def read(self, token: str) -> Link | None:
        """What the token says, or None where it is not one of ours. Constant time in the MAC."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        # One spelling only: the last character's unused bits must be as we write them.
        if len(raw) != _HEAD.size + MAC_BYTES or _encode(raw) != token:
            return None
        head, mac = raw[: _HEAD.size], raw[_HEAD.size :]
        number, appointment_id, version = _HEAD.unpack(head)
        key = self._keys.get(number)
        if key is None or not hmac.compare_digest(mac, self._mac(key, head)):
            return None
        return Link(UUID(bytes=appointment_id), version)

    @staticmethod
    def _mac(key: bytes, head: bytes) -> bytes:
        return hmac.new(key, PURPOSE + head, hashlib.sha256).digest()[:MAC_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
