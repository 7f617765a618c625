"""When a text message waits for the morning, in any zone, across daylight saving and year's end."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import SMS_LEAST_NOTICE
from services.scheduling.practice import Practice
from services.scheduling.quiet_hours import (
    NIGHT_FROM,
    NIGHT_UNTIL,
    SUNDAY,
    of_invitation,
    sms_not_before,
)

PRACTICE = Practice(UUID(int=1), "Praxis")
BERLIN = PRACTICE.zone
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "Australia/Lord_Howe"]
DAY = timedelta(days=1)
LATER = timedelta(days=30)


def at(text: str) -> datetime:
    """In Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-24T20:59:59", None),  # a Tuesday
        ("2026-11-24T21:00", "2026-11-25T08:00"),
        ("2026-11-25T00:00", "2026-11-25T08:00"),
        ("2026-11-25T07:59:59", "2026-11-25T08:00"),
        ("2026-11-25T08:00", None),
        ("2026-12-31T23:30", "2027-01-01T08:00"),
        ("2026-10-25T02:30", "2026-10-26T08:00"),  # on Sunday, in the hour that comes twice
        ("2026-11-28T20:59", None),  # Saturday
        ("2026-11-28T21:00", "2026-11-30T08:00"),
        ("2026-11-29T07:00", "2026-11-30T08:00"),
        ("2026-11-29T14:00", "2026-11-30T08:00"),
        ("2026-11-29T22:00", "2026-11-30T08:00"),
        ("2026-11-30T07:00", "2026-11-30T08:00"),
    ],
)
def test_nights_and_sundays_are_quiet(now: str, until: str | None) -> None:
    expected = until and at(until)
    assert sms_not_before(PRACTICE, at(now), at(now) + LATER, sundays=True) == expected


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-29T01:30", "2026-03-29T08:00"),  # before the hour that the clocks skip
        ("2026-11-28T21:00", "2026-11-29T08:00"),
        ("2026-11-29T14:00", None),
    ],
)
def test_what_changes_the_patients_plans_waits_for_nights_alone(
    now: str, until: str | None
) -> None:
    expected = until and at(until)
    assert sms_not_before(PRACTICE, at(now), at(now) + LATER, sundays=False) == expected


@pytest.mark.parametrize(
    ("now", "start", "until"),
    [
        ("2026-11-24T22:00", "2026-11-25T11:00", "2026-11-25T08:00"),
        ("2026-11-24T22:00", "2026-11-25T10:59", None),
        ("2026-11-28T22:00", "2026-11-30T11:00", "2026-11-30T08:00"),
        ("2026-11-28T22:00", "2026-11-30T10:59", "2026-11-29T08:00"),  # Monday is too late
        ("2026-11-28T22:00", "2026-11-29T10:00", None),
        ("2026-11-29T14:00", "2026-11-30T09:00", None),
        ("2026-11-24T22:00", "2026-11-24T23:00", None),
    ],
)
def test_where_the_start_is_too_near_it_goes_sooner(
    now: str, start: str, until: str | None
) -> None:
    expected = until and at(until)
    assert sms_not_before(PRACTICE, at(now), at(start), sundays=True) == expected


def test_only_of_an_sms_and_only_where_the_practice_wants_it() -> None:
    night = at("2026-11-24T23:00")
    loud = Practice(UUID(int=1), "Praxis", quiet_hours=False)
    start = night + LATER
    assert sms_not_before(loud, night, start, sundays=True) is None
    assert of_invitation(PRACTICE, (Channel.EMAIL,), night, start) is None
    assert of_invitation(PRACTICE, (*Channel,), night, start) == at("2026-11-25T08:00")
    sunday = at("2026-11-29T12:00")
    assert of_invitation(PRACTICE, (Channel.SMS,), sunday, sunday + LATER) == at("2026-11-30T08:00")


moments = st.integers(0, 16 * 366 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(
    moments,
    st.timedeltas(timedelta(minutes=1), timedelta(days=4)),
    st.sampled_from(ZONES),
    st.booleans(),
)
@example(at("2026-10-25T02:30"), timedelta(days=2), "Europe/Berlin", True)
@example(at("2026-03-28T23:30"), timedelta(days=2), "Europe/Berlin", False)
@example(at("2026-12-31T23:59"), timedelta(days=1), "Europe/Berlin", True)
def test_it_waits_for_a_morning_and_for_no_longer_than_the_start_allows(
    now: datetime, ahead: timedelta, zone: str, sundays: bool
) -> None:
    practice = Practice(UUID(int=1), "Praxis", zone)
    start = now + ahead
    until = sms_not_before(practice, now, start, sundays=sundays)
    local = now.astimezone(ZoneInfo(zone))
    night = not NIGHT_UNTIL <= local.time() < NIGHT_FROM
    event(f"waits: {until is not None}")
    if until is None:
        # Nobody has to wait; or the end of the night, which is the first to come, is too late.
        quiet = night or (sundays and local.weekday() == SUNDAY)
        assert not quiet or ahead < SMS_LEAST_NOTICE + timedelta(hours=36)
        return
    woken = until.astimezone(ZoneInfo(zone))
    assert woken.time() == time(8)
    assert now < until <= start - SMS_LEAST_NOTICE
    assert until - now <= timedelta(hours=36)
    assert night or (sundays and local.weekday() == SUNDAY)
    if not sundays:
        assert until - now <= timedelta(hours=12)
    # Of what waits it is the latest morning that fits: on a Sunday only where Monday would not.
    if sundays and woken.weekday() == SUNDAY:
        monday = datetime.combine(woken.date() + DAY, time(8), ZoneInfo(zone))
        assert start - monday.astimezone(UTC) < SMS_LEAST_NOTICE
