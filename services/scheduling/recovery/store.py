"""SQL of a recovery."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.database import Connection
from contracts.events import NoticeKind
from services.scheduling.audit.entry import Action
from services.scheduling.notices import DueNotice

RAISED = 1000  # more changes than anybody makes of an appointment between two backups


@dataclass(frozen=True, slots=True)
class Present:
    """What an appointment's row says beside its patient, and its last attempt."""

    id: UUID
    practice_id: UUID
    version: int
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    deleted_at: datetime | None
    erased_at: datetime | None
    requested: int | None
    requested_at: datetime | None
    patient_joined_at: datetime | None
    host_joined_at: datetime | None


_PRESENT = """
    SELECT a.id, a.practice_id, a.version, a.starts_at,
        a.starts_at + make_interval(mins => a.duration_minutes) AS ends_at,
        a.created_at, a.deleted_at, a.erased_at, a.patient_joined_at, a.host_joined_at,
        last.attempt AS requested, last.created_at AS requested_at
    FROM appointments a LEFT JOIN LATERAL (
        SELECT attempt, created_at FROM attempts
        WHERE (practice_id, appointment_id) = (a.practice_id, a.id)
        ORDER BY attempt DESC LIMIT 1) AS last ON true
    """


async def page(tx: Connection, after: UUID, limit: int) -> list[Present]:
    """Appointments by id behind this one, locked."""
    rows = await tx.fetch(
        f"{_PRESENT} WHERE a.id > $1 ORDER BY a.id LIMIT $2 FOR UPDATE OF a", after, limit
    )
    return [Present(**row) for row in rows]


async def lock(tx: Connection, appointment_id: UUID) -> dict[str, Any] | None:
    """Numbers, time and state of one, locked."""
    row = await tx.fetchrow(
        """
        SELECT id, practice_id, version, attempt, starts_at, duration_minutes,
            deleted_at IS NOT NULL AS deleted, erased_at IS NOT NULL AS erased
        FROM appointments WHERE id = $1 FOR UPDATE
        """,
        appointment_id,
    )
    return dict(row) if row else None


async def correct(
    tx: Connection,
    appointment_id: UUID,
    *,
    version: int,
    attempt: int,
    starts_at: datetime,
    duration_minutes: int,
) -> None:
    """What the topic knows better."""
    await tx.execute(
        """
        UPDATE appointments SET version = $2, attempt = $3, starts_at = $4, duration_minutes = $5
        WHERE id = $1
        """,
        appointment_id,
        version,
        attempt,
        starts_at,
        duration_minutes,
    )


async def raise_numbers(tx: Connection) -> None:
    """So that no new change gets the number of one that was lost, and is taken for a repeat."""
    await tx.execute(
        "UPDATE appointments SET version = version + $1, attempt = attempt + $1", RAISED
    )


async def requested_notices(
    tx: Connection, ids: Collection[UUID], since: datetime
) -> dict[UUID, list[DueNotice]]:
    """Those requested since then that still hold: of the start that the appointment has."""
    rows = await tx.fetch(
        """
        SELECT n.id, n.practice_id, n.appointment_id, n.kind, n.due_at, n.previous_start
        FROM notices n JOIN appointments a
            ON (a.practice_id, a.id, a.starts_at) = (n.practice_id, n.appointment_id, n.starts_at)
        WHERE n.appointment_id = ANY($1) AND n.done_at >= $2 AND n.attempt IS NOT NULL
        ORDER BY n.due_at
        """,
        ids,
        since,
    )
    found: dict[UUID, list[DueNotice]] = {}
    for row in rows:
        notice = DueNotice(**{**row, "kind": NoticeKind(row["kind"])})
        found.setdefault(notice.appointment_id, []).append(notice)
    return found


async def erased_since(tx: Connection, since: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Practice and appointment of what was erased on request, as the audit log has it."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT practice_id, unnest(appointment_ids) AS id FROM audit_entries
        WHERE action = $1 AND at >= $2
        """,
        Action.ERASED,
        since,
    )
    return [(row["practice_id"], row["id"]) for row in rows]
