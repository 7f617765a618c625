"""Time zones as calendar files define them: VTIMEZONE (RFC 5545, section 3.6.5).

Written for Outlook, which reads one STANDARD and one DAYLIGHT with a yearly rule each and little
else (MS-OXCICAL 2.1.3.1.1.19); icalendar's own definitions list dates instead.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

from services.notification.letters.moments import zone

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LAST = -1


@dataclass(frozen=True, slots=True)
class _Change:
    """The clock is put forward or back; `onset` is what it showed, naive, just then."""

    onset: datetime
    before: timedelta
    after: timedelta


@lru_cache(maxsize=128)
def vtimezone(name: str, year: int) -> bytes | None:
    """The definition of the zone, right from January of that year to the end of the next.

    None for a zone whose clock is not changed by yearly rules. Raises UnusableLetter.
    """
    place = zone(name)
    component = Timezone()
    component.add("tzid", name)
    changes = list(_changes(place, year - 1))
    if not changes and not list(_changes(place, year)) and not list(_changes(place, year + 1)):
        fixed = place.utcoffset(datetime(year, 1, 1)) or timedelta()  # noqa: DTZ001
        epoch = datetime(1970, 1, 1)  # noqa: DTZ001
        component.add_component(_observance(_Change(epoch, fixed, fixed), None))
        return bytes(component.to_ical())
    if len(changes) != 2:
        return None
    following = [list(_changes(place, later)) for later in (year, year + 1)]
    for at, change in enumerate(changes):
        week = _week(change, [each[at] for each in following if len(each) == 2])
        if week is None or any(len(each) != 2 for each in following):
            return None
        day = f"{week}{_DAYS[change.onset.weekday()]}"
        rule = vRecur(freq="YEARLY", bymonth=change.onset.month, byday=day)
        component.add_component(_observance(change, rule))
    return bytes(component.to_ical())


def _observance(change: _Change, rule: vRecur | None) -> TimezoneStandard | TimezoneDaylight:
    observance = TimezoneDaylight() if change.after > change.before else TimezoneStandard()
    observance.add("dtstart", change.onset)
    observance.add("tzoffsetfrom", change.before)
    observance.add("tzoffsetto", change.after)
    if rule is not None:
        observance.add("rrule", rule)
    return observance


def _week(change: _Change, following: list[_Change]) -> int | None:
    """Which weekday of the month it is (-1: the last) if the later years' changes fit too."""
    number = (change.onset.day - 1) // 7 + 1
    for week in (_LAST, number):
        if all(
            each.before == change.before
            and each.after == change.after
            and each.onset == _onset(change.onset, each.onset.year, week)
            for each in (change, *following)
        ):
            return week
    return None


def _onset(onset: datetime, year: int, week: int) -> datetime | None:
    """The same weekday, week and time of the month in another year."""
    days = [
        each[onset.weekday()]
        for each in calendar.monthcalendar(year, onset.month)
        if each[onset.weekday()]
    ]
    at = week if week == _LAST else week - 1
    return onset.replace(year=year, day=days[at]) if at < len(days) else None


def _changes(place: ZoneInfo, year: int) -> Iterator[_Change]:
    """The changes of the clock within a year."""
    moment, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while moment < end:
        following = moment + timedelta(days=1)
        if _offset(moment, place) != _offset(following, place):
            first = _first_after(moment, following, place)
            before, after = _offset(moment, place), _offset(following, place)
            yield _Change((first + before).replace(tzinfo=None), before, after)
        moment = following


def _first_after(moment: datetime, following: datetime, place: ZoneInfo) -> datetime:
    """The minute between the two from which on the later offset holds."""
    low, high = 0, int((following - moment) / timedelta(minutes=1))
    while high - low > 1:
        middle = (low + high) // 2
        same = _offset(moment + timedelta(minutes=middle), place) == _offset(moment, place)
        low, high = (middle, high) if same else (low, middle)
    return moment + timedelta(minutes=high)


def _offset(moment: datetime, place: ZoneInfo) -> timedelta:
    return moment.astimezone(place).utcoffset() or timedelta()
