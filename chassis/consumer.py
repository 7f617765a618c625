"""Consuming: at least once from Kafka, exactly once into the database.

Each batch is one transaction: deduplicated by the inbox, handled, committed; only then may
its offsets be (chassis/group_reader.py). What cannot be read, is not signed by its producer, or
fails for what it says, is parked and passed; what fails because something is down is fetched again
after a back-off.

What does nothing in a service it need not open (ADR 60).
"""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from opentelemetry.trace import Span, SpanKind
from prometheus_client import Counter, Gauge

from chassis import inbox, tracing
from chassis.backoff import Backoff
from chassis.clock import utc_now
from chassis.database import TRANSIENT_ERRORS, Connection, Database
from chassis.dead_letters import DeadLetters
from chassis.group_reader import GroupReader
from chassis.kafka import Cluster
from chassis.loop import pause_after
from chassis.undecodable import Record
from contracts.envelope import Label, Received, Unreadable, Untrusted, decode, label
from contracts.sealed_bodies import BodyOpener
from contracts.signatures import EventVerifier
from contracts.topics import Topic

log = structlog.get_logger(__name__)

Handle = Callable[[Connection, Sequence[Received]], Awaitable[None]]
# Which of these events can change something here.
Concerning = Callable[[Sequence[Label]], Awaitable[Sequence[bool]]]
# Of these partitions everything has taken effect that was published until then.
ReadUp = Callable[[Sequence[TopicPartition], datetime], Awaitable[None]]

BATCH = 500  # records per transaction
STALLED_AFTER = 60.0  # seconds without progress while there is something to read

MEASURE_EVERY = 5.0  # seconds between two looks at how far behind we are
ASK_TIMEOUT = 4.0  # seconds for one such look
FINISHED_WITHIN = 20.0  # seconds for the batch in hand, once told to stop

behind = Gauge("consumer_unread", "Messages still to be read, of our partitions", ["topic"])
untrusted = Counter(
    "events_untrusted_total", "Messages without a signature of their producer", ["topic"]
)
failed = Counter("consumer_batches_failed_total", "Tries of a batch that is to be tried again")
consumed = Counter("events_consumed_total", "Events handled, repeats not counted", ["topic"])


# Something is down that would be for a new process as well.
OUTAGE: tuple[type[BaseException], ...] = (*TRANSIENT_ERRORS, KafkaError)


class BatchFailed(Exception):
    """A batch could not be handled now. Carries no text: the cause's text may quote a patient."""


class Consumer:
    """Reads topics as one consumer group and hands fresh events to the service's handler."""

    name = "consumer"

    def __init__(
        self,
        *,
        topics: Sequence[Topic],
        group: str,
        handle: Handle,
        db: Database,
        cluster: Cluster,
        verifier: EventVerifier,
        opener: BodyOpener | None = None,
        concerning: Concerning | None = None,
        pause: float | None = None,
        after_commit: Callable[[], None] = lambda: None,
        read_up: ReadUp | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause`: seconds between two batches, where nobody waits for what they do."""
        self._handle = handle
        self._verifier = verifier
        self._opener = opener
        self._concerning = concerning
        self._pause = pause
        self._now = now
        self._db = db
        self._after_commit = after_commit
        self._read_up = read_up
        self._dead_letters = DeadLetters(cluster, group)
        self._backoff = Backoff(first=0.2, most=15)
        self._progress = self._now()
        self._in_hand_since: float | None = None
        self._started = False
        self._stopping = False
        self._reader = GroupReader(cluster, topics, group, most=BATCH)

    async def run(self) -> None:
        """Read until cancelled; then finish the batch in hand and leave the group.

        A broker that does not answer at the start is waited for with back-off.
        """
        try:
            await self._join()
            reading = asyncio.create_task(self._read(), name=f"{self.name}: reading")
            try:
                while not reading.done():
                    await self._measure()
                    await asyncio.wait([reading], timeout=MEASURE_EVERY)
                await reading
            finally:
                self._stopping = True
                if self._in_hand_since is not None:
                    await asyncio.wait([reading], timeout=FINISHED_WITHIN)
                reading.cancel()
                await asyncio.wait([reading])
        finally:
            await self._reader.leave()
            await self._dead_letters.close()

    async def _join(self) -> None:
        backoff = Backoff(first=0.2, most=10)
        while True:
            try:
                await self._reader.join()
                break
            except (KafkaError, OSError) as error:
                log.warning("consumer waits", error=type(error).__qualname__)
                await backoff.wait()
        self._started = True

    async def _read(self) -> None:
        """Batch after batch; returns once told to stop."""
        backoff = Backoff(first=0.2, most=10)
        while not self._stopping:
            try:
                records = await self._reader.next()
            except (KafkaError, OSError) as error:
                log.warning("nothing can be read", error=type(error).__qualname__)
                await backoff.wait()
                continue
            backoff.reset()
            if not records:
                continue
            began = self._now()
            try:
                await self.consume(records)
            except BatchFailed:
                self._reader.again()
                continue
            self._reader.done(records)
            if len(records) < BATCH:  # what comes meanwhile is one batch
                took = self._now() - began
                await asyncio.sleep(pause_after(took) if self._pause is None else self._pause)

    async def ready(self) -> None:
        """Raise unless the consumer has joined its group."""
        if not self._started:
            raise ConnectionError

    async def stalled(self) -> bool:
        """True when there has been something to read, or in hand, for too long without progress.

        Whatever there is to read, it is true when the client has died. An outage that is met again
        and again is none of it: it ends by itself or not at all.
        """
        if self._reader.has_died:
            return True
        now = self._now()
        if self._in_hand_since is not None and now - self._in_hand_since > STALLED_AFTER:
            return True
        if now - self._progress < STALLED_AFTER:
            return False
        try:
            unread = await self._unread()
        except (KafkaError, OSError):
            return False  # the broker is away, and would be for a new process as well
        if any(unread.values()):
            return True
        self._progress = now  # nothing to read is as good as progress
        return False

    async def _measure(self) -> None:
        asked_at = utc_now()
        try:
            unread = await self._unread()
            if self._read_up is not None:
                read = [partition for partition, messages in unread.items() if not messages]
                await self._read_up(read, asked_at)
        except Exception as error:  # measuring must not end the reading; the last figures stand
            log.debug("not measured", error=type(error).__qualname__)
            return
        behind.clear()
        for partition, messages in unread.items():
            behind.labels(partition.topic).inc(messages)

    async def _unread(self) -> dict[TopicPartition, int]:
        """Raises KafkaError or OSError (TimeoutError)."""
        async with asyncio.timeout(ASK_TIMEOUT):
            return await self._reader.unread()

    async def consume(self, records: Sequence[Record]) -> None:
        """Handle one batch of records as they came. Raises BatchFailed to have them again."""
        self._in_hand_since = self._now()
        try:
            events: list[tuple[Record, Received]] = []
            refused: list[tuple[Record, str]] = []
            for record in await self._of_concern(records):
                try:
                    received = decode(record.headers, record.value, self._verifier, self._opener)
                    events.append((record, received))
                except Unreadable as reason:
                    if isinstance(reason, Untrusted):
                        untrusted.labels(record.topic).inc()
                    refused.append((record, str(reason)))
            refused += await self._apply_or_isolate(events)
            # Last, so that an outage which has the batch fetched again parks nothing twice.
            await self._park(refused)
        except Exception as error:
            failed.inc()
            log.warning(
                "batch waits",
                error=type(error).__qualname__,
                records=len(records),
                exc_info=error if isinstance(error, asyncpg.PostgresError) else None,
            )
            self._in_hand_since = None
            if isinstance(error, OUTAGE):
                self._progress = self._now()  # it tries; a new process could do no more
            await self._backoff.wait()
            raise BatchFailed from None
        finally:
            self._in_hand_since = None
        self._backoff.reset()
        self._progress = self._now()

    async def _of_concern(self, records: Sequence[Record]) -> Sequence[Record]:
        """What is to be opened: not what can do nothing here, as its envelope tells."""
        if self._concerning is None:
            return records
        labels = [label(record.topic, record.headers) for record in records]
        concerning = iter(await self._concerning([each for each in labels if each is not None]))
        return [
            record
            for record, each in zip(records, labels, strict=True)
            if each is None or next(concerning)
        ]

    async def _apply_or_isolate(
        self, events: Sequence[tuple[Record, Received]]
    ) -> list[tuple[Record, str]]:
        """Apply all at once; if their content prevents it, one by one. What fails, and why."""
        if not events:
            return []
        try:
            await self._apply([received for _, received in events])
        except OUTAGE:
            raise
        except Exception as error:
            if len(events) == 1:
                log.error("event cannot be handled", exc_info=error)
                return [(events[0][0], f"handler failed: {type(error).__qualname__}")]
            apart: list[tuple[Record, str]] = []
            for event in events:
                apart += await self._apply_or_isolate([event])
                # many of them may take long, and are no standstill
                self._in_hand_since = self._now()
            return apart
        return []

    async def _apply(self, events: Sequence[Received]) -> None:
        async with self._db.system() as tx:
            new = await inbox.fresh(tx, (received.id for received in events))
            fresh: list[Received] = []
            for received in events:
                if received.id in new:
                    new.discard(received.id)  # the same event twice within one batch
                    fresh.append(received)
            # Of those that are rolled back there is no trace: they are handled again.
            spans = [_begin(received) for received in fresh]
            log.debug("batch came", events=len(events), new=len(fresh))
            if fresh:
                await self._handle(
                    tx,
                    [
                        dataclasses.replace(received, traceparent=tracing.traceparent(span))
                        for received, span in zip(fresh, spans, strict=True)
                    ],
                )
        if fresh:
            self._after_commit()
        for received, span in zip(fresh, spans, strict=True):
            span.end()
            event = received.event
            consumed.labels(type(event).__name__).inc()
            log.info(
                "handled",
                type=event.type,
                subject=str(event.subject),
                practice=str(event.practice_id),
                trace_id=tracing.trace_id(span),
            )

    async def _park(self, refused: Sequence[tuple[Record, str]]) -> None:
        for record, reason in refused:
            log.error(
                "message parked",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                reason=reason,
            )
        await self._dead_letters.park(refused)


def of_types(*types: type) -> Concerning:
    """Events of these types, for a service in which others do nothing."""

    async def concerning(labels: Sequence[Label]) -> Sequence[bool]:
        return [issubclass(each.type, types) for each in labels]

    return concerning


def _begin(received: Received) -> Span:
    return tracing.begin(
        f"handle {type(received.event).__name__}",
        received.traceparent,
        kind=SpanKind.CONSUMER,
        attributes={"messaging.system": "kafka"},
    )
