"""Names and links of a letter, made safe for any header, text, markup or calendar file."""

import re
from urllib.parse import urlsplit

from contracts.names import leads_elsewhere
from services.notification.letters.letter import UnusableLetter

NAME_LENGTH = 200  # characters of a name that are shown

# Control characters, line and paragraph separators, direction overrides, lone surrogates: none
# belongs in a name, and the first would end a header line.
_NOT_IN_NAMES = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)
_LINK = re.compile(r"[!#-;=?-Z\[\]_a-z~]+")  # RFC 3986; without it nothing but the link is linked


def clean_name(text: str, field: str) -> str:
    """A name on one line, without control characters. Raises UnusableLetter if none is left."""
    name = " ".join(_NOT_IN_NAMES.sub(" ", text).split())[:NAME_LENGTH].strip()
    if not name:
        raise UnusableLetter(f"{field} is empty")
    return name


def shown_name(text: str) -> str:
    """A patient's name as it may be shown: empty where it would put a link into the letter.

    Raises UnusableLetter if there is none.
    """
    name = clean_name(text, "patient_name")
    return "" if leads_elsewhere(name) else name


def checked_link(link: str) -> str:
    """The link, if nothing in it can break out of text or markup. Raises UnusableLetter."""
    if not _LINK.fullmatch(link) or urlsplit(link).scheme not in {"https", "http"}:
        raise UnusableLetter("link is not an http(s) address")
    return link
