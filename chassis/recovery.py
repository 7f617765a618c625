"""After a database was restored to an earlier moment, or a topic was lost: what each service does.

The command of each service, `python -m services.NAME.recover --since MOMENT [--restored NAME …]`,
is run while all processes are stopped. It sets the service's consumer group back, so that what was
published since is heard again (what had taken effect has none again: inbox, and the order of what
is told), and puts into the outbox once more what it tells others.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from chassis.database import TRANSIENT_ERRORS
from chassis.kafka import Cluster
from chassis.undecodable import next_of
from contracts.access import ACCOUNTS
from contracts.envelope import Received, Unreadable, decode
from contracts.signatures import EventVerifier
from contracts.topics import Topic

# Earlier than was asked for: clocks differ, and what is heard again has no effect.
MARGIN = timedelta(hours=1)
IDLE = 5_000  # milliseconds that a partition may bring nothing
STILL_THERE = (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is to be made good: what has happened since `since`."""

    since: datetime
    restored: Collection[str] = ()  # services whose databases are as they were then


def main(service: str, work: Callable[[Recovery], Coroutine[Any, Any, Sequence[str]]]) -> int:
    """The command line; prints what `work` says, 1 with a sentence when it can't be done."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{service}.recover",
        description="Stop all processes first. See docs/production.md, „Back up and restore“.",
    )
    parser.add_argument(
        "--since",
        required=True,
        type=moment,
        help="of the oldest backup that was restored, or before the loss: 2026-11-27T02:00+01:00",
    )
    parser.add_argument(
        "--restored",
        nargs="*",
        default=[],
        choices=ACCOUNTS,
        help="whose databases were restored",
    )
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it says is told below
    recovery = Recovery(options.since - MARGIN, options.restored)
    try:
        print("\n".join(asyncio.run(work(recovery))))
    except STILL_THERE:
        print(f"Processes of {service} still run: stop them first.", file=sys.stderr)
        return 1
    except (KafkaError, *TRANSIENT_ERRORS) as error:
        print(f"Kafka or the database does not answer ({type(error).__name__}).", file=sys.stderr)
        return 1
    return 0


def moment(text: str) -> datetime:
    """A time with its offset. Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("without an offset from UTC it is no moment")
    return found.astimezone(UTC)


async def read_back(
    cluster: Cluster, topic: Topic, since: datetime, verifier: EventVerifier
) -> AsyncIterator[Received]:
    """What a topic holds since then, up to now, partition by partition. Raises KafkaError.

    What can't be read is passed over.
    """
    consumer = cluster.consumer(group_id=None, enable_auto_commit=False)
    async with consumer, cluster.producer(enable_idempotence=False) as asked:
        for number in await asked.partitions_for(topic.name):
            partition = TopicPartition(topic.name, number)
            consumer.assign([partition])
            found = await consumer.offsets_for_times({partition: int(since.timestamp() * 1000)})
            end = (await consumer.end_offsets([partition]))[partition]
            if found[partition] is None:
                continue
            consumer.seek(partition, found[partition].offset)
            while await consumer.position(partition) < end:
                batch = await next_of(consumer, partition, timeout_ms=IDLE)
                if not batch:
                    break
                for record in batch:
                    with suppress(Unreadable):
                        yield decode(record.headers, record.value, verifier)


async def rewind(
    cluster: Cluster,
    group: str,
    topics: Sequence[Topic],
    since: datetime,
    *,
    read_on: Sequence[Topic] = (),
) -> int:
    """Let a group, none of whose members runs, read on from then; how many partitions moved.

    Where it has not come so far, or nothing is newer, it reads on where it is, and so it does with
    all of `read_on`. Behind the end it can't be but where the topic was made anew: then it begins.
    Of a topic that was deleted Kafka forgets where a group was, unless a member said so once more.
    Raises KafkaError; one of STILL_THERE where a member runs.
    """
    consumer = cluster.consumer(group_id=group, enable_auto_commit=False)
    async with consumer, cluster.producer(enable_idempotence=False) as asked:
        partitions = [
            TopicPartition(topic.name, number)
            for topic in (*topics, *read_on)
            for number in await asked.partitions_for(topic.name)
        ]
        consumer.assign(partitions)
        names = {topic.name for topic in topics}
        at = {each: int(since.timestamp() * 1000) for each in partitions if each.topic in names}
        found = await consumer.offsets_for_times(at)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        committed = {each: await consumer.committed(each) for each in partitions}
        known = {each: offset for each, offset in committed.items() if offset is not None}
        back = {
            each: place.offset
            for each, offset in known.items()
            if (place := found.get(each)) is not None and place.offset < offset
        }
        back |= {each: begins[each] for each, offset in known.items() if offset > ends[each]}
        # Also where nothing moves: a member that runs is to be heard of.
        await consumer.commit((known | back) or begins)
    return len(back)
