"""ETags of appointments and the precondition If-Match (RFC 9110, sections 8.8.3 and 13.1.1).

Whoever changes an appointment may say which version they have seen. If-Match compares strongly: a
weak ETag matches nothing, not even ours, and a strong one only what is the same character by
character.
"""

import re
from collections.abc import Iterable
from typing import Annotated, TypeAlias

from fastapi import Depends, Header, Request

from services.scheduling.problems import BadETag

# A member of the list, which may be empty, with the comma or the end behind it. Gives nothing back:
# linear.
_MEMBER = re.compile(
    r'[ \t]*+(?:(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*+)")?[ \t]*+(?:,|\Z)'
)
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def etag(version: int) -> str:
    """The ETag of this version; a strong one, since a version is one state."""
    return f'"{version}"'


def versions(lines: Iterable[str]) -> frozenset[int] | None:
    """Which versions the field's lines name; None where any will do. Raises BadETag.

    What is an ETag and none of ours names no version, and so can't match.
    """
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return None
    named: set[int] = set()
    at = 0
    while at < len(text):
        member = _MEMBER.match(text, at)
        if member is None:
            raise BadETag
        if not member["weak"] and _VERSION.fullmatch(member["opaque"] or ""):
            named.add(int(member["opaque"]))
        at = member.end()
    return frozenset(named)


async def if_match(
    request: Request,
    _first: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=1000,
            description="ETag of the appointment as last seen, or a list of them; where none is "
            "the present one, nothing is done. Left out, or *: whatever it is now.",
        ),
    ] = None,
) -> frozenset[int] | None:
    """FastAPI dependency: the versions of which one has to be the present; None for any."""
    lines = request.headers.getlist("if-match")
    return versions(lines) if lines else None


IfMatch: TypeAlias = Annotated[frozenset[int] | None, Depends(if_match)]
