"""Texts in the reader's language: gettext catalogues, and CLDR's ways to write day and duration.

The source texts are English. Catalogues are compiled as they are read, so that nothing binary has
to be kept and no translation is stale.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit

from contracts.languages import LANGUAGES, SOURCE, TEXTS

RIGHT_TO_LEFT = "rtl"
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"  # UAX #9, section 2.3

# A value needs none that is in words of the reader's own language, or has a line to itself.
_TO_ISOLATE = re.compile(
    r"(?!^%\(\w+\)s$)%\((?!(?:when|date|time|duration|place|text)\))\w+\)s", re.MULTILINE
)


def gettext_noop(message: str) -> str:
    """Marks a message for the catalogues where it stands; it is translated where it is said."""
    return message


OWN_NAME = gettext_noop("English")  # translated by the language's name for itself
FORMATS = gettext_noop("en_GB")  # by CLDR's locale of its dates


class Wording:
    """What is said to patients in one language."""

    def __init__(self, code: str, catalogue: NullTranslations) -> None:
        self.code = code
        self.catalogue = catalogue
        self.own_name = catalogue.gettext(OWN_NAME)
        self.locale = Locale.parse(catalogue.gettext(FORMATS))
        self.direction = self.locale.text_direction  # ltr or rtl, as HTML's `dir` has it

    def say(self, message: str, **values: object) -> str:
        """The English message in this language; `%(name)s` stands for a value."""
        text = self.catalogue.gettext(message)
        if self.direction == RIGHT_TO_LEFT:
            text = _TO_ISOLATE.sub(lambda found: self.isolated(found[0]), text)
        return text % values

    def date(self, local: datetime) -> str:
        """The day with its weekday, in full."""
        return format_date(local, "full", locale=self.locale)

    def moment(self, local: datetime, pattern: str) -> str:
        """Day and time by a pattern of CLDR."""
        return format_datetime(local, pattern, locale=self.locale)

    def minutes(self, number: int) -> str:
        """So many minutes, in the language's plural that goes with the number."""
        return _minutes(self.locale, number)

    def isolated(self, value: str) -> str:
        """A value that may run the other way, set apart where texts run from right to left.

        Else +49 30 1234567 would be shown as 1234567 30 49+.
        """
        if self.direction != RIGHT_TO_LEFT:
            return value
        return f"{_FIRST_STRONG_ISOLATE}{value}{_POP_ISOLATE}"


@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Wording]:
    """Those of all languages by code, in the order of their names; read when first asked for."""
    read = [Wording(code, _catalogue(code)) for code in LANGUAGES]
    return {each.code: each for each in sorted(read, key=lambda each: each.own_name.casefold())}


@lru_cache(maxsize=1024)
def _minutes(locale: Locale, number: int) -> str:
    return format_unit(number, "duration-minute", format="0", locale=locale)


def _catalogue(code: str) -> NullTranslations:
    if code == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    with (TEXTS / f"{code}.po").open("rb") as source:
        write_mo(compiled, read_po(source, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)
