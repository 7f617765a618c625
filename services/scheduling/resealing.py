"""Seals contacts anew after a key was added, and tells operations when the older one can go."""

from typing import Any
from uuid import UUID

import structlog

from chassis import sealing
from chassis.database import Connection
from chassis.sealing import NotOpened, Sealer
from services.scheduling import contact_store

log = structlog.get_logger(__name__)

BATCH = 200


async def reseal(tx: Connection, sealer: Sealer) -> bool:
    """Seal a batch that is under older keys; True if there may be more."""
    rows = await tx.fetch(
        """
        SELECT id, practice_id, contact FROM appointments
        WHERE contact IS NOT NULL AND get_byte(contact, 0) = ANY($1::int[])
        ORDER BY id LIMIT $2 FOR UPDATE
        """,
        sealer.older,
        BATCH,
    )
    resealed: list[tuple[UUID, bytes]] = []
    for row in rows:
        try:
            resealed.append((row["id"], contact_store.reseal(sealer, row)))
        except NotOpened:
            log.error("contact can't be opened", appointment_id=str(row["id"]))
    await tx.execute(
        """
        UPDATE appointments a SET contact = new.contact
        FROM unnest($1::uuid[], $2::bytea[]) AS new (id, contact) WHERE a.id = new.id
        """,
        [appointment_id for appointment_id, _ in resealed],
        [contact for _, contact in resealed],
    )
    await _measure(tx, sealer)
    return bool(resealed)


async def _measure(tx: Connection, sealer: Sealer) -> None:
    """Tell operations whether an older key is still needed, and whether one is missing."""
    row: Any = await tx.fetchrow(
        """
        SELECT (SELECT count(*) FROM appointments
                WHERE contact IS NOT NULL AND get_byte(contact, 0) <> $1) AS appointments,
               (SELECT count(*) FROM outbox WHERE sealed AND get_byte(value, 0) <> $1) AS outbox
        """,
        sealer.newest,
    )
    sealing.older.labels(contact_store.COLUMN).set(row["appointments"])
    sealing.older.labels("outbox.value").set(row["outbox"])
