"""After a database was restored, or a topic was lost: outcomes are told again as they stand.

What is told again has the sequence that it had: who knows more keeps that. Of what a restored
database still has to send a copy may have gone out since (`transitions`, Restored).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from chassis import columns, outbox
from chassis.database import Connection
from contracts.channels import Channel
from contracts.events import Answer, DeliveryOutcome, InvitationAnswered, NoticeFailed, Withheld
from services.notification.deliveries import store
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import Restored
from services.notification.deliveries.outcomes import outcome_of
from services.notification.deliveries.transitions import transition

PAGE = 500  # deliveries
FIRST = UUID(int=0)

_AFTER = columns.select(
    "deliveries", store.DELIVERY, "WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE"
)


@dataclass(frozen=True, slots=True)
class Last:
    """The last change of a delivery."""

    at: datetime
    event: str


async def tell_again(
    tx: Connection, after: UUID, *, since: datetime, restored: bool, now: datetime
) -> tuple[UUID | None, int]:
    """Of a page of deliveries; the last of them, None at the end, and how many were told.

    Of appointments that were over before `since`, and of which nothing was heard since, nothing is.
    """
    rows = await tx.fetch(_AFTER, after, PAGE)
    deliveries = [store.delivery_of(row) for row in rows]
    last = await _last(tx, [each.id for each in deliveries])
    told: list[DeliveryOutcome] = []
    traceparents: list[str | None] = []
    for each in deliveries:
        changed = last.get(each.id)
        if changed is None or (each.starts_at < since and changed.at < since):
            continue
        outcome = as_told(each, changed)
        if outcome is not None:
            told.append(outcome)
            traceparents.append(each.traceparent)
    await outbox.put(tx, told, source=store.SOURCE, traceparents=traceparents)
    if restored:
        await store.save(tx, [transition(each, Restored(), now) for each in deliveries])
    return (deliveries[-1].id if len(deliveries) == PAGE else None), len(told)


def as_told(delivery: Delivery, last: Last) -> DeliveryOutcome | None:
    """The outcome that was told last; None while nothing but that it is on its way was.

    A gateway's word for a text message is no evidence, and was never told.
    """
    match delivery.state:
        case State.ACCEPTED if delivery.channel is Channel.SMS:
            return None
        case State.SENDING | State.UNKNOWN | State.SUPERSEDED | State.NEW:
            return None
    outcome = outcome_of(delivery, last.at)
    if isinstance(outcome, NoticeFailed) and last.event == "Withheld":
        return outcome.model_copy(update={"withheld": Withheld.NOT_INVITED})
    return outcome


async def answers_again(tx: Connection, since: datetime) -> int:
    """What patients' calendars answered; how many."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT ON (a.appointment_id, a.version)
               a.*, d.invitation_id
        FROM answers a JOIN deliveries d
            ON d.appointment_id = a.appointment_id AND d.organizer = a.organizer
        WHERE a.answered_at >= $1 OR d.starts_at >= $1
        ORDER BY a.appointment_id, a.version, d.requested_at DESC
        """,
        since,
    )
    await outbox.put(tx, [_answered(row) for row in rows], source=store.SOURCE)
    return len(rows)


def _answered(row: Record) -> InvitationAnswered:
    return InvitationAnswered(
        appointment_id=row["appointment_id"],
        practice_id=row["practice_id"],
        invitation_id=row["invitation_id"],
        appointment_version=row["version"],
        answer=Answer(row["answer"]),
        occurred_at=row["answered_at"],
    )


async def _last(tx: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Last]:
    rows = await tx.fetch(
        """
        SELECT DISTINCT ON (delivery_id) delivery_id, at, event FROM delivery_history
        WHERE delivery_id = ANY($1) AND state_before <> state_after
        ORDER BY delivery_id, id DESC
        """,
        ids,
    )
    return {row["delivery_id"]: Last(row["at"], row["event"]) for row in rows}
