"""Inbox: an event takes effect once, however often it is delivered.

The table, in the first migration of every service that consumes:

    CREATE TABLE inbox (
        event_id uuid PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now()
    );
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from chassis.database import Connection, affected

# Longer than any topic keeps an event; after that it cannot come again.
RETENTION = timedelta(days=45)
PURGE_BATCH = 5_000


async def fresh(tx: Connection, event_ids: Iterable[UUID]) -> set[UUID]:
    """Note these events as received and return those that had not been, in this transaction."""
    rows = await tx.fetch(
        """
        INSERT INTO inbox (event_id) SELECT unnest($1::uuid[])
        ON CONFLICT DO NOTHING RETURNING event_id
        """,
        sorted(set(event_ids)),
    )
    return {row["event_id"] for row in rows}


async def purge(tx: Connection) -> bool:
    """Forget a batch of events that no topic keeps any more; True if there may be more."""
    done = await tx.execute(
        """
        DELETE FROM inbox WHERE event_id IN (
            SELECT event_id FROM inbox WHERE received_at < now() - $1::interval
            ORDER BY received_at LIMIT $2)
        """,
        RETENTION,
        PURGE_BATCH,
    )
    return affected(done) >= PURGE_BATCH
