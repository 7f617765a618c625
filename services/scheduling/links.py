"""The patient's link: derived, not stored.

    token = base64url(key number, 1 byte | appointment id, 16 | link version, 4 | MAC, 16)

It is signed with 128 bit (chassis/signed.py) under keys that rotate, and a new version kills every
older link. Whether a link is valid is looked up when it is opened (visits/opening.py), from the
appointment as it then is and for as long as contracts/terms.py says.
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from chassis.signed import Signer

PURPOSE = b"einladung/link/v1"
MAC_BYTES = 16
_PAYLOAD = struct.Struct(">16sI")


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
        self._signer = Signer(keys, purpose=PURPOSE, mac_bytes=MAC_BYTES)

    def url(self, link: Link) -> str:
        """The address that goes to the patient."""
        return f"{self._base_url}/{self.token(link)}"

    def token(self, link: Link) -> str:
        """The token of this link under the newest key."""
        return _encode(self._signer.sign(_PAYLOAD.pack(link.appointment_id.bytes, link.version)))

    def read(self, token: str) -> Link | None:
        """What the token says, or None where it is not one of ours. Constant time in the MAC."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        # One spelling only: the last character's unused bits must be as we write them.
        if _encode(raw) != token:
            return None
        payload = self._signer.verify(raw)
        if payload is None or len(payload) != _PAYLOAD.size:
            return None
        appointment_id, version = _PAYLOAD.unpack(payload)
        return Link(UUID(bytes=appointment_id), version)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
