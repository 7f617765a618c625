"""The languages in which patients can be written to.

A new one takes an entry here and a catalogue in each service that writes to patients: see
CONTRIBUTING.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its ISO 639 code, its name for itself, and the CLDR locale of its dates."""

    code: str
    own_name: str
    formats: str


GERMAN = Language("de", "Deutsch", "de_DE")
ENGLISH = Language("en", "English", "en_GB")
LANGUAGES: Mapping[str, Language] = {each.code: each for each in (GERMAN, ENGLISH)}
DEFAULT = GERMAN


def nearest(tag: str) -> Language:
    """The language of a BCP 47 tag, or the default where there is no such language."""
    return LANGUAGES.get(tag.replace("_", "-").partition("-")[0].lower(), DEFAULT)
