"""Kafka in: from events on the wire to facts about an appointment's invitations."""

import time
from collections.abc import Sequence

from prometheus_client import Counter, Histogram

from chassis.database import Connection
from contracts.envelope import Received
from contracts.events import (
    AppointmentDeleted,
    AppointmentErased,
    AppointmentRescheduled,
    InvitationDelivered,
    InvitationFailed,
    InvitationIssued,
    InvitationPending,
    InvitationUnconfirmed,
)
from contracts.events import Outcome as OutcomeEvent
from contracts.topics import APPOINTMENTS, OUTCOMES
from services.status import store
from services.status.indicators import Deleted, Erased, Fact, Issued, Outcome, State

TOPICS = (APPOINTMENTS, OUTCOMES)
GROUP = "status"

STATES: dict[type[OutcomeEvent], State] = {
    InvitationPending: State.PENDING,
    InvitationDelivered: State.DELIVERED,
    InvitationFailed: State.FAILED,
    InvitationUnconfirmed: State.UNCONFIRMED,
}

changed = Counter("indicator_changes_total", "Indicators changed, by what they show", ["overall"])
lag = Histogram(
    "indicator_lag_seconds",
    "From the event's time to its effect on the indicator",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)


async def handle(tx: Connection, received: Sequence[Received]) -> None:
    """Take in one batch within the consumer's transaction."""
    known = [
        store.Known(each.id, each.event.practice_id, each.event.appointment_id, fact)
        for each in received
        if (fact := fact_of(each)) is not None
    ]
    moved = {
        (each.event.practice_id, each.event.appointment_id)
        for each in received
        if isinstance(each.event, AppointmentRescheduled)
    }
    for shown in await store.record(tx, known, moved):
        changed.labels("deleted" if shown.body is None else shown.body["overall"]).inc()
    now = time.time()
    for each in received:
        lag.observe(max(0.0, now - each.time.timestamp()))


def fact_of(received: Received) -> Fact | None:
    """What an event says about an invitation; None if it says nothing (Scheduled, Rescheduled)."""
    match received.event:
        case InvitationIssued(attempt=attempt, channels=channels):
            return Issued(attempt, frozenset(channels), received.time)
        case AppointmentDeleted():
            return Deleted(received.time)
        case AppointmentErased():
            return Erased(received.time)
        case OutcomeEvent() as event:
            return _outcome(event)
        case _:
            return None


def _outcome(event: OutcomeEvent) -> Outcome:
    return Outcome(
        attempt=event.attempt,
        channel=event.channel,
        sequence=event.sequence,
        state=STATES[type(event)],
        at=event.occurred_at,
        evidence=event.evidence
        if isinstance(event, InvitationDelivered | InvitationFailed)
        else None,
        category=event.category if isinstance(event, InvitationFailed) else None,
        reason=event.reason if isinstance(event, InvitationFailed) else None,
        status_code=event.status_code,
        late=event.late,
    )
