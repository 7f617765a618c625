"""Answers as patients' calendars write them (RFC 5546, RFC 6047), each in its own form."""

import base64
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime

COMMENT = "Ich habe Fieber und kann nicht kommen"  # what nobody is to read or keep


def _calendar(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def _folded(line: str) -> str:
    return "\r\n ".join(textwrap.wrap(line, 60, drop_whitespace=False, break_on_hyphens=False))


def _base64(text: str) -> str:
    return base64.encodebytes(text.encode()).decode().replace("\n", "\r\n")


def _outlook(uid: str, organizer: str, sequence: int, said: str, stamp: str) -> str:
    """As Exchange: Base64, and no organizer in the file."""
    calendar = _calendar(
        "BEGIN:VCALENDAR",
        "METHOD:REPLY",
        "PRODID:Microsoft Exchange Server 2010",
        "VERSION:2.0",
        "BEGIN:VTIMEZONE",
        "TZID:W. Europe Standard Time",
        "BEGIN:STANDARD",
        "DTSTART:16010101T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
        "END:STANDARD",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        f"ATTENDEE;PARTSTAT={said};CN=Erika Mustermann:mailto:erika@example.org",
        f"COMMENT;LANGUAGE=de-DE:{COMMENT}\\n",
        f"UID:{uid}",
        "SUMMARY;LANGUAGE=de-DE:Abgelehnt: Videosprechstunde",
        "DTSTART;TZID=W. Europe Standard Time:20261201T143000",
        "CLASS:PRIVATE",
        f"DTSTAMP:{stamp}",
        "STATUS:CONFIRMED",
        f"SEQUENCE:{sequence}",
        "X-MICROSOFT-CDO-APPT-SEQUENCE:0",
        "BEGIN:VALARM",
        "TRIGGER;RELATED=START:-PT15M",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:other@example.org",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return (
        f'From: Erika Mustermann <erika@example.org>\r\nTo: "Praxis Dr. Weiss" <{organizer}>\r\n'
        "Subject: Abgelehnt: Videosprechstunde\r\nMessage-ID: <o1@example.org>\r\n"
        "Content-Language: de-DE\r\nX-MS-Has-Attach:\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="_000_o"\r\n\r\n'
        '--_000_o\r\nContent-Type: text/plain; charset="iso-8859-1"\r\n'
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{COMMENT}\r\n\r\n"
        '--_000_o\r\nContent-Type: text/calendar; charset="utf-8"; method=REPLY\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{_base64(calendar)}\r\n--_000_o--\r\n"
    )


def _gmail(uid: str, organizer: str, sequence: int, said: str, stamp: str) -> str:
    """As Google: plain in the alternative, Base64 as an attachment."""
    calendar = _calendar(
        "BEGIN:VCALENDAR",
        "PRODID:-//Google Inc//Google Calendar 70.9054//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        "DTSTART:20261201T133000Z",
        "DTEND:20261201T135000Z",
        f"DTSTAMP:{stamp}",
        _folded(f"ORGANIZER;CN=Praxis Dr. Weiss:mailto:{organizer}"),
        f"UID:{uid}",
        _folded(
            f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={said};CN=Erika Must"
            'ermann;X-NUM-GUESTS=0;X-RESPONSE-COMMENT="' + COMMENT + '":mailto:erika@example.org'
        ),
        "CLASS:PRIVATE",
        f"DESCRIPTION:{COMMENT}",
        f"SEQUENCE:{sequence}",
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return (
        f"From: Erika Mustermann <erika@example.org>\r\nTo: {organizer}\r\n"
        "Reply-To: Erika Mustermann <erika@example.org>\r\n"
        "Sender: Google Calendar <calendar-notification@google.com>\r\n"
        "Auto-Submitted: auto-generated\r\nMessage-ID: <calendar-g1@google.com>\r\n"
        "Subject: Declined: Videosprechstunde\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="g0"\r\n\r\n'
        '--g0\r\nContent-Type: multipart/alternative; boundary="g1"\r\n\r\n'
        f'--g1\r\nContent-Type: text/plain; charset="UTF-8"; format=flowed\r\n\r\n{COMMENT}\r\n'
        f'--g1\r\nContent-Type: text/html; charset="UTF-8"\r\n\r\n<p>{COMMENT}</p>\r\n'
        '--g1\r\nContent-Type: text/calendar; charset="UTF-8"; method=REPLY\r\n'
        f"Content-Transfer-Encoding: 7bit\r\n\r\n{calendar}\r\n--g1--\r\n"
        '--g0\r\nContent-Type: application/ics; name="invite.ics"\r\n'
        'Content-Disposition: attachment; filename="invite.ics"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{_base64(calendar)}\r\n--g0--\r\n"
    )


def _apple(uid: str, organizer: str, sequence: int, said: str, stamp: str) -> str:
    """As macOS: capitals in the scheme, quoted-printable."""
    calendar = (
        _calendar(
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Apple Inc.//macOS 15.0//EN",
            "CALSCALE:GREGORIAN",
            "METHOD:REPLY",
            "BEGIN:VEVENT",
            f"UID:{uid.upper()}",
            "DTSTART;TZID=Europe/Berlin:20261201T143000",
            f"DTSTAMP:{stamp}",
            f"SEQUENCE:{sequence}",
            f'ORGANIZER;CN="Praxis: Dr. Weiß":MAILTO:{organizer}',
            f'ATTENDEE;CN="Mustermann; Erika";PARTSTAT={said}:mailto:erika@example.org',
            f"COMMENT:{COMMENT}",
            "END:VEVENT",
            "END:VCALENDAR",
        )
        .replace("=", "=3D")
        .replace("ß", "=C3=9F")
    )
    return (
        f"From: Erika Mustermann <erika@example.org>\r\nTo: {organizer}\r\n"
        "Subject: =?utf-8?Q?Antwort=3A_Videosprechstunde?=\r\nMessage-ID: <a1@example.org>\r\n"
        "MIME-Version: 1.0 (Mac OS X Mail 16.0)\r\n"
        'Content-Type: multipart/alternative; boundary="Apple-Mail=_1"\r\n\r\n'
        f"--Apple-Mail=_1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{COMMENT}\r\n"
        "--Apple-Mail=_1\r\nContent-Type: text/calendar; method=REPLY; charset=utf-8;\r\n"
        '\tname="iCal-1.ics"\r\nContent-Transfer-Encoding: quoted-printable\r\n'
        f'Content-Disposition: attachment; filename="iCal-1.ics"\r\n\r\n{calendar}\r\n'
        "--Apple-Mail=_1--\r\n"
    )


def _thunderbird(uid: str, organizer: str, sequence: int, said: str, stamp: str) -> str:
    calendar = _calendar(
        "BEGIN:VCALENDAR",
        "PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN",
        "VERSION:2.0",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        "CREATED:20261124T090000Z",
        "LAST-MODIFIED:20261124T090100Z",
        f"DTSTAMP:{stamp}",
        f"UID:{uid}",
        "SUMMARY:Videosprechstunde",
        _folded(f'ORGANIZER;CN="Praxis Dr. Weiss":mailto:{organizer}'),
        _folded(
            f"ATTENDEE;RSVP=TRUE;CN=Erika Mustermann;PARTSTAT={said};CUTYPE=INDIVIDUAL;ROLE=REQ-"
            "PARTICIPANT:mailto:erika@example.org"
        ),
        "DTSTART;TZID=Europe/Berlin:20261201T143000",
        f"SEQUENCE:{sequence}",
        f"COMMENT:{COMMENT}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return (
        f"From: Erika Mustermann <erika@example.org>\r\nTo: Praxis Dr. Weiss <{organizer}>\r\n"
        "Subject: Einladungsantwort (Abgelehnt): Videosprechstunde\r\n"
        "Message-ID: <t1@example.org>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="t"\r\n\r\n'
        "--t\r\nContent-Type: text/plain; charset=UTF-8; format=flowed\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{COMMENT}\r\n\r\n"
        "--t\r\nContent-Type: text/calendar; method=REPLY; charset=UTF-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{calendar}\r\n--t--\r\n"
    )


SHAPES: dict[str, Callable[[str, str, int, str, str], str]] = {
    "outlook": _outlook,
    "gmail": _gmail,
    "apple": _apple,
    "thunderbird": _thunderbird,
}


def reply(
    shape: str,
    *,
    uid: str,
    organizer: str,
    sequence: int = 1,
    said: str = "DECLINED",
    at: datetime | None = None,
) -> bytes:
    """The mail, given at a moment (now, if none is named)."""
    stamp = (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return SHAPES[shape](uid, organizer, sequence, said, stamp).encode()
