"""When a patient's link holds, and when the video room is open to who has one. Pure.

Date and duration are guide values, and a practice may run late: unless it is set otherwise, the
room stays open for as long as the link holds.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.scheduling.appointments import Appointment

MONTHS_VALID = 3


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


def valid_until(ends_at: datetime, zone: ZoneInfo) -> datetime:
    """When the link of an appointment that ends at `ends_at` dies: three calendar months later.

    Counted on the practice's calendar and clock; the day is the month's last where the month is
    shorter. Where the clocks skip that time it is as much later, where they show it twice it is
    the second: a patient is never given less. UTC.
    """
    local = ends_at.astimezone(zone)
    months = local.month - 1 + MONTHS_VALID
    year, month = local.year + months // 12, months % 12 + 1
    day = min(local.day, monthrange(year, month)[1])
    last = local.replace(year=year, month=month, day=day)
    # PEP 495: fold=0 is the later moment in a gap, fold=1 in a doubled hour.
    return max(last.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
