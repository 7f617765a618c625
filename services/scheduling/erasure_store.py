"""SQL of forgetting: what the term or a request makes due. In batches, across practices."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.database import Connection, affected
from contracts.terms import LINK_DEAD_AFTER, TOMBSTONE_TERM, UNTOLD_RETENTION
from contracts.topics import REQUESTED
from services.scheduling import contact_store

BATCH = 200
_FORGOTTEN = f"contact_until = NULL, {contact_store.forgotten()}"


@dataclass(frozen=True, slots=True)
class Held:
    """An appointment of which something is held, its row locked."""

    id: UUID
    practice_id: UUID
    version: int
    deleted: bool


async def lock_due(tx: Connection, now: datetime) -> list[Held]:
    """Appointments whose practice's term is over, deleted ones too."""
    rows = await tx.fetch(
        """
        SELECT held.* FROM practices p CROSS JOIN LATERAL (
            SELECT id, practice_id, version, deleted_at IS NOT NULL AS deleted FROM appointments
            WHERE practice_id = p.id AND erased_at IS NULL
              AND starts_at <= $1::timestamptz - make_interval(days => p.retention_days)
              AND starts_at + make_interval(mins => duration_minutes)
                  <= $1::timestamptz - make_interval(days => p.retention_days)
            ORDER BY starts_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ) AS held LIMIT $2
        """,
        now,
        BATCH,
    )
    return [Held(**row) for row in rows]


async def lock(tx: Connection, practice_id: UUID, appointment_id: UUID) -> Held | None:
    """An appointment of which something is still held, deleted or not."""
    row = await tx.fetchrow(
        """
        SELECT id, practice_id, version, deleted_at IS NOT NULL AS deleted FROM appointments
        WHERE practice_id = $1 AND id = $2 FOR UPDATE
        """,
        practice_id,
        appointment_id,
    )
    return Held(**row) if row else None


async def forget(tx: Connection, held: Sequence[Held]) -> None:
    """Delete everything about these appointments but their rows, requests on their way included.

    What is known of an address goes too, unless another appointment goes to the same; that
    something of these arrived there is forgotten even so. That it was
    written to stays counted for the day, or erasing would make room for more; and the keys of
    requests stay taken, or the same request again would be carried out again.
    """
    keys = [each.practice_id for each in held], [each.id for each in held]
    await tx.execute(
        """
        DELETE FROM address_verdicts v
        USING attempts a JOIN unnest($1::uuid[], $2::uuid[]) AS gone (practice_id, appointment_id)
            USING (practice_id, appointment_id)
        WHERE v.practice_id = a.practice_id AND v.address_fingerprint = a.address_fingerprint
          AND NOT EXISTS (
            SELECT FROM attempts other
            WHERE other.practice_id = v.practice_id
              AND other.address_fingerprint = v.address_fingerprint
              AND other.appointment_id <> ALL ($2::uuid[]))
        """,
        *keys,
    )
    await tx.execute(
        """
        UPDATE address_verdicts v SET arrived_at = NULL, arrived_of = NULL
        FROM attempts a JOIN unnest($1::uuid[], $2::uuid[]) AS gone (practice_id, appointment_id)
            USING (practice_id, appointment_id)
        WHERE v.practice_id = a.practice_id AND v.address_fingerprint = a.address_fingerprint
          AND v.arrived_of = a.appointment_id
        """,
        *keys,
    )
    await tx.execute(
        """
        UPDATE idempotency_keys k SET fingerprint = NULL, appointment_id = NULL
        FROM unnest($1::uuid[], $2::uuid[]) AS gone (practice_id, appointment_id)
        WHERE (k.practice_id, k.appointment_id) = (gone.practice_id, gone.appointment_id)
        """,
        *keys,
    )
    for table in ("attempts", "notices"):
        await tx.execute(
            f"""
            DELETE FROM {table} t
            USING unnest($1::uuid[], $2::uuid[]) AS gone (practice_id, appointment_id)
            WHERE (t.practice_id, t.appointment_id) = (gone.practice_id, gone.appointment_id)
            """,  # noqa: S608 - constant names
            *keys,
        )
    await tx.execute(
        """
        UPDATE messages m SET appointment_id = NULL
        FROM unnest($1::uuid[], $2::uuid[]) AS gone (practice_id, appointment_id)
        WHERE (m.practice_id, m.appointment_id) = (gone.practice_id, gone.appointment_id)
        """,
        *keys,
    )
    await tx.execute(
        "DELETE FROM outbox WHERE topic = $1 AND key = ANY($2::text[])",
        REQUESTED.name,
        [str(each.id) for each in held],
    )


async def clear(tx: Connection, held: Sequence[Held], now: datetime) -> list[Held]:
    """Leave bare rows, which the links still lead to; returns them as their last version.

    Practice by practice, in the order of their ids: of two who do so neither waits for the other's
    change_clocks and keeps its own.
    """
    of_practice = defaultdict[UUID, list[UUID]](list)
    for each in held:
        of_practice[each.practice_id].append(each.id)
    cleared: list[Held] = []
    for practice_id, ids in sorted(of_practice.items()):
        rows = await tx.fetch(
            f"""
            UPDATE appointments SET erased_at = $3, version = version + 1, {_FORGOTTEN}
            WHERE practice_id = $1 AND id = ANY($2)
            RETURNING id, practice_id, version, deleted_at IS NOT NULL AS deleted
            """,  # noqa: S608 - a constant list of columns
            practice_id,
            ids,
            now,
        )
        cleared += [Held(**row) for row in rows]
    return cleared


async def forget_cancelled(tx: Connection, now: datetime) -> bool:
    """Forget whom nobody has to call any more; True if there may be more."""
    done = await tx.execute(
        f"""
        UPDATE appointments SET {_FORGOTTEN}
        WHERE id IN (
            SELECT id FROM appointments WHERE contact_until <= $1
            ORDER BY contact_until LIMIT $2 FOR UPDATE SKIP LOCKED)
        """,  # noqa: S608 - a constant list of columns
        now,
        BATCH,
    )
    return affected(done) >= BATCH


async def remove(tx: Connection, held: Held) -> None:
    """Delete the row as well: the link is dead, and a tombstone is left."""
    await tx.execute(
        _entombed("practice_id = $3 AND id = $4"),
        TOMBSTONE_TERM,
        UNTOLD_RETENTION,
        held.practice_id,
        held.id,
    )


async def remove_dead(tx: Connection, now: datetime) -> bool:
    """Delete a batch of bare rows whose links are dead; True if there may be more."""
    gone: int = await tx.fetchval(
        _entombed(
            """
            id = ANY (ARRAY(
                SELECT id FROM appointments
                WHERE erased_at IS NOT NULL AND deleted_at IS NOT NULL
                LIMIT $5 FOR UPDATE SKIP LOCKED
            ) || ARRAY(
                SELECT id FROM appointments
                WHERE erased_at IS NOT NULL AND deleted_at IS NULL
                  AND starts_at <= $3::timestamptz - $4::interval
                  AND starts_at + make_interval(mins => duration_minutes)
                      <= $3::timestamptz - $4::interval
                ORDER BY starts_at LIMIT $5 FOR UPDATE SKIP LOCKED))
            """
        ),
        TOMBSTONE_TERM,
        UNTOLD_RETENTION,
        now,
        LINK_DEAD_AFTER,
        BATCH,
    )
    return gone >= BATCH


def _entombed(which: str) -> str:
    """SQL that deletes these rows and leaves tombstones; how many it deleted."""
    return f"""
        WITH gone AS (DELETE FROM appointments WHERE {which} RETURNING *), left_over AS (
            INSERT INTO tombstones
            SELECT practice_id, id, version, updated_at, least(updated_at + $1::interval,
                starts_at + make_interval(mins => duration_minutes) + $2::interval)
            FROM gone)
        SELECT count(*) FROM gone
        """  # noqa: S608 - conditions of the program's own
