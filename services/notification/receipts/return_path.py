"""The return path: every delivery has an envelope sender of its own (VERP).

So whatever comes back names its delivery, however badly it is written.

    bounces+<tag>@praxis.example
    tag = base32(key number, 1 byte | delivery id, 16 | MAC, 10), lower case, without padding

It is signed with 80 bit (chassis/signed.py): nobody can make up a return path and turn a tick into
a mark. Base32, because some servers change the case of a local part. The tag takes 44 of the 64
characters that RFC 5321 section 4.5.3.1.1 grants.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from itertools import islice
from uuid import UUID

from chassis.signed import Signer

PURPOSE = b"einladung/return-path/v1"
MAC_BYTES = 10
TAG_LENGTH = 44
MAX_LOCAL_PART = 19  # of the address below which the return paths are
MAX_SEARCHED_BYTES = 64 * 1024  # bytes in which a return path is looked for
MAX_CANDIDATES = 20


class ReturnPath:
    """Signs and reads return paths below one address. The highest key number signs."""

    def __init__(self, address: str, keys: Mapping[int, bytes]) -> None:
        self._local, _, self._domain = address.rpartition("@")
        self._signer = Signer(keys, purpose=PURPOSE, mac_bytes=MAC_BYTES)
        stem, domain = re.escape(self._local.encode()), re.escape(self._domain.encode())
        self._pattern = re.compile(
            rb"%s\+[a-z2-7]{%d}@%s" % (stem, TAG_LENGTH, domain), re.IGNORECASE
        )

    def of(self, delivery_id: UUID) -> str:
        """The envelope sender for a delivery."""
        tag = base64.b32encode(self._signer.sign(delivery_id.bytes))
        return f"{self._local}+{tag.decode().rstrip('=').lower()}@{self._domain}"

    def accepts(self, address: str) -> bool:
        """Whether mail to this address is ours to read: a genuine return path, or its stem."""
        stem = f"{self._local}@{self._domain}"
        return address.lower() == stem.lower() or self.read(address) is not None

    def read(self, address: str) -> UUID | None:
        """The delivery that a return path names; None for what we have not signed."""
        local, _, domain = address.rpartition("@")
        stem, _, tag = local.rpartition("+")
        if (stem.lower(), domain.lower()) != (self._local.lower(), self._domain.lower()):
            return None
        try:
            raw = base64.b32decode(tag + "=" * (-len(tag) % 8), casefold=True)
        except (binascii.Error, ValueError):
            return None
        payload = self._signer.verify(raw)
        return UUID(bytes=payload) if payload is not None and len(payload) == 16 else None

    def find(self, content: bytes) -> UUID | None:
        """The delivery that the first genuine return path in a mail's head names."""
        for found in islice(self._pattern.finditer(content[:MAX_SEARCHED_BYTES]), MAX_CANDIDATES):
            delivery_id = self.read(found[0].decode())
            if delivery_id is not None:
                return delivery_id
        return None
