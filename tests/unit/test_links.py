"""Links: derived, not guessable, alive across key rotation, dead after three calendar months."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.terms import valid_until
from services.scheduling.appointments import Appointment, reschedule
from services.scheduling.links import Link, Links
from services.scheduling.visits.opening import link_holds

OLD, NEW = b"o" * 32, b"n" * 32
APPOINTMENT = UUID("01890000-0000-7000-8000-000000000001")


@given(st.uuids(), st.integers(1, 2**32 - 1))
def test_a_token_says_what_it_was_made_for(appointment: UUID, version: int) -> None:
    links = Links("https://example.org/join", {1: OLD})
    link = Link(appointment, version)
    assert links.read(links.token(link)) == link
    assert links.url(link) == f"https://example.org/join/{links.token(link)}"


def test_tokens_of_an_older_key_hold_until_the_key_is_taken_away() -> None:
    link = Link(APPOINTMENT, 1)
    token = Links("https://x", {1: OLD}).token(link)
    assert Links("https://x", {1: OLD, 2: NEW}).read(token) == link
    assert Links("https://x", {2: NEW}).read(token) is None


@given(st.sets(st.integers(1, 255), min_size=2, max_size=6), st.integers(1, 2**32 - 1), st.data())
def test_rotation_signs_with_the_newest_key_and_reads_with_all(
    numbers: set[int], version: int, data: st.DataObject
) -> None:
    keys = {number: bytes([number]) * 32 for number in numbers}
    newest = max(keys)
    link = Link(APPOINTMENT, version)
    rotated = Links("https://x", keys)
    assert rotated.token(link) == Links("https://x", {newest: keys[newest]}).token(link)
    for number, key in keys.items():
        assert rotated.read(Links("https://x", {number: key}).token(link)) == link
    retired = data.draw(st.sampled_from(sorted(numbers)))
    rest = {number: key for number, key in keys.items() if number != retired}
    assert (
        Links("https://x", rest).read(Links("https://x", {retired: keys[retired]}).token(link))
        is None
    )
    # a number alone is not enough: the key under it has to be the same
    reused = rest | {retired: b"\0" * 32}
    assert (
        Links("https://x", reused).read(Links("https://x", {retired: keys[retired]}).token(link))
        is None
    )


@given(st.data())
def test_any_changed_character_makes_a_token_unreadable(data: st.DataObject) -> None:
    links = Links("https://x", {1: OLD})
    token = links.token(Link(APPOINTMENT, 1))
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[at]))
    assert links.read(token[:at] + other + token[at + 1 :]) is None


@pytest.mark.parametrize("token", ["", "a", "é", "\0", "A" * 47, "A" * 50, "=" * 50, "A" * 5000])
def test_anything_else_is_unreadable_and_raises_nothing(token: str) -> None:
    assert Links("https://x", {1: OLD}).read(token) is None


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
    wished = end.replace(year=year, month=month, day=day, tzinfo=None)
    shown = last.replace(tzinfo=None, fold=0)
    skipped = (
        wished.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wished
    )
    if skipped:  # the clocks jump over it: later then, and by no more than they jump
        assert timedelta(0) < shown - wished <= timedelta(hours=24)
    else:
        assert shown == wished.replace(fold=0)
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
    links = Links("https://x", {1: OLD})
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
