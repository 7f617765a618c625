"""When a text message waits for the morning: it rings, a mail does not. Pure.

Quiet are the nights, and of what can as well be told on Monday the whole of Sunday: invitations.
Reminders, moves and cancellations change what a patient does next, so that by day they go on
Sundays too. Where Monday would be too late the end of the night may do; where that is too late as
well, it goes at once.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.channels import Channel
from contracts.events import SMS_LEAST_NOTICE
from services.scheduling.practice import Practice

# On the practice's clock.
NIGHT_FROM = time(21)
NIGHT_UNTIL = time(8)
SUNDAY = 6
DAY = timedelta(days=1)


def sms_not_before(
    practice: Practice, now: datetime, start: datetime, *, sundays: bool
) -> datetime | None:
    """Until when a text message waits that is requested `now`, in UTC; None: it goes at once.

    `start` is what it has to come before, in time to act on it; `sundays` whether those are quiet.
    """
    if not practice.quiet_hours:
        return None
    ends = _ends_of_quiet(now.astimezone(practice.zone), practice.zone, sundays=sundays)
    return next((end for end in ends if start - end >= SMS_LEAST_NOTICE), None)


def of_invitation(
    practice: Practice, channels: tuple[Channel, ...], now: datetime, start: datetime
) -> datetime | None:
    """As `sms_not_before`, of an invitation over these channels."""
    if Channel.SMS not in channels:
        return None
    return sms_not_before(practice, now, start, sundays=True)


def _ends_of_quiet(local: datetime, zone: ZoneInfo, *, sundays: bool) -> Iterator[datetime]:
    """Mornings to wait for, the latest first; none where nobody has to wait."""
    day = local.date() + DAY if local.time() >= NIGHT_FROM else local.date()
    if sundays and day.weekday() == SUNDAY:
        yield _morning(day + DAY, zone)
    if not NIGHT_UNTIL <= local.time() < NIGHT_FROM:
        yield _morning(day, zone)


def _morning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, NIGHT_UNTIL, zone).astimezone(UTC)
