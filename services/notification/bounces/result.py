"""The result of reading a returned mail."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.events import Answer, FailureReason


class EvidenceKind(StrEnum):
    """What came back says of the message.

    Reading a mail never yields ACCEPTED, which only a gateway says, nor UNREADABLE, which stands
    for a reading that failed, nor ANSWER, which is no bounce with what a calendar answers.
    """

    ACCEPTED = "accepted"
    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    AUTO_REPLY = "auto_reply"
    ANSWER = "answer"  # of a calendar
    COMPLAINT = "complaint"
    NOT_A_BOUNCE = "not_a_bounce"
    UNREADABLE = "unreadable"  # reading it failed, by a fault of ours


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    """What a calendar answers to an entry; `sequence` is the version of it that it knows.

    `organizers` are the addresses that it may be an answer to, as they were written; `stamp` is
    when, by its clock.
    """

    answer: Answer
    uid: str
    sequence: int
    organizers: tuple[str, ...]
    stamp: datetime | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail says of an earlier one.

    `recipients` are the addresses of whom it speaks, as the last server knew them,
    `original_recipients` as we wrote them, where it tells. `status` is an RFC 3463 code.
    `permanent` is None where the mail tells of no failure, or does not tell for how long.
    """

    kind: EvidenceKind
    permanent: bool | None = None
    status: str | None = None
    recipients: tuple[str, ...] = ()
    reason: FailureReason | None = None
    original_message_id: str | None = None
    envelope_id: str | None = None
    original_recipients: tuple[str, ...] = ()
    answer: CalendarAnswer | None = None


NOT_A_BOUNCE = Reading(EvidenceKind.NOT_A_BOUNCE)
