"""Idempotency keys: the same request with the same key is carried out once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self
from uuid import UUID

from chassis.database import ENTERED, Connection
from chassis.sealing import Sealer
from services.scheduling import store
from services.scheduling.appointments import Appointment
from services.scheduling.problems import KeyReused, NotFound
from services.scheduling.schemas import Form, Input

KEY_RETENTION = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Claim:
    """A key of a practice's, for a request that makes this appointment."""

    practice_id: UUID
    key: str
    operation: str
    request: Input
    appointment_id: UUID

    @classmethod
    def of_form(
        cls, practice_id: UUID, key: str | None, operation: str, form: Form, appointment_id: UUID
    ) -> Self | None:
        """None without a key; what can't be read whole claims none, since it is refused."""
        if key is None or form.unread:
            return None
        return cls(practice_id, key, operation, form, appointment_id)

    @property
    def content(self) -> bytes:
        """What is carried out once."""
        return f"{self.operation}\0{self.request.model_dump_json(exclude_defaults=True)}".encode()


async def claim_fresh(tx: Connection, sealer: Sealer, claims: Sequence[Claim]) -> set[UUID]:
    """Take those keys that nobody has taken, of several practices; for which appointments.

    No two claims are of one key. Keys are taken in one order, so that nobody waits in a circle.
    """
    if not claims:
        return set()
    rows = await tx.fetchmany(
        f"""
        INSERT INTO idempotency_keys (practice_id, key, fingerprint, appointment_id)
        SELECT practice, $2, $3, $4 FROM {ENTERED} ON CONFLICT DO NOTHING RETURNING appointment_id
        """,  # noqa: S608 - a constant
        [
            (
                each.practice_id,
                each.key,
                sealer.fingerprint(each.content),
                each.appointment_id,
            )
            for each in sorted(claims, key=lambda each: (each.practice_id, each.key))
        ],
    )
    return {row["appointment_id"] for row in rows}


async def claim(tx: Connection, sealer: Sealer, wanted: Claim) -> UUID | None:
    """Take the key for this request; the appointment of the very same one before, if any.

    A request with the same key that is still running is waited for. Of the request a fingerprint
    alone is stored. Raises KeyReused; NotFound where that appointment is erased since.
    """
    content = wanted.content
    while True:
        taken = await tx.fetchval(
            """
            INSERT INTO idempotency_keys (practice_id, key, fingerprint, appointment_id)
            VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING true
            """,
            wanted.practice_id,
            wanted.key,
            sealer.fingerprint(content),
            wanted.appointment_id,
        )
        if taken:
            return None
        earlier = await tx.fetchrow(
            """
            SELECT fingerprint, appointment_id FROM idempotency_keys
            WHERE practice_id = $1 AND key = $2
            """,
            wanted.practice_id,
            wanted.key,
        )
        if earlier is None:  # purged between the two statements
            continue
        if earlier["fingerprint"] is None:
            raise NotFound
        if earlier["fingerprint"] not in sealer.fingerprints(content):
            raise KeyReused
        found: UUID = earlier["appointment_id"]
        return found


async def carried_out(tx: Connection, sealer: Sealer, wanted: Claim | None) -> Appointment | None:
    """The appointment as it now is, if this very request was carried out before; else as `claim`.

    Raises as `claim` does.
    """
    if wanted is None:
        return None
    earlier = await claim(tx, sealer, wanted)
    if earlier is None:
        return None
    found = await store.find(tx, sealer, wanted.practice_id, earlier)
    if found is None:
        raise NotFound
    return found
