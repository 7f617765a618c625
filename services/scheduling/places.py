"""Where a list of appointments goes on: behind which of them."""

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = struct.Struct(">q16s")


@dataclass(frozen=True, slots=True)
class ListPlace:
    """In a list by start: that of the appointment which starts then and has this id."""

    starts_at: datetime
    appointment_id: UUID

    @property
    def cursor(self) -> str:
        """The place as callers hand it back: microseconds since 1970 and id, in base64url."""
        since = (self.starts_at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(_PLACE.pack(since, self.appointment_id.bytes)).decode()

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Raises ValueError for what is none of ours."""
        try:
            since, appointment_id = _PLACE.unpack(base64.urlsafe_b64decode(cursor))
            starts_at = _EPOCH + timedelta(microseconds=since)
        except (struct.error, OverflowError) as error:
            raise ValueError from error
        return cls(starts_at, UUID(bytes=appointment_id))
