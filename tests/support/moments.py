"""Moments as a practice's clock shows them, in the nights as well in which it changes."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from tests.support import BERLIN, Json, berlin_day


def berlin_moment(**ahead: float) -> datetime:
    """So far ahead from now, as `timedelta` says it: an hour is one, and a day 24 of them."""
    return (datetime.now(UTC) + timedelta(**ahead)).astimezone(BERLIN)


def soon(minutes: int = 5) -> Json:
    """Date, time and offset of an appointment that begins in so many minutes."""
    start = berlin_moment(minutes=minutes)
    return {
        "date": start.date().isoformat(),
        "time": f"{start:%H:%M}",
        "utc_offset": start.isoformat(timespec="minutes")[-6:],
    }


def clock_change(*, back: bool) -> str:
    """The next day that is an hour longer (`back`), or shorter: 02:30 comes twice, or never."""
    hours = timedelta(hours=25 if back else 23)
    midnights = [
        (day, datetime.combine(day, time(), BERLIN).astimezone(UTC))
        for day in map(berlin_day, range(1, 400))
    ]
    return next(
        day.isoformat()
        for (day, begins), (_, ends) in pairwise(midnights)
        if ends - begins == hours
    )
