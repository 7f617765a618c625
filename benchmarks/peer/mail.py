"""The invitation with text, HTML and calendar file, by Jinja and the standard library.

With `email.mime`, as Django does: `email.message.EmailMessage` would take twice as long.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email import policy
from email.charset import QP, add_charset
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, make_msgid
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as in_words
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from benchmarks.peer import settings

FILE_NAME = "einladung.ics"
environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
    undefined=StrictUndefined,
    auto_reload=False,
)
TEXT, HTML, CALENDAR = (
    environment.get_template(f"invitation.{form}.j2") for form in ("txt", "html", "ics")
)


add_charset("utf-8", QP, QP)  # else base64


def compose(appointment: Mapping[str, Any]) -> bytes:
    """From a row of the appointment with its practice's name and zone."""
    start: datetime = appointment["starts_at"].astimezone(ZoneInfo(appointment["time_zone"]))
    end = start + timedelta(minutes=appointment["duration_minutes"])
    when = in_words(start, "EEEE, d. MMMM y 'um' HH:mm 'Uhr'", locale="de")
    now = datetime.now(UTC)
    words = {
        **appointment,
        "subject": f"Einladung zur Videosprechstunde am {when}",
        "when": when,
        "link": settings.LINKS + appointment["link_token"],
        "sender": settings.SENDER,
        "start": f"{start:%Y%m%dT%H%M%S}",
        "end": f"{end:%Y%m%dT%H%M%S}",
        "now": f"{now:%Y%m%dT%H%M%SZ}",
    }
    calendar = CALENDAR.render(words).replace("\n", "\r\n")
    alternative = MIMEMultipart(
        "alternative",
        _subparts=(
            MIMEText(TEXT.render(words), "plain", "utf-8"),
            MIMEText(HTML.render(words), "html", "utf-8"),
            entry := MIMEText(calendar, "calendar", "utf-8"),
        ),
    )
    entry.set_param("method", "REQUEST")
    attached = MIMEApplication(calendar.encode(), "ics", name=FILE_NAME)
    attached.add_header("Content-Disposition", "attachment", filename=FILE_NAME)
    message = MIMEMultipart("mixed", _subparts=(alternative, attached))
    message["From"] = formataddr((appointment["practice_name"], settings.SENDER))
    message["To"] = appointment["email"]
    message["Subject"] = words["subject"]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain="example.org")
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "de"
    return message.as_bytes(policy=policy.compat32.clone(linesep="\r\n"))
