"""SQL of deliveries and of what is known of appointments, within the caller's transaction.

Lock order, so that there is no deadlock: who changes deliveries locks them in the order of their
ids; consumers lock the appointments before, in the order of theirs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg

from chassis import columns, outbox
from chassis.database import Connection
from chassis.together import Writer, together
from contracts.channels import Channel
from contracts.events import DeliveryOutcome, FailureCategory, FailureReason
from services.notification.deliveries.appointments import KnownAppointment, merge
from services.notification.deliveries.delivery import Delivery, HistoryEntry, State, Transition
from services.notification.letters.letter import LetterKind
from services.notification.letters.store import SealedLetter

SOURCE = "/einladung/notification"
NO_LETTERS: Mapping[UUID, SealedLetter] = MappingProxyType({})

APPOINTMENT: columns.Columns = {
    "appointment_id": "uuid",
    "practice_id": "uuid",
    "version": "bigint",
    "starts_at": "timestamptz",
    "duration_minutes": "integer",
    "time_zone": "text",
    "deleted": "boolean",
}
DELIVERY: columns.Columns = {
    "id": "uuid",
    "practice_id": "uuid",
    "appointment_id": "uuid",
    "invitation_id": "uuid",
    "attempt": "bigint",
    "channel": "text",
    "kind": "text",
    "message_id": "text",
    "requested_at": "timestamptz",
    "requested_version": "bigint",
    "starts_at": "timestamptz",
    "named_start": "timestamptz",
    "recipient": "bytea",
    "state": "text",
    "category": "text",
    "reason": "text",
    "status_code": "text",
    "late": "boolean",
    "disputed": "boolean",
    "sequence": "bigint",
    "tries": "integer",
    "unanswered": "integer",
    "due_at": "timestamptz",
    "held_until": "timestamptz",
    "lease": "uuid",
    "handed_over_at": "timestamptz",
    "receipt_due_at": "timestamptz",
    "gateway": "text",
    "gateway_id": "text",
    "ask_at": "timestamptz",
    "organizer": "uuid",
    "asks_for_answer": "boolean",
    "link_version": "bigint",
    "withdrawn": "boolean",
    "traceparent": "text",
}
LETTER: columns.Columns = {"letter": "bytea", "sender_name": "text", "locale": "text"}
HISTORY: columns.Columns = {
    "delivery_id": "uuid",
    "practice_id": "uuid",
    "at": "timestamptz",
    "event": "text",
    "state_before": "text",
    "state_after": "text",
    "smtp_code": "integer",
    "status_code": "text",
    "reason": "text",
    "receipt_id": "uuid",
}
_DERIVED = {"receipt_due_at"}  # stored to be searched by
_ENUMS = {
    "channel": Channel,
    "kind": LetterKind,
    "state": State,
    "category": FailureCategory,
    "reason": FailureReason,
}

# The update locks the row and changes nothing: what wins is decided by `merge`.
_LOCK_APPOINTMENTS = columns.insert(
    "appointments AS known",
    APPOINTMENT,
    "ON CONFLICT (appointment_id) DO UPDATE SET version = known.version RETURNING known.*",
)
_CHANGE_APPOINTMENTS = columns.update("appointments", APPOINTMENT, key="appointment_id")
_DELIVERIES_OF = columns.select(
    "deliveries", DELIVERY, "WHERE appointment_id = ANY($1) ORDER BY id"
)
_DELIVERIES = columns.select("deliveries", DELIVERY, "WHERE id = ANY($1) ORDER BY id FOR UPDATE")
_INSERT = columns.insert("deliveries", {**DELIVERY, **LETTER})
# Where nothing is to be sent any more, the letter is erased.
_UPDATE = columns.update(
    "deliveries",
    DELIVERY,
    also="letter = CASE WHEN new.due_at IS NOT NULL THEN old.letter END, "
    "sender_name = CASE WHEN new.due_at IS NOT NULL THEN old.sender_name END",
)
_ADD_HISTORY = columns.insert("delivery_history", HISTORY)


async def merge_appointments(
    tx: Connection, news: Sequence[KnownAppointment]
) -> dict[UUID, KnownAppointment]:
    """Lock these appointments, take their news over, and return what is known now, by id."""
    news_of: dict[UUID, list[KnownAppointment]] = defaultdict(list)
    for each in sorted(news, key=lambda each: each.appointment_id):
        news_of[each.appointment_id].append(each)
    unknown = [_appointment_row(first) for first, *_ in news_of.values()]
    rows = await tx.fetch(_LOCK_APPOINTMENTS, *columns.arrays(APPOINTMENT, unknown))
    known = [_appointment_of(row) for row in rows]
    merged = [reduce(merge, news_of[each.appointment_id], each) for each in known]
    changed = [after for before, after in zip(known, merged, strict=True) if after != before]
    if changed:
        changes = columns.arrays(APPOINTMENT, map(_appointment_row, changed))
        await tx.execute(_CHANGE_APPOINTMENTS, *changes)
    return {each.appointment_id: each for each in merged}


async def lock_deliveries_of(tx: Connection, appointment_ids: Sequence[UUID]) -> list[Delivery]:
    """All deliveries of these appointments, locked."""
    return [
        delivery_of(row) for row in await tx.fetch(f"{_DELIVERIES_OF} FOR UPDATE", appointment_ids)
    ]


async def deliveries_of(tx: Connection, appointment_ids: Sequence[UUID]) -> list[Delivery]:
    """All deliveries of these appointments as they are now, not locked."""
    return [delivery_of(row) for row in await tx.fetch(_DELIVERIES_OF, appointment_ids)]


async def lock_deliveries(tx: Connection, ids: Sequence[UUID]) -> dict[UUID, Delivery]:
    """These deliveries, locked."""
    return {row["id"]: delivery_of(row) for row in await tx.fetch(_DELIVERIES, ids)}


async def save(
    tx: Connection,
    transitions: Sequence[Transition],
    letters: Mapping[UUID, SealedLetter] = NO_LETTERS,
) -> list[DeliveryOutcome]:
    """Write what has happened: rows, history, and the outcomes for the outbox.

    `letters` holds the letters of deliveries that are new, by delivery id. Returns the outcomes.
    """
    rows = {each.delivery.id: each.delivery for each in transitions if each.history}
    await _insert(tx, [(row, letters[row.id]) for row in rows.values() if row.id in letters])
    published = [(each.delivery, outcome) for each in transitions for outcome in each.outcomes]
    outcomes = [outcome for _, outcome in published]
    traceparents = [delivery.traceparent for delivery, _ in published]
    async with together(tx) as all_at_once:
        await _update(all_at_once, [row for row in rows.values() if row.id not in letters])
        await _add_history(all_at_once, [entry for each in transitions for entry in each.history])
        await outbox.put(all_at_once, outcomes, source=SOURCE, traceparents=traceparents)
    return outcomes


def delivery_of(row: asyncpg.Record) -> Delivery:
    """The delivery in a row with the columns of `DELIVERY`."""
    stored = {name: row[name] for name in DELIVERY if name not in _DERIVED}
    return Delivery(**stored | {name: _maybe(enum, row[name]) for name, enum in _ENUMS.items()})


async def _insert(tx: Connection, new: Sequence[tuple[Delivery, SealedLetter]]) -> None:
    """Insert deliveries; the letter is left out where nothing is to be sent."""
    if not new:
        return
    rows = [
        _delivery_row(delivery)
        | {name: getattr(letter, name) if delivery.due_at is not None else None for name in LETTER}
        for delivery, letter in new
    ]
    await tx.execute(_INSERT, *columns.arrays({**DELIVERY, **LETTER}, rows))


async def _update(tx: Writer, deliveries: Sequence[Delivery]) -> None:
    """Write locked deliveries back."""
    if deliveries:
        await tx.execute(_UPDATE, *columns.arrays(DELIVERY, map(_delivery_row, deliveries)))


async def _add_history(tx: Writer, entries: Sequence[HistoryEntry]) -> None:
    """Append lines to the history, in this order."""
    rows = [
        {
            "delivery_id": each.delivery_id,
            "practice_id": each.practice_id,
            "at": each.at,
            "event": each.event,
            "state_before": each.before,
            "state_after": each.after,
            "smtp_code": each.reply.code,
            "status_code": each.reply.status,
            "reason": each.reply.reason,
            "receipt_id": each.receipt_id,
        }
        for each in entries
    ]
    if rows:
        await tx.execute(_ADD_HISTORY, *columns.arrays(HISTORY, rows))


def _delivery_row(delivery: Delivery) -> dict[str, Any]:
    return {name: getattr(delivery, name) for name in DELIVERY}


def _appointment_row(appointment: KnownAppointment) -> dict[str, Any]:
    return {name: getattr(appointment, name) for name in APPOINTMENT}


def _appointment_of(row: asyncpg.Record) -> KnownAppointment:
    stored = {name: row[name] for name in APPOINTMENT}
    return KnownAppointment(**stored, erased=row["erased_at"] is not None)


def _maybe(enum: type[Any], value: str | None) -> Any:
    return None if value is None else enum(value)
