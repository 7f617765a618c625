"""ETags of appointments and the precondition If-Match (RFC 9110, sections 8.8.3 and 13.1.1).

Whoever changes an appointment may say which version they have seen. If-Match compares strongly: a
weak ETag matches nothing, not even ours, and a strong one only what is the same character by
character.
"""

import re
from collections.abc import Iterable
from typing import Annotated, TypeAlias

from fastapi import Depends, Header, Request

from chassis.etags import members
from services.scheduling.problems import BadETag

_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def etag(version: int) -> str:
    """The ETag of this version; a strong one, since a version is one state."""
    return f'"{version}"'


def versions(lines: Iterable[str]) -> frozenset[int] | None:
    """Which versions the field's lines name; None where any will do. Raises BadETag.

    What is an ETag and none of ours names no version, and so can't match.
    """
    try:
        listed = members(lines)
    except ValueError:
        raise BadETag from None
    if listed is None:
        return None
    return frozenset(
        int(opaque) for weak, opaque in listed if not weak and _VERSION.fullmatch(opaque)
    )


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
