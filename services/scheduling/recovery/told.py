"""What the appointments topic tells of what a restored database may have lost. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from contracts.events import (
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentEvent,
    AppointmentScheduled,
    ErasureReason,
    Event,
    InvitationIssued,
)

Versioned: TypeAlias = (
    AppointmentScheduled
    | InvitationIssued
    | AppointmentCorrected
    | AppointmentDeleted
    | AppointmentErased
)


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one appointment; 0 or None: nothing."""

    appointment_id: UUID
    practice_id: UUID
    version: int = 0  # the highest
    attempt: int = 0  # the highest
    scheduled: int = 0  # the version that start and length are of
    corrected: int = 0  # the highest version that name or addresses were corrected by
    starts_at: datetime | None = None
    duration_minutes: int | None = None
    deleted: bool = False
    erased: ErasureReason | None = None


def fold(events: Iterable[Event]) -> dict[UUID, Told]:
    """By appointment, whatever their order."""
    known: dict[UUID, Told] = {}
    for event in events:
        if isinstance(event, AppointmentEvent):
            before = known.get(event.appointment_id)
            before = before or Told(event.appointment_id, event.practice_id)
            known[event.appointment_id] = _after(before, event)
    return known


def _after(told: Told, event: Event) -> Told:
    if isinstance(event, Versioned):
        told = replace(told, version=max(told.version, event.version))
    match event:
        case AppointmentScheduled() if event.version > told.scheduled:
            return replace(
                told,
                scheduled=event.version,
                starts_at=event.start,
                duration_minutes=event.duration_minutes,
            )
        case InvitationIssued():
            return replace(told, attempt=max(told.attempt, event.attempt))
        case AppointmentCorrected():
            return replace(told, corrected=max(told.corrected, event.version))
        case AppointmentDeleted():
            return replace(told, deleted=True)
        case AppointmentErased():
            on_request = ErasureReason.REQUEST in {event.reason, told.erased}
            return replace(
                told, erased=ErasureReason.REQUEST if on_request else ErasureReason.RETENTION
            )
    return told
