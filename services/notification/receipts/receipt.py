"""What comes back after a message was handed over, and which delivery it is about. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from contracts.channels import Channel
from contracts.events import FailureReason
from services.notification.bounces import EvidenceKind, Reading
from services.notification.bounces.result import CalendarAnswer
from services.notification.deliveries.events import (
    Accepted,
    AutoReplied,
    Bounced,
    Complained,
    Confirmed,
    Delayed,
    Disputed,
    EvidenceEvent,
    Reply,
)
from services.notification.receipts.return_path import SignedAddress
from services.notification.receipts.tags import Tags
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
    readings: int = 0  # of a mail: begun since the last that came to an end, this one included
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


class By(StrEnum):
    """How a receipt names its delivery, and so what it proves; each is in the metrics.

    Of a mail, who can have written it: by the envelope id a server on the way, by the return path
    one of those or the recipient, by the Message-ID whoever has seen the mail. The first two are
    signed by us (`tags`), the third is only hard to guess. What a gateway says it signs as a whole.
    The organizer, signed as well, is known to whoever sees the calendar entry: it says nothing but
    what a calendar answers.
    """

    RETURN_PATH = "return_path"
    ENVELOPE_ID = "envelope_id"
    MESSAGE_ID = "message_id"
    REFERENCE = "reference"
    GATEWAY_ID = "gateway_id"
    ORGANIZER = "organizer"
    ELSEWHERE = "elsewhere"  # none: it names what is another channel's or gateway's


@dataclass(frozen=True, slots=True)
class Reference:
    """One way to find the delivery: its id, its Message-ID, or what the gateway calls it."""

    by: By
    delivery_id: UUID | None = None
    tag: str | None = None  # an envelope id that nobody has verified yet
    message_id: str | None = None
    gateway: str | None = None
    gateway_id: str | None = None
    address: str | None = None  # an organizer that nobody has verified yet
    organizer: UUID | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a receipt says, and of which delivery: the first reference that is known decides."""

    kind: EvidenceKind
    permanent: bool | None
    status: str | None
    reason: FailureReason | None
    references: Sequence[Reference]
    answer: CalendarAnswer | None = None

    def verified(self, envelope_ids: Tags, organizers: SignedAddress) -> "Finding":
        """With those references alone that are ours or need no proof."""
        verified: list[Reference] = []
        for each in self.references:
            if each.tag is not None:
                delivery_id = envelope_ids.read(each.tag)
                if delivery_id is not None:
                    verified.append(replace(each, tag=None, delivery_id=delivery_id))
            elif each.address is not None:
                organizer = organizers.read(each.address)
                if organizer is not None:
                    verified.append(replace(each, address=None, organizer=organizer))
            else:
                verified.append(each)
        return replace(self, references=verified)

    def evidence(self, receipt_id: UUID, by: By) -> EvidenceEvent | None:
        """What it means for the delivery that is known by this reference; None if nothing.

        No mail confirms but by the envelope id, which its recipient never sees. By the return path
        it is as good as the server's word. By the Message-ID it proves nothing: it can take a tick
        back, and tell what changes none.
        """
        reply = Reply(None, self.status, self.reason)
        permanent = self.permanent is not False
        if by is By.MESSAGE_ID and self.kind is EvidenceKind.FAILED:
            return Disputed(receipt_id, reply)
        if by is By.MESSAGE_ID and self.kind is EvidenceKind.DELIVERED:
            return None
        if by is By.RETURN_PATH and self.kind is EvidenceKind.DELIVERED:
            return Accepted(reply, receipt_id=receipt_id)
        meanings: dict[EvidenceKind, EvidenceEvent] = {
            EvidenceKind.ACCEPTED: Accepted(reply, receipt_id=receipt_id),
            EvidenceKind.FAILED: Bounced(receipt_id, reply, permanent=permanent),
            EvidenceKind.DELAYED: Delayed(receipt_id, reply),
            EvidenceKind.DELIVERED: Confirmed(receipt_id, reply),
            EvidenceKind.AUTO_REPLY: AutoReplied(receipt_id),
            EvidenceKind.COMPLAINT: Complained(receipt_id),
        }
        return meanings.get(self.kind)


def unreadable(receipt: Receipt) -> Finding:
    """What is left of a mail whose reading failed: the delivery that its return path names."""
    return Finding(EvidenceKind.UNREADABLE, None, None, None, _by_return_path(receipt))


def finding_of_gateway(receipt: Receipt, said: ReceiptState) -> Finding:
    """What a gateway said."""
    references: list[Reference] = []
    if receipt.reference is not None:
        references.append(Reference(By.REFERENCE, receipt.reference))
    if receipt.gateway_id is not None:
        references.append(
            Reference(By.GATEWAY_ID, gateway=receipt.gateway, gateway_id=receipt.gateway_id)
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


def finding_of_mail(receipt: Receipt, reading: Reading) -> Finding:
    """What a mail says; it names its delivery by return path, then envelope id, then Message-ID.

    A calendar's answer names its entry by the organizer, and by nothing else.
    """
    if reading.answer is not None:
        named = [Reference(By.ORGANIZER, address=each) for each in reading.answer.organizers]
        return Finding(EvidenceKind.ANSWER, None, None, None, named, reading.answer)
    references = _by_return_path(receipt)
    if reading.envelope_id is not None:
        references.append(Reference(By.ENVELOPE_ID, tag=reading.envelope_id.strip()))
    if reading.original_message_id is not None:
        references.append(Reference(By.MESSAGE_ID, message_id=reading.original_message_id))
    return Finding(reading.kind, reading.permanent, reading.status, reading.reason, references)


def _by_return_path(receipt: Receipt) -> list[Reference]:
    return [] if receipt.reference is None else [Reference(By.RETURN_PATH, receipt.reference)]
