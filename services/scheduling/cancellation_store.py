"""SQL of cancellations that patients are told of. Outcomes of one appointment come in order."""

from collections.abc import Sequence
from uuid import UUID

from chassis.database import Connection
from contracts.channels import Channel
from contracts.events import DeliveryOutcome, NoticeKind, NoticeOutcome
from services.scheduling import cancellations, contact_store
from services.scheduling.cancellations import Cancellation


async def follow(tx: Connection, outcomes: Sequence[DeliveryOutcome]) -> None:
    """Take in what became of cancellations: who knows is forgotten."""
    told = [
        outcome
        for outcome in outcomes
        if isinstance(outcome, NoticeOutcome) and outcome.kind is NoticeKind.CANCELLED
    ]
    if not told:
        return
    present = await _lock(tx, {outcome.notice_id for outcome in told})
    changed: dict[UUID, Cancellation] = {}
    for outcome in told:
        before = changed.get(outcome.notice_id) or present.get(outcome.notice_id)
        if before is not None:
            changed[outcome.notice_id] = cancellations.after(before, outcome)
    await _save(tx, changed)


async def _lock(tx: Connection, notice_ids: set[UUID]) -> dict[UUID, Cancellation]:
    """Those whose patient is still known, by the notice's id, with their appointments locked."""
    rows = await tx.fetch(
        """
        SELECT n.id, a.starts_at, n.awaited, a.contact_until
        FROM appointments a JOIN notices n
            ON (n.practice_id, n.appointment_id) = (a.practice_id, a.id)
        WHERE n.id = ANY($1::uuid[]) AND n.kind = 'cancelled' AND a.contact_until IS NOT NULL
        ORDER BY a.id FOR UPDATE OF a
        """,
        notice_ids,
    )
    return {
        row["id"]: Cancellation(
            row["starts_at"], frozenset(map(Channel, row["awaited"])), row["contact_until"]
        )
        for row in rows
    }


async def _save(tx: Connection, changed: dict[UUID, Cancellation]) -> None:
    for notice_id, each in changed.items():
        appointment_id = await tx.fetchval(
            "UPDATE notices SET awaited = $2 WHERE id = $1 RETURNING appointment_id",
            notice_id,
            sorted(each.awaited),
        )
        await tx.execute(
            f"""
            UPDATE appointments SET contact_until = $2,
                {contact_store.forgotten(unless="$2::timestamptz IS NOT NULL")}
            WHERE id = $1
            """,  # noqa: S608 - a constant list of columns
            appointment_id,
            each.contact_until,
        )
