"""What patients are told, in each language, and when their appointment is."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from chassis.wording import Wording, gettext_noop, load
from contracts.languages import nearest
from services.notification.letters.names_and_links import comes_twice, local_time

CATALOGUES = Path(__file__).parents[1] / "locale"

_SEASONS = (
    gettext_noop("summer time"),
    gettext_noop("winter time"),
)  # of the hour that comes twice, in order


@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Wording]:
    """All languages by code, read when first asked for."""
    return load(CATALOGUES)


def wording(locale: str) -> Wording:
    """The language of that tag, or the default."""
    return wordings()[nearest(locale).code]


def long_moment(moment: datetime, time_zone: str, words: Wording) -> str:
    """Weekday, date and wall-clock time. Raises UnusableLetter."""
    return _moment(moment, time_zone, words, "full")


def short_moment(moment: datetime, time_zone: str, words: Wording) -> str:
    """Date and wall-clock time in few characters. Raises UnusableLetter."""
    # A pattern of CLDR; in the 7-bit alphabet of SMS where the language can.
    return _moment(moment, time_zone, words, words.say("d MMM y"))


def _moment(moment: datetime, time_zone: str, words: Wording, form: str) -> str:
    """With the season in the hour that comes twice."""
    local = local_time(moment, time_zone)
    text = words.say("%(date)s, %(time)s", date=words.date(local, form), time=f"{local:%H:%M}")
    return f"{text} ({words.say(_SEASONS[local.fold])})" if comes_twice(local) else text
