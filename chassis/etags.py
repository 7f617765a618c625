"""Lists of ETags, as If-Match and If-None-Match have them (RFC 9110, sections 8.8.3 and 13.1)."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256

# A member of the list, which may be empty, with the comma or the end behind it. Gives nothing back:
# linear.
_MEMBER = re.compile(
    r'[ \t]*+(?:(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*+)")?[ \t]*+(?:,|\Z)'
)


def members(lines: Iterable[str]) -> list[tuple[bool, str]] | None:
    """Of each ETag whether it is weak, and its opaque part; None for *. Raises ValueError."""
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return None
    found: list[tuple[bool, str]] = []
    at = 0
    while at < len(text):
        member = _MEMBER.match(text, at)
        if member is None:
            raise ValueError("no list of ETags")
        if member["opaque"] is not None:
            found.append((bool(member["weak"]), member["opaque"]))
        at = member.end()
    return found


def of(body: str) -> str:
    """A strong ETag of what has no version: by what is answered."""
    return f'"{urlsafe_b64encode(sha256(body.encode()).digest()[:18]).decode()}"'


def known(etag: str, lines: Iterable[str]) -> bool:
    """Whether If-None-Match names this ETag, compared weakly; what is no list names none."""
    try:
        listed = members(lines)
    except ValueError:
        return False
    return listed is None or any(etag.removeprefix("W/") == f'"{each}"' for _, each in listed)
