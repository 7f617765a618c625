"""SQL of forgetting: nothing of an erased appointment is left but ids, and those for a while."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from chassis.database import Connection, affected
from contracts.terms import TOMBSTONE_TERM, UNMATCHED_RETENTION, UNTOLD_RETENTION

BATCH = 200


async def erase(tx: Connection, appointment_ids: Sequence[UUID], now: datetime) -> None:
    """Delete all that is held of these appointments, whose rows are locked.

    A message under way is not stopped by it: how it ends finds nothing to be recorded at.
    """
    if not appointment_ids:
        return
    rows = await tx.fetch(
        """
        SELECT id, practice_id, message_id FROM deliveries WHERE appointment_id = ANY($1)
        ORDER BY id FOR UPDATE
        """,
        appointment_ids,
    )
    deliveries = [row["id"] for row in rows]
    await tx.execute(
        """
        INSERT INTO erased_deliveries (id, practice_id, message_id, erased_at)
        SELECT *, $4 FROM unnest($1::uuid[], $2::uuid[], $3::text[]) ON CONFLICT DO NOTHING
        """,
        deliveries,
        [row["practice_id"] for row in rows],
        [row["message_id"] for row in rows],
        now,
    )
    await tx.execute(
        "DELETE FROM receipts WHERE delivery_id = ANY($1) OR reference = ANY($1)", deliveries
    )
    await tx.execute("DELETE FROM answers WHERE appointment_id = ANY($1)", appointment_ids)
    await tx.execute("DELETE FROM delivery_history WHERE delivery_id = ANY($1)", deliveries)
    await tx.execute("DELETE FROM deliveries WHERE id = ANY($1)", deliveries)
    await tx.execute(
        """
        UPDATE appointments SET erased_at = $2, deleted = true, dead_letters_erased = false,
            starts_at = NULL, duration_minutes = NULL, time_zone = NULL
        WHERE appointment_id = ANY($1)
        """,
        appointment_ids,
        now,
    )


async def erased_of(
    tx: Connection, delivery_ids: Collection[UUID], message_ids: Collection[str]
) -> set[UUID | str]:
    """Which of these ids and Message-IDs are of deliveries that were erased."""
    rows = await tx.fetch(
        "SELECT id, message_id FROM erased_deliveries WHERE id = ANY($1) OR message_id = ANY($2)",
        delivery_ids,
        message_ids,
    )
    return {name for row in rows for name in (row["id"], row["message_id"])}


async def drop_receipts(tx: Connection, receipt_ids: Sequence[UUID]) -> None:
    """Delete receipts of erased deliveries."""
    await tx.execute("DELETE FROM receipts WHERE id = ANY($1)", receipt_ids)


async def erase_overdue(tx: Connection, now: datetime) -> bool:
    """Erase a batch that should long have been; True if there may be more."""
    rows = await tx.fetch(
        """
        SELECT appointment_id FROM appointments
        WHERE erased_at IS NULL AND starts_at <= $1::timestamptz - $2::interval
          AND starts_at + make_interval(mins => duration_minutes) <= $1::timestamptz - $2::interval
        ORDER BY appointment_id LIMIT $3 FOR UPDATE
        """,
        now,
        UNTOLD_RETENTION,
        BATCH,
    )
    await erase(tx, [row["appointment_id"] for row in rows], now)
    return len(rows) >= BATCH


async def purge(tx: Connection, now: datetime) -> bool:
    """Forget a batch of tombstones and of receipts that nobody knows; True if there may be more."""
    old = now - TOMBSTONE_TERM
    done = [
        await tx.execute(
            """
            DELETE FROM appointments WHERE appointment_id IN (
                SELECT appointment_id FROM appointments
                WHERE dead_letters_erased AND erased_at <= $1
                   OR erased_at IS NULL AND starts_at IS NULL AND known_since <= $1 LIMIT $2)
            """,
            old,
            BATCH,
        ),
        await tx.execute(
            """
            DELETE FROM erased_deliveries WHERE id IN (
                SELECT id FROM erased_deliveries WHERE erased_at <= $1 LIMIT $2)
            """,
            old,
            BATCH,
        ),
        await tx.execute(
            """
            DELETE FROM receipts WHERE id IN (
                SELECT id FROM receipts WHERE delivery_id IS NULL AND received_at <= $1 LIMIT $2)
            """,
            now - UNMATCHED_RETENTION,
            BATCH,
        ),
    ]
    return any(affected(each) >= BATCH for each in done)


async def in_dead_letters(tx: Connection) -> list[UUID]:
    """Erased appointments of which dead letters may still be there."""
    rows = await tx.fetch(
        """
        SELECT appointment_id FROM appointments
        WHERE erased_at IS NOT NULL AND NOT dead_letters_erased LIMIT $1
        """,
        BATCH,
    )
    return [row["appointment_id"] for row in rows]


async def dead_letters_erased(tx: Connection, appointment_ids: Sequence[UUID]) -> None:
    """Note that none are."""
    await tx.execute(
        "UPDATE appointments SET dead_letters_erased = true WHERE appointment_id = ANY($1)",
        appointment_ids,
    )
