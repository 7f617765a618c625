"""What comes back after a message was handed over, and which delivery it is about. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.channels import Channel
from contracts.events import FailureReason
from services.notification.bounces import EvidenceKind, read
from services.notification.deliveries.events import (
    Accepted,
    AutoReplied,
    Bounced,
    Complained,
    Confirmed,
    Delayed,
    EvidenceEvent,
    Reply,
)
from services.notification.refusals.statuses import reason_of
from services.notification.sending.sms.receipts import ReceiptState

# How long a receipt waits for its delivery to be known, and at most between two looks.
MATCH_TIMEOUT = timedelta(days=7)
MAX_PAUSE = timedelta(hours=1)


_KINDS = {
    ReceiptState.ACCEPTED: EvidenceKind.ACCEPTED,
    ReceiptState.BUFFERED: EvidenceKind.DELAYED,
    ReceiptState.DELIVERED: EvidenceKind.DELIVERED,
    ReceiptState.FAILED: EvidenceKind.FAILED,
    ReceiptState.REJECTED: EvidenceKind.FAILED,
    ReceiptState.EXPIRED: EvidenceKind.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A row: what came back, as it came."""

    id: UUID
    channel: Channel
    received_at: datetime
    tries: int
    reference: UUID | None  # the delivery that it names, by return path or our own reference
    gateway: str | None = None
    gateway_id: str | None = None
    said: ReceiptState | None = None  # by a gateway
    status: str | None = None
    content: bytes = b""  # a mail

    def next_look(self, now: datetime) -> datetime | None:
        """When to look for the delivery again; None when it has waited long enough."""
        pause = min(timedelta(seconds=2.0 ** min(self.tries, 20)), MAX_PAUSE)
        return now + pause if now + pause < self.received_at + MATCH_TIMEOUT else None


@dataclass(frozen=True, slots=True)
class Reference:
    """One way to find the delivery: its id, its Message-ID, or what the gateway calls it."""

    by: str  # return_path, envelope_id, message_id, reference, gateway_id
    delivery_id: UUID | None = None
    message_id: str | None = None
    gateway: str | None = None
    gateway_id: str | None = None

    @property
    def named(self) -> UUID | None:
        """The delivery's id where the reference says it, known or not."""
        if self.delivery_id is not None or self.message_id is None:
            return self.delivery_id
        return _as_uuid(self.message_id.strip("<>").partition("@")[0])


@dataclass(frozen=True, slots=True)
class Finding:
    """What a receipt says, and of which delivery: the first reference that is known decides."""

    kind: EvidenceKind
    permanent: bool | None
    status: str | None
    reason: FailureReason | None
    references: Sequence[Reference]

    def evidence(self, receipt_id: UUID) -> EvidenceEvent | None:
        """What it means for the delivery; None if nothing."""
        reply = Reply(None, self.status, self.reason)
        permanent = self.permanent is not False
        meanings: dict[EvidenceKind, EvidenceEvent] = {
            EvidenceKind.ACCEPTED: Accepted(reply, receipt_id=receipt_id),
            EvidenceKind.FAILED: Bounced(receipt_id, reply, permanent=permanent),
            EvidenceKind.DELAYED: Delayed(receipt_id, reply),
            EvidenceKind.DELIVERED: Confirmed(receipt_id, reply),
            EvidenceKind.AUTO_REPLY: AutoReplied(receipt_id),
            EvidenceKind.COMPLAINT: Complained(receipt_id),
        }
        return meanings.get(self.kind)


def read_receipt(receipt: Receipt) -> Finding:
    """What a receipt says, by mail or by a gateway. Raises what reading a mail raises."""
    return _read_mail(receipt) if receipt.said is None else _read_gateway(receipt, receipt.said)


def unreadable(receipt: Receipt) -> Finding:
    """What is left of a mail whose reading failed: the delivery that its return path names."""
    return Finding(EvidenceKind.UNREADABLE, None, None, None, _by_return_path(receipt))


def _read_gateway(receipt: Receipt, said: ReceiptState) -> Finding:
    references: list[Reference] = []
    if receipt.reference is not None:
        references.append(Reference("reference", receipt.reference))
    if receipt.gateway_id is not None:
        references.append(
            Reference("gateway_id", gateway=receipt.gateway, gateway_id=receipt.gateway_id)
        )
    kind = _KINDS[said]
    failed = kind is EvidenceKind.FAILED
    return Finding(
        kind=kind,
        permanent=said is not ReceiptState.EXPIRED if failed else None,
        status=receipt.status,
        reason=reason_of(receipt.status) if failed else None,
        references=references,
    )


def _read_mail(receipt: Receipt) -> Finding:
    """By return path, then envelope id, then Message-ID."""
    reading = read(receipt.content)
    references = _by_return_path(receipt)
    envelope_id = _as_uuid(reading.envelope_id)
    if envelope_id is not None:
        references.append(Reference("envelope_id", envelope_id))
    if reading.original_message_id is not None:
        references.append(Reference("message_id", message_id=reading.original_message_id))
    return Finding(reading.kind, reading.permanent, reading.status, reading.reason, references)


def _by_return_path(receipt: Receipt) -> list[Reference]:
    return [] if receipt.reference is None else [Reference("return_path", receipt.reference)]


def _as_uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
