"""What a server's words and codes say: the reason, for how long, and the status (RFC 3463)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.events import FailureReason
from services.notification.bounces.phrases import BOILERPLATE, PHRASES
from services.notification.deliveries.reasons import reason_of

MAX_LENGTH = 6_000  # characters of a diagnosis

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
_ADDRESS = re.compile(r"[^\s<>:;,()'\"@]{0,64}@[a-z0-9.-]+", re.I)
_BOILERPLATE = re.compile(BOILERPLATE, re.I)
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
# Details of a status that leave no doubt, whatever else the text mentions.
_CERTAIN = {"1.1", "1.2", "1.10", "2.2", "2.3", "3.4", "4.7"}
_OF_THE_RECIPIENT = {
    FailureReason.MAILBOX_FULL,
    FailureReason.UNKNOWN_USER,
    FailureReason.HOST_UNKNOWN,
    FailureReason.MESSAGE_TOO_BIG,
}
_OVERRULED = {None, FailureReason.POLICY, FailureReason.SYSTEM, FailureReason.EXPIRED}
# No answer, a bad connection, congestion (RFC 3463 section 3.5): it was tried until time was up.
_TRIED_IN_VAIN = {"4.0", "4.1", "4.2", "4.5", "4.7"}
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


def diagnose(*texts: str, wide: Sequence[str] = (), status: str | None = None) -> Diagnosis:
    """The diagnosis of a failure from what was said, the narrowest first, and the reported status.

    `wide` are texts in which much else is said; they decide where nothing else does.
    """
    narrow, broad = (
        [_BOILERPLATE.sub(" ", _clean(text)) for text in texts],
        [_BOILERPLATE.sub(" ", _clean(text)) for text in wide],
    )
    every = [*narrow, *broad]
    said = next(filter(None, map(find_status, every)), None)
    if vague(status) and said is not None and (status is None or not vague(said)):
        status = said
    reply = next(filter(None, map(find_reply, every)), None)
    reason = _reason(narrow, broad, status, reply)
    return Diagnosis(reason, _permanent(status, reply, reason), status)


def _clean(text: str) -> str:
    # Addresses hold any word, as „spam@full.example".
    return _ADDRESS.sub("a@b", re.sub(r"\s+", " ", text[:MAX_LENGTH])).strip()


def _reason(
    narrow: Sequence[str], broad: Sequence[str], status: str | None, reply: str | None
) -> FailureReason | None:
    said = _first_reason(narrow)
    detail = status.split(".", 1)[1] if status else ""
    text = " ".join(filter(None, narrow)) or " ".join(broad)
    of_status = None if vague(status) else reason_of(status, int(reply) if reply else None, text)
    if of_status is not None and detail in _CERTAIN and said in _OVERRULED:
        return of_status
    temporary = (status or reply or "")[:1] == "4"
    if temporary and said in _NETWORK and detail in _TRIED_IN_VAIN:
        return FailureReason.EXPIRED
    if said is FailureReason.SYSTEM:  # a program failed: what it said stands around it
        around = _first_reason(broad)
        return around if around in _OF_THE_RECIPIENT else said
    if said is not None:
        return of_status or said if said is FailureReason.OTHER else said
    around = _first_reason(broad)
    if of_status is FailureReason.POLICY and around is FailureReason.BLOCKED:
        return around
    found = of_status or around or _OF_REPLY.get(reply or "")
    return found or (FailureReason.OTHER if detail else None)


def _first_reason(texts: Sequence[str]) -> FailureReason | None:
    return next(filter(None, map(find_reason, texts)), None)


def _permanent(status: str | None, reply: str | None, reason: FailureReason | None) -> bool | None:
    if reason is FailureReason.EXPIRED:  # whatever the code: nobody has refused it
        return False
    if status is not None:
        return status.startswith("5.")
    if reply is not None:
        return reply.startswith("5")
    return _LASTING.get(reason) if reason is not None else None
