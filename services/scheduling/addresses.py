"""Dead addresses: where an invitation bounced for good, the next one is not sent unasked.

Pure. A practice knows its own experience only; what another one met stays there.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    Delivered,
    DeliveryOutcome,
    Failed,
    FailureCategory,
    FailureReason,
    NoticeOutcome,
    Outcome,
)

# A full mailbox or a refused content may be better tomorrow, and a refusal without a reason says
# nothing of the address. Nor does a failure whose evidence is told to be less than usual.
_ABOUT_THE_ADDRESS = {FailureReason.UNKNOWN_USER, FailureReason.HOST_UNKNOWN}


@dataclass(frozen=True, slots=True)
class AddressVerdict:
    """What an outcome says of the address that an attempt, or a notice, went to."""

    practice_id: UUID
    appointment_id: UUID
    attempt: int | None
    notice_id: UUID | None
    channel: Channel
    dead: bool
    at: datetime


def fingerprint(sealer: Sealer, practice_id: UUID, channel: Channel, address: str) -> bytes:
    """Recognises an address without keeping it; another one for every practice."""
    return sealer.fingerprint(_known(practice_id, channel, address))


def fingerprints(sealer: Sealer, practice_id: UUID, channel: Channel, address: str) -> list[bytes]:
    """What an address may have been noted as, under older keys too."""
    return sealer.fingerprints(_known(practice_id, channel, address))


class Whereabouts(StrEnum):
    """Where an attempt went, as far as its fingerprint says: the address itself is not kept."""

    PRESENT = "present"  # to the appointment's address as it is now
    OTHER = "other"
    UNKNOWN = "unknown"


def whereabouts(
    sealer: Sealer, practice_id: UUID, channel: Channel, noted: bytes, present: str | None
) -> Whereabouts:
    """Compare what was noted of an attempt with the present address; None: there is none now.

    A fingerprint under a key that is gone says nothing.
    """
    known = fingerprints(sealer, practice_id, channel, present or "")
    if noted[:1] not in {each[:1] for each in known}:
        return Whereabouts.UNKNOWN
    return Whereabouts.PRESENT if present and noted in known else Whereabouts.OTHER


def mailbox(address: str) -> str:
    """An e-mail address without the detail after its plus, which leads to one mailbox (RFC 5233).

    A number, and what begins with its plus, stay as they are.
    """
    local, at, domain = address.rpartition("@")
    user = local.partition("+")[0] or local
    return f"{user}{at}{domain}"


def _known(practice_id: UUID, channel: Channel, address: str) -> bytes:
    return f"{practice_id}\0{channel}\0{address.casefold()}".encode()


def verdict(outcome: DeliveryOutcome) -> AddressVerdict | None:
    """What an outcome says of its address; None if nothing.

    A mailbox that refuses a reminder for good is as dead as one that refuses the invitation.
    """
    if isinstance(outcome, Delivered):
        dead = False
    elif isinstance(outcome, Failed) and _is_dead(outcome):
        dead = True
    else:
        return None
    return AddressVerdict(
        practice_id=outcome.practice_id,
        appointment_id=outcome.appointment_id,
        attempt=outcome.attempt if isinstance(outcome, Outcome) else None,
        notice_id=outcome.notice_id if isinstance(outcome, NoticeOutcome) else None,
        channel=outcome.channel,
        dead=dead,
        at=outcome.occurred_at,
    )


def _is_dead(outcome: Failed) -> bool:
    if outcome.category is not FailureCategory.PERMANENT or outcome.evidence is not None:
        return False
    return outcome.reason in _ABOUT_THE_ADDRESS
