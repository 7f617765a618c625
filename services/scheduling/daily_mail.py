"""When a practice's daily mail of how much is open is due. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.practice import Practice

WITHIN = timedelta(hours=12)  # in which a mail still says something; then nobody sends it any more


def rhythm(practice: Practice) -> tuple[bool, int, str]:
    """What decides when it is due: with another one, what was to come is another one, too."""
    wanted = bool(practice.daily_mail_address)
    return wanted, practice.daily_mail_hour, practice.time_zone


def following(practice: Practice, now: datetime) -> datetime | None:
    """When the next one is due, after `now`; None where the practice wants none.

    Where the clocks leave the hour out, it is due as long after midnight as on other days; of a
    doubled hour the first counts (RFC 5545, section 3.3.5).
    """
    if not practice.daily_mail_address:
        return None
    today = now.astimezone(practice.zone).date()
    due = _at(today, practice.daily_mail_hour, practice.zone)
    if due > now:
        return due
    return _at(today + timedelta(days=1), practice.daily_mail_hour, practice.zone)


def day_of(practice: Practice, due_at: datetime) -> date:
    """The practice's day that a mail is of: the one it was due on, however late it goes out."""
    return due_at.astimezone(practice.zone).date()


def _at(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)
