"""Letters as servers without them write them: „ueberschritten", „unbekannter Empfanger"."""

import re
import unicodedata

# German has a second way of doing without, and these letters have no decomposition.
_WITHOUT = {"ä": ("ae", "a"), "ö": ("oe", "o"), "ü": ("ue", "u"), "ß": ("ss",)}
_PLAIN = {"ł": "l", "ø": "o", "æ": "ae", "ı": "i", "đ": "d"}
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.S)


def also_plain(pattern: str) -> str:
    """The pattern, which then also matches its Latin letters without their marks."""
    return "".join(map(_token, _TOKEN.findall(pattern)))


def _token(token: str) -> str:
    if token.startswith("["):
        return token[:-1] + "".join(p for p in map(_plain, token) if p and len(p) == 1) + "]"
    spellings = _WITHOUT.get(token) or tuple(filter(None, (_plain(token),)))
    return f"(?:{'|'.join((token, *spellings))})" if spellings else token


def _plain(letter: str) -> str | None:
    if letter.isascii() or "LATIN" not in unicodedata.name(letter, ""):
        return None
    base = _PLAIN.get(letter, unicodedata.normalize("NFD", letter)[0])
    return base if base != letter else None
