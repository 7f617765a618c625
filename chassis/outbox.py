"""Transactional outbox: a state change and the event that tells of it commit together.

The table, in the first migration of every service that publishes:

    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL, key text NOT NULL, headers jsonb NOT NULL, value bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        sealed boolean NOT NULL DEFAULT false, practice_id uuid
    );

`value` is sealed where the topic carries patient data (chassis/sealing.py); for Kafka it is opened
and sealed anew for the topic's one reader (contracts/sealed_bodies.py).

Who writes locks the appointment's row first, so one key's rows commit in the order of their
ids. One relay at a time, whichever process holds the advisory lock, publishes the rows in
that order, signed, and deletes them once Kafka has them on all replicas. A row is never skipped
for a later one: it stays until it is published, and a crash in between publishes it again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from opentelemetry.trace import Span, SpanKind
from prometheus_client import Counter, Gauge

from chassis import tracing
from chassis.database import TRANSIENT_ERRORS, Connection, Database
from chassis.kafka import Cluster, LastingProducer
from chassis.loop import Loop
from chassis.sealing import AssociatedData, NotOpened, Sealer
from contracts.envelope import Message, encode
from contracts.events import Event
from contracts.sealed_bodies import BodySealer
from contracts.signatures import HEADER as SIGNATURE
from contracts.signatures import EventSigner, NotSignable
from contracts.topics import TOPIC_OF

log = structlog.get_logger(__name__)

RELAY_LOCK = 0x0E1B  # advisory lock: one relay at a time in this database
BATCH = 500  # rows per transaction
POLL = 0.5  # seconds; finds what a dead process left behind
PUBLISH_TIMEOUT = 30.0  # seconds for one batch

published = Counter("outbox_published_total", "Events published from the outbox", ["topic"])
failures = Counter("outbox_publish_failures_total", "Batches that Kafka did not take whole")
age = Gauge("outbox_oldest_seconds", "Age of the oldest event not yet published")


async def put(
    tx: Connection,
    events: Sequence[Event],
    *,
    source: str,
    sealer: Sealer | None = None,
    traceparents: Sequence[str | None] | None = None,
) -> None:
    """Write events into the outbox, in this order, within the caller's transaction.

    `traceparents` names the trace of each event; without it all belong to the current one.
    Events with patient data need the `sealer`, else ValueError.
    """
    if not events:
        return
    traces = traceparents or [tracing.traceparent()] * len(events)
    messages = [
        encode(event, source=source, traceparent=trace)
        for event, trace in zip(events, traces, strict=True)
    ]
    sealed = [TOPIC_OF[type(event)].patient_data for event in events]
    await tx.execute(
        """
        INSERT INTO outbox (topic, key, headers, value, sealed, practice_id)
        SELECT topic, key, headers, value, sealed, practice_id
        FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::bytea[], $5::bool[], $6::uuid[])
            WITH ORDINALITY
            AS message (topic, key, headers, value, sealed, practice_id, position)
        ORDER BY position
        """,
        [message.topic for message in messages],
        [message.key for message in messages],
        [_headers(message) for message in messages],
        [
            _seal(message, sealer) if secret else message.value
            for message, secret in zip(messages, sealed, strict=True)
        ],
        sealed,
        [event.practice_id for event in events],
    )


def _headers(message: Message) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers}


def _seal(message: Message, sealer: Sealer | None) -> bytes:
    if sealer is None:
        raise ValueError(f"events of {message.topic} hold patient data: pass a sealer to put()")
    return sealer.seal(message.value, _associated_data(_headers(message)))


def _associated_data(headers: Mapping[str, str]) -> AssociatedData:
    return ("outbox.value", headers["ce_id"])


class NotPublished(Exception):
    """Some events are held back for now; the cause says why."""


OUTAGE = (*TRANSIENT_ERRORS, KafkaError, NotPublished)


class Relay:
    """Publishes the outbox. Every replica runs one; the advisory lock lets one at a time work."""

    name = "relay"

    def __init__(
        self,
        db: Database,
        cluster: Cluster,
        signer: EventSigner,
        *,
        sealer: Sealer | None = None,
        body_sealer: BodySealer | None = None,
    ) -> None:
        """What holds patient data needs both sealers: ours for the outbox, its reader's beyond."""
        self._db = db
        self._signer = signer
        self._sealer = sealer
        self._body_sealer = body_sealer
        self._producer = LastingProducer(cluster, request_timeout_ms=15_000, linger_ms=0)
        self._loop = Loop(self.name, self._publish_some, poll=POLL, transient=OUTAGE)
        self.wake = self._loop.wake
        self.stalled = self._loop.stalled

    async def run(self) -> None:
        """Publish for ever; every outage is waited out with back-off."""
        try:
            await self._loop.run()
        finally:
            await self._producer.drop()

    async def _publish_some(self) -> bool:
        """Publish a batch; True if there may be more. Raises one of OUTAGE."""
        try:
            moved, error = await self._publish_batch()
            if moved:
                self._loop.progress()
            if error is not None:
                raise NotPublished from error
        except OUTAGE:
            failures.inc()
            await self._producer.drop()
            raise
        return moved > 0

    async def _publish_batch(self) -> tuple[int, BaseException | None]:
        """How many left, and what kept others back."""
        async with self._db.system() as tx:
            if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", RELAY_LOCK):
                age.set(0)  # whoever has the lock tells it; ours would stay as it was
                return 0, None
            rows = await tx.fetch(
                """
                SELECT id, topic, key, headers, value, sealed,
                       extract(epoch FROM now() - created_at)::float8 AS age
                FROM outbox ORDER BY id LIMIT $1
                """,
                BATCH,
            )
            age.set(rows[0]["age"] if rows else 0)
            if not rows:
                return 0, None
            done, error = await self._publish(rows)
            await tx.execute("DELETE FROM outbox WHERE id = ANY($1)", done)
        return len(done), error

    async def _publish(self, rows: Sequence[Any]) -> tuple[list[int], BaseException | None]:
        """Publish in order; a key whose event failed keeps its later events back too.

        One event that Kafka does not take, or one topic, must not keep back the other keys.
        """
        sent: list[tuple[Any, Span, asyncio.Future[Any]]] = []
        done: list[int] = []
        held_back: set[str] = set()
        refused_topics: set[str] = set()
        error: BaseException | None = None
        async with asyncio.timeout(PUBLISH_TIMEOUT):
            producer = await self._producer.get()
            for row in rows:
                if row["key"] in held_back:
                    continue
                if row["topic"] in refused_topics:
                    held_back.add(row["key"])
                    continue
                try:
                    sent.append((row, *await self._send(producer, row)))
                except (MessageSizeTooLargeError, NotOpened, NotSignable) as refused:
                    error = refused
                    held_back.add(row["key"])
                except (UnknownTopicOrPartitionError, TopicAuthorizationFailedError) as refused:
                    error = refused
                    held_back.add(row["key"])
                    refused_topics.add(row["topic"])
            results = await asyncio.gather(*(each for *_, each in sent), return_exceptions=True)
        held_back.clear()  # what was sent, was sent before anything of its key was held back
        for (row, span, _), result in zip(sent, results, strict=True):
            if isinstance(result, BaseException):
                error = result
                held_back.add(row["key"])
            elif row["key"] not in held_back:
                done.append(row["id"])
                span.end()
                published.labels(row["topic"]).inc()
        return done, error

    async def _send(
        self, producer: AIOKafkaProducer, row: Any
    ) -> "tuple[Span, asyncio.Future[Any]]":
        """Sign and hand over to the producer; the future is done once Kafka has it.

        The span, from when the event was told to when Kafka has it, is ended then: a try that
        fails leaves none.
        """
        headers, value = self._sealed_for_its_reader(row)
        span = tracing.begin(
            f"publish {row['topic']}",
            headers.get("traceparent"),
            kind=SpanKind.PRODUCER,
            attributes={"messaging.system": "kafka", "messaging.destination.name": row["topic"]},
            seconds_ago=row["age"],
        )
        if parent := tracing.traceparent(span):
            headers = headers | {"traceparent": parent}
        headers = headers | {SIGNATURE: self._signer.sign(headers, value)}
        future: asyncio.Future[Any] = await producer.send(
            row["topic"],
            value,
            key=row["key"].encode(),
            headers=[(name, text.encode()) for name, text in headers.items()],
        )
        return span, future

    def _sealed_for_its_reader(self, row: Any) -> tuple[dict[str, str], bytes]:
        """Headers and value as they are published. Raises NotOpened: nothing goes in clear."""
        headers: dict[str, str] = row["headers"]
        value: bytes = row["value"]
        if not row["sealed"]:
            return headers, value
        if self._sealer is None or self._body_sealer is None:
            raise NotOpened
        body = self._sealer.open(value, _associated_data(headers))
        return self._body_sealer.seal(headers, body)
