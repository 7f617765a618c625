"""The SQL of what is open and still to come: a page of it, and how much there is.

All of it reads partial indexes alone, from the start of the longest appointment on that may still
be going on, so what is past costs nothing: `indicators_open` has what is open whatever the time is,
`indicators_awaited` what is on its way, of which time alone says that it is overdue.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from chassis import cursors
from chassis.database import Connection
from services.status.openness import LONGEST
from services.status.store import Shown

MOST_COUNTED = 10_000  # beyond that it makes no difference to anybody, and counting stays cheap

# A cancellation is of use until the start. The first to be overdue stands first.
_AWAITED = """body ? 'awaited' AND starts_at > $3
      AND CASE WHEN body @> '{"cancelled": true}' THEN starts_at ELSE ends_at END > $2"""
_OVERDUE = f"""open_until IS NULL AND {_AWAITED}
      AND (body #>> '{{awaited,0,since}}')::timestamptz <= $2"""
_ROWS = """
    SELECT appointment_id, version, moved_at, body, starts_at, ends_at FROM indicators
    WHERE practice_id = $1 AND (starts_at, appointment_id) > ($4::text::timestamptz, $5::uuid)"""

PAGE = f"""
    SELECT appointment_id, greatest(version, moved_at) AS version, body,
           nullif(starts_at, 'infinity') AS starts_at, nullif(ends_at, 'infinity') AS ends_at
    FROM (
        ({_ROWS} AND open_until > $2 AND starts_at > $3
         ORDER BY starts_at, appointment_id LIMIT $6)
        UNION ALL
        ({_ROWS} AND {_OVERDUE}
         ORDER BY starts_at, appointment_id LIMIT $6)
    ) AS open
    ORDER BY open.starts_at, appointment_id LIMIT $6
    """  # noqa: S608 (columns)
COUNT = f"""
    SELECT count(*) FROM (
        (SELECT FROM indicators
         WHERE practice_id = $1 AND open_until > $2 AND starts_at > $3 LIMIT $4)
        UNION ALL
        (SELECT FROM indicators WHERE practice_id = $1 AND {_OVERDUE} LIMIT $4)
        LIMIT $4
    ) AS open
    """  # noqa: S608 (columns)
AWAITED = f"""
    SELECT count(*) FROM (
        SELECT FROM indicators WHERE practice_id = $1 AND {_AWAITED} LIMIT $4
    ) AS awaited
    """  # noqa: S608 (columns)


@dataclass(frozen=True, slots=True)
class Place:
    """In the list of what is open; `starts_at` None: not known, which comes last."""

    starts_at: datetime | None
    appointment_id: UUID

    @property
    def cursor(self) -> str:
        """The place as callers hand it back."""
        return cursors.pack(self.starts_at, self.appointment_id)

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Raises ValueError for what is none of ours."""
        return cls(*cursors.unpack(cursor))


async def page(
    tx: Connection, practice_id: UUID, now: datetime, *, after: Place | None, limit: int
) -> list[Shown]:
    """What is open at `now`, the soonest start first, behind a place in that list."""
    start, appointment_id = "-infinity", UUID(int=0)
    if after is not None:
        start = "infinity" if after.starts_at is None else after.starts_at.isoformat()
        appointment_id = after.appointment_id
    found = await tx.fetch(
        PAGE,
        practice_id,
        now,
        now - LONGEST,
        start,
        appointment_id,
        limit,
    )
    return [Shown(**row) for row in found]


async def count(tx: Connection, practice_id: UUID, now: datetime) -> int:
    """How many are open at `now`, counted up to MOST_COUNTED."""
    return await _count(COUNT, tx, practice_id, now)


async def awaited(tx: Connection, practice_id: UUID, now: datetime) -> int:
    """Of how many something is on its way, overdue or not, counted up to MOST_COUNTED."""
    return await _count(AWAITED, tx, practice_id, now)


async def _count(query: str, tx: Connection, practice_id: UUID, now: datetime) -> int:
    found: int = await tx.fetchval(query, practice_id, now, now - LONGEST, MOST_COUNTED)
    return found
