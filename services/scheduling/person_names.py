"""Whether two names are one person's, as people write them. Pure; for hints, never for refusals."""

import re
import unicodedata

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_ACCENTS = re.compile("[\u0300-\u036f]")  # of Latin, Greek, Cyrillic; elsewhere marks are vowels
_FORMS_OF_ADDRESS = frozenset({"dr", "fr", "frau", "herr", "hr", "med", "mr", "mrs", "ms", "prof"})


def alike(name: str) -> str:
    """The same for spellings of one name.

    Case, accents, umlauts written out, hyphens, commas, spaces, the order of the words and forms of
    address make no difference.
    """
    plain = unicodedata.normalize("NFC", name).casefold().translate(_GERMAN)
    bare = unicodedata.normalize("NFKC", _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)))
    words = "".join(each if _is_of_a_word(each) else " " for each in bare.casefold()).split()
    return " ".join(sorted(set(words) - _FORMS_OF_ADDRESS or words))


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in {"L", "M", "N"}
