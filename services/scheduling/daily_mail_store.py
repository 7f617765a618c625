"""The SQL of daily mails: when each practice's next one is due."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.database import Connection, affected


@dataclass(frozen=True, slots=True)
class DueMail:
    """A practice's mail that is due; `due_at` tells it from those of other days."""

    practice_id: UUID
    due_at: datetime


async def schedule(tx: Connection, practice_id: UUID, due_at: datetime | None) -> None:
    """The next one is due then, whatever was to come; None: never."""
    if due_at is None:
        await tx.execute("DELETE FROM daily_mails WHERE practice_id = $1", practice_id)
        return
    await tx.execute(
        """
        INSERT INTO daily_mails (practice_id, due_at, ask_at) VALUES ($1, $2, $2)
        ON CONFLICT (practice_id) DO UPDATE SET due_at = $2, ask_at = $2
        """,
        practice_id,
        due_at,
    )


async def claim(tx: Connection, now: datetime, until: datetime, most: int) -> list[DueMail]:
    """At most `most` that are due and are left alone by all others until then."""
    rows = await tx.fetch(
        """
        UPDATE daily_mails SET ask_at = $2
        WHERE practice_id IN (
            SELECT practice_id FROM daily_mails WHERE ask_at <= $1
            ORDER BY ask_at LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING practice_id, due_at
        """,
        now,
        until,
        most,
    )
    return [DueMail(row["practice_id"], row["due_at"]) for row in rows]


async def advance(tx: Connection, due: DueMail, following: datetime) -> bool:
    """`due` is done, the next one is due then. False if somebody else has seen to it."""
    done = await tx.execute(
        """
        UPDATE daily_mails SET due_at = $3, ask_at = $3 WHERE practice_id = $1 AND due_at = $2
        """,
        due.practice_id,
        due.due_at,
        following,
    )
    return affected(done) == 1
