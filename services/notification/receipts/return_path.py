"""Addresses of ours that are signed: mail to them names what it is about, however badly written.

    bounces+<tag>@praxis.example

The return path: every delivery has an envelope sender of its own (VERP), for bounces to come to.
The organizer: every calendar entry has one, for calendars to answer to (RFC 5546). It is the same
for one appointment and one address of the patient, since calendars let nobody but the organizer
whom they know move or strike an entry.

The tag (`tags`) takes 44 of the 64 characters that RFC 5321 section 4.5.3.1.1 grants. It can't be
made up. Of the return path mail servers on the way know it, and the recipient by the header
Return-Path; of the organizer whoever gets to see the calendar entry. Neither is the other's.
"""

import re
from collections.abc import Mapping
from itertools import islice
from uuid import UUID

from services.notification.receipts.tags import TAG_LENGTH, Tags

PURPOSE = b"einladung/return-path/v1"
ORGANIZER = b"einladung/organizer/v1"
MAX_LOCAL_PART = 19  # of the address below which they are
MAX_SEARCHED_BYTES = 64 * 1024  # bytes in which a return path is looked for
MAX_CANDIDATES = 20


class SignedAddress:
    """Signs and reads addresses of one purpose below one. The highest key number signs."""

    def __init__(self, address: str, keys: Mapping[int, bytes], *, purpose: bytes) -> None:
        self._local, _, self._domain = address.rpartition("@")
        self._tags = Tags(keys, purpose=purpose)

    def of(self, named: UUID) -> str:
        """The address that names this."""
        return f"{self._local}+{self._tags.of(named)}@{self._domain}"

    def read(self, address: str) -> UUID | None:
        """What an address names; None for what we have not signed."""
        local, _, domain = address.rpartition("@")
        stem, _, tag = local.rpartition("+")
        if (stem.lower(), domain.lower()) != (self._local.lower(), self._domain.lower()):
            return None
        return self._tags.read(tag)


class ReturnPath(SignedAddress):
    """The return paths, which name deliveries, and the organizers of calendar entries."""

    def __init__(self, address: str, keys: Mapping[int, bytes]) -> None:
        super().__init__(address, keys, purpose=PURPOSE)
        self.organizer = SignedAddress(address, keys, purpose=ORGANIZER)
        stem, domain = re.escape(self._local.encode()), re.escape(self._domain.encode())
        self._pattern = re.compile(
            rb"%s\+[a-z2-7]{%d}@%s" % (stem, TAG_LENGTH, domain), re.IGNORECASE
        )

    def accepts(self, address: str) -> bool:
        """Whether mail to this address is ours to read: a genuine one, or what it is below."""
        stem = f"{self._local}@{self._domain}"
        return (
            address.lower() == stem.lower()
            or self.read(address) is not None
            or self.organizer.read(address) is not None
        )

    def find(self, content: bytes) -> UUID | None:
        """The delivery that the first genuine return path in a mail's head names."""
        for found in islice(self._pattern.finditer(content[:MAX_SEARCHED_BYTES]), MAX_CANDIDATES):
            delivery_id = self.read(found[0].decode())
            if delivery_id is not None:
                return delivery_id
        return None
