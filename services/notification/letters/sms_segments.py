"""How many SMS a text takes: 3GPP TS 23.038 (7-bit alphabet, UCS-2) and TS 23.040 (splitting).

National tables are not used. A text that the 7-bit alphabet can't hold goes as UCS-2 as a whole.
"""

from enum import StrEnum
from functools import lru_cache

from gsm0338 import Codec

_GSM = Codec()  # the default alphabet with its extension table
_ESCAPE = "\x1b"  # announces a character of the extension table; none itself


class Encoding(StrEnum):
    """How the text goes over the air."""

    GSM7 = "gsm-7"
    UCS2 = "ucs-2"


# Units (septets, UTF-16 code units) of a message that stands alone, and of each part of a longer
# one, whose user data header takes the rest.
ALONE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
PART = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@lru_cache(maxsize=4096)
def septets(character: str) -> int | None:
    """1, or 2 from the extension table; None where the 7-bit alphabet has no such character."""
    if character == _ESCAPE:
        return None
    try:
        return len(_GSM.encode(character)[0])
    except UnicodeEncodeError:
        return None


def encoding_of(text: str) -> Encoding:
    """The cheaper one that can hold all of `text`."""
    return Encoding.UCS2 if None in map(septets, text) else Encoding.GSM7


def units(text: str) -> int:
    """How much of a segment's room the text takes, in the units of its encoding."""
    encoding = encoding_of(text)
    return sum(_units(character, encoding) for character in text)


def room(encoding: Encoding, segments: int) -> int:
    """How many units fit into so many segments at most."""
    return ALONE[encoding] if segments == 1 else PART[encoding] * segments


def split(text: str) -> list[str]:
    """The text as its segments carry it. No character is torn apart, so a part may be shorter."""
    encoding = encoding_of(text)
    sizes = [_units(character, encoding) for character in text]
    if sum(sizes) <= ALONE[encoding]:
        return [text]
    parts, start, used = [], 0, 0
    for at, size in enumerate(sizes):
        if used + size > PART[encoding]:
            parts.append(text[start:at])
            start, used = at, 0
        used += size
    return [*parts, text[start:]]


def count(text: str) -> int:
    """Number of segments, which is what is paid for."""
    return len(split(text))


def _units(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return septets(character) or 0
    return 2 if ord(character) > 0xFFFF else 1
