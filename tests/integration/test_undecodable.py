"""A record that aiokafka can't decode is passed by everything that reads: its place is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import uuid4

import pytest
from aiokafka.record.util import calc_crc32c

from chassis import dead_letters, kafka_deletion
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.kafka import Cluster
from chassis.recovery import read_back
from chassis.undecodable import LEFT_OUT
from contracts.signatures import EventVerifier
from contracts.topics import Topic
from local import topics
from local.kafka_setup import ADMIN
from tests.conftest import Stack
from tests.support import eventually

NAME, NO_NAME = "~~", b"\xff\xfe"
CRC, COVERED = slice(17, 21), 21  # of a batch (format 2)
READABLE, UNREADABLE = [("ce_type", b"unknown")], [(NAME, b"")]
NOTHING: list[tuple[str, bytes]] = []  # not even a value
NOBODY = EventVerifier({})


@pytest.fixture
async def cluster(stack: Stack) -> Cluster:
    return stack.kafka.login(ADMIN)


@pytest.fixture
async def topic(cluster: Cluster) -> AsyncIterator[Topic]:
    """A topic of two partitions that nobody else reads, with its dead letters."""
    name = f"test.{uuid4()}"
    made = Topic(name, "of this test", timedelta(days=1), partitions=2)
    await topics.create(cluster, [made, made.dead_letters])
    yield made
    admin = cluster.admin()
    await admin.start()
    try:
        await admin.delete_topics([name, made.dead_letters.name])
    finally:
        await admin.close()


async def write(
    cluster: Cluster, topic: Topic, partition: int, *records: list[tuple[str, bytes]]
) -> None:
    """Records with these headers and no more, in one batch."""
    async with cluster.producer(enable_idempotence=False) as producer:
        batch = producer.create_batch()
        for headers in records:
            value = b"{}" if headers else None
            batch.append(key=None, value=value, timestamp=None, headers=headers)
        batch.close()
        written = bytearray(batch._build()).replace(NAME.encode(), NO_NAME)
        written[CRC] = calc_crc32c(written[COVERED:]).to_bytes(4, "big")
        batch._buffer = written
        await (await producer.send_batch(batch, topic.name, partition=partition))


async def places(cluster: Cluster, topic: Topic) -> list[tuple[str, str]]:
    """Partition and offset of all that is parked, and why."""
    return sorted(
        [(each.place, each.reason) async for each in dead_letters.parked_in(cluster, [topic.name])]
    )


def reading(cluster: Cluster, topic: Topic) -> "asyncio.Task[None]":
    consumer = Consumer(
        topics=[topic],
        group=f"group-of-{topic.name}",
        handle=dont,
        db=cast(Database, None),
        cluster=cluster,
        verifier=NOBODY,
    )
    return asyncio.create_task(consumer.run())


async def stopped(consumer: "asyncio.Task[None]") -> None:
    """Raises what has ended it before."""
    consumer.cancel()
    with suppress(asyncio.CancelledError):
        await consumer


async def dont(*_: object) -> None:
    raise AssertionError


UNKNOWN = "ce_specversion is missing or not 1.0"
LOST = "a header is not UTF-8, left out"


async def test_a_consumer_parks_its_place_and_reads_on(cluster: Cluster, topic: Topic) -> None:
    """Also what is behind it in its producer's batch, and no other's."""
    await write(cluster, topic, 0, READABLE, UNREADABLE, UNREADABLE, READABLE)
    await write(cluster, topic, 0, READABLE)
    await write(cluster, topic, 1, UNREADABLE)
    await write(cluster, topic, 1, NOTHING, READABLE)
    expected = [
        *(("0/0", UNKNOWN), ("0/1", LOST), ("0/2", LOST), ("0/3", LOST), ("0/4", UNKNOWN)),
        *(("1/0", LOST), ("1/1", UNKNOWN), ("1/2", UNKNOWN)),
    ]

    async def ended_or_all_parked() -> bool:
        return consumer.done() or len(await places(cluster, topic)) >= len(expected)

    consumer = reading(cluster, topic)
    await eventually(ended_or_all_parked, "all are parked")
    await stopped(consumer)
    assert await places(cluster, topic) == expected
    await write(cluster, topic, 0, READABLE)  # whoever comes next begins behind them
    expected.append(("0/5", UNKNOWN))
    consumer = reading(cluster, topic)
    await eventually(ended_or_all_parked, "the next is parked")
    await stopped(consumer)
    assert await places(cluster, topic) == sorted(expected)


async def test_what_is_asked_for_by_operators_passes_it(cluster: Cluster, topic: Topic) -> None:
    parked = topic.dead_letters
    for each in (topic, parked):
        await write(cluster, each, 0, READABLE, UNREADABLE)
        await write(cluster, each, 0, READABLE)
    since = datetime.now(UTC) - timedelta(hours=1)
    assert [each async for each in read_back(cluster, topic, since, NOBODY)] == []
    assert len(await places(cluster, topic)) == 3
    assert await dead_letters.replay(cluster, topic.name) == 2
    async with cluster.consumer(group_id=None, auto_offset_reset="earliest") as consumer:
        records, ends = await kafka_deletion._all(consumer, topic)
    assert len(records) == sum(ends.values()) == 5
    left_out = [each.offset for each in records if LEFT_OUT in dict(each.headers)]
    assert left_out == [1]
