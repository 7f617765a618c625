"""The bounds that follow from three calendar months, for every day, month and turn of the clock."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts import terms
from contracts.terms import valid_until

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
TURN = timedelta(hours=1)  # between two looks for what is due
LATEST_BOUNCE = timedelta(days=7)  # after the appointment's end
RETENTION = timedelta(days=terms.MAX_RETENTION_DAYS)
ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "UTC", "Asia/Tokyo", "America/St_Johns")]
# Every end of a month of four years, a leap year among them.
MONTH_ENDS = [
    date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    for year in range(2025, 2029)
    for month in range(1, 13)
]


def check(end: datetime, zone: ZoneInfo) -> None:
    latest = valid_until(end, zone)
    assert end + RETENTION + TURN <= latest
    # Notification waits to be told first.
    assert RETENTION + TURN < terms.UNTOLD_RETENTION
    assert end + terms.UNTOLD_RETENTION + TURN <= latest
    # A bare row outlives its link.
    assert end + terms.LINK_DEAD_AFTER > latest
    assert end + LATEST_BOUNCE + terms.ADDRESS_VERDICT_RETENTION + TURN <= latest
    assert end + terms.ATTEMPT_RETENTION + TURN <= latest


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("day", MONTH_ENDS, ids=str)
def test_the_bounds_hold_at_the_ends_of_all_months(day: date, zone: ZoneInfo) -> None:
    for hour in range(24):
        check(datetime.combine(day, time(hour), zone).astimezone(UTC), zone)


@given(
    st.integers(0, 40 * 365 * 24).map(lambda hours: FIRST + timedelta(hours=hours)),
    st.sampled_from(ZONES),
)
@example(datetime(2027, 1, 31, 23, tzinfo=ZONES[0]).astimezone(UTC), ZONES[0])
def test_the_bounds_hold_at_any_time(end: datetime, zone: ZoneInfo) -> None:
    check(end, zone)


@pytest.mark.parametrize(
    ("ends_at", "expected"),
    [
        ("2026-11-24T15:00+01:00", "2027-02-24T15:00+01:00"),
        ("2026-11-30T15:00+01:00", "2027-02-28T15:00+01:00"),  # a shorter month
        ("2027-11-30T15:00+01:00", "2028-02-29T15:00+01:00"),  # a leap year
        ("2027-01-15T15:00+01:00", "2027-04-15T15:00+02:00"),  # into summer time
        ("2026-10-31T23:50+01:00", "2027-01-31T23:50+01:00"),  # over the new year
        ("2026-12-28T02:30+01:00", "2027-03-28T03:30+02:00"),  # skipped: an hour later
        ("2027-07-31T02:30+02:00", "2027-10-31T02:30+01:00"),  # comes twice: the second
    ],
)
def test_a_link_dies_three_calendar_months_after_the_end(ends_at: str, expected: str) -> None:
    moment = datetime.fromisoformat(ends_at)
    assert valid_until(moment, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(expected)


NAMES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kolkata"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/Santiago", "Africa/Casablanca", "UTC"),
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.sampled_from(NAMES))
def test_the_last_moment_is_the_same_wall_clock_three_months_on(
    ends_at: datetime, name: str
) -> None:
    zone = ZoneInfo(name)
    end, until = ends_at.astimezone(zone), valid_until(ends_at, zone)
    last = until.astimezone(zone)
    months = end.year * 12 + end.month + 2
    year, month = months // 12, months % 12 + 1
    day = min(end.day, monthrange(year, month)[1])
    expected = end.replace(year=year, month=month, day=day, tzinfo=None)
    shown = last.replace(tzinfo=None, fold=0)
    skipped = (
        expected.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        != expected
    )
    if skipped:  # the clocks jump over it: later then, and by no more than they jump
        assert timedelta(0) < shown - expected <= timedelta(hours=24)
    else:
        assert shown == expected.replace(fold=0)
        # where the clocks show it twice it is the second time
        again = until + timedelta(hours=1)
        assert again.astimezone(zone).replace(tzinfo=None, fold=0) != shown
    assert timedelta(days=88) < until - ends_at < timedelta(days=94)


def test_terms_are_those_that_are_documented() -> None:
    """In docs/privacy.md, and in what a practice may set."""
    assert (terms.MONTHS_VALID, terms.MAX_RETENTION_DAYS) == (3, 88)
    assert range(89) == terms.RETENTION_DAYS
    assert timedelta(days=88, hours=12) == terms.UNTOLD_RETENTION
    assert timedelta(days=93) == terms.LINK_DEAD_AFTER
    assert timedelta(days=80) == terms.ADDRESS_VERDICT_RETENTION
    assert timedelta(days=88) == terms.ATTEMPT_RETENTION
