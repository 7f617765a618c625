"""What became of the invitations of each week, as it stands now. Weeks are those of ISO 8601.

An invitation is counted in the week of its first attempt, as it is shown (`indicators`):

1. Green, it arrived: at once, or corrected where an attempt before the newest had not.
2. Red, it has not arrived: `failed`.
3. Clock or amber, nobody knows yet, or ever will: `open`.

Deleted appointments count as well: that is no other fate. Erased ones are not known any more.

Pure: no I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHOWN = 12  # weeks, the present one included
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many invitations of a week became what; the time to the tick, in seconds."""

    at_once: int = 0
    corrected: int = 0
    failed: int = 0
    open: int = 0
    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """One week, beginning on a Monday."""

    monday: date
    counted: Counted

    @property
    def name(self) -> str:
        """As ISO 8601 writes it: 2026-W48. The year is that of the week's Thursday."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"


def mondays(now: datetime, zone: ZoneInfo, count: int = SHOWN) -> list[date]:
    """Of this week and those before it, the oldest first."""
    today = now.astimezone(zone).date()
    newest = today - timedelta(days=today.weekday())
    return [newest - back * WEEK for back in reversed(range(count))]


def beginnings(days: Sequence[date], zone: ZoneInfo) -> list[datetime]:
    """When these days begin in the zone."""
    return [datetime.combine(day, time.min, zone) for day in days]


def all_weeks(days: Sequence[date], counted: Mapping[int, Counted]) -> list[Week]:
    """Every week, those of which nothing was counted too; `counted` is by place in `days`."""
    return [Week(day, counted.get(place, Counted())) for place, day in enumerate(days)]
