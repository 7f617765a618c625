"""Why a message failed, read from an RFC 3463 status code alone."""

from contracts.events import FailureReason

# subject.detail, and where no detail is listed the subject. The class only says for how long.
_REASONS = {
    "1": FailureReason.UNKNOWN_USER,
    "1.2": FailureReason.HOST_UNKNOWN,
    "1.7": FailureReason.POLICY,  # the sender's address
    "1.8": FailureReason.POLICY,
    "1.10": FailureReason.HOST_UNKNOWN,  # null MX, RFC 7505
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


def reason_of(status: str | None) -> FailureReason | None:
    """The reason that a status such as 5.1.1 names; None where it names none, or success."""
    if status is None or status.startswith("2."):
        return None
    _, subject, detail = status.split(".")
    return _REASONS.get(f"{subject}.{detail}") or _REASONS.get(subject)
