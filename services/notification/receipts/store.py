"""SQL of receipts: stored before they are acknowledged, read later."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import structlog
from asyncpg import Record
from uuid_utils.compat import uuid7

from chassis.database import Connection
from chassis.resealing import Place
from chassis.sealing import NotOpened, Sealer
from contracts.channels import Channel
from contracts.terms import UNMATCHED_RETENTION
from services.notification.bounces.mime import MEBIBYTE
from services.notification.deliveries import metrics
from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.store import lock_deliveries
from services.notification.receipts.matching import Settled
from services.notification.receipts.receipt import Finding, Receipt, Reference
from services.notification.sending.sms.receipts import GatewayReceipt, ReceiptState

log = structlog.get_logger(__name__)

MAIL = "receipts.content"
MAX_MAIL_BYTES = MEBIBYTE  # of a mail, as much as is read of it; the rest is not kept
RESEALING_BATCH = 5  # mails; each may have a mebibyte
MAX_KEPT_BYTES = 64 * 1024  # of a mail that is kept once it is read, for operations to look at
MAX_UNREAD = 1_000  # mails; with more the intakes wait
POISON_PAUSE = timedelta(hours=1)  # until the next look at what can't be opened or settled


class Queue(StrEnum):
    """What is read apart, so that it waits for nothing else; the oldest of each first."""

    GATEWAYS = "receipts"
    RETURNED = "returned mail"  # names a delivery by a genuine return path
    OTHER = "other mail"  # which anybody may write


@dataclass(frozen=True, slots=True)
class ReturnedMail:
    """A mail as it came, and the delivery that its genuine return path names."""

    content: bytes
    reference: UUID | None


async def store_mail(
    tx: Connection, sealer: Sealer, mails: Sequence[ReturnedMail], now: datetime
) -> None:
    """Store mail that came back, sealed; the same mail again changes nothing."""
    for mail in mails:
        receipt_id = uuid7()
        # In a thread, and one after the other: a mebibyte takes its time, and its memory.
        digest = await asyncio.to_thread(_digest, mail)
        content = await asyncio.to_thread(_seal_mail, sealer, receipt_id, mail.content)
        await tx.execute(
            """
            INSERT INTO receipts (id, channel, digest, received_at, due_at, reference, content)
            VALUES ($1, 'email', $2, $5, $5, $3, $4)
            ON CONFLICT (digest) DO NOTHING
            """,
            receipt_id,
            digest,
            mail.reference,
            content,
            now,
        )


async def store_gateway_receipts(
    tx: Connection, receipts: Sequence[GatewayReceipt], now: datetime
) -> None:
    """Store what a gateway reported; the same again changes nothing."""
    await tx.execute(
        """
        INSERT INTO receipts (id, channel, digest, received_at, due_at, reference, gateway,
                              gateway_id, said, status_code)
        SELECT id, 'sms', digest, $8, $8, reference, gateway, gateway_id, said, status_code
        FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                    $7::text[])
            AS reported (id, digest, reference, gateway, gateway_id, said, status_code)
        ON CONFLICT (digest) DO NOTHING
        """,
        [uuid7() for _ in receipts],
        [bytes.fromhex(each.key) for each in receipts],
        [each.reference for each in receipts],
        [each.gateway for each in receipts],
        [each.gateway_id for each in receipts],
        [each.state for each in receipts],
        [each.status for each in receipts],
        now,
    )


async def claim_due(
    tx: Connection, sealer: Sealer, queue: Queue, now: datetime, until: datetime, most: int
) -> list[Receipt]:
    """At most `most` receipts of a queue to look at, which all others leave alone until then.

    A mail's reading is counted as begun. What can't be opened is logged and left for later.
    """
    rows = await tx.fetch(
        """
        UPDATE receipts SET due_at = $2, readings = readings + (content IS NOT NULL)::integer
        WHERE id IN (SELECT id FROM receipts WHERE due_at <= $1 AND channel = $4
                       AND (channel = 'sms' OR (reference IS NOT NULL) = $5)
                     ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING id, channel, received_at, tries, readings, reference, gateway, gateway_id, said,
                  status_code, content
        """,
        now,
        until,
        most,
        Channel.SMS if queue is Queue.GATEWAYS else Channel.EMAIL,
        queue is Queue.RETURNED,
    )
    receipts: list[Receipt] = []
    for row in sorted(rows, key=lambda row: (row["received_at"], row["id"])):
        try:
            content = _open_mail(sealer, row)
        except NotOpened:
            log.error("returned mail can't be opened", receipt_id=str(row["id"]))
            await postpone(tx, row["id"], now + POISON_PAUSE)
            continue
        receipts.append(_receipt(row, content))
    return receipts


def _receipt(row: Record, content: bytes) -> Receipt:
    return Receipt(
        id=row["id"],
        channel=Channel(row["channel"]),
        received_at=row["received_at"],
        tries=row["tries"],
        readings=row["readings"],
        reference=row["reference"],
        gateway=row["gateway"],
        gateway_id=row["gateway_id"],
        said=None if row["said"] is None else ReceiptState(row["said"]),
        status=row["status_code"],
        content=content,
    )


async def lock_claimed(tx: Connection, ids: Sequence[UUID], until: datetime) -> set[UUID]:
    """Which of these are there and still claimed until then, locked."""
    rows = await tx.fetch(
        "SELECT id FROM receipts WHERE id = ANY($1) AND due_at = $2 ORDER BY id FOR UPDATE",
        ids,
        until,
    )
    return {row["id"] for row in rows}


async def give_back(tx: Connection, ids: Sequence[UUID], until: datetime, now: datetime) -> None:
    """Let others look at what is claimed until then; it counts as not begun."""
    await tx.execute(
        """
        UPDATE receipts SET due_at = $3,
                            readings = greatest(0, readings - (content IS NOT NULL)::integer)
        WHERE id = ANY($1) AND due_at = $2
        """,
        ids,
        until,
        now,
    )


async def postpone(tx: Connection, receipt_id: UUID, until: datetime) -> None:
    """Leave a receipt alone until then."""
    await tx.execute(
        "UPDATE receipts SET due_at = $2, tries = tries + 1 WHERE id = $1", receipt_id, until
    )


async def is_full(tx: Connection) -> bool:
    """Whether so much mail waits to be read that no more can be taken."""
    unread = await tx.fetchval(
        """
        SELECT count(*) FROM (SELECT FROM receipts WHERE due_at IS NOT NULL AND kind IS NULL
                                                     AND channel = 'email' LIMIT $1) AS unread
        """,
        MAX_UNREAD,
    )
    return bool(unread >= MAX_UNREAD)


async def lock_referred(
    tx: Connection, findings: Sequence[Finding]
) -> tuple[dict[UUID, Delivery], dict[Reference, UUID]]:
    """The deliveries that findings refer to, locked, and which reference leads to which."""
    references = {each for finding in findings for each in finding.references}
    by_message_id = await tx.fetch(
        "SELECT message_id, id FROM deliveries WHERE message_id = ANY($1)",
        [each.message_id for each in references if each.message_id is not None],
    )
    by_gateway_id = await tx.fetch(
        "SELECT gateway, gateway_id, id FROM deliveries WHERE gateway_id = ANY($1)",
        [each.gateway_id for each in references if each.gateway_id is not None],
    )
    by_organizer = await tx.fetch(
        """
        SELECT DISTINCT ON (organizer) organizer, id FROM deliveries
        WHERE organizer = ANY($1) AND kind = 'invitation'
        ORDER BY organizer, link_version DESC, attempt DESC
        """,
        [each.organizer for each in references if each.organizer is not None],
    )
    ids: dict[object, UUID] = {row["message_id"]: row["id"] for row in by_message_id}
    ids |= {(row["gateway"], row["gateway_id"]): row["id"] for row in by_gateway_id}
    ids |= {row["organizer"]: row["id"] for row in by_organizer}
    found = {
        each: delivery_id
        for each in references
        if (
            delivery_id := each.delivery_id
            or ids.get(each.message_id)
            or ids.get(each.organizer)
            or ids.get((each.gateway, each.gateway_id))
        )
    }
    return await lock_deliveries(tx, list(found.values())), found


async def settle(tx: Connection, sealer: Sealer, settled: Sequence[Settled]) -> None:
    """Write what became of locked receipts.

    The content of a matched one is erased, unless it is for operations to look at; of that the
    beginning is kept. Of a calendar's answer, in which patients write, nothing is.
    """
    await tx.execute(
        """
        UPDATE receipts r SET
            due_at = n.due_at, tries = r.tries + 1, readings = 0,
            kind = n.kind, permanent = n.permanent,
            status_code = n.status_code, reason = n.reason, practice_id = n.practice_id,
            delivery_id = n.delivery_id, matched_by = n.matched_by,
            content = CASE WHEN n.kind = 'answer' THEN NULL
                           WHEN n.matched_by IS NULL OR n.due_at IS NOT NULL
                             OR n.kind IN ('not_a_bounce', 'unreadable')
                           THEN coalesce(n.beginning, r.content) END
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bool[], $5::text[], $6::text[],
                    $7::uuid[], $8::uuid[], $9::text[], $10::bytea[])
            AS n (id, due_at, kind, permanent, status_code, reason, practice_id, delivery_id,
                  matched_by, beginning)
        WHERE r.id = n.id
        """,
        [each.receipt.id for each in settled],
        [each.due_at for each in settled],
        [each.finding.kind for each in settled],
        [each.finding.permanent for each in settled],
        [each.finding.status for each in settled],
        [each.finding.reason for each in settled],
        [each.delivery and each.delivery.practice_id for each in settled],
        [each.delivery and each.delivery.id for each in settled],
        [each.matched_by for each in settled],
        [_beginning(sealer, each) for each in settled],
    )


def _beginning(sealer: Sealer, settled: Settled) -> bytes | None:
    """What is kept of a mail that is read no more, sealed; None where that is all of it."""
    content = settled.receipt.content
    if settled.due_at is not None or len(content) <= MAX_KEPT_BYTES:
        return None
    return _seal_mail(sealer, settled.receipt.id, content[:MAX_KEPT_BYTES])


async def bound_kept(tx: Connection, most: int) -> None:
    """Of mail that was read and is kept or waits, erase the oldest beyond `most` bytes."""
    dropped = await tx.fetch(
        """
        UPDATE receipts r SET content = NULL, due_at = NULL
        FROM (SELECT id, sum(octet_length(content)) OVER (ORDER BY received_at DESC, id DESC)
                         AS with_newer
              FROM receipts WHERE content IS NOT NULL AND kind IS NOT NULL) AS kept
        WHERE r.id = kept.id AND kept.with_newer > $1
        RETURNING r.id
        """,
        most,
    )
    if dropped:
        log.warning("mail that no delivery is known for is dropped", mails=len(dropped))
        metrics.kept_mail_dropped.inc(len(dropped))
    metrics.kept_mail_bytes.set(
        await tx.fetchval(
            """
            SELECT coalesce(sum(octet_length(content)), 0) FROM receipts
            WHERE content IS NOT NULL AND kind IS NOT NULL
            """
        )
    )


async def lock_overdue(tx: Connection, now: datetime, most: int) -> list[UUID]:
    """Deliveries that have waited for a receipt long enough, locked."""
    rows = await tx.fetch(
        """
        SELECT id FROM deliveries WHERE receipt_due_at <= $1
        ORDER BY receipt_due_at LIMIT $2 FOR UPDATE SKIP LOCKED
        """,
        now,
        most,
    )
    return [row["id"] for row in rows]


async def erase_old(tx: Connection) -> None:
    """Erase mail that nobody could read or match."""
    await tx.execute(
        """
        UPDATE receipts SET content = NULL, due_at = NULL
        WHERE content IS NOT NULL AND received_at < now() - $1::interval
        """,
        UNMATCHED_RETENTION,
    )


def _seal_mail(sealer: Sealer, receipt_id: UUID, content: bytes) -> bytes:
    return sealer.seal(content, (MAIL, receipt_id))


def _open_mail(sealer: Sealer, row: Record) -> bytes:
    """The mail in a row, nothing where it is erased. Raises NotOpened."""
    content: bytes | None = row["content"]
    return b"" if content is None else sealer.open(content, (MAIL, row["id"]))


def _digest(mail: ReturnedMail) -> bytes:
    reference = b"" if mail.reference is None else mail.reference.bytes
    return hashlib.sha256(reference + mail.content).digest()


MAILS = Place(
    table="receipts",
    column="content",
    where="content IS NOT NULL",
    bound_to=lambda row: (MAIL, row["id"]),
    columns="id",
    batch=RESEALING_BATCH,
)
