"""What comes back after a message was handed over, and which delivery it is about. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.events import Channel, FailureReason
from services.notification.bounces import Kind, read
from services.notification.happenings import (
    AutoReplied,
    Bounced,
    Complained,
    Confirmed,
    Delayed,
    EvidenceEvent,
    Reply,
)

# How long a receipt waits for its delivery to be known, and at most between two looks.
WAITS = timedelta(days=7)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A row: what came back, as it came."""

    id: UUID
    channel: Channel
    received_at: datetime
    tries: int
    returned_to: UUID | None  # the delivery that a genuine return path names
    content: bytes

    def next_look(self, now: datetime) -> datetime | None:
        """When to look for the delivery again; None when it has waited long enough."""
        pause = min(timedelta(seconds=2.0 ** min(self.tries, 20)), LONGEST_PAUSE)
        return now + pause if now + pause < self.received_at + WAITS else None


@dataclass(frozen=True, slots=True)
class Reference:
    """One way to find the delivery: by its id, or by the Message-ID of the mail that came back."""

    by: str  # return_path, envelope_id, message_id
    delivery_id: UUID | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a receipt says, and of which delivery: the first reference that is known decides."""

    kind: Kind
    permanent: bool | None
    status: str | None
    reason: FailureReason | None
    references: Sequence[Reference]

    def evidence(self, receipt_id: UUID) -> EvidenceEvent | None:
        """What it means for the delivery; None if nothing."""
        reply = Reply(None, self.status, self.reason)
        match self.kind:
            case Kind.FAILED:
                return Bounced(receipt_id, reply, permanent=self.permanent is not False)
            case Kind.DELAYED:
                return Delayed(receipt_id, reply)
            case Kind.DELIVERED:
                return Confirmed(receipt_id, reply)
            case Kind.AUTO_REPLY:
                return AutoReplied(receipt_id)
            case Kind.COMPLAINT:
                return Complained(receipt_id)
            case Kind.NOT_A_BOUNCE:
                return None


def read_mail(receipt: Receipt) -> Finding:
    """Read a mail that came back: by return path, then envelope id, then Message-ID."""
    reading = read(receipt.content)
    references: list[Reference] = []
    if receipt.returned_to is not None:
        references.append(Reference("return_path", receipt.returned_to))
    envelope_id = _as_uuid(reading.envelope_id)
    if envelope_id is not None:
        references.append(Reference("envelope_id", envelope_id))
    if reading.original_message_id is not None:
        references.append(Reference("message_id", message_id=reading.original_message_id))
    return Finding(reading.kind, reading.permanent, reading.status, reading.reason, references)


def _as_uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
