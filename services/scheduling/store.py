"""The scheduling service's tables. Every query names the practice; the database checks it too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from chassis.database import Connection
from chassis.sealing import Sealer
from contracts.events import Channel
from services.scheduling import contact_store, practice_store
from services.scheduling.addresses import Verdict, fingerprint, fingerprints
from services.scheduling.appointments import Appointment
from services.scheduling.practice import Practice

KEYS_KEPT = timedelta(days=7)
ATTEMPTS_KEPT = timedelta(days=90)
# Within three months of the appointment's end, even if told by a bounce that came a week after it.
VERDICTS_KEPT = timedelta(days=80)
PURGED_AT_ONCE = 5_000
NOBODY = UUID(int=0)
DAY_LIMIT = 1000  # appointments of one practice on one day

_PLAIN = """id, practice_id, version, starts_at, duration_minutes, channels, locale, consented_at,
    invitation_id, attempt, link_version, created_at, created_by"""
_COLUMNS = f"{_PLAIN}, contact, patient_name, email, phone"


async def add(tx: Connection, sealer: Sealer, appointment: Appointment) -> None:
    """Insert a new appointment."""
    await tx.execute(
        f"""
        INSERT INTO appointments ({_PLAIN}, contact)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,  # noqa: S608 - a constant list of columns
        appointment.id,
        appointment.practice_id,
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
    )


async def get(
    tx: Connection, sealer: Sealer, practice_id: UUID, appointment_id: UUID, *, lock: bool = False
) -> Appointment | None:
    """The appointment unless it is deleted or its term is over.

    `lock` serialises the writers of one appointment.
    """
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM appointments
        WHERE practice_id = $1 AND id = $2 AND deleted_at IS NULL AND erased_at IS NULL
        {"FOR UPDATE" if lock else ""}
        """,  # noqa: S608 - a constant list of columns
        practice_id,
        appointment_id,
    )
    return _appointment(sealer, row) if row else None


async def linked(
    tx: Connection, sealer: Sealer, appointment_id: UUID, link_version: int
) -> tuple[Appointment, Practice] | None:
    """What a patient's link leads to, across practices: the signed link is the permission.

    Once the practice's term is over it leads on, to an appointment without name and addresses.
    """
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM appointments
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
        SELECT {_COLUMNS} FROM appointments
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


async def update(tx: Connection, sealer: Sealer, appointment: Appointment) -> None:
    """Write what can change of a locked appointment."""
    await tx.execute(
        """
        UPDATE appointments
        SET version = $3, starts_at = $4, duration_minutes = $5, contact = $6,
            patient_name = NULL, email = NULL, phone = NULL,
            channels = $7, attempt = $8, link_version = $9
        WHERE practice_id = $1 AND id = $2
        """,
        appointment.practice_id,
        appointment.id,
        appointment.version,
        appointment.starts_at,
        appointment.duration_minutes,
        contact_store.seal(sealer, appointment),
        list(appointment.channels),
        appointment.attempt,
        appointment.link_version,
    )


async def delete(tx: Connection, appointment: Appointment, now: datetime) -> None:
    """Mark as deleted and forget the patient."""
    await tx.execute(
        """
        UPDATE appointments
        SET deleted_at = $3, version = version + 1,
            contact = NULL, patient_name = NULL, email = NULL, phone = NULL
        WHERE practice_id = $1 AND id = $2
        """,
        appointment.practice_id,
        appointment.id,
        now,
    )


async def note_attempt(tx: Connection, sealer: Sealer, appointment: Appointment) -> None:
    """Remember, as fingerprints, where the present attempt goes."""
    addressed = [
        (channel, fingerprint(sealer, appointment.practice_id, channel, address))
        for channel in appointment.channels
        if (address := appointment.address(channel)) is not None
    ]
    await tx.execute(
        """
        INSERT INTO attempts (practice_id, appointment_id, attempt, channel, address_fingerprint)
        SELECT $1, $2, $3, * FROM unnest($4::text[], $5::bytea[])
        """,
        appointment.practice_id,
        appointment.id,
        appointment.attempt,
        [channel for channel, _ in addressed],
        [known for _, known in addressed],
    )


async def note_verdicts(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    """Keep what the newest outcome says of each address; older ones change nothing."""
    if not verdicts:
        return
    await tx.execute(
        """
        INSERT INTO address_verdicts AS known (practice_id, address_fingerprint, dead, at)
        SELECT DISTINCT ON (practice_id, address_fingerprint)
               practice_id, address_fingerprint, dead, at
        FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bool[], $6::timestamptz[])
            AS told (practice_id, appointment_id, attempt, channel, dead, at)
        JOIN attempts USING (practice_id, appointment_id, attempt, channel)
        ORDER BY practice_id, address_fingerprint, at DESC, dead DESC
        ON CONFLICT (practice_id, address_fingerprint) DO UPDATE
            SET dead = excluded.dead, at = excluded.at WHERE excluded.at >= known.at
        """,
        [each.practice_id for each in verdicts],
        [each.appointment_id for each in verdicts],
        [each.attempt for each in verdicts],
        [each.channel for each in verdicts],
        [each.dead for each in verdicts],
        [each.at for each in verdicts],
    )


async def is_dead(
    tx: Connection, sealer: Sealer, practice_id: UUID, channel: Channel, address: str
) -> bool:
    """Whether the newest outcome at this address was a bounce for good."""
    found = await tx.fetchval(
        """
        SELECT dead FROM address_verdicts
        WHERE practice_id = $1 AND address_fingerprint = ANY($2::bytea[])
        ORDER BY at DESC, dead DESC LIMIT 1
        """,
        practice_id,
        fingerprints(sealer, practice_id, channel, address),
    )
    return bool(found)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has an idempotency key, and for what."""

    new: bool
    fingerprint: bytes
    appointment_id: UUID


async def claim_key(
    tx: Connection, practice_id: UUID, key: str, fingerprint: bytes, appointment_id: UUID
) -> Claim:
    """Take an idempotency key, or learn what it was taken for.

    A request with the same key that is still running is waited for.
    """
    taken = await tx.execute(
        """
        INSERT INTO idempotency_keys (practice_id, key, fingerprint, appointment_id)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
        """,
        practice_id,
        key,
        fingerprint,
        appointment_id,
    )
    if taken == "INSERT 0 1":
        return Claim(True, fingerprint, appointment_id)
    row = await tx.fetchrow(
        """
        SELECT fingerprint, appointment_id FROM idempotency_keys
        WHERE practice_id = $1 AND key = $2
        """,
        practice_id,
        key,
    )
    if row is None:  # purged between the two statements
        return await claim_key(tx, practice_id, key, fingerprint, appointment_id)
    return Claim(False, row["fingerprint"], row["appointment_id"])


async def purge(tx: Connection) -> bool:
    """Forget a batch of what has had its time, of every practice; True if there may be more."""
    more = False
    for table, age, kept in (
        ("idempotency_keys", "created_at", KEYS_KEPT),
        ("attempts", "created_at", ATTEMPTS_KEPT),
        ("address_verdicts", "at", VERDICTS_KEPT),
    ):
        done = await tx.execute(
            f"""
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {table} WHERE {age} < now() - $1::interval
                ORDER BY {age} LIMIT $2))
            """,  # noqa: S608 - constant names
            kept,
            PURGED_AT_ONCE,
        )
        more |= int(done.rpartition(" ")[2]) >= PURGED_AT_ONCE
    return more


def _appointment(sealer: Sealer, row: Record) -> Appointment:
    values: dict[str, Any] = {**row, **contact_store.read(sealer, row)}
    del values["contact"]
    values["channels"] = tuple(Channel(name) for name in values["channels"])
    return Appointment(**values)
