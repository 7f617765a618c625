"""A link holds for three calendar months after the appointment's present end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from contracts.terms import valid_until
from services.scheduling.appointments import Appointment, reschedule
from services.scheduling.links import Link, Links
from services.scheduling.visits.opening import link_holds

APPOINTMENT = UUID("01890000-0000-7000-8000-000000000001")
KEY = b"o" * 32


ZONES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kolkata"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/Santiago", "Africa/Casablanca", "UTC"),
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


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
