"""What is known of an appointment, and which news of it win. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAppointment:
    """What is known of an appointment; only its deletion when `starts_at` is None."""

    appointment_id: UUID
    practice_id: UUID
    version: int
    starts_at: datetime | None = None
    duration_minutes: int | None = None
    time_zone: str | None = None
    deleted: bool = False
    erased: bool = False


def merge(known: KnownAppointment, news: KnownAppointment) -> KnownAppointment:
    """What is known after news of the same appointment, in whatever order they come.

    - The version is the highest heard of.
    - The time comes from the news with the highest version that has one; of a deleted appointment
      it decides nothing any more.
    - A deletion is never undone, whatever the versions say.
    - Nor is an erasure, and of an erased appointment no time is known.
    """
    merged = replace(
        known,
        version=max(known.version, news.version),
        deleted=known.deleted or news.deleted,
        erased=known.erased or news.erased,
    )
    if merged.erased:
        return replace(merged, starts_at=None, duration_minutes=None, time_zone=None)
    if news.starts_at is None or (known.starts_at is not None and news.version <= known.version):
        return merged
    return replace(
        merged,
        starts_at=news.starts_at,
        duration_minutes=news.duration_minutes,
        time_zone=news.time_zone,
    )
