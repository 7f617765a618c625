"""Why a message failed, by the RFC 3463 status that a server or a bounce gives."""

import re

from contracts.events import FailureReason

# subject.detail, and where no detail is listed the subject. The class only says for how long.
_REASONS = {
    "1": FailureReason.UNKNOWN_USER,
    "1.2": FailureReason.HOST_UNKNOWN,
    "1.7": FailureReason.POLICY,  # the sender's address
    "1.8": FailureReason.POLICY,
    "2": FailureReason.OTHER,
    "2.1": FailureReason.UNKNOWN_USER,  # disabled
    "2.2": FailureReason.MAILBOX_FULL,
    "2.3": FailureReason.MESSAGE_TOO_BIG,
    "3": FailureReason.SYSTEM,
    "3.4": FailureReason.MESSAGE_TOO_BIG,
    "4": FailureReason.SYSTEM,
    "4.4": FailureReason.HOST_UNKNOWN,
    "4.7": FailureReason.EXPIRED,
    "5": FailureReason.SYSTEM,
    "6": FailureReason.OTHER,
    "7": FailureReason.POLICY,
}


_NULL_MX = re.compile(
    r"\bnull[ -]?mx\b|\b(?:does not|doesn't) accept (?:any )?(?:e-?)?mail\b", re.I
)


def reason_of(status: str | None, code: int | None = None, text: str = "") -> FailureReason | None:
    """The reason that a status such as 5.1.1 names; None where it names none, or success.

    X.1.10 has two meanings. It is registered for a domain that takes no mail (RFC 7505 section 6,
    "Recipient address has null MX", with the reply code 556 of RFC 7504); Exchange Online answers
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound" for a user whom it does not know (Microsoft, "Fix
    NDR error 550 5.1.10 in Exchange Online"). A null MX is found out before there is a server to
    ask, and whoever finds it says so, by `code` or in `text`; without either the user is unknown.
    """
    if status is None or status.startswith("2."):
        return None
    _, subject, detail = status.split(".")
    if (subject, detail) == ("1", "10") and (code == 556 or _NULL_MX.search(text)):
        return FailureReason.HOST_UNKNOWN
    return _REASONS.get(f"{subject}.{detail}") or _REASONS.get(subject)
