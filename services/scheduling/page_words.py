"""What the patient's page says, in each language, and how it writes day and time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location, get_timezone_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The texts of one language; `{when}` and `{minutes}` are filled in."""

    language: str
    own_name: str
    babel_locale: str
    other_language: str
    title: str
    practice: str
    day: str
    time: str
    time_of_day: str
    duration: str
    minutes: str
    local_time: str
    join: str
    join_hint: str
    early: str
    early_hint: str
    reload: str
    over: str
    over_hint: str
    no_rooms: str
    keep: str
    void_title: str
    void: str
    void_hint: str
    busy_title: str
    busy: str


GERMAN = Words(
    language="de",
    own_name="Deutsch",
    babel_locale="de",
    other_language="Sprache",
    title="Ihre Videosprechstunde",
    practice="Praxis",
    day="Tag",
    time="Uhrzeit",
    time_of_day="{time} Uhr",
    duration="Dauer",
    minutes="etwa {minutes} Minuten",
    local_time="Ortszeit {place}",
    join="Beitreten",
    join_hint="Der Videoraum öffnet sich im Browser. Bitte erlauben Sie dort Kamera und Mikrofon.",
    early="Der Videoraum ist noch nicht geöffnet.",
    early_hint="Sie können ab {when} beitreten. Bitte öffnen Sie dann diesen Link noch einmal.",
    reload="Seite neu laden",
    over="Der Videoraum ist geschlossen.",
    over_hint="Der Termin ist vorbei. Bei Fragen rufen Sie bitte Ihre Praxis an.",
    no_rooms="Der Videoraum ist noch nicht eingerichtet. Bitte rufen Sie Ihre Praxis an.",
    keep="Datum und Dauer sind Richtwerte. Bitte bewahren Sie diesen Link auf und geben Sie ihn "
    "nicht weiter: Er gilt nur für Sie.",
    void_title="Link nicht gültig",
    void="Dieser Link ist nicht gültig",
    void_hint="Bitte öffnen Sie den Link aus Ihrer letzten Einladung oder rufen Sie Ihre Praxis "
    "an.",
    busy_title="Bitte einen Moment",
    busy="Gerade kommen zu viele Anfragen. Bitte laden Sie die Seite in einer Minute neu.",
)
ENGLISH = Words(
    language="en",
    own_name="English",
    babel_locale="en_GB",
    other_language="Language",
    title="Your video visit",
    practice="Practice",
    day="Day",
    time="Time",
    time_of_day="{time}",
    duration="Duration",
    minutes="about {minutes} minutes",
    local_time="{place} time",
    join="Join",
    join_hint="The video room opens in your browser. Please allow camera and microphone there.",
    early="The video room is not open yet.",
    early_hint="You can join from {when}. Please open this link again then.",
    reload="Reload the page",
    over="The video room is closed.",
    over_hint="The appointment is over. If you have questions, please call your practice.",
    no_rooms="The video room is not set up yet. Please call your practice.",
    keep="Date and duration are guide values. Please keep this link and do not pass it on: it is "
    "for you alone.",
    void_title="Link not valid",
    void="This link is not valid",
    void_hint="Please open the link of your latest invitation, or call your practice.",
    busy_title="One moment, please",
    busy="There are too many requests just now. Please reload the page in a minute.",
)
LANGUAGES: Mapping[str, Words] = {each.language: each for each in (GERMAN, ENGLISH)}


def choose(*wishes: str | None) -> Words:
    """The first language of these that there is."""
    return next((LANGUAGES[wish] for wish in wishes if wish and wish in LANGUAGES), GERMAN)


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


def day_text(local: datetime, words: Words) -> str:
    """The day with its weekday, in full."""
    return format_date(local, "full", locale=words.babel_locale)


def time_text(local: datetime, words: Words) -> str:
    """The time of day; in the hour that comes twice with the name of the clock."""
    text = words.time_of_day.format(time=f"{local:%H:%M}")
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return text
    return f"{text} {get_timezone_name(local, width='short', locale=words.babel_locale)}"


def place_text(zone: ZoneInfo, words: Words) -> str:
    """Whose clock that is, for patients who are elsewhere."""
    place = get_timezone_location(zone, locale=words.babel_locale, return_city=True)
    return words.local_time.format(place=place)
