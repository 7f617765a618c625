"""Whether a patient's name is the one that somebody looks for, however either of them is written.

Every word that is looked for has to begin a word of the name: „mül er" finds Erika Müller. Neither
case nor diacritics count; an umlaut is found by its letter and by two, as are letters that no
diacritic makes. Pure.

Names are folded for it: every way to write every word, in a form that the same name always has. To
fold takes longer than to look, so who looks again keeps what is folded.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeAlias
from uuid import UUID

from services.scheduling import pasted

# After casefolding, which makes ss of ß. Each is written as well as its plain letter as so.
_TWO = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
_AS_TWO = str.maketrans(_TWO)
# What no decomposition makes a plain letter of.
_AS_ONE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe"})


_BEGINS = "\n"  # a word; stands in none

# A name as it is looked into, and its appointment's start and id. No class, since there are so
# many: at a bare tuple of such values the garbage collector looks once.
Named: TypeAlias = tuple[str, datetime, UUID]


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

    def among(self, named: Sequence[Named]) -> Sequence[Named]:
        """Those that are looked for, in their order."""
        for one, *other in self.words:
            begins = _BEGINS + one
            if other:
                or_begins = _BEGINS + other[0]
                named = [each for each in named if begins in each[0] or or_begins in each[0]]
            else:
                named = [each for each in named if begins in each[0]]
        return named


def folded(name: str) -> str:
    """The name as it is looked into."""
    return _BEGINS + _BEGINS.join(written(name))


def written(name: str) -> Sequence[str]:
    """Each way to write each of its words; at times one is there twice."""
    small = name.casefold()
    if not _LATIN.fullmatch(small):
        return [way for word in _words_of(name) for way in _ways(word)]
    # Most are: the same is done to all words at once, in a tenth of the time.
    if _PARTING.search(small):
        small = f"{_PARTING.sub(' ', small)} {_PARTING.sub('', small)}"
    if small.isascii():
        return small.split()
    two = small
    for letter, letters in _TWO.items():  # of a short text four times as fast as to translate it
        two = two.replace(letter, letters)
    return (_bare(small) if two == small else f"{_bare(small)} {_bare(two)}").split()


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


def _bare(latin: str) -> str:
    return unicodedata.normalize("NFD", latin).encode("ascii", "ignore").decode()


def _is_bare_with_marks(letter: str) -> bool:
    apart = unicodedata.normalize("NFD", letter)  # as `_bare` takes it apart
    return apart[0].isascii() and apart[0].isalpha() and all(map(unicodedata.combining, apart[1:]))


_LETTERS = "".join(filter(_is_bare_with_marks, map(chr, range(0xC0, 0x1F00))))
_LATIN = re.compile(f"[a-z0-9 '’{_LETTERS}-]*")
_PARTING = re.compile("['’-]")
