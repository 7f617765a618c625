"""The calendar file: read back with icalendar's parser, its zones with dateutil's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import assume, given
from hypothesis import strategies as st
from icalendar import Calendar

from contracts.events import Answer
from services.notification.letters.calendar_file import CalendarEvent, Method, calendar_file
from services.notification.letters.letter import UnusableLetter
from services.notification.letters.reach import Reach
from services.notification.letters.vtimezone import vtimezone
from tests.support.calendar_files import by_icalendar

NOW = datetime(2026, 11, 24, 9, 0, 30, tzinfo=UTC)
ENTRY = CalendarEvent(
    appointment_id=UUID("0193a0de-7a1c-7cc3-98c4-dc0c0c07398f"),
    sequence=3,
    start=datetime(2026, 12, 1, 13, 30, tzinfo=UTC),
    duration_minutes=20,
    time_zone="Europe/Berlin",
    sender_name="Praxis Dr. Weiß & Töchter",
    organizer="einladung@praxis.example",
    patient_name="Jürgen Müßig",
    attendee="juergen@example.org",
    link="https://video.example/t/abc-DEF_123?x=1&y=2",
    language="de",
    asks_for_answer=True,
)
REACH = Reach(
    phone="+49301234567",
    reply_to="praxis@weiss.example",
    address=("Hauptstraße 1; Hof", "12345 Berlin"),
)


def read(content: bytes) -> tuple[Any, Any]:
    calendar: Any = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    assert not event.errors
    return calendar, event


def write(method: Method = Method.REQUEST, entry: CalendarEvent = ENTRY) -> tuple[Any, Any]:
    return read(calendar_file(method, entry, NOW))


def test_a_request_says_what_calendars_need() -> None:
    calendar, event = write()
    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert event["UID"] == "0193a0de-7a1c-7cc3-98c4-dc0c0c07398f"
    assert event["SEQUENCE"] == 3
    assert event["STATUS"] == "CONFIRMED"
    assert event.decoded("DTSTAMP") == NOW
    assert event.decoded("DTSTART") == ENTRY.start
    assert event["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert event.decoded("DTEND") == ENTRY.start + timedelta(minutes=20)
    assert event["ORGANIZER"] == "mailto:einladung@praxis.example"
    assert event["ORGANIZER"].params["CN"] == "Praxis Dr. Weiß & Töchter"
    attendee = event["ATTENDEE"]
    assert attendee == "mailto:juergen@example.org"
    assert attendee.params["CN"] == "Jürgen Müßig"
    assert (attendee.params["PARTSTAT"], attendee.params["RSVP"]) == ("NEEDS-ACTION", "TRUE")
    assert event["LOCATION"] == event["URL"] == ENTRY.link


def test_a_practice_that_wants_no_answers_is_sent_none_in_vain() -> None:
    _, event = write(entry=replace(ENTRY, asks_for_answer=False))
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert "Antworten aus dem Kalender liest sie nicht" in event["DESCRIPTION"]
    assert "absagen" not in event["DESCRIPTION"]
    assert "sagen Sie bitte hier im Kalender ab" in write()[1]["DESCRIPTION"]


@pytest.mark.parametrize("answer", Answer)
def test_a_reminder_does_not_take_an_answer_back(answer: Answer) -> None:
    _, event = write(entry=replace(ENTRY, answered=answer))
    assert event["ATTENDEE"].params["PARTSTAT"] == answer.upper()


@pytest.mark.parametrize("asks", [True, False])
def test_the_practice_is_reached_as_it_can_be(asks: bool) -> None:
    _, event = write(entry=replace(ENTRY, reach=REACH, asks_for_answer=asks))
    ways = ("Hauptstraße 1; Hof", "12345 Berlin", "+49 30 1234567", "praxis@weiss.example")
    assert event["CONTACT"] == ", ".join(("Praxis Dr. Weiß & Töchter", *ways))
    lines = event["DESCRIPTION"].splitlines()
    assert tuple(lines[-4:]) == ways
    assert "+49 30 1234567" in lines[3]
    assert event["LOCATION"] == ENTRY.link
    _, without = write(entry=replace(ENTRY, asks_for_answer=asks))
    assert "CONTACT" not in without
    assert "rufen" not in without["DESCRIPTION"]


def test_a_backslash_is_a_backslash() -> None:
    reach = Reach(address=("Haus\\Nord 3",))
    content = calendar_file(Method.REQUEST, replace(ENTRY, reach=reach), NOW)
    assert content.replace(b"\r\n ", b"").count(b"Haus\\\\Nord 3") == 2  # CONTACT, DESCRIPTION


def test_what_others_see_in_the_calendar_is_neither_name_nor_reason() -> None:
    _, event = write()
    assert event["SUMMARY"] == "Videosprechstunde"
    assert event["CLASS"] == "PRIVATE"


def test_moving_and_cancelling_meet_the_same_entry() -> None:
    _, first = write()
    _, moved = write(
        entry=replace(ENTRY, sequence=4, start=ENTRY.start + timedelta(days=1), language="en")
    )
    calendar, cancelled = write(Method.CANCEL, replace(ENTRY, sequence=5))
    assert first["UID"] == moved["UID"] == cancelled["UID"]
    assert first["ORGANIZER"] == moved["ORGANIZER"] == cancelled["ORGANIZER"]
    assert first["SEQUENCE"] < moved["SEQUENCE"] < cancelled["SEQUENCE"]
    assert (calendar["METHOD"], cancelled["STATUS"]) == ("CANCEL", "CANCELLED")
    assert "LOCATION" not in cancelled


def test_in_the_patient_s_language() -> None:
    _, event = write(entry=replace(ENTRY, language="en"))
    assert event["SUMMARY"] == "Video visit"
    assert "invites you" in event["DESCRIPTION"]


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="first of the doubled hour"),
        pytest.param(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), id="second of the doubled hour"),
        pytest.param(datetime(2026, 10, 24, 23, 50, tzinfo=UTC), id="ends in the doubled hour"),
        pytest.param(datetime(2027, 3, 28, 0, 50, tzinfo=UTC), id="over the gap"),
        pytest.param(datetime(2026, 12, 31, 22, 50, tzinfo=UTC), id="into the new year"),
    ],
)
def test_right_when_the_clock_changes(start: datetime) -> None:
    _, event = write(entry=replace(ENTRY, start=start))
    assert event.decoded("DTSTART") == start
    assert event.decoded("DTEND") == start + timedelta(minutes=20)
    # Readers that reckon with the wall clock get the length right too.
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=20)


def test_a_zone_without_a_yearly_rule_is_written_in_utc() -> None:
    calendar, event = write(entry=replace(ENTRY, time_zone="Africa/Casablanca"))
    assert not calendar.walk("VTIMEZONE")
    assert event.to_ical().count(b"DTSTART:20261201T133000Z") == 1


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin",
        "Europe/Dublin",
        "Europe/Lisbon",
        "America/New_York",
        "America/Santiago",
        "Australia/Lord_Howe",
        "Asia/Tokyo",
        "UTC",
    ],
)
@given(
    moment=st.datetimes(datetime(2026, 1, 2), datetime(2027, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
)
def test_the_zone_is_what_the_clocks_show(zone: str, moment: datetime) -> None:
    definition = vtimezone(zone, 2026)
    assert definition is not None
    place = tzical(StringIO(definition.decode())).get()
    local = moment.astimezone(ZoneInfo(zone)).replace(fold=0)
    if local.utcoffset() == local.replace(fold=1).utcoffset():
        assert local.replace(tzinfo=place).utcoffset() == local.utcoffset()


def test_no_more_than_outlook_reads() -> None:
    definition = vtimezone("Europe/Berlin", 2026)
    assert definition is not None
    for each in (b"BEGIN:STANDARD", b"BEGIN:DAYLIGHT"):
        assert definition.count(each) == 1
    assert definition.count(b"RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=") == 2


@given(name=st.text(min_size=1), patient=st.text(min_size=1))
def test_no_name_can_break_the_file(name: str, patient: str) -> None:
    entry = replace(ENTRY, sender_name=name, patient_name=patient)
    try:
        content = calendar_file(Method.REQUEST, entry, NOW)
    except UnusableLetter:
        return  # nothing was left of one of the names
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in lines)
    calendar, event = read(content)
    assert [each.name for each in calendar.walk()].count("VEVENT") == 1
    assert calendar["METHOD"] == "REQUEST"
    assert set(event) == set(write()[1])
    assert event["UID"] == str(ENTRY.appointment_id)
    assert event["ATTENDEE"] == "mailto:juergen@example.org"


names = st.text(st.sampled_from("Aß é,;:'’\"^\\Nn\n\r\t📞"), min_size=1, max_size=60)
ZONES = (
    "Europe/Berlin",
    "UTC",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "America/New_York",
    "Etc/GMT+3",
)


@given(
    method=st.sampled_from(Method),
    change=st.fixed_dictionaries(
        {
            "sender_name": names | st.text(min_size=1),
            "patient_name": names,
            "attendee": st.emails(),
            "sequence": st.integers(1, 10**6),
            "start": st.datetimes(datetime(2024, 1, 1), datetime(2034, 1, 1)).map(  # noqa: DTZ001
                lambda moment: moment.replace(tzinfo=UTC)
            ),
            "duration_minutes": st.integers(1, 600),
            "time_zone": st.sampled_from(ZONES),
            "language": st.sampled_from(["de", "en", "ar"]),
            "answered": st.none() | st.sampled_from(Answer),
            "asks_for_answer": st.booleans(),
            "reach": st.sampled_from([Reach(), REACH]),
        }
    ),
)
def test_it_is_what_icalendar_writes(method: Method, change: dict[str, Any]) -> None:
    entry = replace(ENTRY, **change)
    assume("\\N" not in entry.sender_name)  # which icalendar takes for a line end
    try:
        content = calendar_file(method, entry, NOW)
    except UnusableLetter:
        with pytest.raises(UnusableLetter):
            by_icalendar(method, entry, NOW)
        return
    assert content == by_icalendar(method, entry, NOW)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sender_name": "\r\n"}, "sender_name"),
        ({"patient_name": "\r\n"}, "patient_name"),
        ({"link": "https://a.example/\r\nX:y"}, "link"),
        ({"time_zone": "Europe/Nowhere"}, "time_zone"),
    ],
)
def test_unusable_fields_are_named(change: dict[str, str], field: str) -> None:
    with pytest.raises(UnusableLetter, match=field):
        calendar_file(Method.REQUEST, replace(ENTRY, **change), NOW)  # type: ignore[arg-type]
