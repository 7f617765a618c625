"""A link holds for three calendar months after the appointment's present end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.terms import valid_until
from services.scheduling.appointments import Appointment, reschedule
from services.scheduling.links import Link, Links
from services.scheduling.visits.opening import Door, OpeningHours, link_holds

APPOINTMENT = UUID("01890000-0000-7000-8000-000000000001")
KEY = b"o" * 32


ZONES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kolkata"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/Santiago", "Africa/Casablanca", "UTC"),
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def visit_at(starts_at: datetime) -> Appointment:
    return Appointment(
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
        link_version=1,
        created_at=starts_at,
        created_by="x",
        updated_at=starts_at,
    )


@given(
    MOMENTS, st.sampled_from(ZONES), st.integers(-60 * 24 * 90, 60 * 24 * 90), st.integers(5, 480)
)
def test_validity_is_that_of_the_present_end_however_it_came_about(
    starts_at: datetime, name: str, moved: int, minutes: int
) -> None:
    link = Link(APPOINTMENT, 1)
    links = Links("https://x", {1: KEY})
    present = visit_at(starts_at)
    later = reschedule(
        present, starts_at=starts_at + timedelta(minutes=moved), duration_minutes=minutes
    )
    assert links.token(Link(later.id, later.link_version)) == links.token(link)
    zone = ZoneInfo(name)
    until = valid_until(later.starts_at + timedelta(minutes=minutes), zone)
    assert link_holds(later, zone, until)
    assert not link_holds(later, zone, until + timedelta(microseconds=1))


START = datetime(2026, 11, 24, 9, tzinfo=UTC)
END = START + timedelta(minutes=20)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("after", "now", "door"),
    [
        (None, START - HOUR - TICK, Door.EARLY),
        (None, START - HOUR, Door.OPEN),
        (None, START, Door.OPEN),
        (None, END + timedelta(days=60), Door.OPEN),  # as long as the link holds
        (2 * HOUR, START - HOUR - TICK, Door.EARLY),
        (2 * HOUR, START - HOUR, Door.OPEN),
        (2 * HOUR, END + 2 * HOUR, Door.OPEN),
        (2 * HOUR, END + 2 * HOUR + TICK, Door.CLOSED),
        (timedelta(0), END, Door.OPEN),
        (timedelta(0), END + TICK, Door.CLOSED),
    ],
)
def test_when_the_room_is_open(after: timedelta | None, now: datetime, door: Door) -> None:
    visit = visit_at(START)
    hours = OpeningHours(before=HOUR, after=after)
    assert hours.opens_at(visit) == START - HOUR
    assert hours.door(visit, now) is door


def test_doors_have_these_names() -> None:
    assert [door.value for door in Door] == ["early", "open", "closed"]
