"""A member of a consumer group: records in batches, their offsets committed behind their effect.

FastStream joins the group and leaves it. The records are taken from its consumer by ourselves: its
own loop sleeps as long as it has waited in vain, and fetches and commits batch by batch (ADR 52).

Offsets follow once a second rather than batch by batch: a commit costs Kafka as much as a batch,
and what a process that is killed has not committed is read once more and known by the inbox.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from chassis.kafka import Cluster
from chassis.undecodable import Record, next_of
from contracts.topics import Topic

log = structlog.get_logger(__name__)

COMMIT_EVERY = 1.0  # seconds
COMMIT_TIMEOUT = 5.0  # seconds
IDLE = 1.0  # seconds after which nothing is what has come
# Seconds that the broker keeps a question open while nothing comes. What else is asked over the
# same connection, as how far behind we are, waits for its end.
OPEN_FOR = 1.0


class GroupReader(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Reads `topics` as a member of `group`, at most `most` records at a time."""

    def __init__(self, cluster: Cluster, topics: Sequence[Topic], group: str, *, most: int) -> None:
        self._cluster = cluster
        self._topics = [topic.name for topic in topics]
        self._group = group
        self._most = most
        self._broker: KafkaBroker | None = None
        self._kafka: AIOKafkaConsumer | None = None
        self._in_hand: dict[TopicPartition, int] = {}  # offsets of the first that has no effect yet
        self._ended: dict[TopicPartition, int] = {}  # offsets behind what has, to be committed
        self._lost = False  # whether records may have been passed that nobody was given
        self._committed_at = time.monotonic()

    async def join(self) -> None:
        """Become a member. Raises KafkaError or OSError."""
        broker = self._cluster.broker(
            client_id=self._group,
            consumer_only=True,
            allow_auto_create_topics=False,
            logger=None,
        )
        subscriber = broker.subscriber(
            *self._topics,
            group_id=self._group,
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=int(OPEN_FOR * 1000),
            listener=self,
            # how long a killed member holds up its group: the least that brokers allow
            session_timeout_ms=6_000,
            heartbeat_interval_ms=2_000,
        )
        try:
            await broker.start()
        except BaseException:
            await broker.stop()
            raise
        self._broker, self._kafka = broker, subscriber.consumer

    async def leave(self) -> None:
        """Commit and be no member any more."""
        if self._broker is not None:
            await self._commit()
            await self._broker.stop()
            self._broker = self._kafka = None

    @property
    def has_died(self) -> bool:
        """Whether a task of aiokafka's own has ended, so that nothing will be read any more.

        aiokafka does not tell of all of them, and has no public names for them.
        """
        kafka: Any = self._kafka
        if kafka is None:
            return False
        tasks = (
            kafka._client._sync_task,
            kafka._coordinator._coordination_task,
            kafka._fetcher._fetch_task,
        )
        return any(task.done() for task in tasks)

    async def next(self) -> list[Record]:
        """What has come since; nothing after a while without. Raises KafkaError or OSError.

        They are in hand until it is told that they are `done`, or wanted `again`.
        """
        kafka = self._member()
        if self._lost:
            await self._begin_anew()
            self._lost = False
        if time.monotonic() - self._committed_at > COMMIT_EVERY:
            await self._commit()
        kafka.resume(*kafka.paused())
        try:
            try:
                found = await kafka.getmany(timeout_ms=int(IDLE * 1000), max_records=self._most)
            except UnicodeDecodeError:
                found = await self._each_apart()
        except (KafkaError, OSError):
            self._lost = True
            raise
        records = [*chain.from_iterable(found.values())]
        if records and len(records) < self._most:
            # Fetched ahead, the next batch would be what came first and no more: the rest would
            # wait for another turn. So it is fetched when these are done, with all that came.
            kafka.pause(*kafka.assignment())
        self._in_hand = {each: some[0].offset for each, some in found.items()}
        return records

    def done(self, records: Iterable[Record]) -> None:
        """They have taken effect: their offsets are to be committed."""
        self._in_hand = {}
        for record in records:
            self._ended[TopicPartition(record.topic, record.partition)] = record.offset + 1

    def again(self) -> None:
        """What is in hand has not: the next batch begins with it."""
        for partition, offset in self._in_hand.items():
            with suppress(IllegalStateError):  # another member's by now
                self._member().seek(partition, offset)
        self._in_hand = {}

    async def unread(self) -> dict[TopicPartition, int]:
        """How many messages of each of our partitions have not taken effect yet.

        Kafka is asked for their ends: what a fetcher last heard does not tell of one that hangs.
        Left out are those of which that is not known. Raises KafkaError or OSError.
        """
        kafka = self._kafka
        if kafka is None:
            return {}
        unread: dict[TopicPartition, int] = {}
        for each, end in (await kafka.end_offsets(kafka.assignment())).items():
            read = await kafka.position(each)
            messages = max(0, end - self._in_hand.get(each, read))
            if messages or not self._lost:
                unread[each] = messages
        return unread

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        """Whoever reads them now is to begin where we end (aiokafka's hook)."""
        if self._kafka is not None:  # else it is our own joining, and there is nothing yet
            await self._commit()
            self._ended.clear()

    async def on_partitions_assigned(self, _assigned: Iterable[TopicPartition]) -> None:
        """Nothing to do (aiokafka's hook)."""

    async def _begin_anew(self) -> None:
        """Read on where the group is known to have ended. Raises KafkaError or TimeoutError.

        Where a batch of one partition can't be read, aiokafka has passed what it took of others.
        """
        async with asyncio.timeout(2 * COMMIT_TIMEOUT):
            kafka = self._member()
            await self._commit()
            unread: set[TopicPartition] = set()
            for each in kafka.assignment():
                with suppress(IllegalStateError):  # another member's by now
                    committed = await kafka.committed(each)
                    if committed is None:
                        unread.add(each)
                    else:
                        kafka.seek(each, committed)
            if ours := unread & kafka.assignment():
                # Together: each time waits for the question that is open (`OPEN_FOR`).
                await kafka.seek_to_beginning(*ours)

    async def _each_apart(self) -> dict[TopicPartition, list[Record]]:
        """What there is, where one of the partitions holds what aiokafka can't decode."""
        await self._begin_anew()
        kafka = self._member()
        found: dict[TopicPartition, list[Record]] = {}
        room = self._most
        for each, messages in (await self.unread()).items():
            if messages and room:
                some = await next_of(kafka, each, timeout_ms=int(2 * IDLE * 1000), most=room)
                if some:
                    found[each] = some
                    room -= len(some)
        return found

    async def _commit(self) -> None:
        """Commit what has ended; what can't be now is tried again, and no harm if it never is."""
        self._committed_at = time.monotonic()
        kafka = self._member()
        ended = {each: self._ended[each] for each in kafka.assignment() & self._ended.keys()}
        if not ended:
            return
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                await kafka.commit(ended)
        except (KafkaError, OSError) as error:
            log.warning("offsets not committed", error=type(error).__qualname__)
            return
        for each, offset in ended.items():
            if self._ended.get(each) == offset:
                del self._ended[each]

    def _member(self) -> AIOKafkaConsumer:
        if self._kafka is None:
            raise RuntimeError("no member: join first")
        return self._kafka
