"""Idempotency keys: the same request with the same key is carried out once."""

from datetime import timedelta
from uuid import UUID

from chassis.database import Connection
from chassis.sealing import Sealer
from services.scheduling.problems import KeyReused, NotFound
from services.scheduling.schemas import Input

KEY_RETENTION = timedelta(days=7)


async def claim(
    tx: Connection,
    sealer: Sealer,
    practice_id: UUID,
    *,
    key: str,
    operation: str,
    request: Input,
    appointment_id: UUID,
) -> UUID | None:
    """Take the key for this request; the appointment of the very same one before, if any.

    A request with the same key that is still running is waited for. Of the request a fingerprint
    alone is stored. Raises KeyReused; NotFound where that appointment is erased since.
    """
    content = f"{operation}\0{request.model_dump_json(exclude_defaults=True)}".encode()
    while True:
        taken = await tx.fetchval(
            """
            INSERT INTO idempotency_keys (practice_id, key, fingerprint, appointment_id)
            VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING true
            """,
            practice_id,
            key,
            sealer.fingerprint(content),
            appointment_id,
        )
        if taken:
            return None
        earlier = await tx.fetchrow(
            """
            SELECT fingerprint, appointment_id FROM idempotency_keys
            WHERE practice_id = $1 AND key = $2
            """,
            practice_id,
            key,
        )
        if earlier is None:  # purged between the two statements
            continue
        if earlier["fingerprint"] is None:
            raise NotFound
        if earlier["fingerprint"] not in sealer.fingerprints(content):
            raise KeyReused
        found: UUID = earlier["appointment_id"]
        return found
