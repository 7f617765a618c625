"""What the patient reads as an SMS, in the patient's language.

Short enough for one segment where the link and the practice's name allow it. The practice's number
is in it where it costs no further one. The link is never cut. No patient name: it would show on a
locked screen.
"""

import unicodedata
from collections.abc import Iterator

from chassis.wording import gettext_noop
from services.notification.letters import sms_segments as segments
from services.notification.letters.letter import Letter, LetterKind
from services.notification.letters.moments import short_moment
from services.notification.letters.names_and_links import checked_link, clean_name
from services.notification.letters.reach import reach_of
from services.notification.letters.wordings import wording

PHONE = gettext_noop("%(text)s\nPhone %(phone)s")
SHORTEST_NAME = 10  # characters that a shortened name keeps at least


# The better wording first; the terser one where that saves a segment.
_WORDINGS = {
    LetterKind.INVITATION: (
        gettext_noop("%(name)s: invitation to your video visit on %(when)s\n%(link)s"),
        gettext_noop("%(name)s: video visit %(when)s\n%(link)s"),
    ),
    LetterKind.REMINDER: (
        gettext_noop("%(name)s: reminder of your video visit on %(when)s\n%(link)s"),
        gettext_noop("%(name)s: reminder, video visit %(when)s\n%(link)s"),
    ),
    LetterKind.MOVED: (
        gettext_noop("%(name)s: your video visit was moved to %(when)s, same link:\n%(link)s"),
        gettext_noop("%(name)s: video visit moved to %(when)s\n%(link)s"),
    ),
    LetterKind.CANCELLED: (gettext_noop("%(name)s: your video visit on %(when)s was cancelled."),),
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


def compose(letter: Letter) -> str:
    """The text with the fewest segments; of several the one that says most.

    Raises UnusableLetter, which names the field.
    """
    speech = wording(letter.locale)
    name = clean_name(letter.sender_name, "sender_name")
    words = {
        "when": short_moment(letter.start, letter.time_zone, speech),
        "link": checked_link(letter.link),
    }
    wordings = _WORDINGS[letter.kind]
    if segments.encoding_of(speech.say(wordings[-1], name="", **words)) is segments.Encoding.GSM7:
        name = readable(name)
    candidates = [speech.say(each, name=name, **words) for each in wordings]
    if phone := reach_of(letter).phone:
        candidates[:0] = [speech.say(PHONE, text=each, phone=phone) for each in candidates]
    candidates += [speech.say(wordings[-1], name=shorter, **words) for shorter in shortenings(name)]
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
