"""What can happen to a delivery. `transitions` says what follows from it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from contracts import events as contract
from contracts.events import FailureReason
from services.notification.refusals.refusal import About


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: SMTP code and RFC 3463 status. Never its text, that has addresses.

    `reason` and `about` are what the text says of a refusal: why, and whom or what it is about.
    """

    code: int | None = None
    status: str | None = None
    reason: FailureReason | None = None
    about: About | None = None


NO_REPLY = Reply()


@dataclass(frozen=True, slots=True)
class OfTry:
    """What the worker says of its own try: counts under the lease of that try alone."""

    lease: UUID


@dataclass(frozen=True, slots=True)
class FromOutside:
    """Evidence by DSN (RFC 3464) or a gateway's receipt.

    It counts under no lease, and waits while a try is under way: what that try's end will be is not
    known yet.
    """

    receipt_id: UUID
    reply: Reply = NO_REPLY


@dataclass(frozen=True, slots=True)
class Requested:
    """The invitation was requested."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of it is not known any more: a copy may have gone out."""


@dataclass(frozen=True, slots=True)
class ChannelMissing:
    """The installation can't send over the delivery's channel, or the practice may not."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A worker takes the delivery, under a lease that ends at `until`.

    `start` is when the letter says that the appointment is.
    """

    lease: UUID
    until: datetime
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Released(OfTry):
    """The worker gives the delivery back without having tried."""


@dataclass(frozen=True, slots=True)
class LeaseExpired:
    """Nobody said how the try ended; it may have been sent."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took the message. Evidence: counts under whatever lease it was gained."""

    reply: Reply
    gateway: str | None = None
    gateway_id: str | None = None
    receipt_id: UUID | None = None  # where it comes from a gateway afterwards


@dataclass(frozen=True, slots=True)
class Refused(OfTry):
    """The server refused the recipient or the message for good."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class FailedForNow(OfTry):
    """Surely not accepted this time. `retry_at` is None when no further try fits."""

    reply: Reply
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReplyLost(OfTry):
    """The message went out and no answer came.

    Of a mail one further copy is sent, under the same Message-ID; of a text message the gateway is
    asked.
    """

    retry_at: datetime | None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Misconfigured(OfTry):
    """Login, configuration or template is wrong; operations has to act."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Superseded:
    """A newer attempt was requested."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The appointment was deleted."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A notice is not to be sent: `told` says why."""

    because: contract.Withheld


@dataclass(frozen=True, slots=True)
class Hastened:
    """„Jetzt senden": it is not to wait for the morning any more."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The appointment now starts at another time."""

    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmed(FromOutside):
    """The message has arrived."""


@dataclass(frozen=True, slots=True)
class Bounced(FromOutside):
    """The message did not arrive and nobody tries any more; `permanent`: nor should one again."""

    permanent: bool = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Disputed(FromOutside):
    """Somebody who has seen the mail says that it did not arrive; nothing proves that a server did.

    It takes a tick back and does nothing else.
    """


@dataclass(frozen=True, slots=True)
class Delayed(FromOutside):
    """The message is still on its way."""


@dataclass(frozen=True, slots=True)
class AutoReplied(FromOutside):
    """The patient's mailbox answered by itself (RFC 3834); says nothing about the invitation."""


@dataclass(frozen=True, slots=True)
class Complained(FromOutside):
    """The message was reported as unwanted (RFC 5965)."""


@dataclass(frozen=True, slots=True)
class ReceiptMissing:
    """The time within which a receipt was to come may be over."""


EvidenceEvent: TypeAlias = (
    Accepted | Confirmed | Bounced | Disputed | Delayed | AutoReplied | Complained
)

DeliveryEvent: TypeAlias = (
    Requested
    | Restored
    | ChannelMissing
    | Claimed
    | Released
    | LeaseExpired
    | Refused
    | FailedForNow
    | ReplyLost
    | Misconfigured
    | Superseded
    | Withdrawn
    | Withheld
    | Hastened
    | Moved
    | EvidenceEvent
    | ReceiptMissing
)
