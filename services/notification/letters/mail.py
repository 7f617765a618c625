"""The invitation, and the notices after it, as e-mails: for phones first.

The appointment's calendar file goes with it.
"""

import re
from datetime import datetime
from email.header import Header
from functools import lru_cache, partial
from pathlib import Path
from textwrap import fill
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from chassis.wording import Wording, gettext_noop, wordings
from services.notification.letters import mime
from services.notification.letters.calendar_file import CalendarEvent, Method, calendar_file
from services.notification.letters.letter import Letter, LetterKind
from services.notification.letters.moments import long_moment
from services.notification.letters.names_and_links import checked_link, clean_name, shown_name
from services.notification.letters.reach import reach_of
from services.notification.letters.wordings import wording

TEXT_WIDTH = 76  # characters
_SUBJECTS = {
    LetterKind.INVITATION: gettext_noop("Invitation to a video visit on %(when)s"),
    LetterKind.REMINDER: gettext_noop("Reminder of your video visit on %(when)s"),
    LetterKind.MOVED: gettext_noop("Your video visit was moved to %(when)s"),
    LetterKind.CANCELLED: gettext_noop("Your video visit on %(when)s was cancelled"),
}

_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


class InvitationMail:
    """Composes invitations that come from `sender_address`."""

    def __init__(self, sender_address: str) -> None:
        self._sender_address = sender_address
        self._templates = {
            (code, kind): tuple(
                environment.get_template(f"{kind}.{form}.j2") for form in ("txt", "html")
            )
            for code, words in wordings().items()
            for environment in [_environment(words)]
            for kind in LetterKind
        }

    def compose(
        self,
        letter: Letter,
        *,
        appointment_id: UUID,
        recipient: str,
        message_id: str,
        boundary: str,
        organizer: str | None = None,
        now: datetime,
    ) -> bytes:
        """The whole message with CRLF line ends. Raises UnusableLetter.

        `recipient` is the address as it goes on the wire, already checked; `message_id` is with
        angle brackets; `boundary` needs letters and digits only. Answers from calendars go to
        `organizer`; without one nobody reads them, and none is asked for.
        """
        speech = wording(letter.locale)
        language = speech.code
        sender_name = clean_name(letter.sender_name, "sender_name")
        when = long_moment(letter.start, letter.time_zone, speech)
        subject = speech.say(_SUBJECTS[letter.kind], when=when)
        reach = reach_of(letter)
        name = shown_name(letter.patient_name)
        words: dict[str, object] = {
            "greeting": speech.say("Hello %(name)s,", name=name) if name else speech.say("Hello,"),
            "sender_name": sender_name,
            "when": when,
            "duration": speech.minutes(letter.duration_minutes),
            "link": checked_link(letter.link),
            "subject": subject,
            "language": language,
            "direction": speech.direction,
            "reach": reach,
            "closing": reach.closing(letter.kind, speech),
        }
        if letter.previous_start is not None:
            words["previous"] = long_moment(letter.previous_start, letter.time_zone, speech)
        entry = CalendarEvent(
            appointment_id=appointment_id,
            sequence=letter.appointment_version,
            start=letter.start,
            duration_minutes=letter.duration_minutes,
            time_zone=letter.time_zone,
            sender_name=sender_name,
            organizer=organizer or self._sender_address,
            answered=letter.answered,
            asks_for_answer=letter.asks_for_answer and organizer is not None,
            patient_name=letter.patient_name,
            attendee=recipient,
            link=letter.link,
            language=language,
            reach=reach,
        )
        text, html = self._templates[language, letter.kind]
        method = Method.CANCEL if letter.kind is LetterKind.CANCELLED else Method.REQUEST
        return mime.message(
            (
                f"From: {_phrase(sender_name)} <{self._sender_address}>",
                f"To: {recipient}",
                *([f"Reply-To: {reach.reply_to}"] if reach.reply_to else ()),
                f"Subject: {unstructured('Subject', subject)}",
                *mime.standing_headers(message_id, now, language=language),
            ),
            text=text.render(words),
            html=html.render(words),
            calendar=calendar_file(method, entry, now),
            method=method,
            boundary=boundary,
        )


def _environment(words: Wording) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    # Only translations without values: they are the same in every mail.
    environment.filters["wrapped"] = lru_cache(maxsize=100)(partial(fill, width=TEXT_WIDTH))
    environment.filters["isolated"] = words.isolated
    environment.globals["_"] = words.say
    return environment


def _phrase(name: str) -> str:
    """A display name (RFC 5322 phrase), encoded by RFC 2047 where it is not ASCII.

    What looks like an encoded word is encoded too: readers decode it even within quotes, and a
    line end could be hidden in it.
    """
    if not name.isascii() or "=?" in name:
        return _encoded("From", name)
    if _PLAIN_PHRASE.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unstructured(header: str, text: str) -> str:
    """The text of a header, encoded by RFC 2047 where it is not ASCII."""
    return text if text.isascii() else _encoded(header, text)


def _encoded(header: str, text: str) -> str:
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")
