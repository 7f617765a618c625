"""A link holds for three calendar months after the appointment's present end."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.appointments import Appointment, reschedule
from services.scheduling.links import Link, Links
from services.scheduling.visits.opening import link_holds, valid_until

APPOINTMENT = UUID("01890000-0000-7000-8000-000000000001")
KEY = b"o" * 32


@pytest.mark.parametrize(
    ("ends_at", "expected"),
    [
        ("2026-11-24T15:00+01:00", "2027-02-24T15:00+01:00"),
        ("2026-11-30T15:00+01:00", "2027-02-28T15:00+01:00"),  # a shorter month
        ("2027-11-30T15:00+01:00", "2028-02-29T15:00+01:00"),  # a leap year
        ("2027-01-15T15:00+01:00", "2027-04-15T15:00+02:00"),  # into summer time
        ("2026-10-31T23:50+01:00", "2027-01-31T23:50+01:00"),  # over the new year
    ],
)
def test_a_link_dies_three_calendar_months_after_the_end(ends_at: str, expected: str) -> None:
    moment = datetime.fromisoformat(ends_at)
    assert valid_until(moment, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(expected)


ZONES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kolkata"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/Santiago", "Africa/Casablanca", "UTC"),
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.sampled_from(ZONES))
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


@given(
    MOMENTS, st.sampled_from(ZONES), st.integers(-60 * 24 * 90, 60 * 24 * 90), st.integers(5, 480)
)
def test_validity_is_that_of_the_present_end_however_it_came_about(
    starts_at: datetime, name: str, moved: int, minutes: int
) -> None:
    link = Link(APPOINTMENT, 1)
    links = Links("https://x", {1: KEY})
    present = Appointment(
        id=APPOINTMENT,
        practice_id=APPOINTMENT,
        version=1,
        starts_at=starts_at,
        duration_minutes=20,
        patient_name="Erika Mustermann",
        email=None,
        phone=None,
        channels=(),
        locale="de",
        consented_at=starts_at,
        invitation_id=APPOINTMENT,
        attempt=1,
        link_version=link.version,
        created_at=starts_at,
        created_by="x",
    )
    later = reschedule(
        present, starts_at=starts_at + timedelta(minutes=moved), duration_minutes=minutes
    )
    assert links.token(Link(later.id, later.link_version)) == links.token(link)
    zone = ZoneInfo(name)
    until = valid_until(later.starts_at + timedelta(minutes=minutes), zone)
    assert link_holds(later, zone, until)
    assert not link_holds(later, zone, until + timedelta(microseconds=1))
