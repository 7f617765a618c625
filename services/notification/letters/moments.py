"""When an appointment is, on the practice's clock and in the patient's language."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from chassis.doubled_hour import with_season
from chassis.wording import Wording
from services.notification.letters.letter import UnusableLetter


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The zone of this IANA name. Raises UnusableLetter."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnusableLetter("time_zone is unknown") from None


def local_time(moment: datetime, time_zone: str) -> datetime:
    """The moment on the practice's clock. Raises UnusableLetter."""
    return moment.astimezone(zone(time_zone))


def long_moment(moment: datetime, time_zone: str, words: Wording) -> str:
    """Weekday, date and wall-clock time. Raises UnusableLetter."""
    local = local_time(moment, time_zone)
    text = words.say("%(date)s, %(time)s", date=words.date(local), time=f"{local:%H:%M}")
    return with_season(text, local, words)


def short_moment(moment: datetime, time_zone: str, words: Wording) -> str:
    """Date and wall-clock time in few characters. Raises UnusableLetter."""
    local = local_time(moment, time_zone)
    # A pattern of CLDR; in the 7-bit alphabet of SMS where the language can.
    return with_season(words.moment(local, words.say("d MMM y, HH:mm")), local, words)
