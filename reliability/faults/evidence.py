"""Gathers from journals, topics and databases what the promises are checked by."""

import asyncio
import json
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.database import TRANSIENT_ERRORS
from contracts.topics import APPOINTMENTS, OUTCOMES
from local import journal
from local.processes import REPOSITORY
from local.services import AUDIT_KEYS_FILE
from local.stack import Stack
from reliability import SERVICES
from reliability.faults.inviting import Account
from reliability.faults.promises import (
    Delivery,
    Evidence,
    MailLine,
    Record,
    Shown,
    TextLine,
)

OF_PRACTICE = "practice_id = ANY($1)"
LATE = "now() - interval '20 seconds'"
WAITING: Mapping[str, Mapping[str, str]] = {
    "scheduling": {
        "scheduling's outbox": f"outbox WHERE {OF_PRACTICE}",
        "notices": f"notices WHERE done_at IS NULL AND due_at < {LATE} AND {OF_PRACTICE}",
    },
    "notification": {
        "notification's outbox": f"outbox WHERE {OF_PRACTICE}",
        "deliveries": f"deliveries WHERE due_at IS NOT NULL AND {OF_PRACTICE}",
        "receipts": "deliveries d JOIN receipts r ON r.reference = d.id "
        f"WHERE r.due_at IS NOT NULL AND r.received_at < {LATE} AND d.{OF_PRACTICE}",
    },
}
TOPICS = (APPOINTMENTS, OUTCOMES)
READ_MS = 2_000
DRAIN = 300.0  # seconds in which all has to come to an end
LOOK_AGAIN = 0.5  # seconds
QUIET = 3  # looks in a row that find nothing under way


async def waiting(stack: Stack, practices: Collection[UUID]) -> dict[str, int]:
    """What is still under way, by queue; unread messages too."""
    found: dict[str, int] = {}
    for service, queues in WAITING.items():
        connection = await asyncpg.connect(stack.owner_dsn(service))
        try:
            for name, rows in queues.items():
                found[name] = await connection.fetchval(
                    f"SELECT count(*) FROM {rows}", list(practices)
                )
        finally:
            await connection.close()
    found["pending indicators"] = len(await _pending(stack, practices))
    consumer, admin = stack.cluster.consumer(), stack.cluster.admin()
    await consumer.start()
    await admin.start()
    try:
        for group in SERVICES:
            read = await admin.list_consumer_group_offsets(group)
            ends = await consumer.end_offsets(list(read))
            found[f"unread by {group}"] = sum(
                max(0, ends[each] - at.offset) for each, at in read.items()
            )
    finally:
        await admin.close()
        await consumer.stop()
    return found


async def drain(stack: Stack, practices: Collection[UUID]) -> None:
    """Wait until nothing is under way, or for long enough."""
    until, quiet = time.monotonic() + DRAIN, 0
    while quiet < QUIET and time.monotonic() < until:
        await asyncio.sleep(LOOK_AGAIN)
        with suppress(*TRANSIENT_ERRORS, KafkaError, asyncpg.PostgresError):
            quiet = 0 if any((await waiting(stack, practices)).values()) else quiet + 1


async def _pending(stack: Stack, practices: Collection[UUID]) -> set[UUID]:
    """Appointments that show a clock, but for those of which nobody knows more (`honest`)."""
    found: list[set[UUID]] = []
    for service, query in (
        ("status", "indicators WHERE body ->> 'overall' = 'pending'"),
        ("notification", "deliveries WHERE state = 'unknown'"),
    ):
        connection = await asyncpg.connect(stack.owner_dsn(service))
        try:
            rows = await connection.fetch(
                f"SELECT appointment_id FROM {query} AND practice_id = ANY($1)", list(practices)
            )
        finally:
            await connection.close()
        found.append({row["appointment_id"] for row in rows})
    pending, unknown = found
    return pending - unknown


async def gather(
    stack: Stack,
    practices: Collection[UUID],
    accounts: Sequence[Account],
    *,
    since: datetime,
) -> Evidence:
    """Everything of these practices, and what went to their patients since then."""
    invitations = [each for account in accounts for each in account.invitations]
    recipients = {each.recipient for each in invitations}
    ids = list(practices)
    scheduling, notification, status = [
        await asyncpg.connect(stack.owner_dsn(name)) for name in SERVICES
    ]
    try:
        appointments = await scheduling.fetch(
            f"SELECT id FROM appointments WHERE {OF_PRACTICE}", ids
        )
        entries = await scheduling.fetch(
            "SELECT action, unnest(appointment_ids) AS appointment FROM audit_entries "
            f"WHERE {OF_PRACTICE}",
            ids,
        )
        deliveries = await notification.fetch(
            "SELECT id, appointment_id, attempt, channel, message_id, state, unanswered "
            f"FROM deliveries WHERE kind = 'invitation' AND {OF_PRACTICE}",
            ids,
        )
        others = await _every_delivery(notification)
        indicators = await status.fetch(
            f"SELECT appointment_id, body FROM indicators WHERE {OF_PRACTICE}", ids
        )
    finally:
        for connection in (scheduling, notification, status):
            await connection.close()
    shown = {str(row["appointment_id"]): json.loads(row["body"] or "{}") for row in indicators}
    ours = {str(row["message_id"]) for row in deliveries} | {str(row["id"]) for row in deliveries}
    others -= ours
    subjects = {str(row["id"]) for row in appointments}
    mails, texts = journals(stack, recipients, since)
    return Evidence(
        invitations=invitations,
        unanswered=sum(account.unanswered for account in accounts),
        appointments=subjects,
        deliveries=[
            Delivery(
                str(row["id"]),
                str(row["appointment_id"]),
                row["attempt"],
                row["channel"],
                row["message_id"],
                row["state"],
                row["unanswered"],
            )
            for row in deliveries
        ],
        mails=[line for line in mails if line.message_id not in others],
        texts=[line for line in texts if line.reference not in others],
        indicators={
            subject: Shown(body["overall"], body["attempt"]) for subject, body in shown.items()
        },
        records=await _records(stack, subjects),
        entries=[(row["action"], str(row["appointment"])) for row in entries],
        chain_fault=await _chain_fault(stack),
        queues=await waiting(stack, practices),
    )


def journals(
    stack: Stack, recipients: Collection[str], since: datetime
) -> tuple[list[MailLine], list[TextLine]]:
    """What the simulated servers kept of these recipients."""
    folder = stack.folder.path

    def kept(server: str) -> Iterator[dict[str, Any]]:
        for line in journal.read(folder / server / journal.NAME):
            if line["to"] in recipients and datetime.fromisoformat(line["at"]) >= since:
                yield line

    mails = [
        MailLine(
            event=line["event"],
            to=line["to"],
            message_id=line.get("message_id", ""),
            action=line.get("action", ""),
        )
        for line in kept("mailbox")
    ]
    texts = [
        TextLine(event=line["event"], reference=line["reference"], state=line.get("state", ""))
        for line in kept("phones")
    ]
    return mails, texts


async def _every_delivery(connection: "asyncpg.Connection[asyncpg.Record]") -> set[str]:
    """Ids and Message-IDs of all deliveries, notices and other practices' too."""
    rows = await connection.fetch(
        "SELECT id::text AS name FROM deliveries UNION ALL SELECT message_id FROM deliveries "
        "UNION ALL SELECT message_id FROM daily_mails"
    )
    return {row["name"] for row in rows}


async def _records(stack: Stack, keys: Collection[str]) -> list[Record]:
    consumer = stack.cluster.consumer()
    await consumer.start()
    try:
        parts = [TopicPartition(topic.name, n) for topic in TOPICS for n in range(topic.partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found: list[Record] = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for batch in (await consumer.getmany(timeout_ms=READ_MS)).values():
                found += [_record(each) for each in batch if (each.key or b"").decode() in keys]
        return found
    finally:
        await consumer.stop()


def _record(record: "ConsumerRecord[bytes, bytes]") -> Record:
    headers = {name: value.decode() for name, value in record.headers}
    body = json.loads(record.value or b"{}")
    key = (record.key or b"").decode()
    if record.topic == OUTCOMES.name:
        what = body.get("invitation_id") or body.get("notice_id")
        stream = f"{what} {body.get('attempt')} {body.get('channel')}"
        number = body.get("sequence", 0)
    else:
        stream, number = key, body.get("version", 0)
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=key,
        event_id=headers.get("ce_id", ""),
        stream=stream,
        number=number,
    )


async def _chain_fault(stack: Stack) -> str:
    """What the operator's command says of the audit log; nothing where it stands."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.scheduling.admin", "audit", "verify"),
        cwd=REPOSITORY,
        env={
            "SCHEDULING_ADMIN_DATABASE_URL": stack.owner_dsn("scheduling"),
            "SCHEDULING_AUDIT_KEYS": (stack.folder.path / AUDIT_KEYS_FILE).read_text(),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return "" if process.returncode == 0 else said.decode()[-500:]
