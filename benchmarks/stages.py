"""The stages for themselves: each line compares two ways of doing the same, measured in this run.

mail      composing the invitation, against the standard library's email.message
smtp      handing mails over one after the other, against smtplib over one connection
outbox    publishing through the outbox, against a bare Kafka producer
inbox     folding events into indicators in batches of 500, against one by one
sealing   storing appointments with sealed contacts, against the same in the clear
open      a page and the count of what is open among 300,000, against looking into each indicator
"""

import asyncio
import logging
import smtplib
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import asyncpg
import structlog
from aiokafka import ConsumerRecord
from uuid_utils.compat import uuid7

from benchmarks.result import Stage
from benchmarks.sink import sink
from chassis import outbox
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.sealing import AssociatedData, Sealer
from chassis.undecodable import Record
from contracts.channels import Channel
from contracts.envelope import encode
from contracts.events import InvitationIssued
from contracts.signatures import HEADER as SIGNATURE
from contracts.signatures import EventSigner
from contracts.topics import APPOINTMENTS
from local.modules import SERVICES
from local.ports import free_base
from local.practice import DEMO_PRACTICE
from local.stack import Stack
from services.notification.letters.letter import Letter
from services.notification.letters.mail import InvitationMail
from services.notification.sending.email.smtp_pool import Envelope, SmtpPool, SmtpServer
from services.scheduling import store
from services.scheduling.appointments import Appointment
from services.status import events, open_store
from services.status.feeds import Feeds

EVENTS = 5_000
ONE_BY_ONE = 500
BOOKED = 2_000
INDICATORS = 300_000
LOOKS = 500
MAILS = 500
PRACTICE = UUID(int=1)


def report(name: str, ours: float, other: float, what: str) -> Stage:
    """One line: our rate, the other's, and the ratio."""
    print(f"{name:8} {ours:9,.0f}/s  {other:9,.0f}/s  x {ours / other:5.2f}  {what}", flush=True)
    return Stage(name=name, ours=round(ours, 1), other=round(other, 1), other_is=what)


def mail() -> Stage:
    """Composing a mail."""
    letter = Letter(
        recipient="patientin@example.org",
        patient_name="Erika Mustermann",
        sender_name="Hausarztpraxis am Markt",
        link="https://example.org/besuch/" + "a" * 50,
        locale="de",
        appointment_version=1,
        start=datetime.now(UTC) + timedelta(days=1),
        duration_minutes=20,
        time_zone="Europe/Berlin",
    )
    composer = InvitationMail("einladung@example.org")

    def compose() -> bytes:
        return composer.compose(
            letter,
            appointment_id=UUID(int=2),
            recipient=letter.recipient,
            message_id="<1@example.org>",
            boundary="boundary",
            now=datetime.now(UTC),
        )

    sample = message_from_bytes(compose(), policy=policy.SMTP)
    alternative, attached = sample.iter_parts()
    text, html, calendar = (part.get_content() for part in alternative.iter_parts())

    def compose_with_library() -> bytes:
        message = EmailMessage(policy=policy.SMTP)
        for name, value in sample.items():
            if not name.lower().startswith(("content-", "mime-")):
                message[name] = value
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        message.add_alternative(
            calendar, subtype="calendar", params={"method": "REQUEST", "charset": "utf-8"}
        )
        message.add_attachment(
            attached.get_content(), maintype="application", subtype="ics", filename="einladung.ics"
        )
        return message.as_bytes()

    return report("mail", rate(compose), rate(compose_with_library), "email.message")


def rate(deed: Callable[[], object], times: int = 500) -> float:
    """How often a second."""
    began = time.perf_counter()
    for _ in range(times):
        deed()
    return times / (time.perf_counter() - began)


def issued(count: int) -> list[InvitationIssued]:
    """Events of as many appointments."""
    return [
        InvitationIssued(
            appointment_id=uuid7(),
            practice_id=PRACTICE,
            version=1,
            invitation_id=uuid7(),
            attempt=1,
            channels=[Channel.EMAIL],
        )
        for _ in range(count)
    ]


async def over_smtp() -> Stage:
    """Handing over one mail after the other."""
    message = b"Subject: Einladung\r\n\r\n" + b"Guten Tag\r\n" * 600  # the size of ours
    async with sink() as (port, _):
        pool = SmtpPool(
            SmtpServer(host="127.0.0.1", port=port, tls="none", messages_per_connection=MAILS)
        )
        envelope = Envelope(
            id="1", sender="", recipient="p@example.org", message=message, utf8=False
        )
        began = time.perf_counter()
        for _ in range(MAILS):
            await pool.send(envelope, lambda: None)
        ours = MAILS / (time.perf_counter() - began)
        await pool.close()

        def with_library() -> float:
            with smtplib.SMTP("127.0.0.1", port) as server:
                return rate(lambda: server.sendmail("", "p@example.org", message), MAILS)

        return report("smtp", ours, await asyncio.to_thread(with_library), "smtplib, kept open")


async def through_the_outbox(stack: Stack) -> Stage:
    """Publishing events that were committed, against publishing them without any promise kept."""
    db = await Database.connect(stack.dsn("scheduling"))
    async with db.system() as tx:
        await outbox.put(tx, issued(EVENTS), source="/benchmark")
    signer = stack.event_signer("scheduling")
    relay = outbox.Relay(db, stack.cluster, signer)
    began = time.perf_counter()
    running = asyncio.create_task(relay.run())
    while True:
        async with db.system() as tx:
            if not await tx.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
                break
        await asyncio.sleep(0.01)
    ours = EVENTS / (time.perf_counter() - began)
    running.cancel()
    await asyncio.wait([running])
    await db.close()

    messages = [encode(event, source="/benchmark") for event in issued(EVENTS)]
    async with stack.cluster.producer() as producer:
        began = time.perf_counter()
        sent = [
            await producer.send(
                message.topic, message.value, key=message.key.encode(), headers=message.headers
            )
            for message in messages
        ]
        await asyncio.gather(*sent)
        return report("outbox", ours, EVENTS / (time.perf_counter() - began), "bare producer")


async def into_the_indicators(stack: Stack) -> Stage:
    """A transaction for a batch, against one for each event."""
    db = await Database.connect(stack.dsn("status"))
    consumer = Consumer(
        topics=[APPOINTMENTS],
        group="benchmark",
        handle=events.Events(Feeds(limit=0, limit_per_practice=0)).handle,
        db=db,
        cluster=stack.cluster,
        verifier=stack.event_verifier,
    )
    signer = stack.event_signer("scheduling")
    records = [
        record(event, number, signer) for number, event in enumerate(issued(EVENTS + ONE_BY_ONE))
    ]
    began = time.perf_counter()
    for start in range(0, EVENTS, 500):
        await consumer.consume(records[start : start + 500])
    ours = EVENTS / (time.perf_counter() - began)
    began = time.perf_counter()
    for single in records[EVENTS:]:
        await consumer.consume([single])
    singly = ONE_BY_ONE / (time.perf_counter() - began)
    await db.close()
    return report("inbox", ours, singly, "a transaction each")


async def among_the_indicators(stack: Stack) -> Stage:
    """Of 300,000 indicators of one practice, half of them past, one in a hundred is open."""
    owner = await asyncpg.connect(stack.owner_dsn("status"))
    await owner.execute(
        """
        INSERT INTO indicators (practice_id, appointment_id, version, body, starts_at, ends_at,
                                open_until)
        SELECT $1, gen_random_uuid(), -n, jsonb_build_object('open',
                   CASE WHEN n % 100 = 0 THEN '["invitation_failed"]' ELSE '[]' END::jsonb),
               start, start + interval '20 min',
               CASE WHEN n % 100 = 0 THEN start + interval '20 min' END
        FROM generate_series(1, $2::bigint) AS n,
            LATERAL (SELECT now() + (n - $2::bigint / 2) * interval '1 min' AS start) AS times
        """,
        PRACTICE,
        INDICATORS,
    )
    await owner.execute("VACUUM ANALYZE indicators")
    await owner.close()
    db = await Database.connect(stack.dsn("status"))
    now = datetime.now(UTC)
    began = time.perf_counter()
    for _ in range(LOOKS):
        async with db.practice(PRACTICE) as tx:
            await open_store.page(tx, PRACTICE, now, after=None, limit=51)
            await open_store.count(tx, PRACTICE, now)
    ours = LOOKS / (time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(LOOKS // 50):
        async with db.practice(PRACTICE) as tx:
            await tx.fetchval(
                """
                SELECT count(*) FROM indicators
                WHERE practice_id = $1 AND ends_at > $2 AND body -> 'open' <> '[]'
                """,
                PRACTICE,
                now,
            )
    each = LOOKS // 50 / (time.perf_counter() - began)
    await db.close()
    return report("open", ours, each, "looking into each")


class Unsealed(Sealer):
    """Leaves everything as it is."""

    def seal(self, content: bytes, associated_data: AssociatedData) -> bytes:
        return bytes([self.newest]) + content


async def into_the_appointments(stack: Stack) -> Stage:
    """A transaction for each appointment, by turns sealed and in the clear."""
    await stack.add_practice(replace(DEMO_PRACTICE, id=PRACTICE))
    db = await Database.connect(stack.dsn("scheduling"))
    seconds = dict.fromkeys((Sealer, Unsealed), 0.0)
    for _ in range(BOOKED // 100):
        for kind in seconds:
            sealer = kind({1: bytes(32)})
            began = time.perf_counter()
            for _ in range(100):
                async with db.practice(PRACTICE) as tx:
                    await store.add(tx, sealer, appointment())
            seconds[kind] += time.perf_counter() - began
    await db.close()
    sealed, plain = (BOOKED / each for each in seconds.values())
    return report("sealing", sealed, plain, "in the clear")


def appointment() -> Appointment:
    """One of tomorrow."""
    now = datetime.now(UTC)
    return Appointment(
        id=uuid7(),
        practice_id=PRACTICE,
        version=1,
        starts_at=now + timedelta(days=1),
        duration_minutes=20,
        patient_name="Erika Mustermann",
        email="erika.mustermann@example.org",
        phone="+491701234567",
        channels=(Channel.EMAIL, Channel.SMS),
        locale="de",
        consented_at=now,
        invitation_id=uuid7(),
        attempt=1,
        link_version=1,
        created_at=now,
        created_by="benchmark",
        updated_at=now,
    )


def record(event: InvitationIssued, offset: int, signer: EventSigner) -> Record:
    """The event as Kafka would hand it over."""
    message = encode(event, source="/benchmark")
    attributes = {name: value.decode() for name, value in message.headers}
    signature = signer.sign(attributes, message.value)
    return ConsumerRecord(
        topic=message.topic,
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=message.key.encode(),
        value=message.value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=[*message.headers, (SIGNATURE, signature.encode())],
    )


async def on_the_stack(services: Sequence[str] = SERVICES) -> list[Stage]:
    """What needs Kafka and PostgreSQL, with the services themselves out of the way."""
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), base_port=free_base(), later=("fhir",)) as stack:
            for name in services:
                await stack.service(name).stop()
            return [
                await through_the_outbox(stack),
                await into_the_indicators(stack),
                await into_the_appointments(stack),
                await among_the_indicators(stack),
            ]


def report_all() -> list[Stage]:
    """Measure and print."""
    # A service writes its lines into a pipe that nobody else waits for; here they would be read.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print("what          ours      other   ratio  other is", flush=True)
    return [mail(), asyncio.run(over_smtp()), *asyncio.run(on_the_stack())]
