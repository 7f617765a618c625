"""No term is longer than three calendar months, whatever the months and the clock are like."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from contracts import terms
from contracts.terms import valid_until
from services.scheduling import erasure_store as of_scheduling

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
TURN = timedelta(hours=1)  # between two looks for what is due
ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "UTC", "Asia/Tokyo", "America/St_Johns")]


@given(
    st.integers(0, 40 * 365 * 24).map(lambda hours: FIRST + timedelta(hours=hours)),
    st.sampled_from(ZONES),
)
@example(datetime(2027, 1, 31, 23, tzinfo=ZONES[0]).astimezone(UTC), ZONES[0])
def test_data_goes_within_three_calendar_months_of_the_end(end: datetime, zone: ZoneInfo) -> None:
    latest = valid_until(end, zone)
    assert end + of_scheduling.LONGEST_TERM + TURN <= latest
    assert end + terms.UNTOLD_RETENTION + TURN <= latest
    # Notification waits to be told first, and a bare row outlives its link.
    assert of_scheduling.LONGEST_TERM + TURN < terms.UNTOLD_RETENTION
    assert end + of_scheduling.LINK_DEAD_AFTER > latest
