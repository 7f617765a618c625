"""Texts in the reader's language: gettext catalogues, and CLDR's ways to write day and time.

The source texts are English. Catalogues are compiled as they are read, so that nothing binary has
to be kept and no translation is stale.
"""

from collections.abc import Mapping
from datetime import datetime
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from contracts.languages import ENGLISH, LANGUAGES, Language


class Wording:
    """What one service says in one language."""

    def __init__(self, language: Language, catalogue: NullTranslations) -> None:
        self.language = language
        self.catalogue = catalogue

    def say(self, message: str, **values: object) -> str:
        """The English message in this language; `%(name)s` stands for a value."""
        return self.catalogue.gettext(message) % values

    def date(self, local: datetime, form: str) -> str:
        """The day; `form` is full, long, medium, short, or a pattern of CLDR."""
        return format_date(local, form, locale=self.language.formats)


def gettext_noop(message: str) -> str:
    """Marks a message for the catalogues where it stands; it is translated where it is said."""
    return message


def load(directory: Path) -> Mapping[str, Wording]:
    """The wording of each language by its code. Raises OSError where a catalogue is missing."""
    return {
        code: Wording(language, _catalogue(directory, language))
        for code, language in LANGUAGES.items()
    }


def _catalogue(directory: Path, language: Language) -> NullTranslations:
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    with (directory / language.code / "LC_MESSAGES" / "messages.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language.code, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)
