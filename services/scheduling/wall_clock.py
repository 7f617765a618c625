"""Wall-clock input in the practice's zone, with the gaps and doubled hours of daylight saving."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class NonexistentTime(Exception):
    """The clocks skip this time on this day."""


class AmbiguousTime(Exception):
    """The clocks show this time twice on this day; `offsets` tells the two apart."""

    def __init__(self, offsets: tuple[str, str]) -> None:
        super().__init__()
        self.offsets = offsets


def resolve(day: date, at: time, zone: ZoneInfo, utc_offset: str | None = None) -> datetime:
    """The moment, in UTC, at which the practice's clock shows `at` on `day`.

    `utc_offset` ("+02:00") chooses one of a doubled hour. Raises NonexistentTime or
    AmbiguousTime.
    """
    first = datetime.combine(day, at, zone)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    # PEP 495: in a gap, going to UTC and back does not return to the same wall clock.
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != first.replace(tzinfo=None):
        raise NonexistentTime
    choices = {offset_of(first): first, offset_of(second): second}
    if utc_offset not in choices:
        raise AmbiguousTime((offset_of(first), offset_of(second)))
    return choices[utc_offset].astimezone(UTC)


def offset_of(moment: datetime) -> str:
    """The offset from UTC as ISO 8601 writes it, e.g. +02:00."""
    return moment.isoformat(timespec="minutes")[-6:]


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First moment of the day and of the next one, in UTC; a day has 23 to 25 hours."""
    return (
        datetime.combine(day, time.min, zone).astimezone(UTC),
        datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC),
    )
