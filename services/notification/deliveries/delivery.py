"""What a delivery is: one attempt of an invitation, or a notice, over one channel.

What can happen to it is in `events`, what follows from that in `transitions`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts.channels import Channel
from contracts.events import DeliveryOutcome, FailureCategory, FailureReason
from services.notification.deliveries import retries
from services.notification.deliveries.events import NO_REPLY, Reply
from services.notification.deliveries.receipt_deadline import receipt_deadline
from services.notification.letters.letter import LetterKind


class State(StrEnum):
    """Where a delivery stands."""

    NEW = "new"  # before its first transition; never stored
    QUEUED = "queued"
    SENDING = "sending"  # claimed under a lease
    RETRYING = "retrying"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One row. `due_at` is when a worker has to look at it: the next try, or the lease's end."""

    id: UUID
    practice_id: UUID
    appointment_id: UUID
    invitation_id: UUID  # of a notice: its own id, with one attempt
    attempt: int
    channel: Channel
    message_id: str  # fixed before the first network call, the same for every try (RFC 5322)
    requested_at: datetime
    requested_version: int  # of the appointment
    starts_at: datetime
    kind: LetterKind = LetterKind.INVITATION
    recipient: bytes = b""  # keyed fingerprint of the address
    # In the first copy of an invitation that may have gone out; what a notice says, as requested.
    named_start: datetime | None = None
    state: State = State.NEW
    category: FailureCategory | None = None
    reason: FailureReason | None = None
    status_code: str | None = None
    late: bool = False  # failed after it had been handed over
    disputed: bool = False  # failed by a report that nobody has signed
    sequence: int = 0
    tries: int = 0
    unanswered: int = 0  # copies that went out, or may have, and got no clean reply
    due_at: datetime | None = None
    held_until: datetime | None = None  # of an SMS: for the morning; past it, what it waited for
    lease: UUID | None = None
    handed_over_at: datetime | None = None  # taken, or maybe taken, by the server or gateway
    gateway: str | None = None  # which one that is, and its own id of the message
    gateway_id: str | None = None
    ask_at: datetime | None = None  # when to ask it what became of the message
    traceparent: str | None = None  # of the request, for the outcomes
    # Of mail: whom its calendar file names as the organizer, the same for an appointment and an
    # address; and whether it asks for an answer.
    organizer: UUID | None = None
    asks_for_answer: bool = False
    link_version: int = 1  # of an invitation: with a higher one what went out before is void
    withdrawn: bool = False  # the appointment was deleted while a try was under way

    @property
    def deadline(self) -> datetime:
        """No try begins at or after this moment."""
        return retries.deadline(self.held_until or self.requested_at, self.starts_at)

    @property
    def receipt_due_at(self) -> datetime | None:
        """From when on a missing receipt is published; None where none is waited for.

        A mail server's word is enough for the tick (a bounce takes it back); a gateway's is not.
        """
        awaited = self.state is State.UNKNOWN or (
            self.state is State.ACCEPTED and self.channel is Channel.SMS
        )
        if not awaited or self.handed_over_at is None:
            return None
        return receipt_deadline(self.handed_over_at, self.starts_at)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A line of the delivery's history."""

    delivery_id: UUID
    practice_id: UUID
    at: datetime
    event: str
    before: State
    after: State
    reply: Reply = NO_REPLY
    receipt_id: UUID | None = None  # the evidence from outside


@dataclass(frozen=True, slots=True)
class Transition:
    """The delivery after an event, what to publish, what to store of it."""

    delivery: Delivery
    outcomes: tuple[DeliveryOutcome, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
