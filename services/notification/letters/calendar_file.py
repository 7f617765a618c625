"""The appointment as a calendar file: iCalendar (RFC 5545) with an iTIP method (RFC 5546).

It says what Outlook, Apple and Google need to enter, move and strike the appointment, and nothing
of medicine: calendars are read by employers and families.

Lines are written here, as icalendar would (a test compares them byte for byte; but a backslash
before an N, which it takes for a line end, stays one), in a tenth of its time: it would be most of
the work of composing a mail.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote
from uuid import UUID

from chassis.doubled_hour import comes_twice
from chassis.wording import Wording
from contracts.events import Answer
from services.notification.letters.moments import local_time
from services.notification.letters.names_and_links import checked_link, clean_name, shown_name
from services.notification.letters.reach import Reach
from services.notification.letters.vtimezone import vtimezone
from services.notification.letters.wordings import wording

LINE = 75  # octets (RFC 5545, section 3.1)
HEAD = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Einladung//Videosprechstunde//DE\r\n"
    "CALSCALE:GREGORIAN\r\nMETHOD:{method}\r\n"
)
_TO_BE_QUOTED = re.compile("[ ',;:’]")
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
IN_MAILTO = "@!$&'*+,;/=:"  # RFC 6068; the rest is percent-encoded


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
    zone, start, end = _times(entry)
    summary = speech.say("Video visit")
    lines = [
        "BEGIN:VEVENT",
        f"SUMMARY:{_text(summary)}",
        f"DTSTART{start}",
        f"DTEND{end}",
        f"DTSTAMP{_utc(now)}",
        f"UID:{entry.appointment_id}",
        f"SEQUENCE:{entry.sequence}",
        _attendee(entry),
        "CLASS:PRIVATE",
    ]
    if entry.reach:
        lines.append(f"CONTACT:{_text(', '.join((name, *ways(entry.reach))))}")
    if method is Method.REQUEST:
        lines.append(f"DESCRIPTION:{_text(description(speech, name, link, entry))}")
        lines.append(f"LOCATION:{_text(link)}")
    lines.append(f"ORGANIZER;CN={_common_name(name)}:{_mailto(entry.organizer)}")
    lines.append(f"STATUS:{'CANCELLED' if method is Method.CANCEL else 'CONFIRMED'}")
    lines.append("TRANSP:OPAQUE")
    if method is Method.REQUEST:
        lines.append(f"URL:{link}")
    lines.append("END:VEVENT")
    head = HEAD.format(method=method.value).encode()
    return b"".join((head, zone, *map(folded, lines), b"END:VCALENDAR\r\n"))


def folded(line: str) -> bytes:
    """A line with its end, folded after 75 octets, never within a character."""
    rest = line.encode()
    parts: list[bytes] = []
    while len(rest) > LINE:
        at = LINE
        while rest[at] & 0xC0 == 0x80:  # in the middle of a character
            at -= 1
        parts.append(rest[:at])
        rest = b" " + rest[at:]
    return b"\r\n".join((*parts, rest, b""))


def description(speech: Wording, name: str, link: str, entry: CalendarEvent) -> str:
    """Also how the practice is reached: of CONTACT many calendars show nothing."""
    lines = [
        speech.say("%(practice)s invites you to a video visit.", practice=name),
        link,
        "",
        entry.reach.in_a_calendar(speech, asks=entry.asks_for_answer),
    ]
    if entry.reach:
        lines += ["", name, *ways(entry.reach)]
    return "\n".join(lines)


def ways(reach: Reach) -> list[str]:
    """How the practice is reached, line by line."""
    return [*reach.address, *(way for way in (reach.phone_shown, reach.reply_to) if way)]


def _times(entry: CalendarEvent) -> tuple[bytes, str, str]:
    """The zone's definition, and what follows DTSTART and DTEND: on the practice's clock.

    In UTC, and without a zone, where the wall clock could be misread: when it is changed during the
    visit, in the hour that comes twice (RFC 5545 takes the first), in zones without a yearly rule.
    """
    start = local_time(entry.start, entry.time_zone)
    end = local_time(entry.start + timedelta(minutes=entry.duration_minutes), entry.time_zone)
    zone = vtimezone(entry.time_zone, start.year)
    changes = start.utcoffset() != end.utcoffset()
    if zone is None or changes or comes_twice(start) or comes_twice(end):
        return b"", _utc(start), _utc(end)
    if entry.time_zone == "UTC":  # is named by the Z alone (section 3.2.19)
        return zone, _utc(start), _utc(end)
    return zone, _local(start, entry.time_zone), _local(end, entry.time_zone)


def _utc(moment: datetime) -> str:
    return f":{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _local(moment: datetime, time_zone: str) -> str:
    return f";TZID={time_zone}:{moment:%Y%m%dT%H%M%S}"


def _attendee(entry: CalendarEvent) -> str:
    name = shown_name(entry.patient_name)
    named = f"CN={_common_name(name)};" if name else ""
    answer = entry.answered.upper() if entry.answered else "NEEDS-ACTION"
    # Without it Outlook and Gmail may not offer to accept.
    rsvp = "TRUE" if entry.asks_for_answer else "FALSE"
    return (
        f"ATTENDEE;{named}CUTYPE=INDIVIDUAL;PARTSTAT={answer};ROLE=REQ-PARTICIPANT;RSVP={rsvp}"
        f":{_mailto(entry.attendee)}"
    )


def _mailto(address: str) -> str:
    return f"mailto:{quote(address, safe=IN_MAILTO)}"


def _common_name(name: str) -> str:
    """A calendar user's name that needs no escapes, which not every calendar knows."""
    plain = name.replace('"', "'").replace("^", "'")
    return f'"{plain}"' if _TO_BE_QUOTED.search(plain) else plain


def _text(text: str) -> str:
    """A value of type TEXT (RFC 5545, section 3.3.11)."""
    return text.translate(_ESCAPED)
