"""The daily mail: how much is open, where it is shown, and nothing of any patient.

Practices read German. There is nothing in it that tells its sender of being opened.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from textwrap import fill

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notification.letters import mime
from services.notification.letters.mail import TEXT_WIDTH, unstructured
from services.notification.letters.names_and_links import checked_link, clean_name

SENDER = "Einladung"


@dataclass(frozen=True, slots=True)
class DailyMail:
    """What one says, and to whom."""

    recipient: str
    practice_name: str
    open_count: int
    link: str


class DailyMails:
    """Composes mails that come from `sender_address`."""

    def __init__(self, sender_address: str) -> None:
        self._sender_address = sender_address
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
            undefined=StrictUndefined,
        )
        environment.filters["wrapped"] = partial(fill, width=TEXT_WIDTH)
        self._text = environment.get_template("daily_mail.txt.j2")
        self._html = environment.get_template("daily_mail.html.j2")

    def compose(self, mail: DailyMail, *, recipient: str, message_id: str, now: datetime) -> bytes:
        """The whole message with CRLF line ends. Raises UnusableLetter.

        `recipient` is the address as it goes on the wire, `message_id` is with angle brackets.
        """
        words = {
            "subject": _subject(mail.open_count),
            "is_open": _is_open(mail.open_count),
            "practice_name": clean_name(mail.practice_name, "practice_name"),
            "link": checked_link(mail.link),
        }
        return mime.letter(
            (
                f"From: {SENDER} <{self._sender_address}>",
                f"To: {recipient}",
                f"Subject: {unstructured('Subject', words['subject'])}",
                *mime.standing_headers(message_id, now, language="de"),
            ),
            text=self._text.render(words),
            html=self._html.render(words),
            boundary=mime.boundary_of(message_id),
        )


def _subject(count: int) -> str:
    return f"{_appointments(count)} {'ist' if count == 1 else 'sind'} offen"


def _is_open(count: int) -> str:
    """As the rest of a sentence that begins with where."""
    return f"{'ist' if count == 1 else 'sind'} {_appointments(count)} offen"


def _appointments(count: int) -> str:
    return "1 Termin" if count == 1 else f"{count} Termine"
