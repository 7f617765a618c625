"""The practice's clock: every wall-clock time is one moment, none, or asked back."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.wall_clock import (
    AmbiguousTime,
    NonexistentTime,
    day_bounds,
    offset_of,
    resolve,
)

BERLIN = ZoneInfo("Europe/Berlin")


def test_winter_and_summer_time() -> None:
    assert resolve(date(2026, 12, 1), time(14, 30), BERLIN) == datetime(
        2026, 12, 1, 13, 30, tzinfo=UTC
    )
    assert resolve(date(2026, 7, 1), time(14, 30), BERLIN) == datetime(
        2026, 7, 1, 12, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("at", [time(2, 0), time(2, 30), time(2, 59)])
def test_the_skipped_hour_does_not_exist(at: time) -> None:
    with pytest.raises(NonexistentTime):
        resolve(date(2027, 3, 28), at, BERLIN)


def test_the_doubled_hour_is_asked_back_and_then_chosen() -> None:
    day, at = date(2026, 10, 25), time(2, 30)
    with pytest.raises(AmbiguousTime) as ambiguous:
        resolve(day, at, BERLIN)
    assert ambiguous.value.offsets == ("+02:00", "+01:00")
    assert resolve(day, at, BERLIN, "+02:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert resolve(day, at, BERLIN, "+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


zones = st.sampled_from(
    [ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")]
)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    zones,
)
def test_every_moment_is_found_again_from_its_wall_clock(naive: datetime, zone: ZoneInfo) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=0)
    local = moment.astimezone(zone)
    found = resolve(local.date(), local.time().replace(fold=0), zone, offset_of(local))
    assert found == moment


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), zones)
def test_days_follow_each_other_without_gap(day: date, zone: ZoneInfo) -> None:
    first, until = day_bounds(day, zone)
    assert timedelta(hours=23) <= until - first <= timedelta(hours=25)
    assert until == day_bounds(day + timedelta(days=1), zone)[0]


def test_an_offset_is_asked_for_only_where_it_decides() -> None:
    day, at = date(2026, 10, 25), time(2, 30)
    with pytest.raises(AmbiguousTime):
        resolve(day, at, BERLIN, "+03:00")
    noon = datetime(2026, 12, 1, 11, tzinfo=UTC)
    assert resolve(date(2026, 12, 1), time(12), BERLIN, "+09:00") == noon


@pytest.mark.parametrize(
    ("day", "first", "hours"),
    [
        (date(2026, 12, 1), datetime(2026, 11, 30, 23, tzinfo=UTC), 24),
        (date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        (date(2027, 3, 28), datetime(2027, 3, 27, 23, tzinfo=UTC), 23),
    ],
)
def test_a_day_is_from_midnight_to_midnight(day: date, first: datetime, hours: int) -> None:
    assert day_bounds(day, BERLIN) == (first, first + timedelta(hours=hours))
