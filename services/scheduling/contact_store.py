"""The patient's name and addresses as they are stored: one sealed value for each appointment."""

import json
from typing import Any, TypedDict
from uuid import UUID

import structlog
from asyncpg import Record

from chassis import sealing
from chassis.database import Connection
from chassis.sealing import AssociatedData, NotOpened, Sealer
from services.scheduling.appointments import Appointment

log = structlog.get_logger(__name__)

COLUMN = "appointments.contact"
RESEALED_AT_ONCE = 200


class Contact(TypedDict):
    """What is sealed."""

    patient_name: str
    email: str | None
    phone: str | None


def seal(sealer: Sealer, appointment: Appointment) -> bytes:
    """What to store of the appointment's patient."""
    contact = Contact(
        patient_name=appointment.patient_name, email=appointment.email, phone=appointment.phone
    )
    return _seal(sealer, contact, _place(appointment.practice_id, appointment.id))


def read(sealer: Sealer, row: Record) -> Contact:
    """The contact in a row, sealed or still open. Raises NotOpened."""
    if row["contact"] is None:
        return Contact(
            patient_name=row["patient_name"] or "", email=row["email"], phone=row["phone"]
        )
    opened = sealer.open(row["contact"], _place(row["practice_id"], row["id"]))
    contact: Contact = json.loads(opened)
    return contact


async def reseal(tx: Connection, sealer: Sealer) -> bool:
    """Seal a batch that is open or under older keys; True if there may be more."""
    rows = await tx.fetch(
        """
        SELECT id, practice_id, contact, patient_name, email, phone FROM appointments
        WHERE patient_name IS NOT NULL
           OR (contact IS NOT NULL AND get_byte(contact, 0) = ANY($1::int[]))
        ORDER BY id LIMIT $2 FOR UPDATE
        """,
        sealer.older,
        RESEALED_AT_ONCE,
    )
    resealed: list[tuple[UUID, bytes]] = []
    for row in rows:
        try:
            place = _place(row["practice_id"], row["id"])
            resealed.append((row["id"], _seal(sealer, read(sealer, row), place)))
        except NotOpened:
            log.error("contact can't be opened", appointment_id=str(row["id"]))
    await tx.execute(
        """
        UPDATE appointments a
        SET contact = n.contact, patient_name = NULL, email = NULL, phone = NULL
        FROM unnest($1::uuid[], $2::bytea[]) AS n (id, contact) WHERE a.id = n.id
        """,
        [each for each, _ in resealed],
        [contact for _, contact in resealed],
    )
    await _measure(tx, sealer)
    return bool(resealed)


async def _measure(tx: Connection, sealer: Sealer) -> None:
    """Tell operations whether an older key is still needed, and whether one is missing."""
    row: Any = await tx.fetchrow(
        """
        SELECT (SELECT count(*) FROM appointments WHERE patient_name IS NOT NULL
                   OR (contact IS NOT NULL AND get_byte(contact, 0) <> $1)) AS appointments,
               (SELECT count(*) FROM outbox WHERE sealed AND get_byte(value, 0) <> $1) AS outbox
        """,
        sealer.newest,
    )
    sealing.older.labels(COLUMN).set(row["appointments"])
    sealing.older.labels("outbox.value").set(row["outbox"])


def _seal(sealer: Sealer, contact: Contact, place: AssociatedData) -> bytes:
    return sealer.seal(json.dumps(contact).encode(), place)


def _place(practice_id: UUID, appointment_id: UUID) -> AssociatedData:
    return (COLUMN, practice_id, appointment_id)
