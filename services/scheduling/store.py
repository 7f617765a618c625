"""The table of appointments. Every query names the practice; the database checks it too.

The table decides which version of an appointment is the next: whoever changes a row gets the
version back, and makes the event from it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from asyncpg import Record

from chassis.database import ENTERED, Connection
from chassis.sealing import NotOpened, Sealer
from chassis.together import Writer
from contracts.channels import Channel
from contracts.events import References
from services.scheduling import contact_store, practice_store
from services.scheduling.appointments import Appointment, Gone
from services.scheduling.name_search import Named
from services.scheduling.places import ListPlace
from services.scheduling.practice import Practice
from services.scheduling.problems import ReferenceTaken

log = structlog.get_logger(__name__)

NOBODY = UUID(int=0)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
DAY_LIMIT = 1000  # appointments of one practice on one day

_COLUMNS = """id, practice_id, version, starts_at, duration_minutes, channels, locale, consented_at,
    invitation_id, attempt, link_version, created_at, created_by, contact, external_reference,
    patient_reference, practitioner_reference, location_reference, unsent, link_outdated"""
_FIELDS = {each.name for each in fields(Appointment)}
_FOUND = f"{_COLUMNS}, updated_at, deleted_at IS NOT NULL AS cancelled"


@dataclass(frozen=True, slots=True)
class Start:
    """When an appointment is, or was to be: all that is told of it without its patient."""

    appointment_id: UUID
    at: datetime
    deleted: bool


async def add(tx: Writer, sealer: Sealer, appointment: Appointment) -> None:
    """Insert a new appointment; the statement returns `updated_at`, when the database took it."""
    await tx.execute(
        f"""
        INSERT INTO appointments ({_COLUMNS})
        SELECT $2, practice, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
            $18, $19, $20
        FROM {ENTERED} RETURNING updated_at
        """,  # noqa: S608 - constants
        appointment.practice_id,
        appointment.id,
        appointment.version,
        appointment.starts_at,
        appointment.duration_minutes,
        list(appointment.channels),
        appointment.locale,
        appointment.consented_at,
        appointment.invitation_id,
        appointment.attempt,
        appointment.link_version,
        appointment.created_at,
        appointment.created_by,
        contact_store.seal(sealer, appointment),
        *_references(appointment),
        list(appointment.unsent),
        appointment.link_outdated,
    )


async def find(
    tx: Connection, sealer: Sealer, practice_id: UUID, appointment_id: UUID, *, lock: bool = False
) -> Appointment | None:
    """The appointment unless it is deleted or its term is over.

    `lock` serialises the writers of one appointment.
    """
    row = await tx.fetchrow(
        f"""
        SELECT {_FOUND} FROM appointments
        WHERE practice_id = $1 AND id = $2 AND deleted_at IS NULL AND erased_at IS NULL
        {"FOR UPDATE" if lock else ""}
        """,  # noqa: S608 - a constant list of columns
        practice_id,
        appointment_id,
    )
    return _appointment(sealer, row) if row else None


async def lock_held(tx: Connection, practice_id: UUID, appointment_id: UUID) -> int | None:
    """The version of an appointment, deleted or not, unless its term is over; its row is locked."""
    version: int | None = await tx.fetchval(
        """
        SELECT version FROM appointments
        WHERE practice_id = $1 AND id = $2 AND erased_at IS NULL FOR UPDATE
        """,
        practice_id,
        appointment_id,
    )
    return version


async def named(
    tx: Connection, sealer: Sealer, practice_id: UUID, ids: Collection[UUID], now: datetime
) -> Sequence[Appointment]:
    """Those of these appointments that `find` would return, and cancelled ones, by start."""
    rows = await tx.fetch(
        f"""
        SELECT {_FOUND} FROM appointments
        WHERE practice_id = $1 AND id = ANY($2::uuid[])
          AND erased_at IS NULL AND (deleted_at IS NULL OR contact_until > $3)
        ORDER BY starts_at, id
        """,  # noqa: S608 - a constant list of columns
        practice_id,
        ids,
        now,
    )
    return [_appointment(sealer, row) for row in rows]


async def starts(tx: Connection, practice_id: UUID, ids: Collection[UUID]) -> Sequence[Start]:
    """When these appointments are, deleted ones included; not those whose term is over."""
    rows = await tx.fetch(
        """
        SELECT id AS appointment_id, starts_at AS at, deleted_at IS NOT NULL AS deleted
        FROM appointments WHERE practice_id = $1 AND id = ANY($2::uuid[]) AND erased_at IS NULL
        ORDER BY starts_at, id
        """,
        practice_id,
        ids,
    )
    return [Start(**row) for row in rows]


async def find_all(
    tx: Connection, sealer: Sealer, ids: Collection[UUID]
) -> dict[UUID, Appointment]:
    """Those of these appointments that `find` would return, by id, across practices.

    One that can't be opened is left out: the others must not wait for it.
    """
    rows = await tx.fetch(
        f"""
        SELECT {_FOUND} FROM appointments
        WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL AND erased_at IS NULL
        """,  # noqa: S608 - a constant list of columns
        ids,
    )
    found = {row["id"]: _appointment(sealer, row) for row in rows}
    return {each: one for each, one in found.items() if not one.damaged}


async def linked(
    tx: Connection, sealer: Sealer, appointment_id: UUID, link_version: int
) -> tuple[Appointment, Practice] | None:
    """What a patient's link leads to, across practices: the signed link is the permission.

    Once the practice's term is over it leads on, to an appointment without name and addresses.
    """
    row = await tx.fetchrow(
        f"""
        SELECT {_FOUND} FROM appointments
        WHERE id = $1 AND link_version = $2 AND deleted_at IS NULL
        """,  # noqa: S608 - a constant list of columns
        appointment_id,
        link_version,
    )
    # The same statements whether there is something or not: how long it takes tells nobody which.
    owner = await practice_store.find(tx, row["practice_id"] if row else NOBODY)
    return (_appointment(sealer, row), owner) if row and owner else None


async def between(
    tx: Connection, sealer: Sealer, practice_id: UUID, first: datetime, until: datetime
) -> Sequence[Appointment]:
    """Appointments that start in [first, until), by start."""
    rows = await tx.fetch(
        f"""
        SELECT {_FOUND} FROM appointments
        WHERE practice_id = $1 AND starts_at >= $2 AND starts_at < $3
          AND deleted_at IS NULL AND erased_at IS NULL
        ORDER BY starts_at, id LIMIT $4
        """,  # noqa: S608 - a constant list of columns
        practice_id,
        first,
        until,
        DAY_LIMIT,
    )
    return [_appointment(sealer, row) for row in rows]


async def page(
    tx: Connection,
    sealer: Sealer,
    practice_id: UUID,
    first: datetime,
    until: datetime,
    *,
    references: References,
    after: ListPlace | None,
    limit: int,
) -> Sequence[Appointment]:
    """As `between`, behind a place in that list; those that have all of these references."""
    begin = after or ListPlace(first, NOBODY)
    given = [(name, value) for name, value in references if value is not None]
    matches = "".join(f" AND {name} = ${number}" for number, (name, _) in enumerate(given, 7))
    rows = await tx.fetch(
        f"""
        SELECT {_FOUND} FROM appointments
        WHERE practice_id = $1 AND starts_at >= $2 AND starts_at < $3
          AND (starts_at, id) > ($4::timestamptz, $5::uuid)
          AND deleted_at IS NULL AND erased_at IS NULL {matches}
        ORDER BY starts_at, id LIMIT $6
        """,  # noqa: S608 - constant lists of columns
        practice_id,
        first,
        until,
        begin.at,
        begin.appointment_id,
        limit,
        *(value for _, value in given),
    )
    return [_appointment(sealer, row) for row in rows]


async def changes(
    tx: Connection,
    sealer: Sealer,
    practice_id: UUID,
    since: datetime,
    *,
    starting: tuple[datetime, datetime] | None,
    after: ListPlace | None,
    limit: int,
) -> Sequence[Appointment | Gone]:
    """What changed at this moment or later, in the order in which it did, behind a place in it.

    Each appointment comes once, as it now is. `starting`: only those that start within [first,
    until), and of which it is not known any more.
    """
    begin = after or ListPlace(since, NOBODY)
    first, until = starting or (None, None)
    rows = await tx.fetch(
        f"""
        WITH changed AS (
            (SELECT updated_at AS at, id AS of, version AS as_of, erased_at IS NOT NULL AS erased,
                    deleted_at IS NOT NULL OR erased_at IS NOT NULL AS gone
             FROM appointments
             WHERE practice_id = $1 AND updated_at >= $2
               AND (updated_at, id) > ($3::timestamptz, $4::uuid)
               AND ($5::timestamptz IS NULL OR (starts_at >= $5 AND starts_at < $6))
             ORDER BY updated_at, id LIMIT $7)
            UNION ALL
            (SELECT updated_at, appointment_id, version, true, true FROM tombstones
             WHERE practice_id = $1 AND updated_at >= $2
               AND (updated_at, appointment_id) > ($3::timestamptz, $4::uuid)
             ORDER BY updated_at, appointment_id LIMIT $7)
            ORDER BY at, of LIMIT $7)
        SELECT {_FOUND}, changed.* FROM changed LEFT JOIN appointments ON id = of ORDER BY at, of
        """,  # noqa: S608 - a constant list of columns
        practice_id,
        since,
        begin.at,
        begin.appointment_id,
        first,
        until,
        limit,
    )
    return [
        Gone(row["of"], row["as_of"], row["at"], row["erased"])
        if row["gone"]
        else _appointment(sealer, row)
        for row in rows
    ]


async def names(
    tx: Connection,
    sealer: Sealer,
    practice_id: UUID,
    first: datetime,
    until: datetime,
    *,
    before: ListPlace | None,
    limit: int,
) -> Sequence[Named]:
    """The patients' names of appointments in [first, until), the one that starts last first.

    Behind a place in that list.
    """
    begin = before or ListPlace(until, NOBODY)
    rows = await tx.fetch(
        """
        SELECT id, starts_at, contact FROM appointments
        WHERE practice_id = $1 AND starts_at >= $2 AND starts_at < $3
          AND (starts_at, id) < ($4::timestamptz, $5::uuid)
          AND deleted_at IS NULL AND erased_at IS NULL
        ORDER BY starts_at DESC, id DESC LIMIT $6
        """,
        practice_id,
        first,
        until,
        begin.at,
        begin.appointment_id,
        limit,
    )
    return contact_store.names(sealer, practice_id, rows)


async def changed_at(tx: Connection, practice_id: UUID) -> datetime:
    """When the practice's appointments last changed: no change up to then is seen later on."""
    found: datetime | None = await tx.fetchval(
        "SELECT at FROM change_clocks WHERE practice_id = $1", practice_id
    )
    return found or NEVER


async def names_changed(
    tx: Connection, sealer: Sealer, practice_id: UUID, since: datetime, limit: int
) -> tuple[Collection[UUID], Sequence[Named]]:
    """Which appointments changed after this moment, and those of them that have a name still."""
    rows = await tx.fetch(
        """
        (SELECT id, starts_at, CASE WHEN deleted_at IS NULL THEN contact END AS contact
         FROM appointments WHERE practice_id = $1 AND updated_at > $2
         ORDER BY updated_at, id LIMIT $3)
        UNION ALL
        (SELECT appointment_id, NULL, NULL FROM tombstones
         WHERE practice_id = $1 AND updated_at > $2 ORDER BY updated_at, appointment_id LIMIT $3)
        """,
        practice_id,
        since,
        limit,
    )
    kept = [row for row in rows if row["contact"] is not None]
    return {row["id"] for row in rows}, contact_store.names(sealer, practice_id, kept)


async def take_reference(tx: Connection, appointment: Appointment) -> None:
    """Give the appointment its external reference. Raises ReferenceTaken."""
    reference = appointment.references.external_reference
    if reference is None:
        return
    [other] = await lock_references(tx, [(appointment.practice_id, reference)])
    if other is not None and other != appointment.id:
        raise ReferenceTaken(other)


async def lock_references(
    tx: Connection, references: Sequence[tuple[UUID, str]]
) -> list[UUID | None]:
    """Which appointments of practices have these external references, unless they are deleted.

    Whoever is about to give one to another waits here until whoever was before has.
    """
    if not references:
        return []
    await tx.execute(
        """
        SELECT pg_advisory_xact_lock(key) FROM (
            SELECT DISTINCT hashtextextended(each, 0) AS key
            FROM unnest($1::text[]) AS each ORDER BY key) AS keys
        """,
        [f"external_reference {practice_id} {each}" for practice_id, each in references],
    )
    rows = await tx.fetchmany(
        f"""
        SELECT (
            SELECT id FROM appointments
            WHERE practice_id = practice AND external_reference = $2 AND deleted_at IS NULL) AS id
        FROM {ENTERED}
        """,  # noqa: S608 - a constant
        references,
    )
    return [row["id"] for row in rows]


async def next_start(tx: Connection, practice_id: UUID, since: datetime) -> datetime | None:
    """When the first appointment from then on starts."""
    found: datetime | None = await tx.fetchval(
        """
        SELECT starts_at FROM appointments
        WHERE practice_id = $1 AND starts_at >= $2 AND deleted_at IS NULL AND erased_at IS NULL
        ORDER BY starts_at LIMIT 1
        """,
        practice_id,
        since,
    )
    return found


async def update(tx: Connection, sealer: Sealer, appointment: Appointment) -> Appointment:
    """Write what can change of a locked appointment; returns it as its next version."""
    written = await tx.fetchrow(
        """
        UPDATE appointments
        SET version = version + 1, starts_at = $3, duration_minutes = $4, contact = $5,
            channels = $6, attempt = $7, link_version = $8, locale = $9,
            external_reference = $10, patient_reference = $11, practitioner_reference = $12,
            location_reference = $13, unsent = $14, link_outdated = $15
        WHERE practice_id = $1 AND id = $2 RETURNING version, updated_at
        """,
        appointment.practice_id,
        appointment.id,
        appointment.starts_at,
        appointment.duration_minutes,
        contact_store.seal(sealer, appointment),
        list(appointment.channels),
        appointment.attempt,
        appointment.link_version,
        appointment.locale,
        *_references(appointment),
        list(appointment.unsent),
        appointment.link_outdated,
    )
    return replace(appointment, **dict(written or {}))


async def delete(
    tx: Connection,
    practice_id: UUID,
    appointment_id: UUID,
    now: datetime,
    *,
    contact_until: datetime | None = None,
) -> int:
    """Mark a locked appointment as deleted; returns its last version.

    The patient is forgotten, unless somebody may have to call until `contact_until`; and with the
    patient what other systems call them.
    """
    version: int = await tx.fetchval(
        f"""
        UPDATE appointments SET deleted_at = $3, version = version + 1, contact_until = $4,
            {contact_store.forgotten(unless="$4::timestamptz IS NOT NULL")}
        WHERE practice_id = $1 AND id = $2 RETURNING version
        """,  # noqa: S608 - a constant list of columns
        practice_id,
        appointment_id,
        now,
        contact_until,
    )
    return version


def _appointment(sealer: Sealer, row: Record) -> Appointment:
    """The row's appointment. One damaged contact costs a name, not the list that it stands in."""
    values: dict[str, Any] = {name: row[name] for name in _FIELDS if name in row.keys()}  # noqa: SIM118
    values |= contact_store.NOTHING
    try:
        values |= contact_store.read(sealer, row)
    except NotOpened:
        log.error("contact can't be opened", appointment_id=str(row["id"]))
        values["damaged"] = True
    for several in ("channels", "unsent"):
        values[several] = tuple(Channel(name) for name in values[several])
    references = References(**{name: row[name] for name in References.model_fields})
    return Appointment(**values, references=references)


def _references(appointment: Appointment) -> Sequence[str | None]:
    """In the order of the columns."""
    return [getattr(appointment.references, name) for name in References.model_fields]
