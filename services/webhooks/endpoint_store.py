"""SQL of endpoints. Every query names the practice or is the system's; the database checks it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection, affected
from services.webhooks.endpoints import DisabledReason, Endpoint

COLUMNS = ", ".join(field.name for field in fields(Endpoint))


async def add(tx: Connection, endpoint: Endpoint) -> None:
    """Insert one."""
    places = ", ".join(f"${number}" for number in range(1, len(fields(Endpoint)) + 1))
    await tx.execute(
        f"INSERT INTO endpoints ({COLUMNS}) VALUES ({places})",  # noqa: S608 - constant names
        *asdict(endpoint).values(),
    )


async def count(tx: Connection, practice_id: UUID) -> int:
    """How many a practice has, which nobody else adds to before the commit."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('endpoints ' || $1::text, 0))",
        str(practice_id),
    )
    found: int = await tx.fetchval(
        "SELECT count(*) FROM endpoints WHERE practice_id = $1", practice_id
    )
    return found


async def every(tx: Connection, practice_id: UUID | None = None) -> list[Endpoint]:
    """Those of a practice, or all, the oldest first."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM endpoints WHERE $1::uuid IS NULL OR practice_id = $1
        ORDER BY practice_id, id
        """,  # noqa: S608 - constant names
        practice_id,
    )
    return [_endpoint(row) for row in rows]


async def practices(tx: Connection, of: Iterable[UUID]) -> set[UUID]:
    """Those of these practices that have any."""
    rows = await tx.fetch(
        "SELECT DISTINCT practice_id FROM endpoints WHERE practice_id = ANY($1::uuid[])", list(of)
    )
    return {row["practice_id"] for row in rows}


async def get(tx: Connection, practice_id: UUID, endpoint_id: UUID) -> Endpoint | None:
    """One of the practice's."""
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM endpoints WHERE practice_id = $1 AND id = $2",  # noqa: S608
        practice_id,
        endpoint_id,
    )
    return None if row is None else _endpoint(row)


async def lock(tx: Connection, practice_id: UUID, endpoint_id: UUID) -> Endpoint | None:
    """One of the practice's, whose queue nobody else touches before the commit."""
    found = await _lock(tx, "practice_id = $1 AND id = $2", practice_id, endpoint_id)
    return found[0] if found else None


async def lock_any(tx: Connection, endpoint_ids: Iterable[UUID]) -> list[Endpoint]:
    """These, of whichever practice, in the order of ids."""
    return await _lock(tx, "id = ANY($1::uuid[])", list(endpoint_ids))


async def lock_of(tx: Connection, practice_ids: Iterable[UUID]) -> list[Endpoint]:
    """All of these practices, in the order of ids."""
    return await _lock(tx, "practice_id = ANY($1::uuid[])", list(practice_ids))


async def change(
    tx: Connection,
    endpoint_id: UUID,
    *,
    url: str,
    description: str,
    event_types: Sequence[str],
) -> None:
    """Set what a practice may change of one that is locked."""
    await tx.execute(
        "UPDATE endpoints SET url = $2, description = $3, event_types = $4 WHERE id = $1",
        endpoint_id,
        url,
        description,
        event_types,
    )


async def enable(tx: Connection, endpoint_id: UUID) -> None:
    """Let one that is locked have events again, as if nothing had ever failed."""
    await tx.execute(
        """
        UPDATE endpoints SET enabled = true, disabled_at = NULL, disabled_reason = NULL,
                             failing_since = NULL
        WHERE id = $1 AND NOT enabled
        """,
        endpoint_id,
    )


async def disable(tx: Connection, endpoint_id: UUID, reason: DisabledReason, now: datetime) -> bool:
    """Let one that is locked have nothing more, what is queued included. False: it was so."""
    done = await tx.execute(
        """
        UPDATE endpoints SET enabled = false, disabled_at = $3, disabled_reason = $2
        WHERE id = $1 AND enabled
        """,
        endpoint_id,
        reason,
        now,
    )
    await tx.execute(
        """
        UPDATE deliveries SET state = 'cancelled', next_try_at = NULL, lease = NULL, ended_at = $2
        WHERE endpoint_id = $1 AND state = 'open'
        """,
        endpoint_id,
        now,
    )
    return affected(done) > 0


async def note_success(tx: Connection, endpoint_id: UUID) -> None:
    """Of one that is locked: it is reached."""
    await tx.execute(
        "UPDATE endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL",
        endpoint_id,
    )


async def note_failure(tx: Connection, endpoint_id: UUID, now: datetime) -> datetime:
    """Of one that is locked: since when it has been failing."""
    since: datetime = await tx.fetchval(
        """
        UPDATE endpoints SET failing_since = coalesce(failing_since, $2) WHERE id = $1
        RETURNING failing_since
        """,
        endpoint_id,
        now,
    )
    return since


async def rotate(tx: Connection, endpoint_id: UUID, secret: bytes, *, old_until: datetime) -> None:
    """Give one that is locked a new secret; the one before signs as well until then."""
    await tx.execute(
        """
        UPDATE endpoints SET secret = $2, old_secret = secret, old_secret_until = $3 WHERE id = $1
        """,
        endpoint_id,
        secret,
        old_until,
    )


async def forget_old_secrets(tx: Connection, now: datetime) -> None:
    """Drop those that sign no more."""
    await tx.execute(
        """
        UPDATE endpoints SET old_secret = NULL, old_secret_until = NULL WHERE old_secret_until < $1
        """,
        now,
    )


async def remove(tx: Connection, practice_id: UUID, endpoint_id: UUID) -> bool:
    """Delete one with its queue and its log; False where there is none."""
    done = await tx.execute(
        "DELETE FROM endpoints WHERE practice_id = $1 AND id = $2", practice_id, endpoint_id
    )
    return affected(done) > 0


async def _lock(tx: Connection, condition: str, *arguments: object) -> list[Endpoint]:
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM endpoints WHERE {condition} ORDER BY id FOR NO KEY UPDATE
        """,  # noqa: S608 - constant names
        *arguments,
    )
    return [_endpoint(row) for row in rows]


def _endpoint(row: Record) -> Endpoint:
    values = dict(row)
    if values["disabled_reason"] is not None:
        values["disabled_reason"] = DisabledReason(values["disabled_reason"])
    return Endpoint(**values)
