"""What the other services get to know of a delivery."""

from datetime import datetime
from typing import Any

from contracts.events import (
    DeliveryOutcome,
    Evidence,
    FailureEvidence,
    InvitationDelivered,
    InvitationFailed,
    InvitationPending,
    InvitationUnconfirmed,
    NoticeDelivered,
    NoticeFailed,
    NoticeKind,
    NoticePending,
    NoticeUnconfirmed,
    PendingState,
)
from services.notification.deliveries.delivery import Delivery, State
from services.notification.letters.letter import LetterKind


def outcome_of(delivery: Delivery, now: datetime) -> DeliveryOutcome:
    """The event that says where a delivery stands: an invitation's, or a notice's."""
    of_notice = delivery.kind is not LetterKind.INVITATION
    known = _of_notice(delivery) if of_notice else _of_invitation(delivery)
    known |= {
        "appointment_id": delivery.appointment_id,
        "practice_id": delivery.practice_id,
        "channel": delivery.channel,
        "sequence": delivery.sequence,
        "occurred_at": now,
        "status_code": delivery.status_code,
        "late": delivery.late,
    }
    match delivery.state:
        case State.QUEUED | State.RETRYING:
            pending = NoticePending if of_notice else InvitationPending
            if delivery.state is State.QUEUED:
                waits = delivery.held_until if delivery.due_at == delivery.held_until else None
                return pending(**known, state=PendingState.QUEUED, waits_until=waits)
            return pending(**known, state=PendingState.RETRYING, next_try_at=delivery.due_at)
        case State.ACCEPTED | State.DELIVERED:
            delivered = NoticeDelivered if of_notice else InvitationDelivered
            accepted = delivery.state is State.ACCEPTED
            return delivered(
                **known, evidence=Evidence.ACCEPTED if accepted else Evidence.CONFIRMED
            )
        case State.UNCONFIRMED:
            return (NoticeUnconfirmed if of_notice else InvitationUnconfirmed)(**known)
        case State.FAILED | State.CANCELLED if delivery.category is not None:
            return (NoticeFailed if of_notice else InvitationFailed)(
                **known,
                category=delivery.category,
                reason=delivery.reason,
                evidence=FailureEvidence.UNSIGNED if delivery.disputed else None,
            )
    raise AssertionError(f"{delivery.state} has no outcome")


def _of_invitation(delivery: Delivery) -> dict[str, Any]:
    return {"invitation_id": delivery.invitation_id, "attempt": delivery.attempt}


def _of_notice(delivery: Delivery) -> dict[str, Any]:
    return {
        "notice_id": delivery.invitation_id,
        "kind": NoticeKind(delivery.kind),
        "appointment_version": delivery.requested_version,
    }
