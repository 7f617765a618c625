"""The return path: every delivery has an envelope sender of its own (VERP).

So whatever comes back names its delivery, however badly it is written.

    bounces+<tag>@praxis.example

The tag (`tags`) takes 44 of the 64 characters that RFC 5321 section 4.5.3.1.1 grants. It can't be
made up; mail servers on the way know it, and the recipient by the header Return-Path.
"""

import re
from collections.abc import Mapping
from itertools import islice
from uuid import UUID

from services.notification.receipts.tags import TAG_LENGTH, Tags

PURPOSE = b"einladung/return-path/v1"
MAX_LOCAL_PART = 19  # of the address below which the return paths are
MAX_SEARCHED_BYTES = 64 * 1024  # bytes in which a return path is looked for
MAX_CANDIDATES = 20


class ReturnPath:
    """Signs and reads return paths below one address. The highest key number signs."""

    def __init__(self, address: str, keys: Mapping[int, bytes]) -> None:
        self._local, _, self._domain = address.rpartition("@")
        self._tags = Tags(keys, purpose=PURPOSE)
        stem, domain = re.escape(self._local.encode()), re.escape(self._domain.encode())
        self._pattern = re.compile(
            rb"%s\+[a-z2-7]{%d}@%s" % (stem, TAG_LENGTH, domain), re.IGNORECASE
        )

    def of(self, delivery_id: UUID) -> str:
        """The envelope sender for a delivery."""
        return f"{self._local}+{self._tags.of(delivery_id)}@{self._domain}"

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
        return self._tags.read(tag)

    def find(self, content: bytes) -> UUID | None:
        """The delivery that the first genuine return path in a mail's head names."""
        for found in islice(self._pattern.finditer(content[:MAX_SEARCHED_BYTES]), MAX_CANDIDATES):
            delivery_id = self.read(found[0].decode())
            if delivery_id is not None:
                return delivery_id
        return None
