"""What the patient reads as an SMS, German or English.

Short enough for one segment where the link and the practice's name allow it. The link is never
cut. No patient name: it would show on a locked screen.
"""

import unicodedata
from collections.abc import Iterator
from enum import StrEnum

from services.notification.channels import Letter
from services.notification.channels.sms import segments
from services.notification.fields import checked_link, clean_name, comes_twice, local_time
from services.notification.invitation_mail import DEFAULT_LOCALE, MONTHS, SEASON

SHORTEST_NAME = 10  # characters that a shortened name keeps at least


class Kind(StrEnum):
    """What the patient is told."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    MOVED = "moved"
    CANCELLED = "cancelled"


# The better wording first; the terser one where that saves a segment.
_WORDINGS = {
    "de": {
        Kind.INVITATION: (
            "{name}: Einladung zur Videosprechstunde am {when}\n{link}",
            "{name}: Videosprechstunde {when}\n{link}",
        ),
        Kind.REMINDER: (
            "{name}: Erinnerung an Ihre Videosprechstunde am {when}\n{link}",
            "{name}: Erinnerung, Videosprechstunde {when}\n{link}",
        ),
        Kind.MOVED: (
            "{name}: Ihre Videosprechstunde wurde verschoben auf {when}, gleicher Link:\n{link}",
            "{name}: Videosprechstunde verschoben auf {when}\n{link}",
        ),
        Kind.CANCELLED: ("{name}: Ihre Videosprechstunde am {when} wurde abgesagt.",),
    },
    "en": {
        Kind.INVITATION: (
            "{name}: invitation to your video visit on {when}\n{link}",
            "{name}: video visit {when}\n{link}",
        ),
        Kind.REMINDER: (
            "{name}: reminder of your video visit on {when}\n{link}",
            "{name}: reminder, video visit {when}\n{link}",
        ),
        Kind.MOVED: (
            "{name}: your video visit was moved to {when}, same link:\n{link}",
            "{name}: video visit moved to {when}\n{link}",
        ),
        Kind.CANCELLED: ("{name}: your video visit on {when} was cancelled.",),
    },
}

# What Unicode does not decompose, and typography that the 7-bit alphabet lacks.
_PLAIN = str.maketrans("łŁđĐðıħ", "lLdDdih") | str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\u00b7\u2022", "-"),
        **dict(zip("œŒþẞ\u2026", ("oe", "OE", "th", "SS", "..."), strict=True)),
        **dict.fromkeys("®™", ""),
    }
)
# A name must not end in one of these when its last words are left out.
_DANGLING = {"und", "and", "&", "+", "der", "die", "des", "für", "for", "im", "in", "am", "an"}
_DANGLING |= {"the", "of", "bei", "von", "dr.", "prof.", "med.", "dres.", "dipl.", "-", "/", "|"}


def compose(letter: Letter, kind: Kind = Kind.INVITATION) -> str:
    """The text with the fewest segments; of several the one that says most.

    Raises UnusableLetter, which names the field.
    """
    locale = letter.locale.replace("_", "-").partition("-")[0].lower()
    if locale not in _WORDINGS:
        locale = DEFAULT_LOCALE
    name = readable(clean_name(letter.sender_name, "sender_name"))
    words = {"when": _moment(letter, locale), "link": checked_link(letter.link)}
    wordings = _WORDINGS[locale][kind]
    candidates = [wording.format(name=name, **words) for wording in wordings]
    candidates += [wordings[-1].format(name=shorter, **words) for shorter in shortenings(name)]
    return min(candidates, key=segments.count)


def readable(name: str) -> str:
    """The name in the 7-bit alphabet where leaving out accents and typography gets it there.

    One other character would more than double what every SMS of the practice costs.
    """
    if segments.encoding_of(name) is segments.Encoding.GSM7:
        return name
    plain = "".join(map(_plain, unicodedata.normalize("NFC", name)))
    return plain if segments.encoding_of(plain) is segments.Encoding.GSM7 else name


def shortenings(name: str) -> Iterator[str]:
    """The name without its last words, longest first; never a word cut in two."""
    words = name.split()
    while len(words) > 1:
        words.pop()
        while len(words) > 1 and words[-1].casefold() in _DANGLING:
            words.pop()
        shorter = " ".join(words).rstrip(" ,;:-/|&")
        if len(shorter) < SHORTEST_NAME:
            return
        yield shorter


def _plain(character: str) -> str:
    if segments.septets(character) is not None:
        return character
    replaced = character.translate(_PLAIN)
    if replaced != character:
        return replaced
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _moment(letter: Letter, locale: str) -> str:
    local = local_time(letter.start, letter.time_zone)
    if locale == "de":
        text = f"{local:%d.%m.%y, %H:%M} Uhr"
    else:
        text = f"{local.day} {MONTHS[locale][local.month - 1][:3]} {local.year}, {local:%H:%M}"
    if comes_twice(local):
        text += f" ({SEASON[locale][bool(local.dst())]})"
    return text
