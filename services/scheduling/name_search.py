"""Whether a patient's name is the one that somebody looks for, however either of them is written.

Every word that is looked for has to begin a word of the name: „mül er" finds Erika Müller. Neither
case nor diacritics count; an umlaut is found by its letter and by two, as are letters that no
diacritic makes. Pure.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from services.scheduling import pasted

# After casefolding, which makes ss of ß. Each is written as well as its plain letter as so.
_AS_TWO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
# What no decomposition makes a plain letter of.
_AS_ONE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe"})


@dataclass(frozen=True, slots=True)
class NameSearch:
    """What is looked for: words, each in every way in which it may be written."""

    words: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """The search for what somebody has typed, or pasted."""
        words = {word: None for token in _tokens(pasted.name(text)) for word in _parts(token)}
        return cls(tuple(_ways(word) for word in words))

    @property
    def letters(self) -> int:
        """How many letters and digits are looked for."""
        return sum(len(ways[0]) for ways in self.words)

    def finds(self, name: str) -> bool:
        """Whether this is a name that is looked for."""
        written = [way for word in _words_of(name) for way in _ways(word)]
        return all(any(each.startswith(ways) for each in written) for ways in self.words)


def _words_of(name: str) -> Iterable[str]:
    """Its words, and what stands together in one: O'Neill is found as oneill, too."""
    for token in _tokens(name):
        parts = _parts(token)
        yield from parts
        if len(parts) > 1:
            yield "".join(parts)


def _tokens(text: str) -> list[str]:
    joined = text.replace(pasted.ZWNJ, "").replace(pasted.ZWJ, "")
    return unicodedata.normalize("NFC", joined.casefold()).split()


def _parts(token: str) -> list[str]:
    """A word without what is neither letter, mark nor digit, which parts it."""
    if token.isalnum():  # most are
        return [token]
    spaced = (each if unicodedata.category(each)[0] in "LMN" else " " for each in token)
    return "".join(spaced).split()


def _ways(word: str) -> tuple[str, ...]:
    """With plain letters, and where there is a difference with two for one."""
    if word.isascii():
        return (word,)
    plain, two = _plain(word), _plain(word.translate(_AS_TWO))
    return (plain,) if plain == two else (plain, two)


def _plain(word: str) -> str:
    apart = unicodedata.normalize("NFKD", word)
    bare = "".join(each for each in apart if not unicodedata.combining(each)).translate(_AS_ONE)
    return bare or word
