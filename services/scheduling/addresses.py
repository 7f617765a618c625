"""Dead addresses: where an invitation bounced for good, the next one is not sent unasked.

Pure. A practice knows its own experience only; what another one met stays there.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from chassis.sealing import Sealer
from contracts.channels import Channel, folded_address
from contracts.events import (
    Delivered,
    DeliveryOutcome,
    Failed,
    FailureCategory,
    FailureReason,
    NoticeOutcome,
    Outcome,
)
from services.scheduling.person_names import alike

# A full mailbox or a refused content may be better tomorrow, and a refusal without a reason says
# nothing of the address. Nor does a failure whose evidence is told to be less than usual.
_ABOUT_THE_ADDRESS = {FailureReason.UNKNOWN_USER, FailureReason.HOST_UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Of what an outcome tells: the attempt, or the notice, that went to an address."""

    practice_id: UUID
    appointment_id: UUID
    attempt: int | None
    notice_id: UUID | None
    channel: Channel
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressVerdict(Reported):
    """What an outcome says of the address."""

    dead: bool


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """What a practice knows of an address that it has written to before."""

    last_arrived_at: datetime | None  # as far as the newest outcomes say
    other_name: bool  # the newest attempt to it was for somebody of another name


def fingerprint(sealer: Sealer, practice_id: UUID, channel: Channel, address: str) -> bytes:
    """Recognises an address without keeping it; another one for every practice."""
    return sealer.fingerprint(_known(practice_id, channel, address))


def fingerprints(sealer: Sealer, practice_id: UUID, channel: Channel, address: str) -> list[bytes]:
    """What an address may have been noted as, under older keys too."""
    return sealer.fingerprints(_known(practice_id, channel, address))


def name_fingerprint(
    sealer: Sealer, practice_id: UUID, channel: Channel, address: str, name: str
) -> bytes:
    """Recognises who was written to at an address, and nobody anywhere else."""
    return sealer.fingerprint(_named(practice_id, channel, address, name))


def name_fingerprints(
    sealer: Sealer, practice_id: UUID, channel: Channel, address: str, name: str
) -> list[bytes]:
    """What that may have been noted as, under older keys too."""
    return sealer.fingerprints(_named(practice_id, channel, address, name))


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
    return f"{practice_id}\0{channel}\0{folded_address(address)}".encode()


def _named(practice_id: UUID, channel: Channel, address: str, name: str) -> bytes:
    return b"name\0" + _known(practice_id, channel, address) + f"\0{alike(name)}".encode()


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
    return AddressVerdict(**_reported(outcome), dead=dead)


def taken_back(outcome: DeliveryOutcome) -> Reported | None:
    """What is said to have come back after all, whatever that says of the address."""
    came_back = isinstance(outcome, Failed) and outcome.late
    return Reported(**_reported(outcome)) if came_back else None


def _reported(outcome: DeliveryOutcome) -> dict[str, Any]:
    return {
        "practice_id": outcome.practice_id,
        "appointment_id": outcome.appointment_id,
        "attempt": outcome.attempt if isinstance(outcome, Outcome) else None,
        "notice_id": outcome.notice_id if isinstance(outcome, NoticeOutcome) else None,
        "channel": outcome.channel,
        "at": outcome.occurred_at,
    }


def _is_dead(outcome: Failed) -> bool:
    if outcome.category is not FailureCategory.PERMANENT or outcome.evidence is not None:
        return False
    return outcome.reason in _ABOUT_THE_ADDRESS
