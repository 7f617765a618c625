"""The calendar file as icalendar writes it: what ours is compared with."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from icalendar import Event, vCalAddress, vDatetime

from chassis.doubled_hour import comes_twice
from services.notification.letters.calendar_file import (
    HEAD,
    IN_MAILTO,
    CalendarEvent,
    Method,
    description,
    folded,
    ways,
)
from services.notification.letters.moments import local_time
from services.notification.letters.names_and_links import checked_link, clean_name, shown_name
from services.notification.letters.vtimezone import vtimezone
from services.notification.letters.wordings import wording


def by_icalendar(method: Method, entry: CalendarEvent, now: datetime) -> bytes:
    """The whole file. Raises UnusableLetter."""
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
        event.add("description", description(speech, name, link, entry))
        event.add("location", link)
        event.add("url", link)
    if entry.reach:
        event.add("contact", ", ".join((name, *ways(entry.reach))))
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    head = HEAD.format(method=method.value).encode()
    return b"".join(
        (
            head,
            zone,
            *(folded(line) for line in event.content_lines() if line),
            b"END:VCALENDAR\r\n",
        )
    )


def _add_times(event: Event, entry: CalendarEvent) -> bytes:
    """Start and end; returns the zone's definition."""
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
    attendee = _address(entry.attendee, shown_name(entry.patient_name))
    attendee.params["CUTYPE"] = "INDIVIDUAL"
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = entry.answered.upper() if entry.answered else "NEEDS-ACTION"
    attendee.params["RSVP"] = "TRUE" if entry.asks_for_answer else "FALSE"
    return attendee


def _address(address: str, name: str) -> vCalAddress:
    user = vCalAddress(f"mailto:{quote(address, safe=IN_MAILTO)}")
    if name:
        user.params["CN"] = name.replace('"', "'").replace("^", "'")
    return user
