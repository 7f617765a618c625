"""The bounds that follow from three calendar months, for every day, month and turn of the clock."""

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
