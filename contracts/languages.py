"""The languages in which patients can be written to, by BCP 47 tag.

There is one for each catalogue in `contracts/texts`, and English, in which the texts stand in the
code. A new one takes that file and nothing else: see CONTRIBUTING.md.
"""

from itertools import takewhile
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
SOURCE = "en"
DEFAULT = "de"
LANGUAGES = (SOURCE, *sorted(each.stem for each in TEXTS.glob("*.po")))


def find(tag: str) -> str | None:
    """The language of ours that a BCP 47 tag asks for; of several the one that says most.

    Subtags of ours may stand among others, as in de-AT-simple; what follows a singleton (RFC 5646,
    section 2.2.6) names no language.
    """
    subtags = tag.replace("_", "-").lower().split("-")
    named = set(takewhile(lambda each: len(each) > 1, subtags))
    ours = [
        each
        for each in LANGUAGES
        if each.partition("-")[0] == subtags[0] and named.issuperset(each.lower().split("-"))
    ]
    return max(ours, key=len, default=None)


def nearest(tag: str) -> str:
    """The language of that tag, or the default where there is no such language."""
    return find(tag) or DEFAULT
