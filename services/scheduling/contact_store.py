"""The patient's name and addresses as they are stored: sealed together, one value a row."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic_core import from_json

from chassis.resealing import Place
from chassis.sealing import AssociatedData, NotOpened, Sealer
from contracts.events import References
from services.scheduling.appointments import Appointment
from services.scheduling.name_search import Named, folded

COLUMN = "appointments.contact"
NOTHING: Mapping[str, Any] = {"patient_name": "", "email": None, "phone": None}
# The patient, and with them what other systems call them: the one is never without the other.
_FORGOTTEN = ("contact", *References.model_fields)


def forgotten(*, unless: str = "false") -> str:
    """SQL for SET: forgets the patient, unless this condition holds."""
    return ", ".join(f"{column} = CASE WHEN {unless} THEN {column} END" for column in _FORGOTTEN)


def seal(sealer: Sealer, appointment: Appointment) -> bytes:
    """What to store of the appointment's patient."""
    contact = {
        "patient_name": appointment.patient_name,
        "email": appointment.email,
        "phone": appointment.phone,
    }
    bound_to = _associated_data(appointment.practice_id, appointment.id)
    return sealer.seal(json.dumps(contact).encode(), bound_to)


def read(sealer: Sealer, row: Record) -> dict[str, Any]:
    """The patient's name and addresses; empty where nothing is known any more. Raises NotOpened."""
    if row["contact"] is None:
        return dict(NOTHING)
    opened = sealer.open(row["contact"], _associated_data(row["practice_id"], row["id"]))
    contact: dict[str, Any] = json.loads(opened)
    return contact


def names(sealer: Sealer, practice_id: UUID, rows: Iterable[Record]) -> list[Named]:
    """The names, folded, of rows of id, start and contact. What can't be opened has none."""
    practice = str(practice_id)
    named: list[Named] = []
    for appointment_id, starts_at, contact in rows:
        try:
            opened = sealer.open(contact, (COLUMN, practice, appointment_id))
        except NotOpened:
            named.append(("", starts_at, appointment_id))
        else:
            # Not in the parser's cache, which would keep names and addresses for good.
            name = folded(from_json(opened, cache_strings="keys")["patient_name"])
            named.append((name, starts_at, appointment_id))
    return named


def _associated_data(practice_id: UUID, appointment_id: UUID) -> AssociatedData:
    return (COLUMN, practice_id, appointment_id)


CONTACTS = Place(
    table="appointments",
    column="contact",
    where="contact_key IS NOT NULL",
    key="contact_key",
    bound_to=lambda row: _associated_data(row["practice_id"], row["id"]),
)
