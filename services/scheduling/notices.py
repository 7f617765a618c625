"""Notices: when a patient is reminded, and what a patient is told of a move or a cancellation.

Pure: no I/O. All times are aware and in UTC.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.channels import Channel
from contracts.events import NoticeKind, NoticeRequested, Recipients
from services.scheduling import quiet_hours
from services.scheduling.appointments import Appointment
from services.scheduling.practice import Practice, contact

MIN_LEAD = timedelta(hours=2)  # after booking or moving: the patient has just been told
DAY = 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Reminder:
    """When to remind of a start."""

    minutes_before: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice whose time has come."""

    id: UUID
    practice_id: UUID
    appointment_id: UUID
    kind: NoticeKind
    due_at: datetime
    previous_start: datetime | None


def reminder_time(start: datetime, minutes_before: int, zone: ZoneInfo) -> datetime:
    """Whole days before on the practice's clock, the rest as time that passes.

    "A day before" a visit at ten is at ten, also when the clocks change in between. A time that the
    clocks skip is as much later as they skip; of one that comes twice it is the first.
    """
    days, minutes = divmod(minutes_before, DAY)
    moment = start.astimezone(UTC)
    if days:
        wall = (start.astimezone(zone) - timedelta(days=days)).replace(fold=0)
        moment = wall.astimezone(UTC)
    return moment - timedelta(minutes=minutes)


def reminders(practice: Practice, start: datetime, now: datetime) -> list[Reminder]:
    """Those of an appointment that is booked or moved `now`; what is past or near is left out."""
    each = [
        Reminder(minutes, reminder_time(start, minutes, practice.zone))
        for minutes in dict.fromkeys(practice.reminders)
    ]
    return [reminder for reminder in each if reminder.due_at > now + MIN_LEAD]


def to_send(due: Collection[DueNotice]) -> list[DueNotice]:
    """Of several overdue reminders of one appointment, after an outage, the last alone."""
    latest: dict[tuple[UUID, NoticeKind], DueNotice] = {}
    for each in sorted(due, key=lambda each: each.due_at):
        latest[each.appointment_id, each.kind] = each
    return list(latest.values())


def requested(
    notice_id: UUID,
    kind: NoticeKind,
    appointment: Appointment,
    practice: Practice,
    *,
    channels: Collection[Channel],
    link: str,
    now: datetime,
    known_start: datetime | None = None,
) -> NoticeRequested | None:
    """The event; None where the practice may no longer use any channel of the last attempt.

    `channels` are those of this installation; `known_start` is when the patient thinks it is.
    """
    allowed = [
        channel
        for channel in appointment.channels
        if channel in channels and channel in practice.tariff.channels
    ]
    if not allowed:
        return None
    cancelled = kind is NoticeKind.CANCELLED
    # Whoever knows another start has to hear of it before that one, too.
    soonest = min(appointment.starts_at, known_start or appointment.starts_at)
    return NoticeRequested(
        appointment_id=appointment.id,
        practice_id=practice.id,
        appointment_version=appointment.version,
        notice_id=notice_id,
        kind=kind,
        sender_name=practice.name,
        start=known_start if cancelled and known_start else appointment.starts_at,
        previous_start=None if cancelled else known_start,
        duration_minutes=appointment.duration_minutes,
        time_zone=practice.time_zone,
        locale=appointment.locale,
        patient_name=appointment.patient_name,
        channels=Recipients(**{channel.value: appointment.address(channel) for channel in allowed}),
        link=link,
        not_after=appointment.starts_at,
        sms_not_before=quiet_hours.sms_not_before(practice, now, soonest, sundays=False)
        if Channel.SMS in allowed
        else None,
        corrected=[channel for channel in allowed if channel in appointment.unsent],
        **contact(practice).model_dump(),
    )
