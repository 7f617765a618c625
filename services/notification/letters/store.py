"""Letters as they are stored: what shows the patient is sealed.

An invitation always says what is known of the appointment by now. A notice must not: a cancellation
is sent when nothing of the appointment is known any more, and a move names two times. So what a
notice says of its appointment is sealed with it, as it was when the notice was requested.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from asyncpg import Record

from chassis import sealing
from chassis.database import Connection
from chassis.sealing import AssociatedData, NotOpened, Sealer
from contracts.events import Answer
from services.notification.letters.letter import Letter, LetterKind

log = structlog.get_logger(__name__)

LETTER = "deliveries.letter"
RESEALING_BATCH = 200
_SECRET = ("recipient", "patient_name", "link")
_REACH = ("phone", "reply_to", "postal_address", "asks_for_answer")
_OF_APPOINTMENT = ("appointment_version", "start", "duration_minutes", "time_zone")
_NOTICE = "appointment"  # where a notice has what it says of its appointment


@dataclass(frozen=True, slots=True)
class SealedLetter:
    """A letter ready to be stored."""

    letter: bytes
    sender_name: str
    locale: str


def seal(sealer: Sealer, practice_id: UUID, delivery_id: UUID, letter: Letter) -> SealedLetter:
    """What to store of a delivery's letter."""
    secret: dict[str, Any] = {name: getattr(letter, name) for name in (*_SECRET, *_REACH)}
    if letter.kind is not LetterKind.INVITATION:
        secret[_NOTICE] = _written(letter)
    content = json.dumps(secret).encode()
    sealed = sealer.seal(content, _associated_data(practice_id, delivery_id))
    return SealedLetter(sealed, letter.sender_name, letter.locale)


def open_letter(sealer: Sealer, kind: LetterKind, stored: Record) -> Letter:
    """The letter of a delivery's row with what is known of its appointment. Raises NotOpened.

    `stored` has `id`, `practice_id`, `letter`, `sender_name` and `locale` of the delivery,
    `appointment_version`, `start`, `duration_minutes` and `time_zone` of the appointment,
    `answered_version` and `answer` of what the patient's calendar answered last.
    """
    associated_data = _associated_data(stored["practice_id"], stored["id"])
    secret = json.loads(sealer.open(stored["letter"], associated_data))
    notice = secret.pop(_NOTICE, None)
    known = {name: stored[name] for name in _OF_APPOINTMENT}
    of_appointment = known if notice is None else _read(notice)
    answered = stored["answered_version"] == of_appointment["appointment_version"]
    return Letter(
        **secret,
        **of_appointment,
        answered=Answer(stored["answer"]) if answered else None,
        kind=kind,
        sender_name=stored["sender_name"],
        locale=stored["locale"],
    )


async def reseal(tx: Connection, sealer: Sealer) -> bool:
    """Seal a batch of what is under older keys anew; True if there may be more."""
    rows = await tx.fetch(
        """
        SELECT id, practice_id, letter FROM deliveries
        WHERE due_at IS NOT NULL AND get_byte(letter, 0) = ANY($1::int[])
        ORDER BY id LIMIT $2 FOR UPDATE
        """,
        sealer.older,
        RESEALING_BATCH,
    )
    resealed: list[tuple[UUID, bytes]] = []
    for row in rows:
        associated_data = _associated_data(row["practice_id"], row["id"])
        try:
            resealed.append(
                (
                    row["id"],
                    sealer.seal(sealer.open(row["letter"], associated_data), associated_data),
                )
            )
        except NotOpened:
            log.error("letter can't be opened", delivery_id=str(row["id"]))
    await tx.execute(
        """
        UPDATE deliveries d SET letter = n.letter
        FROM unnest($1::uuid[], $2::bytea[]) AS n (id, letter) WHERE d.id = n.id
        """,
        [each for each, _ in resealed],
        [letter for _, letter in resealed],
    )
    older = await tx.fetchval(
        """
        SELECT count(*) FROM deliveries WHERE due_at IS NOT NULL AND get_byte(letter, 0) <> $1
        """,
        sealer.newest,
    )
    sealing.older.labels(LETTER).set(older)
    return bool(resealed)


def _written(letter: Letter) -> dict[str, Any]:
    """What a notice says of its appointment, as JSON."""
    previous = letter.previous_start
    return {name: getattr(letter, name) for name in _OF_APPOINTMENT} | {
        "start": letter.start.isoformat(),
        "previous_start": previous and previous.isoformat(),
    }


def _read(written: Mapping[str, Any]) -> dict[str, Any]:
    previous = written["previous_start"]
    return {
        **written,
        "start": datetime.fromisoformat(written["start"]),
        "previous_start": previous and datetime.fromisoformat(previous),
    }


def _associated_data(practice_id: UUID, delivery_id: UUID) -> AssociatedData:
    return (LETTER, practice_id, delivery_id)
