"""The appointment as a calendar file: iCalendar (RFC 5545) with an iTIP method (RFC 5546).

It says what Outlook, Apple and Google need to enter, move and strike the appointment, and nothing
of medicine: calendars are read by employers and families.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote
from uuid import UUID

from icalendar import Event, vCalAddress, vDatetime

from chassis.doubled_hour import comes_twice
from chassis.wording import Wording
from contracts.events import Answer
from services.notification.letters.moments import local_time
from services.notification.letters.names_and_links import checked_link, clean_name
from services.notification.letters.reach import Reach
from services.notification.letters.vtimezone import vtimezone
from services.notification.letters.wordings import wording

LINE = 75  # octets (RFC 5545, section 3.1)
_HEAD = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Einladung//Videosprechstunde//DE\r\n"
    "CALSCALE:GREGORIAN\r\nMETHOD:{method}\r\n"
)
_IN_MAILTO = "@!$&'*+,;/=:"  # RFC 6068; the rest is percent-encoded


class Method(StrEnum):
    """What the file asks the calendar to do."""

    REQUEST = "REQUEST"  # enter the appointment, or move the one with this UID
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """The appointment as the patient's calendar is to show it.

    Answers go to `organizer`, which stays the same: calendars follow whom they know.

    `sequence` rises with every change of the appointment, its deletion included: calendars ignore
    what has a lower one than they know. `organizer` and `attendee` are plain addresses.
    """

    appointment_id: UUID
    sequence: int
    start: datetime
    duration_minutes: int
    time_zone: str
    sender_name: str
    organizer: str
    patient_name: str
    attendee: str
    link: str
    language: str
    reach: Reach = field(default_factory=Reach)
    asks_for_answer: bool = False
    answered: Answer | None = None  # to this `sequence`: so that a reminder does not take it back

    def __repr__(self) -> str:
        """Nothing: patient data must not show in a log or traceback."""
        return "CalendarEvent(…)"


def calendar_file(method: Method, entry: CalendarEvent, now: datetime) -> bytes:
    """The file, UTF-8 with CRLF line ends and folded lines. Raises UnusableLetter."""
    speech = wording(entry.language)
    name = clean_name(entry.sender_name, "sender_name")
    link = checked_link(entry.link)
    event = Event()
    event.add("uid", str(entry.appointment_id))
    event.add("sequence", entry.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    zone = _add_times(event, entry)
    event.add("summary", speech.say("Video visit"))
    event.add("organizer", _address(entry.organizer, name))
    event.add("attendee", _attendee(entry))
    event.add("status", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    if method is Method.REQUEST:
        event.add("description", _description(speech, name, link, entry))
        event.add("location", link)
        event.add("url", link)
    if entry.reach:
        event.add("contact", ", ".join((name, *_ways(entry.reach))))
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    head = _HEAD.format(method=method.value).encode()
    return b"".join((head, zone, *map(_folded, event.content_lines()), b"END:VCALENDAR\r\n"))


def _folded(line: str) -> bytes:
    """A line with its end, folded after 75 octets, never within a character.

    The library folds character by character, which would be most of the work.
    """
    rest = line.encode()
    parts: list[bytes] = []
    while len(rest) > LINE:
        at = LINE
        while rest[at] & 0xC0 == 0x80:  # in the middle of a character
            at -= 1
        parts.append(rest[:at])
        rest = b" " + rest[at:]
    return b"\r\n".join((*parts, rest, b"")) if rest else b""


def _description(speech: Wording, name: str, link: str, entry: CalendarEvent) -> str:
    """Also how the practice is reached: of CONTACT many calendars show nothing."""
    lines = [
        speech.say("%(practice)s invites you to a video visit.", practice=name),
        link,
        "",
        entry.reach.in_a_calendar(speech, asks=entry.asks_for_answer),
    ]
    if entry.reach:
        lines += ["", name, *_ways(entry.reach)]
    return "\n".join(lines)


def _ways(reach: Reach) -> list[str]:
    return [*reach.address, *(way for way in (reach.phone_shown, reach.reply_to) if way)]


def _add_times(event: Event, entry: CalendarEvent) -> bytes:
    """Start and end on the practice's clock; returns the zone's definition.

    In UTC, and without a zone, where the wall clock could be misread: when it is changed during the
    visit, in the hour that comes twice (RFC 5545 takes the first), in zones without a yearly rule.
    """
    start = local_time(entry.start, entry.time_zone)
    end = local_time(entry.start + timedelta(minutes=entry.duration_minutes), entry.time_zone)
    zone = vtimezone(entry.time_zone, start.year)
    changes = start.utcoffset() != end.utcoffset()
    if zone is None or changes or comes_twice(start) or comes_twice(end):
        event.add("dtstart", start.astimezone(UTC))
        event.add("dtend", end.astimezone(UTC))
        return b""
    for name, moment in (("dtstart", start), ("dtend", end)):
        event.add(name, vDatetime(moment, params={"TZID": entry.time_zone}))
    return zone


def _attendee(entry: CalendarEvent) -> vCalAddress:
    attendee = _address(entry.attendee, clean_name(entry.patient_name, "patient_name"))
    attendee.params["CUTYPE"] = "INDIVIDUAL"
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = entry.answered.upper() if entry.answered else "NEEDS-ACTION"
    # Without it Outlook and Gmail may not offer to accept.
    attendee.params["RSVP"] = "TRUE" if entry.asks_for_answer else "FALSE"
    return attendee


def _address(address: str, name: str) -> vCalAddress:
    """A calendar user with a name that needs no escapes, which not every calendar knows."""
    user = vCalAddress(f"mailto:{quote(address, safe=_IN_MAILTO)}")
    user.params["CN"] = name.replace('"', "'").replace("^", "'")
    return user
