"""What is known of an appointment, and which news of it win. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.events import (
    AppointmentDeleted,
    AppointmentErased,
    AppointmentRescheduled,
    Event,
    InvitationRequested,
    NoticeKind,
    NoticeRequested,
    SendNowRequested,
    WithdrawalRequested,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAppointment:
    """What is known of an appointment; its deletion at most when `starts_at` is None.

    `version` is that of its time, or of its deletion: 0 where nothing is known of either.
    """

    appointment_id: UUID
    practice_id: UUID
    version: int = 0
    starts_at: datetime | None = None
    duration_minutes: int | None = None
    time_zone: str | None = None
    deleted: bool = False
    erased: bool = False


def news_of(event: Event) -> KnownAppointment | None:
    """What an event says of its appointment; None where that is nobody's concern here."""
    match event:
        case AppointmentDeleted() | AppointmentErased():
            return KnownAppointment(
                appointment_id=event.appointment_id,
                practice_id=event.practice_id,
                version=event.version,
                deleted=True,
                erased=isinstance(event, AppointmentErased),
            )
        case SendNowRequested() | WithdrawalRequested():
            # Without their version: it may be that of a move which is still to be read.
            return KnownAppointment(
                appointment_id=event.appointment_id, practice_id=event.practice_id
            )
        case InvitationRequested() | NoticeRequested():
            version, start = event.appointment_version, event.not_after
        case AppointmentRescheduled():
            version, start = event.version, event.start
        case _:
            return None
    return KnownAppointment(
        appointment_id=event.appointment_id,
        practice_id=event.practice_id,
        version=version,
        starts_at=start,
        duration_minutes=event.duration_minutes,
        time_zone=event.time_zone,
        # Whichever topic is read first: no invitation goes out behind its cancellation.
        deleted=isinstance(event, NoticeRequested) and event.kind is NoticeKind.CANCELLED,
    )


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
