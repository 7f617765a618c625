"""The table of audit entries: to be added to and read. The database refuses any other change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection
from services.scheduling.audit.entry import AuditEntry

_COLUMNS = """id, practice_id, at, actor_kind, actor_id, actor_name, actor_roles, action,
    appointment_ids, changed, trace_id"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: of one appointment, in [first, until). None leaves out nothing."""

    appointment_id: UUID | None = None
    first: datetime | None = None
    until: datetime | None = None


async def add(tx: Connection, entry: AuditEntry) -> None:
    """Store an entry."""
    await tx.execute(
        f"""
        INSERT INTO audit_entries ({_COLUMNS})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,  # noqa: S608 - a constant list of columns
        *_values(entry),
    )


async def add_reading(tx: Connection, entry: AuditEntry) -> None:
    """Store that the entry's appointments were read: each once for a reader and hour of the clock.

    A page that loads the day again and again leaves one entry in an hour, not hundreds.
    """
    if not entry.appointment_ids:
        return
    await tx.execute(
        f"""
        WITH fresh AS (
            SELECT ARRAY (
                SELECT unnest($9::uuid[])
                EXCEPT
                SELECT unnest(appointment_ids) FROM audit_entries
                WHERE practice_id = $2 AND appointment_ids && $9::uuid[]
                  AND actor_kind = $4 AND actor_id = $5 AND action = $8
                  AND at >= date_trunc('hour', $3::timestamptz)
            ) AS ids
        )
        INSERT INTO audit_entries ({_COLUMNS})
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, ids, $10, $11 FROM fresh WHERE cardinality(ids) > 0
        """,  # noqa: S608 - a constant list of columns
        *_values(entry),
    )


async def page(
    tx: Connection, practice_id: UUID, wanted: Filter, *, before: UUID | None, limit: int
) -> Sequence[AuditEntry]:
    """The newest entries, or those that come after the entry `before` in a list of the newest."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM audit_entries
        WHERE practice_id = $1
          AND ($2::uuid IS NULL OR appointment_ids @> ARRAY[$2])
          AND ($3::timestamptz IS NULL OR at >= $3)
          AND ($4::timestamptz IS NULL OR at < $4)
          AND ($5::uuid IS NULL OR id < $5)
        ORDER BY id DESC LIMIT $6
        """,  # noqa: S608 - a constant list of columns
        practice_id,
        wanted.appointment_id,
        wanted.first,
        wanted.until,
        before,
        limit,
    )
    return [_entry(row) for row in rows]


async def forget(tx: Connection, days: int) -> None:
    """Let entries go that are older than this many days, of every practice."""
    await tx.execute("SELECT forget_audit_entries($1)", days)


def _values(entry: AuditEntry) -> tuple[object, ...]:
    return (
        entry.id,
        entry.practice_id,
        entry.at,
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        [*entry.actor_roles],
        entry.action,
        [*entry.appointment_ids],
        [*entry.changed],
        entry.trace_id,
    )


def _entry(row: Record) -> AuditEntry:
    return AuditEntry(**dict(row))
