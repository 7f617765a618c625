"""What an RFC 3463 status says of a refusal, by the registry of RFC 5248 and by makers' documents.

The class (4 or 5) only says for how long; the meaning is in subject and detail.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from contracts.events import FailureReason
from services.notification.refusals.refusal import About


class Weight(IntEnum):
    """How much a status decides: where words say something else, and where they say nothing."""

    GENERAL = 1  # a subject, or a detail that servers use for much: plain words decide
    TELLING = 2  # a detail that servers also use where they know nothing better
    CERTAIN = 3  # a detail that has one meaning and is used for nothing else


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a status stands for."""

    about: About
    reason: FailureReason
    weight: Weight = Weight.GENERAL


_UNKNOWN_USER = Meaning(About.RECIPIENT, FailureReason.UNKNOWN_USER, Weight.TELLING)
_NO_SUCH_HOST = Meaning(About.RECIPIENT, FailureReason.HOST_UNKNOWN, Weight.CERTAIN)
_TOO_BIG = Meaning(About.MESSAGE, FailureReason.MESSAGE_TOO_BIG, Weight.CERTAIN)
_OURS = Meaning(About.ALL_MAIL, FailureReason.POLICY, Weight.CERTAIN)
_NOT_FROM_US = Meaning(About.RECIPIENT, FailureReason.POLICY, Weight.CERTAIN)
_NOT_SUPPORTED = Meaning(About.MESSAGE, FailureReason.OTHER, Weight.TELLING)
_SYSTEM = Meaning(About.SYSTEM, FailureReason.SYSTEM)

# subject.detail, and where no detail is listed the subject.
_MEANINGS = {
    # X.1: addresses, the recipient's or ours. Without a detail it is not said whose.
    "1.1": _UNKNOWN_USER,
    "1.2": _NO_SUCH_HOST,
    "1.3": _UNKNOWN_USER,  # its syntax
    "1.4": _UNKNOWN_USER,  # ambiguous
    "1.6": _UNKNOWN_USER,  # moved, and nobody knows where
    "1.7": _OURS,  # the sender's address
    "1.8": _OURS,
    "1.10": _UNKNOWN_USER,  # see `meaning_of`
    "1.90": _OURS,  # Exchange Online: daily limit of recipients
    # X.2: the mailbox
    "2": Meaning(About.RECIPIENT, FailureReason.OTHER),
    "2.1": _UNKNOWN_USER,  # disabled
    "2.2": Meaning(About.RECIPIENT, FailureReason.MAILBOX_FULL, Weight.CERTAIN),
    "2.3": _TOO_BIG,
    "2.121": _NOT_FROM_US,  # Exchange Online: too many in an hour, from us or from all
    "2.122": _NOT_FROM_US,
    # X.3: the server
    "3": _SYSTEM,
    "3.1": Meaning(About.SYSTEM, FailureReason.SYSTEM, Weight.CERTAIN),  # full, and no mailbox
    "3.4": _TOO_BIG,
    # X.4: network and routing
    "4": _SYSTEM,
    "4.4": Meaning(About.RECIPIENT, FailureReason.HOST_UNKNOWN),
    "4.7": Meaning(About.SYSTEM, FailureReason.EXPIRED, Weight.TELLING),
    "4.310": Meaning(About.RECIPIENT, FailureReason.HOST_UNKNOWN),  # Exchange Online
    # X.5: the protocol
    "5": _SYSTEM,
    "5.3": _OURS,  # too many recipients
    # X.6: content
    "6": Meaning(About.MESSAGE, FailureReason.OTHER),
    "6.1": _NOT_SUPPORTED,  # media
    "6.2": _NOT_SUPPORTED,  # conversion
    "6.3": _NOT_SUPPORTED,
    "6.7": _NOT_SUPPORTED,  # addresses beyond ASCII (RFC 6531)
    "6.9": _NOT_SUPPORTED,
    # X.7: security and policy: what we may
    "7": Meaning(About.US, FailureReason.POLICY),
    "7.2": _NOT_FROM_US,  # a mailing list that is not for everybody
    "7.8": _OURS,  # login
    "7.9": _OURS,
    "7.11": _OURS,
    "7.12": _OURS,
    "7.13": _OURS,
    "7.14": _OURS,
    "7.17": _NOT_FROM_US,  # the mailbox has another owner by now (RFC 7293)
    "7.18": _NOT_FROM_US,
    "7.20": _OURS,  # DKIM (RFC 7372)
    "7.21": _OURS,
    "7.22": _OURS,
    "7.23": _OURS,  # SPF
    "7.24": _OURS,
    "7.25": Meaning(About.ALL_MAIL, FailureReason.BLOCKED, Weight.CERTAIN),  # reverse DNS
    "7.26": _OURS,  # several of these
    "7.27": _OURS,  # the sender's domain takes no mail (RFC 7505)
    "7.28": _OURS,  # a flood
    "7.29": _OURS,  # ARC (RFC 8617)
    "7.57": _OURS,  # Exchange: not logged in
    "7.60": _OURS,  # Exchange: not as this sender
    "7.64": _OURS,  # Exchange Online: relaying
    "7.124": _NOT_FROM_US,  # Exchange Online: groups and mailboxes that are not for everybody
    "7.129": _NOT_FROM_US,
    "7.133": _NOT_FROM_US,
    "7.134": _NOT_FROM_US,
    "7.135": _NOT_FROM_US,
    "7.136": _NOT_FROM_US,
}
_NULL_MX = re.compile(
    r"\bnull[ -]?mx\b|\b(?:does not|doesn['’]t) accept (?:any )?(?:e-?)?mail\b", re.I
)
_DOMAIN_WITHOUT_MAIL = 556  # RFC 7504


def meaning_of(status: str | None, code: int | None = None, text: str = "") -> Meaning | None:
    """What a status such as 5.1.1 stands for; None where that is nothing, or success.

    X.1.10 has two meanings. It is registered for a domain that takes no mail (RFC 7505 section 6,
    "Recipient address has null MX", with the reply code 556 of RFC 7504); Exchange Online answers
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound" for a user whom it does not know (Microsoft, "Fix
    NDR error 550 5.1.10 in Exchange Online"). A null MX is found out before there is a server to
    ask, and whoever finds it says so, by `code` or in `text`; without either the user is unknown.
    """
    if status is None or status.startswith("2."):
        return None
    _, subject, detail = status.split(".")
    if (subject, detail) == ("1", "10") and (code == _DOMAIN_WITHOUT_MAIL or _NULL_MX.search(text)):
        return _NO_SUCH_HOST
    return _MEANINGS.get(f"{subject}.{detail}") or _MEANINGS.get(subject)


def reason_of(status: str | None) -> FailureReason | None:
    """The reason that a status alone names."""
    meaning = meaning_of(status)
    return None if meaning is None else meaning.reason
