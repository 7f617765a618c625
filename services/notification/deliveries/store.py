"""SQL of the notification service. Every function works within the caller's transaction.

Who changes deliveries locks them in the order of their ids; consumers lock the appointments
before, in the order of theirs. Nobody can wait for each other in a circle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import asyncpg

from chassis import outbox
from chassis.database import Connection
from contracts.events import Channel, FailureCategory, FailureReason, Outcome
from services.notification.deliveries.delivery import Delivery, HistoryEntry, State, Transition
from services.notification.letters.letter import LetterKind
from services.notification.letters.store import SealedLetter

SOURCE = "/einladung/notification"
NO_LETTERS: Mapping[UUID, SealedLetter] = MappingProxyType({})

COLUMNS = """
    d.id, d.practice_id, d.appointment_id, d.invitation_id, d.attempt, d.channel, d.message_id,
    d.requested_at, d.starts_at, d.state, d.category, d.reason, d.status_code, d.late,
    d.sequence, d.tries, d.due_at, d.lease, d.handed_over_at, d.gateway, d.gateway_id, d.ask_at,
    d.withdrawn, d.traceparent, d.kind
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """What is known of an appointment; only its deletion when `starts_at` is None."""

    appointment_id: UUID
    practice_id: UUID
    version: int
    starts_at: datetime | None = None
    duration_minutes: int | None = None
    time_zone: str | None = None
    deleted: bool = False
    erased: bool = False


async def merge_appointments(
    tx: Connection, appointments: Sequence[Appointment]
) -> dict[UUID, Appointment]:
    """Lock these appointments, take over what is newer, and return what is known now.

    One entry per appointment. A deletion is never undone, whatever the versions say; of one that
    is erased nothing new is taken over.
    """
    merged = sorted(appointments, key=lambda each: each.appointment_id)
    rows = await tx.fetch(
        """
        INSERT INTO appointments AS known
            (appointment_id, practice_id, version, starts_at, duration_minutes, time_zone, deleted)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::int[],
                             $6::text[], $7::bool[])
        ON CONFLICT (appointment_id) DO UPDATE SET
            version = greatest(known.version, excluded.version),
            starts_at = CASE WHEN known.erased_at IS NOT NULL THEN NULL
                WHEN excluded.version > known.version OR known.starts_at IS NULL
                THEN coalesce(excluded.starts_at, known.starts_at) ELSE known.starts_at END,
            duration_minutes = CASE WHEN known.erased_at IS NOT NULL THEN NULL
                WHEN excluded.version > known.version OR known.starts_at IS NULL
                THEN coalesce(excluded.duration_minutes, known.duration_minutes)
                ELSE known.duration_minutes END,
            time_zone = CASE WHEN known.erased_at IS NOT NULL THEN NULL
                WHEN excluded.version > known.version OR known.starts_at IS NULL
                THEN coalesce(excluded.time_zone, known.time_zone) ELSE known.time_zone END,
            deleted = known.deleted OR excluded.deleted
        RETURNING appointment_id, practice_id, version, starts_at, duration_minutes, time_zone,
                  deleted, erased_at IS NOT NULL AS erased
        """,
        [each.appointment_id for each in merged],
        [each.practice_id for each in merged],
        [each.version for each in merged],
        [each.starts_at for each in merged],
        [each.duration_minutes for each in merged],
        [each.time_zone for each in merged],
        [each.deleted for each in merged],
    )
    return {row["appointment_id"]: Appointment(**dict(row)) for row in rows}


async def lock_deliveries_of(tx: Connection, appointment_ids: Sequence[UUID]) -> list[Delivery]:
    """All deliveries of these appointments, locked."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM deliveries d WHERE d.appointment_id = ANY($1)
        ORDER BY d.id FOR UPDATE
        """,  # noqa: S608
        appointment_ids,
    )
    return [delivery_of(row) for row in rows]


async def lock_deliveries(tx: Connection, ids: Sequence[UUID]) -> dict[UUID, Delivery]:
    """These deliveries, locked."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS} FROM deliveries d WHERE d.id = ANY($1) ORDER BY d.id FOR UPDATE",  # noqa: S608
        ids,
    )
    return {row["id"]: delivery_of(row) for row in rows}


async def save(
    tx: Connection,
    transitions: Sequence[Transition],
    letters: Mapping[UUID, SealedLetter] = NO_LETTERS,
) -> list[Outcome]:
    """Write what has happened, in this order: rows, history, and the events that tell of it.

    `letters` holds the letters of deliveries that are new, by delivery id. Returns the events.
    """
    rows = {each.delivery.id: each.delivery for each in transitions if each.history}
    await _insert(tx, [(row, letters[row.id]) for row in rows.values() if row.id in letters])
    await _update(tx, [row for row in rows.values() if row.id not in letters])
    await _add_history(tx, [entry for each in transitions for entry in each.history])
    told = [(each.delivery, outcome) for each in transitions for outcome in each.outcomes]
    outcomes = [outcome for _, outcome in told]
    traceparents = [delivery.traceparent for delivery, _ in told]
    await outbox.put(tx, outcomes, source=SOURCE, traceparents=traceparents)
    return outcomes


async def _insert(tx: Connection, new: Sequence[tuple[Delivery, SealedLetter]]) -> None:
    """Insert deliveries; the letter is left out where nothing is to be sent."""
    if not new:
        return
    deliveries = [delivery for delivery, _ in new]
    letters = [letter if delivery.due_at is not None else None for delivery, letter in new]
    await tx.execute(
        """
        INSERT INTO deliveries
            (id, practice_id, appointment_id, invitation_id, attempt, channel, message_id,
             requested_at, starts_at, state, category, status_code, sequence, tries, due_at, lease,
             withdrawn, traceparent, letter, sender_name, locale, kind)
        SELECT * FROM unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[],
            $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::text[],
            $13::bigint[], $14::int[], $15::timestamptz[], $16::uuid[], $17::bool[],
            $18::text[], $19::bytea[], $20::text[], $21::text[], $22::text[])
        """,
        [each.id for each in deliveries],
        [each.practice_id for each in deliveries],
        [each.appointment_id for each in deliveries],
        [each.invitation_id for each in deliveries],
        [each.attempt for each in deliveries],
        [each.channel for each in deliveries],
        [each.message_id for each in deliveries],
        [each.requested_at for each in deliveries],
        [each.starts_at for each in deliveries],
        [each.state for each in deliveries],
        [each.category for each in deliveries],
        [each.status_code for each in deliveries],
        [each.sequence for each in deliveries],
        [each.tries for each in deliveries],
        [each.due_at for each in deliveries],
        [each.lease for each in deliveries],
        [each.withdrawn for each in deliveries],
        [each.traceparent for each in deliveries],
        [letter and letter.letter for letter in letters],
        [letter and letter.sender_name for letter in letters],
        [letter and letter.locale for letter in letters],
        [each.kind for each in deliveries],
    )


async def _update(tx: Connection, deliveries: Sequence[Delivery]) -> None:
    """Write locked deliveries back; where nothing is to be sent any more, the letter is erased."""
    if not deliveries:
        return
    await tx.execute(
        """
        UPDATE deliveries d SET
            starts_at = n.starts_at, state = n.state, category = n.category,
            reason = n.reason, status_code = n.status_code, late = n.late,
            sequence = n.sequence, tries = n.tries, due_at = n.due_at, lease = n.lease,
            handed_over_at = n.handed_over_at, receipt_due_at = n.receipt_due_at,
            gateway = n.gateway, gateway_id = n.gateway_id, ask_at = n.ask_at,
            withdrawn = n.withdrawn,
            letter = CASE WHEN n.due_at IS NOT NULL THEN d.letter END,
            sender_name = CASE WHEN n.due_at IS NOT NULL THEN d.sender_name END
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
                    $7::bool[], $8::bigint[], $9::int[], $10::timestamptz[], $11::uuid[],
                    $12::timestamptz[], $13::timestamptz[], $14::text[], $15::text[],
                    $16::timestamptz[], $17::bool[])
            AS n (id, starts_at, state, category, reason, status_code, late, sequence, tries,
                  due_at, lease, handed_over_at, receipt_due_at, gateway, gateway_id, ask_at,
                  withdrawn)
        WHERE d.id = n.id
        """,
        [each.id for each in deliveries],
        [each.starts_at for each in deliveries],
        [each.state for each in deliveries],
        [each.category for each in deliveries],
        [each.reason for each in deliveries],
        [each.status_code for each in deliveries],
        [each.late for each in deliveries],
        [each.sequence for each in deliveries],
        [each.tries for each in deliveries],
        [each.due_at for each in deliveries],
        [each.lease for each in deliveries],
        [each.handed_over_at for each in deliveries],
        [each.receipt_due_at for each in deliveries],
        [each.gateway for each in deliveries],
        [each.gateway_id for each in deliveries],
        [each.ask_at for each in deliveries],
        [each.withdrawn for each in deliveries],
    )


async def _add_history(tx: Connection, entries: Sequence[HistoryEntry]) -> None:
    """Append lines to the history, in this order."""
    if not entries:
        return
    await tx.execute(
        """
        INSERT INTO delivery_history
            (delivery_id, practice_id, at, event, state_before, state_after, smtp_code,
             status_code, reason, receipt_id)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[],
                             $6::text[], $7::int[], $8::text[], $9::text[], $10::uuid[])
        """,
        [each.delivery_id for each in entries],
        [each.practice_id for each in entries],
        [each.at for each in entries],
        [each.event for each in entries],
        [each.before for each in entries],
        [each.after for each in entries],
        [each.reply.code for each in entries],
        [each.reply.status for each in entries],
        [each.reply.reason for each in entries],
        [each.receipt_id for each in entries],
    )


def delivery_of(row: asyncpg.Record) -> Delivery:
    """The delivery in a row with `COLUMNS`."""
    category, reason = row["category"], row["reason"]
    return Delivery(
        id=row["id"],
        practice_id=row["practice_id"],
        appointment_id=row["appointment_id"],
        invitation_id=row["invitation_id"],
        attempt=row["attempt"],
        channel=Channel(row["channel"]),
        message_id=row["message_id"],
        requested_at=row["requested_at"],
        starts_at=row["starts_at"],
        state=State(row["state"]),
        category=None if category is None else FailureCategory(category),
        reason=None if reason is None else FailureReason(reason),
        status_code=row["status_code"],
        late=row["late"],
        sequence=row["sequence"],
        tries=row["tries"],
        due_at=row["due_at"],
        lease=row["lease"],
        handed_over_at=row["handed_over_at"],
        gateway=row["gateway"],
        gateway_id=row["gateway_id"],
        ask_at=row["ask_at"],
        traceparent=row["traceparent"],
        withdrawn=row["withdrawn"],
        kind=LetterKind(row["kind"]),
    )
