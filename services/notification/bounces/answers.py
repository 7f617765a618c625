"""Answers of calendars: iTIP (RFC 5546) as it comes by mail (RFC 6047).

A REPLY says in PARTSTAT whether the attendee comes. A COUNTER, which proposes another time, is no
acceptance of ours, whatever it says. What people write with either is passed over.

Lines are unfolded and taken apart by icalendar; its parser of whole calendars is not used, since a
time zone of a stranger's can keep it busy for as long as it likes.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeAlias
from urllib.parse import unquote

from icalendar.parser import Contentline, Parameters

from contracts.events import Answer
from services.notification.bounces import addresses
from services.notification.bounces.mime import Mail
from services.notification.bounces.result import CalendarAnswer

MAX_LINE = 2_000  # characters, unfolded; of what is longer nothing is wanted
MAX_LINES = 200  # of those that are taken apart
MAX_ORGANIZERS = 5
MAX_SEQUENCE = 2**31 - 1

_ANSWERS = {
    "ACCEPTED": Answer.ACCEPTED,
    "DECLINED": Answer.DECLINED,
    "TENTATIVE": Answer.TENTATIVE,
}
_FOLD = re.compile(r"\n[ \t]")
_WANTED = re.compile(
    r"(?:BEGIN|END|METHOD|UID|SEQUENCE|DTSTAMP|RECURRENCE-ID|ATTENDEE|ORGANIZER)[;:]", re.I
)
_MOMENT = re.compile(r"\d{8}T\d{6}Z?", re.A)
_MAILTO = "mailto:"
_TO = ("to", "delivered-to", "x-original-to")
_EVENT = ["VCALENDAR", "VEVENT"]

Fields: TypeAlias = defaultdict[str, list[tuple[Parameters, str]]]


def read_answer(mail: Mail) -> CalendarAnswer | None:
    """What the mail's calendar answers; None where it is no answer, or no clear one."""
    for part in mail.own:
        if part.type == "text/calendar":
            answer = _answer(part.text)
            if answer is not None:
                return replace(answer, organizers=_organizers(answer, mail))
    return None


def _organizers(answer: CalendarAnswer, mail: Mail) -> tuple[str, ...]:
    """Whom the file names, and whom the mail was sent to: Exchange leaves the organizer out."""
    to = (each for name in _TO for each in addresses.of_header(mail.head.get(name)))
    return tuple(islice(addresses.unique([*answer.organizers, *to]), MAX_ORGANIZERS))


def _answer(text: str) -> CalendarAnswer | None:
    fields, events = _fields(text)
    said = {str(parameters.get("PARTSTAT", "")).upper() for parameters, _ in fields["ATTENDEE"]}
    uid = _first(fields, "UID")
    # Nothing of ours comes again, and an answer is one attendee's (RFC 5546 section 3.2.3).
    if events != 1 or len(said) != 1 or not uid or fields["RECURRENCE-ID"]:
        return None
    method, answer = _first(fields, "METHOD").upper(), _ANSWERS.get(said.pop())
    if answer is None or method not in {"REPLY", "COUNTER"}:
        return None
    if method == "COUNTER" and answer is Answer.ACCEPTED:
        answer = Answer.TENTATIVE
    return CalendarAnswer(
        answer,
        uid,
        _number(_first(fields, "SEQUENCE")),
        (_mailbox(_first(fields, "ORGANIZER")),),
        _moment(_first(fields, "DTSTAMP")),
    )


def _fields(text: str) -> tuple[Fields, int]:
    """What the calendar and its events say, not what is in their parts; and how many there are."""
    fields: Fields = defaultdict(list)
    events = 0
    inside: list[str] = []
    for name, parameters, value in _lines(text):
        if name == "BEGIN":
            inside.append(value.upper())
            events += inside == _EVENT
        elif name == "END":
            del inside[-1:]
        elif inside == (_EVENT[:1] if name == "METHOD" else _EVENT):
            fields[name].append((parameters, value.strip()))
    return fields, events


def _first(fields: Fields, name: str) -> str:
    return next((value for _, value in fields[name]), "")


def _lines(text: str) -> Iterator[tuple[str, Parameters, str]]:
    """Name, parameters and value of the lines that matter."""
    taken = 0
    for line in _FOLD.sub("", text).split("\n"):
        if len(line) > MAX_LINE or not _WANTED.match(line):
            continue
        taken += 1
        if taken > MAX_LINES:
            return
        try:
            name, parameters, value = Contentline(line).parts()  # type: ignore[no-untyped-call]
        except ValueError:
            continue
        yield name.upper(), parameters, value


def _number(value: str) -> int:
    known = value.isascii() and value.isdigit() and len(value) <= 10
    return min(int(value), MAX_SEQUENCE) if known else 0


def _moment(value: str) -> datetime | None:
    """DTSTAMP, which is in UTC (RFC 5545 section 3.8.7.2)."""
    if not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return None


def _mailbox(value: str) -> str:
    return unquote(value[len(_MAILTO) :]) if value.lower().startswith(_MAILTO) else ""
