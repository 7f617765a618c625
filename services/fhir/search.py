"""What a search asks for, read from its parameters. Pure. Raises BadSearch.

A parameter that is not known is refused, or it would be as if it had been heeded; a caller who says
`Prefer: handling=lenient` has it left out, and sees so in the link to itself.
"""

import calendar
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.said import Said
from services.fhir.problems import BadSearch

MOST = 100  # resources of a page, ids of a search
PAGE = 50
MOST_DATES = 10
CURSOR = "_cursor"
YEARS = range(1900, 9001)
YEARS_OF_CHANGES = range(1970, 9001)
OF_THE_ANSWER = {"_format", "_pretty"}
NO_LINK = Said("Das ist kein Link von hier.", "It is no link of ours.")
ONCE = Said(
    "Er kann einmal stehen, mit Kommas zwischen den Werten.",
    "It can be given once, with commas between its values.",
)
UNKNOWN = Said("Diesen Parameter gibt es hier nicht.", "This parameter is not known here.")
ONE_EACH = Said(
    "Je Angabe ein Datum, und nur wenige davon.",
    "One date each time it is given, and a few of them.",
)
A_DATE = Said(
    "Es ist ein Datum, wie ge2026-12-01 oder lt2026-12-01T14:00:00+01:00.",
    "It is a date, as ge2026-12-01 or lt2026-12-01T14:00:00+01:00.",
)
NO_APPROXIMATION = Said(
    "Ungefähr (ap) wird nichts gesucht.", "Nothing is searched for approximately (ap)."
)
NO_SINCE = Said(
    "Es ist einmal ge oder gt mit einem Zeitpunkt samt Abstand zu UTC, wie "
    "ge2026-12-01T14:00:00.123Z.",
    "It is, once, ge or gt with a moment and its offset from UTC, as ge2026-12-01T14:00:00.123Z.",
)
NO_SUCH_DATE = Said("Dieses Datum gibt es nicht.", "There is no such date.")
NO_BEGINNING = Said(
    "Es braucht einen Anfang, wie ge2026-12-01.", "It needs a beginning, as ge2026-12-01."
)
TOO_MANY = Said(f"Höchstens {MOST} auf einmal.", f"At most {MOST} at once.")

_DATE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?"
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.\d+)?)?"
    r"(?P<zone>Z|[ +-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)

_SINCE = re.compile(
    r"(?P<prefix>ge|gt)"
    r"(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[ +-]\d\d:\d\d))",
    re.ASCII,
)

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Bound:
    """A prefix and what it stands before: all moments from `low` up to `high`, which is not one."""

    prefix: str
    low: datetime
    high: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether this moment is found (https://hl7.org/fhir/R4/search.html#prefix)."""
        match self.prefix:
            case "ne":
                return not self.low <= moment < self.high
            case "gt" | "sa":
                return moment >= self.high
            case "lt" | "eb":
                return moment < self.low
            case "ge":
                return moment >= self.low
            case "le":
                return moment < self.high
        return self.low <= moment < self.high

    @property
    def earliest(self) -> datetime | None:
        """Nothing before this is found."""
        starts = {"eq": self.low, "ge": self.low, "gt": self.high, "sa": self.high}
        return starts.get(self.prefix)

    @property
    def latest(self) -> datetime | None:
        """Nothing from this on is found."""
        ends = {"eq": self.high, "le": self.high, "lt": self.low, "eb": self.low}
        return ends.get(self.prefix)


@dataclass(frozen=True, slots=True)
class Query:
    """Parameters by name, each with its values: any of them will do; a repeated one narrows."""

    values: Mapping[str, Sequence[Sequence[str]]]
    count: int = PAGE
    cursor: str | None = None
    heeded: Parameters = field(default=())

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def any_of(self, name: str) -> Sequence[str] | None:
        """The values of a parameter that may stand there once; None without it."""
        found = self.values.get(name)
        if found is None:
            return None
        if len(found) > 1:
            raise BadSearch(name, ONCE)
        return found[0]


def parse(parameters: Parameters, known: Iterable[str], *, lenient: bool) -> Query:
    """The query, of these parameters alone."""
    values: dict[str, list[list[str]]] = {}
    heeded: list[tuple[str, str]] = []
    count, cursor = PAGE, None
    for name, text in parameters:
        if name in OF_THE_ANSWER:
            continue
        if name == "_count":
            count = _count(text)
        elif name == CURSOR:
            cursor = text
            continue
        elif name in known:
            values.setdefault(name, []).append([each for each in text.split(",") if each])
            if not values[name][-1]:
                raise BadSearch(name, Said("Er hat keinen Wert.", "It has no value."))
        elif lenient:
            continue
        else:
            raise BadSearch(name, UNKNOWN)
        heeded.append((name, text))
    return Query(values, count, cursor, heeded)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]):
        raise BadSearch("_count", Said("Es ist eine Zahl ab 1.", "It is a number from 1."))
    return min(int(text[:9]), MOST)


def ids(name: str, values: Sequence[str], kind: str | None = None) -> list[str]:
    """UUIDs of resources; of references those to resources of this kind, in any of its forms.

    What can be the id of nothing here finds nothing.
    """
    if len(values) > MOST:
        raise BadSearch(name, TOO_MANY)
    found = []
    for each in values:
        path, _, last = each.rpartition("/")
        if path and (kind is None or path.rpartition("/")[2] != kind):
            continue
        try:
            found.append(str(UUID(last)))
        except ValueError:
            continue
    return found


def token(text: str) -> tuple[str | None, str]:
    """System and value of `system|value`; None where any system will do."""
    system, bar, value = text.rpartition("|")
    return (system if bar else None), value


def bounds(name: str, values: Sequence[Sequence[str]], zone: ZoneInfo) -> list[Bound]:
    """What dates say; those without an offset are on the practice's clock."""
    if len(values) > MOST_DATES or any(len(each) != 1 for each in values):
        raise BadSearch(name, ONE_EACH)
    return [_bound(name, each[0], zone) for each in values]


def since(values: Sequence[Sequence[str]]) -> datetime:
    """From when on something has to have changed, for `_lastUpdated`, to the millisecond.

    That is as exact as `meta.lastUpdated` is: `ge` with one misses nothing, `gt` what changed later
    in the same millisecond.
    """
    read = _SINCE.fullmatch(values[0][0]) if len(values) == len(values[0]) == 1 else None
    if read is None:
        raise BadSearch("_lastUpdated", NO_SINCE)
    try:
        moment = datetime.fromisoformat(read["moment"].replace(" ", "+")).astimezone(UTC)
        if moment.year not in YEARS_OF_CHANGES:
            raise ValueError("out of reach")
    except (ValueError, OverflowError):
        raise BadSearch("_lastUpdated", NO_SUCH_DATE) from None
    moment -= timedelta(microseconds=moment.microsecond % 1000)
    return moment if read["prefix"] == "ge" else moment + timedelta(milliseconds=1)


def _bound(name: str, text: str, zone: ZoneInfo) -> Bound:
    read = _DATE.fullmatch(text)
    if read is None:
        raise BadSearch(name, A_DATE)
    prefix = read["prefix"] or "eq"
    if prefix == "ap":
        raise BadSearch(name, NO_APPROXIMATION)
    try:
        low, high = _span(read, zone)
    except (ValueError, OverflowError):
        raise BadSearch(name, NO_SUCH_DATE) from None
    return Bound(prefix, low, high)


def _span(read: re.Match[str], zone: ZoneInfo) -> tuple[datetime, datetime]:
    year, month, day = int(read["year"]), int(read["month"] or 1), int(read["day"] or 1)
    if year not in YEARS:
        raise ValueError("out of reach")
    if read["hour"]:
        second = int(read["second"]) if read["second"] else 0
        at = datetime(year, month, day, int(read["hour"]), int(read["minute"]), second, tzinfo=zone)
        if read["zone"]:
            offset = "+00:00" if read["zone"] == "Z" else read["zone"].replace(" ", "+")
            at = datetime.fromisoformat(at.replace(tzinfo=None).isoformat() + offset)
        return at.astimezone(UTC), at.astimezone(UTC) + timedelta(
            **({"seconds": 1} if read["second"] else {"minutes": 1})
        )
    first = date(year, month, day)
    if read["day"]:
        last = first
    elif read["month"]:
        last = first.replace(day=calendar.monthrange(year, month)[1])
    else:
        last = date(year, 12, 31)
    return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def days(found: Sequence[Bound], zone: ZoneInfo, today: date) -> tuple[date, date] | None:
    """First and last day, on the practice's clock, on which something may be found; None: none.

    Without an end, up to where appointments can be made. Raises BadSearch without a beginning.
    """
    starts = [each.earliest for each in found if each.earliest is not None]
    ends = [each.latest for each in found if each.latest is not None]
    if not starts:
        raise BadSearch("date", NO_BEGINNING)
    first = max(starts).astimezone(zone).date()
    furthest = today + FURTHEST_AHEAD
    last = furthest
    if ends:
        last = min(furthest, (min(ends) - timedelta(microseconds=1)).astimezone(zone).date())
    return (first, last) if first <= last else None


FURTHEST_AHEAD = timedelta(days=5 * 366 + 1)  # as scheduling takes appointments
ONE_DAY = timedelta(days=1)
LONGEST = timedelta(days=365)  # behind the first day of a list: as scheduling gives


@dataclass(frozen=True, slots=True)
class DayPlace:
    """Where a list of days goes on: from which day on it is asked for, and scheduling's cursor."""

    first: date
    cursor: str | None

    def __str__(self) -> str:
        return f"{self.first.isoformat()}~{self.cursor or ''}"

    @classmethod
    def of(cls, text: str) -> "DayPlace":
        """Read it."""
        day, _, cursor = text.partition("~")
        try:
            return cls(date.fromisoformat(day), cursor or None)
        except ValueError:
            raise BadSearch(CURSOR, NO_LINK) from None
