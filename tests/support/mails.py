"""What is in a mail that has arrived in the local mailbox."""

import re
from email import message_from_bytes, policy
from typing import Any

from icalendar import Calendar

from tests.support import Json


def link_in(mail: Json) -> str:
    """The patient's link."""
    found = re.search(r"http\S+/besuch/[\w-]+", mail["text"])
    assert found is not None
    return found[0]


def calendar_of(mail: Json) -> tuple[Any, Any]:
    """The attached calendar file and its one event."""
    message = message_from_bytes(mail["raw"].encode("latin-1"), policy=policy.default)
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "einladung.ics"
    calendar: Any = Calendar.from_ical(attached.get_content())
    (event,) = calendar.walk("VEVENT")
    return calendar, event
