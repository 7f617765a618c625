"""What the pages of the local mailbox and of the simulated phones share."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

ZONE = ZoneInfo("Europe/Berlin")

_URL = re.compile(r"https?://[^\s<>\"]+")


def linked(text: str) -> Markup:
    """Plain text with its addresses made into links."""
    pieces, at = [], 0
    for match in _URL.finditer(text):
        url = match.group().rstrip(".,;:!?)")
        pieces.append(escape(text[at : match.start()]))
        pieces.append(Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(url))
        at = match.start() + len(url)
    return Markup("").join([*pieces, escape(text[at:])])


def local_time(moment: datetime) -> str:
    """Date and time to the second, as a German reads it."""
    return f"{moment.astimezone(ZONE):%d.%m.%Y, %H:%M:%S} Uhr"
