"""What a server's words and codes say: the reason, for how long, and the status (RFC 3463)."""

import re
from dataclasses import dataclass

from contracts.events import FailureReason
from services.notification.bounces.phrases import PHRASES
from services.notification.reasons import reason_of

LONGEST = 6_000  # characters of a diagnosis

_STATUS = re.compile(r"(?<![\d.\w/-])(?:[45]\d\d-)?([245])\.(\d{1,3})\.(\d{1,3})(?![\w-]|\.\d)")
_REPLY = re.compile(
    r"(?:^|(?<=[\s:;,(\[<>'\"#=]))(42[1-9]|43[0-2]|4[3-7]\d|50[0-4]|51[0-9]|52[0-5]|53[0-9]|"
    r"54[1-9]|55[0-9]|57[0-9]|59\d)"
    r"(?=[\s\-;:,.)\]'\"#]|$)"
)
_PATTERNS = tuple(
    (reason, re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.I))
    for reason, patterns in PHRASES
)
_LASTING = {
    FailureReason.UNKNOWN_USER: True,
    FailureReason.HOST_UNKNOWN: True,
    FailureReason.BLOCKED: True,
    FailureReason.POLICY: True,
    FailureReason.MESSAGE_TOO_BIG: True,
    FailureReason.MAILBOX_FULL: False,
    FailureReason.EXPIRED: False,
}
# What a reply code says where nothing else does (RFC 5321 section 4.2.2, RFC 7504).
_OF_REPLY = {
    "452": FailureReason.MAILBOX_FULL,
    "552": FailureReason.MAILBOX_FULL,
    "550": FailureReason.UNKNOWN_USER,
    "551": FailureReason.UNKNOWN_USER,
    "553": FailureReason.UNKNOWN_USER,
    "556": FailureReason.HOST_UNKNOWN,
    "421": FailureReason.SYSTEM,
    "451": FailureReason.SYSTEM,
    "530": FailureReason.POLICY,
    "535": FailureReason.POLICY,
    "571": FailureReason.POLICY,
}
# Codes that leave no doubt, whatever else the text mentions.
_CERTAIN = {
    "1.1": FailureReason.UNKNOWN_USER,
    "1.2": FailureReason.HOST_UNKNOWN,
    "1.10": FailureReason.UNKNOWN_USER,
    "2.2": FailureReason.MAILBOX_FULL,
    "2.3": FailureReason.MESSAGE_TOO_BIG,
    "3.4": FailureReason.MESSAGE_TOO_BIG,
    "4.7": FailureReason.EXPIRED,
}
_NETWORK = {FailureReason.SYSTEM, FailureReason.EXPIRED, None}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known of a failure; None where nothing is."""

    reason: FailureReason | None = None
    permanent: bool | None = None
    status: str | None = None


def find_status(text: str) -> str | None:
    """The first status code of a failure in the text, the telling ones before x.0.0."""
    found = [
        f"{hit[1]}.{int(hit[2])}.{int(hit[3])}" for hit in _STATUS.finditer(text) if hit[1] != "2"
    ]
    telling = [status for status in found if not vague(status)]
    return next(iter(telling or found), None)


def vague(status: str | None) -> bool:
    """Whether the status tells nothing but its class, such as 5.0.0."""
    return status is None or status.split(".", 1)[1] in {
        "0.0",
        "3.0",
        "5.0",
        "1.0",
        "2.0",
        "4.0",
        "7.0",
        "6.0",
    }


def find_reply(text: str) -> str | None:
    """The first SMTP reply code of a failure in the text."""
    found = _REPLY.search(text)
    return None if found is None else found[1]


def find_reason(text: str) -> FailureReason | None:
    """The reason that the words name."""
    return next((reason for reason, pattern in _PATTERNS if pattern.search(text)), None)


def diagnose(*texts: str, status: str | None = None) -> Diagnosis:
    """The diagnosis of a failure from its texts, the narrowest first, and the reported status."""
    cleaned = [re.sub(r"\s+", " ", text[:LONGEST]).strip() for text in texts]
    said = next(filter(None, map(find_status, cleaned)), None)
    if vague(status) and said is not None and (status is None or not vague(said)):
        status = said
    reply = next(filter(None, map(find_reply, cleaned)), None)
    reason = _reason(cleaned, status, reply)
    return Diagnosis(reason, _permanent(status, reply, reason), status)


def _reason(texts: list[str], status: str | None, reply: str | None) -> FailureReason | None:
    detail = status.split(".", 1)[1] if status else ""
    said = next(filter(None, map(find_reason, texts)), None)
    if detail in _CERTAIN and said in {
        None,
        FailureReason.POLICY,
        FailureReason.SYSTEM,
        FailureReason.EXPIRED,
        _CERTAIN[detail],
    }:
        return _CERTAIN[detail]
    temporary = (status or reply or "")[:1] == "4"
    if (
        temporary
        and said in _NETWORK
        and detail.startswith("4.")
        and detail not in {"4.3", "4.4", "4.6"}
    ):
        return FailureReason.EXPIRED  # tried until the time was up
    if said is not None:
        return said
    of_status = reason_of(status) if detail and not detail.startswith("0.") else None
    return of_status or _OF_REPLY.get(reply or "") or (FailureReason.OTHER if detail else None)


def _permanent(status: str | None, reply: str | None, reason: FailureReason | None) -> bool | None:
    if status is not None:
        return status.startswith("5.")
    if reply is not None:
        return reply.startswith("5")
    return _LASTING.get(reason) if reason is not None else None
