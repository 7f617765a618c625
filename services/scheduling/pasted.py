"""Text as people paste it, without what comes along unseen.

Out of documents, messengers and websites come direction marks, zero-width spaces, soft hyphens,
byte order marks and spaces of many widths. Pure.
"""

import re
import unicodedata

ZWNJ, ZWJ = "\u200c", "\u200d"
_VIRAMA = 9  # canonical combining class

# Seen by nobody, and no part of how anything is spelled. The joiners are: see `name`.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)


def line(text: str) -> str:
    """A number or an address in one line, with plain single spaces."""
    return _spaced(_UNSEEN.sub("", text).replace(ZWNJ, "").replace(ZWJ, ""))


def name(text: str) -> str:
    """A name in one line (NFC). Joiners stay within it: Persian, Sinhala, Hindi need them."""
    seen = _UNSEEN.sub("", text)
    kept = [each for at, each in enumerate(seen) if each not in {ZWNJ, ZWJ} or _joins(seen, at)]
    return unicodedata.normalize("NFC", _spaced("".join(kept)))


def _joins(text: str, at: int) -> bool:
    """Whether a joiner stands between two letters, or shapes the last one (after a virama)."""
    if at == 0 or not _is_letter(text[at - 1]):
        return False
    if unicodedata.combining(text[at - 1]) == _VIRAMA:
        return True
    return at + 1 < len(text) and _is_letter(text[at + 1])


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _spaced(text: str) -> str:
    return " ".join(text.split())
