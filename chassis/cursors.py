"""Cursors of lists by start: where a list goes on, as callers hand it back."""

import base64
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN = 2**63 - 1
_PLACE = struct.Struct(">q16s")


def pack(starts_at: datetime | None, appointment_id: UUID) -> str:
    """Microseconds since 1970 and id, in base64url; None: the start is not known."""
    since = _UNKNOWN
    if starts_at is not None:
        since = (starts_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(_PLACE.pack(since, appointment_id.bytes)).decode()


def unpack(cursor: str) -> tuple[datetime | None, UUID]:
    """Start and id. Raises ValueError for what is none of ours."""
    try:
        since, appointment_id = _PLACE.unpack(base64.urlsafe_b64decode(cursor))
        starts_at = None if since == _UNKNOWN else _EPOCH + timedelta(microseconds=since)
    except (ValueError, struct.error, OverflowError):
        raise ValueError("no cursor of ours") from None
    return starts_at, UUID(bytes=appointment_id)
