"""SQL of forgetting: of an erased appointment stays that it is, until no topic speaks of it."""

from collections.abc import Sequence
from uuid import UUID

from chassis.database import Connection
from contracts.terms import TOMBSTONE_TERM

PURGED_AT_ONCE = 500


async def forget(tx: Connection, erased: Sequence[tuple[UUID, UUID]]) -> None:
    """Keep of these (practice, appointment) only that they are erased.

    To be done whenever anything is told of them: what comes late brings nothing back.
    """
    if not erased:
        return
    await tx.execute(
        """
        DELETE FROM events e
        USING unnest($1::uuid[], $2::uuid[]) AS gone (practice_id, appointment_id)
        WHERE (e.practice_id, e.appointment_id) = (gone.practice_id, gone.appointment_id)
          AND e.kind <> 'erased'
        """,
        [practice_id for practice_id, _ in erased],
        [appointment_id for _, appointment_id in erased],
    )


async def purge(tx: Connection) -> bool:
    """Forget a batch that no topic speaks of any more; True if there may be more."""
    rows = await tx.fetch(
        """
        DELETE FROM events WHERE event_id IN (
            SELECT event_id FROM events WHERE kind = 'erased' AND occurred_at < now() - $1::interval
            ORDER BY occurred_at LIMIT $2)
        RETURNING practice_id, appointment_id
        """,
        TOMBSTONE_TERM,
        PURGED_AT_ONCE,
    )
    await tx.execute(
        """
        DELETE FROM indicators i
        USING unnest($1::uuid[], $2::uuid[]) AS gone (practice_id, appointment_id)
        WHERE (i.practice_id, i.appointment_id) = (gone.practice_id, gone.appointment_id)
          AND i.body IS NULL
        """,
        [row["practice_id"] for row in rows],
        [row["appointment_id"] for row in rows],
    )
    return len(rows) >= PURGED_AT_ONCE
