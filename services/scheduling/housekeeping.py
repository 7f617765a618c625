"""Forgets what has had its time, of every practice."""

from datetime import timedelta

from chassis.database import Connection, affected
from contracts.terms import ADDRESS_VERDICT_RETENTION, ATTEMPT_RETENTION
from services.scheduling import bounds
from services.scheduling.idempotency import KEY_RETENTION

BATCH = 5_000

_AGES = (
    ("idempotency_keys", "created_at", KEY_RETENTION),
    ("messages", "at", bounds.DAY),
    ("attempts", "created_at", ATTEMPT_RETENTION),
    ("address_verdicts", "at", ADDRESS_VERDICT_RETENTION),
    ("tombstones", "told_until", timedelta(0)),
)


async def purge(tx: Connection) -> bool:
    """Delete a batch of each table's old rows; True if there may be more."""
    more = False
    for table, age, retention in _AGES:
        done = await tx.execute(
            f"""
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {table} WHERE {age} < now() - $1::interval
                ORDER BY {age} LIMIT $2))
            """,  # noqa: S608 - constant names
            retention,
            BATCH,
        )
        more |= affected(done) >= BATCH
    return more
