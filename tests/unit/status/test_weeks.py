from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.status.weeks import Counted, Week, all_weeks, beginnings, mondays

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (datetime(2026, 11, 29, 22, 59, tzinfo=UTC), date(2026, 11, 23)),  # Sunday evening
        (datetime(2026, 11, 29, 23, 0, tzinfo=UTC), date(2026, 11, 30)),  # Monday in Berlin
    ],
)
def test_a_week_begins_at_midnight_of_the_practice(now: datetime, newest: date) -> None:
    assert mondays(now, BERLIN, 2) == [newest - timedelta(weeks=1), newest]


@given(st.datetimes(timezones=st.just(UTC), max_value=datetime(9999, 1, 1)))  # noqa: DTZ001
def test_twelve_mondays_lead_up_to_now(now: datetime) -> None:
    if now.year < 2:
        return
    days = mondays(now, BERLIN)
    starts = beginnings(days, BERLIN)
    assert len(days) == 12
    assert {day.weekday() for day in days} == {0}
    assert sorted(starts) == starts
    assert starts[-1] <= now
    assert now - starts[-1] < timedelta(weeks=1, hours=1)  # one has the doubled hour


def test_a_week_with_the_doubled_hour_is_longer() -> None:
    before, after = beginnings([date(2026, 10, 19), date(2026, 10, 26)], BERLIN)
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(weeks=1, hours=1)


@pytest.mark.parametrize(
    ("monday", "name"),
    [
        (date(2026, 11, 23), "2026-W48"),
        (date(2026, 12, 28), "2026-W53"),
        (date(2025, 12, 29), "2026-W01"),
    ],
)
def test_weeks_are_named_as_in_iso_8601(monday: date, name: str) -> None:
    assert Week(monday, Counted()).name == name


def test_a_week_of_which_nothing_is_known_is_there_too() -> None:
    days = [date(2026, 11, 16), date(2026, 11, 23)]
    counted = Counted(at_once=3, p50=1.5, p95=2.0)
    nothing = Counted(at_once=0, corrected=0, failed=0, open=0, p50=None, p95=None)
    assert all_weeks(days, {1: counted}) == [Week(days[0], nothing), Week(days[1], counted)]
