"""Letters and returned mail as they are stored: what shows the patient is sealed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from asyncpg import Record

from chassis import sealing
from chassis.database import Connection
from chassis.sealing import AssociatedData, NotOpened, Sealer
from services.notification.deliveries.delivery import Delivery, Kind
from services.notification.letters import notice_letters
from services.notification.sending.channel import Letter, Outgoing

log = structlog.get_logger(__name__)

LETTER, MAIL = "deliveries.letter", "receipts.content"
SECRET = ("recipient", "patient_name", "link")
RESEALED_AT_ONCE = 200
MAILS_AT_ONCE = 5  # each may have 10 MB


@dataclass(frozen=True, slots=True)
class Sealed:
    """A letter ready to be stored."""

    letter: bytes
    sender_name: str
    locale: str


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to be sent with its letter as it is stored: opened only to be sent."""

    delivery: Delivery
    stored: Record

    def open(self, sealer: Sealer, delivery: Delivery) -> Outgoing:
        """The letter to send for what the delivery is by now. Raises NotOpened."""
        stored = self.stored
        if stored["letter"] is None:
            secret = {name: stored[name] for name in SECRET}
        else:
            place = _place(delivery.practice_id, delivery.id)
            secret = json.loads(sealer.open(stored["letter"], place))
        told = notice_letters.read(secret.pop(notice_letters.KEY, None)) or {
            name: stored[name] for name in notice_letters.OF_APPOINTMENT
        }
        letter = Letter(
            **secret,
            **told,
            kind=delivery.kind,
            sender_name=stored["sender_name"],
            locale=stored["locale"],
        )
        return Outgoing(delivery, letter)


def seal(sealer: Sealer, delivery: Delivery, letter: Letter) -> Sealed:
    """What to store of a delivery's letter."""
    secret: dict[str, Any] = {name: getattr(letter, name) for name in SECRET}
    if letter.kind is not Kind.INVITATION:
        secret[notice_letters.KEY] = notice_letters.written(letter)
    return Sealed(
        _seal(sealer, secret, delivery.practice_id, delivery.id), letter.sender_name, letter.locale
    )


def seal_mail(sealer: Sealer, receipt_id: UUID, content: bytes) -> bytes:
    """What to store of a mail that came back."""
    return sealer.seal(content, (MAIL, receipt_id))


def open_mail(sealer: Sealer, row: Record) -> bytes:
    """The mail in a row, nothing where it is erased. Raises NotOpened."""
    content: bytes | None = row["content"]
    if content is None or not row["sealed"]:
        return content or b""
    return sealer.open(content, (MAIL, row["id"]))


async def reseal(tx: Connection, sealer: Sealer) -> bool:
    """Seal a batch that is open or under older keys; True if there may be more."""
    done = await _reseal_letters(tx, sealer) + await _reseal_mails(tx, sealer)
    row: Any = await tx.fetchrow(
        """
        SELECT (SELECT count(*) FROM deliveries WHERE due_at IS NOT NULL
                   AND (letter IS NULL OR get_byte(letter, 0) <> $1)) AS letters,
               (SELECT count(*) FROM receipts WHERE content IS NOT NULL
                   AND (NOT sealed OR get_byte(content, 0) <> $1)) AS mails
        """,
        sealer.newest,
    )
    sealing.older.labels(LETTER).set(row["letters"])
    sealing.older.labels(MAIL).set(row["mails"])
    return done > 0


async def _reseal_letters(tx: Connection, sealer: Sealer) -> int:
    rows = await tx.fetch(
        """
        SELECT id, practice_id, letter, recipient, patient_name, link FROM deliveries
        WHERE due_at IS NOT NULL
          AND (letter IS NULL OR get_byte(letter, 0) = ANY($1::int[]))
        ORDER BY id LIMIT $2 FOR UPDATE
        """,
        sealer.older,
        RESEALED_AT_ONCE,
    )
    resealed: list[tuple[UUID, bytes]] = []
    for row in rows:
        practice_id, delivery_id = row["practice_id"], row["id"]
        try:
            if row["letter"] is None:
                secret = {name: row[name] for name in SECRET}
            else:
                place = _place(practice_id, delivery_id)
                secret = json.loads(sealer.open(row["letter"], place))
            resealed.append((delivery_id, _seal(sealer, secret, practice_id, delivery_id)))
        except NotOpened:
            log.error("letter can't be opened", delivery_id=str(delivery_id))
    await tx.execute(
        """
        UPDATE deliveries d
        SET letter = n.letter, recipient = NULL, patient_name = NULL, link = NULL
        FROM unnest($1::uuid[], $2::bytea[]) AS n (id, letter) WHERE d.id = n.id
        """,
        [each for each, _ in resealed],
        [letter for _, letter in resealed],
    )
    return len(resealed)


async def _reseal_mails(tx: Connection, sealer: Sealer) -> int:
    rows = await tx.fetch(
        """
        SELECT id, sealed, content FROM receipts
        WHERE content IS NOT NULL AND (NOT sealed OR get_byte(content, 0) = ANY($1::int[]))
        ORDER BY received_at LIMIT $2 FOR UPDATE
        """,
        sealer.older,
        MAILS_AT_ONCE,
    )
    done = 0
    for row in rows:
        try:
            content = seal_mail(sealer, row["id"], open_mail(sealer, row))
        except NotOpened:
            log.error("returned mail can't be opened", receipt_id=str(row["id"]))
            continue
        await tx.execute(
            "UPDATE receipts SET content = $2, sealed = true WHERE id = $1", row["id"], content
        )
        done += 1
    return done


def _seal(sealer: Sealer, secret: Mapping[str, Any], practice_id: UUID, delivery_id: UUID) -> bytes:
    return sealer.seal(json.dumps(secret).encode(), _place(practice_id, delivery_id))


def _place(practice_id: UUID, delivery_id: UUID) -> AssociatedData:
    return (LETTER, practice_id, delivery_id)
