"""How long a link holds and patients' data is kept: one rule, and every bound that follows from it.

The rule: a patient's link is valid for three calendar months after the appointment's end, and by
then nothing of the patient is held any more. What is derived stands below, each with its proof.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS_VALID = 3

# The shortest three months are 89 days (30 or 31 January to 30 April), less the hour that summer
# time takes. In whole days, with an hour until the next look for what is due, 88 are left.
MAX_RETENTION_DAYS = 88
RETENTION_DAYS = range(MAX_RETENTION_DAYS + 1)

# The notification service is told what to erase; should it never be, it goes by itself: after the
# longest term that a practice may set, and before the shortest three months.
UNTOLD_RETENTION = timedelta(days=MAX_RETENTION_DAYS, hours=12)

# No three calendar months are longer than 92 days, and an hour that winter time adds.
LINK_DEAD_AFTER = timedelta(days=93)

# What is known of an address is written at the latest by a bounce that comes a week after the
# appointment's end, and goes within the longest term.
ADDRESS_VERDICT_RETENTION = timedelta(days=MAX_RETENTION_DAYS - 7 - 1)

# Every service knows of what is gone for longer than an event of it can come late; whoever
# synchronises hears of it as long, but no longer than the longest term.
TOMBSTONE_TERM = timedelta(days=45)

# What came back and belongs to no known message, for operations to look at.
UNMATCHED_RETENTION = timedelta(days=14)

# No attempt is younger than its appointment's end.
ATTEMPT_RETENTION = timedelta(days=MAX_RETENTION_DAYS)


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
