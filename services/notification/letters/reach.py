"""How the patient reaches the practice: what a letter says of it, and never more than there is."""

import re
from dataclasses import dataclass

from chassis.telephone import readable
from chassis.wording import Wording, gettext_noop
from services.notification.letters.letter import Letter, LetterKind, UnusableLetter
from services.notification.letters.names_and_links import clean_name

ADDRESS_LINES = 5

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
# As plain as contracts.events has it: it stands in a header.
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")

# By whether there is a phone, and an address that is read.
_IF_YOU_CANNOT_COME = {
    (True, True): gettext_noop(
        "This e-mail was sent automatically. If you cannot come, please call your practice or "
        "reply to this e-mail."
    ),
    (True, False): gettext_noop(
        "This e-mail was sent automatically, please do not reply to it. If you cannot come, "
        "please call your practice."
    ),
    (False, True): gettext_noop(
        "This e-mail was sent automatically. If you cannot come, please reply to this e-mail."
    ),
    (False, False): gettext_noop(
        "This e-mail was sent automatically, please do not reply to it. If you cannot come, "
        "please contact your practice directly."
    ),
}
_IF_YOU_HAVE_QUESTIONS = {
    (True, True): gettext_noop(
        "This e-mail was sent automatically. If you have questions, please call your practice or "
        "reply to this e-mail."
    ),
    (True, False): gettext_noop(
        "This e-mail was sent automatically, please do not reply to it. If you have questions, "
        "please call your practice."
    ),
    (False, True): gettext_noop(
        "This e-mail was sent automatically. If you have questions, please reply to this e-mail."
    ),
    (False, False): gettext_noop(
        "This e-mail was sent automatically, please do not reply to it. If you have questions, "
        "please contact your practice directly."
    ),
}
# In a calendar; by whether it is asked to answer, and whether there is a phone.
_IN_A_CALENDAR = {
    (True, True): gettext_noop(
        "If you cannot come, please decline here in your calendar or call %(phone)s."
    ),
    (True, False): gettext_noop(
        "If you cannot come, please decline here in your calendar or contact your practice "
        "directly."
    ),
    (False, True): gettext_noop(
        "If you cannot come, please call %(phone)s: your practice does not read replies from "
        "calendars."
    ),
    (False, False): gettext_noop(
        "If you cannot come, please contact your practice directly: "
        "it does not read replies from calendars."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What there is, each empty where it is not."""

    phone: str = ""  # E.164
    reply_to: str = ""
    address: tuple[str, ...] = ()  # lines

    def __bool__(self) -> bool:
        return bool(self.phone or self.reply_to or self.address)

    @property
    def phone_shown(self) -> str:
        """The number as people read it."""
        return readable(self.phone) if self.phone else ""

    def closing(self, kind: LetterKind, words: Wording) -> str:
        """What a mail says last: whom to turn to, and whether to answer it."""
        cancelled = kind is LetterKind.CANCELLED
        sentences = _IF_YOU_HAVE_QUESTIONS if cancelled else _IF_YOU_CANNOT_COME
        return words.say(sentences[bool(self.phone), bool(self.reply_to)])

    def in_a_calendar(self, words: Wording, *, asks: bool) -> str:
        """What a calendar entry says to whom cannot come."""
        return words.say(_IN_A_CALENDAR[asks, bool(self.phone)], phone=self.phone_shown)


def reach_of(letter: Letter) -> Reach:
    """How this letter's practice is reached. Raises UnusableLetter."""
    if letter.phone and not _PHONE.fullmatch(letter.phone):
        raise UnusableLetter("phone is not in E.164")
    if letter.reply_to and not _MAILBOX.fullmatch(letter.reply_to):
        raise UnusableLetter("reply_to is not an address")
    lines = [each for each in (letter.postal_address or "").splitlines() if each.strip()]
    return Reach(
        phone=letter.phone or "",
        reply_to=letter.reply_to or "",
        address=tuple(clean_name(each, "postal_address") for each in lines[:ADDRESS_LINES]),
    )
