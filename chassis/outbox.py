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
for a later one of its key: it stays until it is published, and a crash in between publishes it
again. What can't be published for its own sake (too large, not opened, a topic that refuses us)
holds its key back for some seconds, and nothing else, however many of them there are.
"""

import asyncio
import collections
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
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
from chassis.database import TRANSIENT_ERRORS, Database
from chassis.kafka import Cluster, LastingProducer
from chassis.loop import LONGEST_PAUSE, Loop
from chassis.sealing import AssociatedData, NotOpened, Sealer
from chassis.together import Writer
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
HELD = 15.0  # seconds until what can't be published is tried again
MOST_HELD = 20_000  # keys, so that they can be named in a query

_WAITING = """
    SELECT id, topic, key, headers, value, sealed,
           extract(epoch FROM now() - created_at)::float8 AS age
    FROM outbox ORDER BY id LIMIT $1
    """
_NOT_HELD = _WAITING.replace(
    "ORDER BY",
    "WHERE NOT EXISTS (SELECT FROM unnest($2::text[]) AS held WHERE held = outbox.key) ORDER BY",
)
_OLDEST = "SELECT extract(epoch FROM now() - created_at)::float8 FROM outbox ORDER BY id LIMIT 1"

published = Counter("outbox_published_total", "Events published from the outbox", ["topic"])
failures = Counter("outbox_publish_failures_total", "Batches that Kafka did not take whole")
age = Gauge("outbox_oldest_seconds", "Age of the oldest event not yet published")
held_keys = Gauge("outbox_held_keys", "Appointments whose events can't be published as they are")


async def put(
    tx: Writer,
    events: Sequence[Event],
    *,
    source: str,
    sealer: Sealer | None = None,
    traceparents: Sequence[str | None] | None = None,
    times: Sequence[datetime | None] | None = None,
) -> None:
    """Write events into the outbox, in this order, within the caller's transaction.

    `traceparents` names the trace of each event; without it all belong to the current one. `times`
    are those of events that are told again.
    Events with patient data need the `sealer`, else ValueError.
    """
    if not events:
        return
    traces = traceparents or [tracing.traceparent()] * len(events)
    messages = [
        encode(event, source=source, traceparent=trace, time=told_at)
        for event, trace, told_at in zip(events, traces, times or [None] * len(events), strict=True)
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
    """Kafka did not take some events now; the cause says why."""


OUTAGE = (*TRANSIENT_ERRORS, KafkaError, NotPublished)
REFUSED_TOPIC = (UnknownTopicOrPartitionError, TopicAuthorizationFailedError)
# What is no outage: other events can be published.
REFUSED = (MessageSizeTooLargeError, NotOpened, NotSignable, *REFUSED_TOPIC)


@dataclass(slots=True)
class _Batch:
    """What became of rows: ids that are published, keys that can't be, and what was an outage."""

    done: list[int]
    refused: dict[str, BaseException]
    outage: BaseException | None = None
    full: bool = False  # as many rows as fit: there may be more


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
        now: Callable[[], float] = time.monotonic,
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        """What holds patient data needs both sealers: ours for the outbox, its reader's beyond.

        Between two turns that are woken is a pause for what comes meanwhile, `longest_pause`
        seconds at most.
        """
        self._db = db
        self._signer = signer
        self._sealer = sealer
        self._body_sealer = body_sealer
        self._now = now
        # What is held back, and when it is tried again: keys, and topics that would not be written.
        self._held: dict[str, float] = {}
        self._held_topics: dict[str, tuple[float, BaseException]] = {}
        self._producer = LastingProducer(cluster, request_timeout_ms=15_000, linger_ms=0)
        self._loop = Loop(
            self.name, self._publish_some, poll=POLL, longest_pause=longest_pause, transient=OUTAGE
        )
        self.stalled = self._loop.stalled
        self._woken = True

    def wake(self) -> None:
        """Publish what was just committed."""
        self._woken = True
        self._loop.wake()

    def wake_within(self, seconds: float) -> None:
        """Publish it by then, with what is committed meanwhile."""
        self._woken = True
        self._loop.wake_within(seconds)

    async def run(self) -> None:
        """Publish for ever; every outage is waited out with back-off."""
        try:
            await self._loop.run()
        finally:
            await self._producer.drop()

    async def _publish_some(self) -> bool:
        """Publish a batch; True if there may be more. Raises one of OUTAGE."""
        try:
            batch = await self._publish_batch()
            if batch.done:
                self._loop.progress()
            self._hold(batch.refused)
            if batch.outage is not None:
                raise NotPublished from batch.outage
        except OUTAGE:
            failures.inc()
            await self._producer.drop()
            raise
        # What was put since then has woken us; of what another process puts, the poll hears.
        return batch.full or bool(batch.refused)

    def _hold(self, refused: Mapping[str, BaseException]) -> None:
        self._held |= dict.fromkeys(refused, self._now() + HELD)
        for key, error in islice(refused.items(), 1):  # the gauge has how many
            kind = type(error).__qualname__
            log.error("events can't be published", keys=len(refused), subject=key, error=kind)
        held_keys.set(len(self._held))
        if len(self._held) > MOST_HELD:
            raise NotPublished from next(iter(refused.values()), None)

    def _held_back(self) -> Collection[str]:
        now = self._now()
        self._held = {key: until for key, until in self._held.items() if until > now}
        return list(self._held)

    async def _publish_batch(self) -> _Batch:
        """Publish the oldest rows of keys that are not held back.

        That they are deleted is not awaited to be on disk: after a crash of the database they are
        published again, as they are after one of ours, under the ids that readers know them by.
        """
        nothing = _Batch([], {})
        woken, self._woken = self._woken, False
        if not woken and not await self._db.has_rows("outbox"):  # as mostly, at rest
            age.set(0)
            return nothing
        async with self._db.alone(RELAY_LOCK) as tx:
            if tx is None:
                age.set(0)  # whoever has the lock tells it; ours would stay as it was
                return nothing
            held = self._held_back()
            rows = await tx.fetch(_NOT_HELD if held else _WAITING, BATCH, *([held] if held else []))
            age.set(await tx.fetchval(_OLDEST) or 0 if held else rows[0]["age"] if rows else 0)
            if not rows:
                return nothing
            batch = await self._publish(rows)
            await tx.execute("DELETE FROM outbox WHERE id = ANY($1)", batch.done)
            batch.full = len(rows) == BATCH
        return batch

    async def _publish(self, rows: Sequence[Any]) -> _Batch:
        """Publish in order; a key whose event failed keeps its later events back too."""
        sent: list[tuple[Any, Span, asyncio.Future[Any]]] = []
        batch = _Batch([], {})
        now = self._now()
        refused_topics = {
            topic: error for topic, (until, error) in self._held_topics.items() if until > now
        }
        async with asyncio.timeout(PUBLISH_TIMEOUT):
            producer = await self._producer.get()
            for row in rows:
                if row["key"] in batch.refused:
                    continue
                if row["topic"] in refused_topics:
                    batch.refused[row["key"]] = refused_topics[row["topic"]]
                    continue
                try:
                    sent.append((row, *await self._send(producer, row)))
                except REFUSED as error:
                    batch.refused[row["key"]] = error
                    if isinstance(error, REFUSED_TOPIC):  # it may have taken its time to say so
                        refused_topics[row["topic"]] = error
                        self._held_topics[row["topic"]] = (self._now() + HELD, error)
            results = await asyncio.gather(*(each for *_, each in sent), return_exceptions=True)
        topics = collections.Counter[str]()
        failed: set[str] = set()  # what was sent, was sent before anything of its key was refused
        for (row, span, _), result in zip(sent, results, strict=True):
            if isinstance(result, BaseException):
                failed.add(row["key"])
                if isinstance(result, REFUSED):
                    batch.refused[row["key"]] = result
                else:
                    batch.outage = result
            elif row["key"] not in failed:
                batch.done.append(row["id"])
                topics[row["topic"]] += 1
                span.end()
                log.info(
                    "published",
                    type=row["headers"].get("ce_type"),
                    subject=row["key"],
                    practice=row["headers"].get("ce_practiceid"),
                    trace_id=tracing.trace_id(span),
                )
        for topic, events in topics.items():
            published.labels(topic).inc(events)
        return batch

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
