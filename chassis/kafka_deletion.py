"""Removing from Kafka what has done its duty, long before its retention: DeleteRecords (KIP-107).

What lies before the first offset can't be read by anybody any more. The broker deletes it from
its disk with the segment that it is in.
"""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaTimeoutError

from chassis.kafka import Cluster
from chassis.undecodable import next_of
from contracts.topics import Topic

READ_TIMEOUT = 5_000  # milliseconds for a batch that is there


async def below_committed(
    cluster: Cluster, topic: Topic, group: str, known: dict[int, int]
) -> dict[int, int]:
    """Remove what `group` has read and committed; the new first offsets by partition.

    Only for a topic that no other group reads. `known` is the last answer. Raises KafkaError.
    """
    admin = cluster.admin()
    await admin.start()
    try:
        committed = {
            each.partition: mark.offset
            for each, mark in (await admin.list_consumer_group_offsets(group)).items()
            if each.topic == topic.name and mark.offset > known.get(each.partition, 0)
        }
        await _remove(admin, topic, committed)
    finally:
        await admin.close()
    return known | committed


async def dead_letters_of(cluster: Cluster, topic: Topic, keys: Collection[str]) -> int:
    """Remove the parked messages with these keys; how many there were. Raises KafkaError.

    Records can be removed from the front only, so the others are parked anew behind them first.
    Killed in between, some are parked twice, which a replay stands.
    """
    parked = topic.dead_letters
    wanted = {key.encode() for key in keys}
    async with cluster.consumer(group_id=None, auto_offset_reset="earliest") as consumer:
        records, ends = await _all(consumer, parked)
    others = [record for record in records if record.key not in wanted]
    if len(others) == len(records):
        return 0
    async with cluster.producer() as producer:
        for record in others:
            await producer.send_and_wait(
                parked.name, record.value, key=record.key, headers=list(record.headers)
            )
    admin = cluster.admin()
    await admin.start()
    try:
        await _remove(admin, parked, ends)
    finally:
        await admin.close()
    return len(records) - len(others)


async def _all(
    consumer: AIOKafkaConsumer, topic: Topic
) -> "tuple[list[ConsumerRecord[bytes, bytes]], dict[int, int]]":
    """Every record up to now, and the offsets that end them.

    Raises KafkaTimeoutError rather than leave some out: what is before the ends gets removed.
    """
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    records: list[ConsumerRecord[bytes, bytes]] = []
    for partition, end in ends.items():
        while await consumer.position(partition) < end:
            batch = await next_of(consumer, partition, timeout_ms=READ_TIMEOUT)
            if not batch:
                raise KafkaTimeoutError
            records.extend(each for each in batch if each.offset < end)
    return records, {partition.partition: end for partition, end in ends.items()}


async def _remove(admin: AIOKafkaAdminClient, topic: Topic, below: dict[int, int]) -> None:
    if below:
        await admin.delete_records(
            {
                TopicPartition(topic.name, partition): RecordsToDelete(before_offset=offset)
                for partition, offset in below.items()
            }
        )
