"""What the other services get to know of a delivery."""

from datetime import datetime
from typing import Any

from contracts.events import (
    Evidence,
    FailureEvidence,
    InvitationDelivered,
    InvitationFailed,
    InvitationPending,
    InvitationUnconfirmed,
    Outcome,
    PendingState,
)
from services.notification.deliveries.delivery import Delivery, State


def outcome_of(delivery: Delivery, now: datetime) -> Outcome:
    """The event that says where an invitation's delivery stands."""
    common: dict[str, Any] = {
        "appointment_id": delivery.appointment_id,
        "practice_id": delivery.practice_id,
        "invitation_id": delivery.invitation_id,
        "attempt": delivery.attempt,
        "channel": delivery.channel,
        "sequence": delivery.sequence,
        "occurred_at": now,
        "status_code": delivery.status_code,
        "late": delivery.late,
    }
    match delivery.state:
        case State.QUEUED:
            return InvitationPending(**common, state=PendingState.QUEUED)
        case State.RETRYING:
            return InvitationPending(
                **common, state=PendingState.RETRYING, next_try_at=delivery.due_at
            )
        case State.ACCEPTED:
            return InvitationDelivered(**common, evidence=Evidence.ACCEPTED)
        case State.DELIVERED:
            return InvitationDelivered(**common, evidence=Evidence.CONFIRMED)
        case State.UNCONFIRMED:
            return InvitationUnconfirmed(**common)
        case State.FAILED | State.CANCELLED if delivery.category is not None:
            return InvitationFailed(
                **common,
                category=delivery.category,
                reason=delivery.reason,
                evidence=FailureEvidence.UNSIGNED if delivery.disputed else None,
            )
    raise AssertionError(f"{delivery.state} has no outcome")
