"""When a patient's link holds, and when the video room is open to who has one. Pure.

Date and duration are guide values, and a practice may run late: unless it is set otherwise, the
room stays open for as long as the link holds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from contracts.terms import valid_until
from services.scheduling.appointments import Appointment


class Door(StrEnum):
    """What somebody with a valid link finds."""

    EARLY = "early"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """How long before the start the room opens, and how long after the end it closes, if ever."""

    before: timedelta
    after: timedelta | None

    def opens_at(self, appointment: Appointment) -> datetime:
        """From when on the patient can join."""
        return appointment.starts_at - self.before

    def door(self, appointment: Appointment, now: datetime) -> Door:
        """Whether the patient can join now."""
        if now < self.opens_at(appointment):
            return Door.EARLY
        if self.after is not None and now > appointment.ends_at + self.after:
            return Door.CLOSED
        return Door.OPEN


def link_holds(appointment: Appointment, zone: ZoneInfo, now: datetime) -> bool:
    """Whether the appointment's link is still valid, of one that is not deleted."""
    return now <= valid_until(appointment.ends_at, zone)
