"""What the patient's page says, in each language, and how it writes day and time."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location, get_timezone_name

from chassis.wording import Wording, load
from contracts.languages import DEFAULT, LANGUAGES

CATALOGUES = Path(__file__).parents[1] / "locale"


@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Wording]:
    """All languages by code, read when first asked for."""
    return load(CATALOGUES)


def choose(*wishes: str | None) -> Wording:
    """The first language of these that there is."""
    known = (wish for wish in wishes if wish and wish in LANGUAGES)
    return wordings()[next(known, DEFAULT.code)]


def accepted(header: str) -> str | None:
    """The language of ours that Accept-Language (RFC 9110, section 12.5.4) likes best."""
    liked: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, quality = part.partition(";")
        language = tag.strip().partition("-")[0].lower()
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language in LANGUAGES and weight > 0:
            liked.append((weight, language))
    return max(liked, key=lambda each: each[0])[1] if liked else None


def day_text(local: datetime, words: Wording) -> str:
    """The day with its weekday, in full."""
    return words.date(local, "full")


def time_text(local: datetime, words: Wording) -> str:
    """The time of day; in the hour that comes twice with the name of the clock."""
    text = words.say("%(time)s", time=f"{local:%H:%M}")
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return text
    return f"{text} {get_timezone_name(local, width='short', locale=words.language.formats)}"


def place_text(zone: ZoneInfo, words: Wording) -> str:
    """Whose clock that is, for patients who are elsewhere."""
    place = get_timezone_location(zone, locale=words.language.formats, return_city=True)
    return words.say("%(place)s time", place=place)
