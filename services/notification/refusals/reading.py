"""Whom a refusal is about and why: from its status, its words and its code, in this order.

1. A status detail that has one meaning (X.1.2 a host, X.2.2 a full mailbox, X.5.3 too many
   recipients, X.7.23 SPF …; `statuses.py`). Only words that name us overrule it, and only where it
   would call the address unknown or its mailbox full; and words that name a server out of order
   where it would call the address unknown.
2. Words that name somebody or something (`phrases.py`). What names us comes before what sounds the
   same of the recipient: „Sender address rejected: User unknown" is about our sender. Then the
   recipient's mailbox or domain, then the message.
3. A status detail that tells, but that servers also give where they know nothing better (X.1.1).
4. Words that name nobody: the network, rules, a server out of order.
5. The status' subject. X.7 is about what we may and never makes an address unknown; words that name
   the mailbox do so beside the details 0 and 1, which stand for any refusal.
6. The reply code (RFC 5321 section 4.2.3). 550, 553 and 554 stand for any refusal: `other`.

An address is called unknown by words or a status that name the mailbox or its domain, and by
nothing else: not by a bare 550 or 5.0.0, „rejected", „access denied", nor by what a server puts
before each refusal. Before RCPT a server can't speak of a recipient, whatever it says.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from contracts.events import FailureReason
from services.notification.refusals.codes import find_code, find_status, stage_in, tells
from services.notification.refusals.phrases import BOILERPLATE, PHRASES, PREFIXES
from services.notification.refusals.refusal import About, Refusal, Stage
from services.notification.refusals.spelling import also_plain
from services.notification.refusals.statuses import Meaning, Weight, meaning_of
from services.notification.refusals.wording import Kind, Phrases

MAX_LENGTH = 6_000  # characters of a text
MAX_LENGTH_IN_ALL = 12_000  # characters; a hundred times what servers say

_PATTERNS = tuple(
    (phrases, re.compile("|".join(f"(?:{also_plain(it)})" for it in phrases.patterns), re.I))
    for phrases in PHRASES
)
_BOILERPLATE = re.compile(BOILERPLATE, re.I)
_PREFIXES = re.compile(PREFIXES, re.I)
_ADDRESS = re.compile(r"[^\s<>:;,()'\"@]{0,64}@[a-z0-9.-]+", re.I)
_WEB_ADDRESS = re.compile(r"\bhttps?://([^\s/<>\"')\]]{1,255})[^\s<>\"')\]]{0,1000}", re.I)
# A reply of several lines repeats code and status on each (RFC 5321 section 4.2.1).
_LINE_OF_REPLY = re.compile(r"(?<!\S)([45]\d\d)-")
_STATUS_OF_LINE = re.compile(r"(?<!\S)#?[245]\.\d{1,3}\.\d{1,3}(?![\w.])")
# Another server's words, passed on: „host mx.example[192.0.2.1] said: …"
_QUOTED = re.compile(r"\b(?:said|says|responded|replied)\b", re.I)

# What makers document of words that alone, or of a status that alone, says less.
_DOCUMENTED = tuple(
    (detail, re.compile(pattern, re.I))
    for detail, pattern in (
        # Cisco, „Configuring the Gateway to Receive Email": the recipient access table's answer
        ("1.0", r"(?<!recipient )\baddress rejected\b|unknown address error"),
        # Microsoft, „NDR error codes": a recipient that the directory doesn't have
        ("4.1", r"recipient address rejected: access denied"),
    )
)

_OF_CODE = {
    421: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    451: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    452: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    454: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    500: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    502: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    503: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    504: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    555: Meaning(About.SYSTEM, FailureReason.SYSTEM),
    # Login needed, refused or too weak (RFC 4954 section 6).
    523: Meaning(About.ALL_MAIL, FailureReason.POLICY),
    530: Meaning(About.ALL_MAIL, FailureReason.POLICY),
    534: Meaning(About.ALL_MAIL, FailureReason.POLICY),
    535: Meaning(About.ALL_MAIL, FailureReason.POLICY),
    538: Meaning(About.ALL_MAIL, FailureReason.POLICY),
    552: Meaning(About.RECIPIENT, FailureReason.MAILBOX_FULL),
    556: Meaning(About.RECIPIENT, FailureReason.HOST_UNKNOWN),  # RFC 7504
    571: Meaning(About.US, FailureReason.POLICY),
}
_UNSAID = Meaning(About.NOBODY, FailureReason.OTHER)
_UNKNOWN_USER = Meaning(About.RECIPIENT, FailureReason.UNKNOWN_USER)

_LASTING = {
    FailureReason.UNKNOWN_USER: True,
    FailureReason.HOST_UNKNOWN: True,
    FailureReason.BLOCKED: True,
    FailureReason.POLICY: True,
    FailureReason.MESSAGE_TOO_BIG: True,
    FailureReason.OTHER: True,
    FailureReason.MAILBOX_FULL: False,
    FailureReason.EXPIRED: False,
}
_CALLS_IT_UNKNOWN = {FailureReason.UNKNOWN_USER, FailureReason.HOST_UNKNOWN}
_OF_THE_RECIPIENT = {*_CALLS_IT_UNKNOWN, FailureReason.MAILBOX_FULL, FailureReason.OTHER}
_SAID_BY_PROGRAMS = {
    *_CALLS_IT_UNKNOWN,
    FailureReason.MAILBOX_FULL,
    FailureReason.MESSAGE_TOO_BIG,
}
# No answer, a bad connection, congestion (RFC 3463 section 3.5): it was tried until time was up.
_TRIED_IN_VAIN = {"4.0", "4.1", "4.2", "4.5", "4.7"}
_NETWORK = {FailureReason.SYSTEM, FailureReason.EXPIRED, None}


def read_refusal(
    *texts: str,
    wide: Sequence[str] = (),
    status: str | None = None,
    code: int | None = None,
    stage: Stage | None = None,
    reported: Stage | None = None,
) -> Refusal:
    """What `texts` say, the narrowest first, with the status and code that are known besides.

    `wide` are texts in which much else is said; they decide where nothing else does. `stage` is
    where our own mail server refused, None where another one did and reports it; `reported` is
    where that one did, if it is known besides what `texts` tell of it.
    """
    every = [" ".join(text.split()) for text in _bounded((*texts, *wide))]
    narrow, broad = every[: len(texts)], every[len(texts) :]
    said = next(filter(None, map(find_status, every)), None)
    status = max(status, said, key=tells)
    code = code or next(filter(None, map(find_code, every)), None)
    evidence = _Evidence(narrow, broad, status, code)
    meaning = next(filter(None, evidence.in_order()), None)
    if meaning is None:
        return Refusal(status=status, code=code)
    early = stage is not None and stage.before_the_recipient
    refused_at = stage if early else next(filter(None, map(stage_in, narrow)), reported or stage)
    if refused_at is not None and refused_at.before_the_recipient:
        meaning = _before_the_recipient(meaning, temporary=evidence.temporary)
    about, reason = meaning.about, meaning.reason
    passed_on = stage is None or (not early and any(map(_QUOTED.search, narrow)))
    if about is About.ALL_MAIL and passed_on:
        about = About.US
    return Refusal(about, reason, _permanent(status, code, reason), status, code)


def _bounded(texts: Sequence[str]) -> Iterator[str]:
    """As much of each text as is read: time must not grow with what a stranger's server says."""
    left = MAX_LENGTH_IN_ALL
    for text in texts:
        piece = text[: min(left, MAX_LENGTH)]
        left -= len(piece)
        yield piece


class _Evidence:
    """All that is known of a refusal."""

    def __init__(
        self, narrow: Sequence[str], broad: Sequence[str], status: str | None, code: int | None
    ) -> None:
        self._narrow = narrow
        self._words = _first(narrow)
        self._around = _first(broad)
        self._code = code
        self._known = status is not None or code is not None
        self._detail = "" if status is None else status.partition(".")[2]
        text = " ".join(filter(None, narrow)) or " ".join(broad)
        self._status = meaning_of(status, code, text) if _says_something(status) else None
        self._weight = None if self._status is None else self._status.weight
        self.temporary = _class(status, code) == "4"

    def in_order(self) -> Iterator[Meaning | None]:
        """What each piece of it comes to, in the order that is told above."""
        yield self._certain_status()
        yield self._words_that_name()
        yield self._documented()
        yield self._status if self._weight is Weight.TELLING else None
        yield self._tried_in_vain()
        yield self._what_we_may()
        yield self._other_words()
        yield self._status
        yield _OF_CODE.get(self._code or 0)
        yield _UNSAID if self._known else None

    def _certain_status(self) -> Meaning | None:
        if self._status is None or self._weight is not Weight.CERTAIN:
            return None
        spoken_of = None if self._words is None else self._words.kind
        ours = spoken_of is Kind.NAMES_US and self._status.reason in _OF_THE_RECIPIENT
        passing = spoken_of is Kind.NAMES_A_SYSTEM and self._status.reason in _CALLS_IT_UNKNOWN
        return None if ours or passing else self._status

    def _words_that_name(self) -> Meaning | None:
        if self._words is None or self._words.kind is Kind.NAMES_NOBODY:
            return None
        subject, _, detail = self._detail.partition(".")
        of_what_we_may = subject == "7" and detail not in {"0", "1"}
        if self._words.reason in _CALLS_IT_UNKNOWN and of_what_we_may:
            return None
        return self._words.meaning

    def _documented(self) -> Meaning | None:
        known = any(
            self._detail == detail and pattern.search(text)
            for detail, pattern in _DOCUMENTED
            for text in self._narrow
        )
        return _UNKNOWN_USER if known else None

    def _tried_in_vain(self) -> Meaning | None:
        network = self._words is None or self._words.reason in _NETWORK
        in_vain = self.temporary and self._detail in _TRIED_IN_VAIN and network
        return Meaning(About.SYSTEM, FailureReason.EXPIRED) if in_vain else None

    def _what_we_may(self) -> Meaning | None:
        if self._status is None or self._status.reason is not FailureReason.POLICY:
            return None
        if self._words is None and self._around is not None:
            blocked = self._around.reason is FailureReason.BLOCKED
            return self._around.meaning if blocked else self._status
        return self._status

    def _other_words(self) -> Meaning | None:
        words = self._words
        unsaid = self._status is None or self._status.reason is FailureReason.OTHER
        if words is None and unsaid:
            words = self._around
        if words is None or (words.reason is FailureReason.OTHER and self._status is not None):
            return None
        if words.reason is FailureReason.SYSTEM and self._around is not None:
            # A program failed: what it said stands around it.
            words = self._around if self._around.reason in _SAID_BY_PROGRAMS else words
        if self.temporary and words.kind is Kind.NAMES_NOBODY:
            if words.reason is FailureReason.HOST_UNKNOWN:
                return Meaning(About.SYSTEM, FailureReason.EXPIRED)
            if words.reason is FailureReason.UNKNOWN_USER:
                return Meaning(words.about, FailureReason.OTHER)
        return words.meaning


def _before_the_recipient(meaning: Meaning, *, temporary: bool) -> Meaning:
    """What is left of a meaning where the server could not know whom the message is for."""
    if meaning.reason in _OF_THE_RECIPIENT:
        reason = FailureReason.SYSTEM if temporary else FailureReason.POLICY
        return Meaning(About.ALL_MAIL, reason)
    about = meaning.about if meaning.about is About.MESSAGE else About.ALL_MAIL
    return Meaning(about, meaning.reason)


def _says_something(status: str | None) -> bool:
    # X.6.0 and X.7.0 are about the message and about what we may, whatever it is.
    return tells(status) > 1 or (status is not None and status.split(".")[1] in {"6", "7"})


def _first(texts: Sequence[str]) -> Phrases | None:
    """The wording of the first text that has one."""
    return next(filter(None, map(_find, texts)), None)


def _find(text: str) -> Phrases | None:
    cleaned = _clean(text)
    bare = _PREFIXES.sub(" ", cleaned)
    return _search(bare) or (_search(cleaned) if bare != cleaned else None)


def _search(text: str) -> Phrases | None:
    return next((phrases for phrases, pattern in _PATTERNS if pattern.search(text)), None)


def _clean(text: str) -> str:
    """Without what holds any word and means none: addresses, paths, a server's set phrases."""
    text = _WEB_ADDRESS.sub(r"\1", unicodedata.normalize("NFC", text))
    line = _LINE_OF_REPLY.search(text)
    if line is not None:
        text = re.sub(rf"(?<!\S){line[1]}[- ]", " ", text)
    text = _BOILERPLATE.sub(" ", _STATUS_OF_LINE.sub(" ", _ADDRESS.sub("a@b", text)))
    return re.sub(r"\s+", " ", text).strip()


def _class(status: str | None, code: int | None) -> str:
    return str(status or code or "")[:1]


def _permanent(status: str | None, code: int | None, reason: FailureReason | None) -> bool | None:
    if reason is FailureReason.EXPIRED:  # whatever the code: nobody has refused it
        return False
    known = [each for each in (_class(status, None), _class(None, code)) if each]
    if known:  # whichever says that it may yet be taken
        return all(each == "5" for each in known)
    return _LASTING.get(reason) if reason is not None else None
