"""What the patient's page says, in each language, and how it writes day and time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location

from chassis.doubled_hour import with_season
from chassis.wording import Wording, wordings
from contracts.languages import DEFAULT, LANGUAGES, find


def choose(*codes: str | None) -> Wording:
    """The first of these languages that there is, or the default."""
    known = (code for code in codes if code and code in LANGUAGES)
    return wordings()[next(known, DEFAULT)]


def accepted_language(header: str) -> str | None:
    """The language of ours that Accept-Language (RFC 9110, section 12.5.4) likes best."""
    liked: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, quality = part.partition(";")
        language = find(tag.strip())
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language and weight > 0:
            liked.append((weight, language))
    return max(liked, key=lambda each: each[0])[1] if liked else None


def day_text(local: datetime, words: Wording) -> str:
    """The day with its weekday, in full."""
    return words.date(local)


def time_text(local: datetime, words: Wording) -> str:
    """The time of day; in the hour that comes twice with the season."""
    return with_season(words.say("%(time)s", time=f"{local:%H:%M}"), local, words)


def moment_text(local: datetime, words: Wording) -> str:
    """Both of them, as the language puts them together."""
    both = words.say("%(date)s, %(time)s", date=day_text(local, words), time=f"{local:%H:%M}")
    return with_season(both, local, words)


def place_text(zone: ZoneInfo, words: Wording) -> str:
    """Whose clock that is, for patients who are elsewhere."""
    place = get_timezone_location(zone, locale=words.locale, return_city=True)
    return words.say("%(place)s time", place=place)
