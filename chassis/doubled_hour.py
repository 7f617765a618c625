"""The hour that the clock shows twice, and the words that tell its two turns apart.

Which of the two a form means is asked by services/scheduling/wall_clock.py.
The words are translated in the catalogues of each service whose texts name a time.
"""

from datetime import datetime

from chassis.wording import Wording, gettext_noop

SEASONS = (
    gettext_noop("summer time"),
    gettext_noop("winter time"),
)  # in the order of PEP 495's fold


def comes_twice(local: datetime) -> bool:
    """True in the hour that the clock shows twice, when summer time ends."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def with_season(text: str, local: datetime, words: Wording) -> str:
    """A text that names this time, told apart from the other turn where the hour comes twice."""
    return f"{text} ({words.say(SEASONS[local.fold])})" if comes_twice(local) else text
