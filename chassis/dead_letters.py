"""Dead letters: what cannot be read is parked with its reason and never blocks a partition.

Each consumer parks for itself, so one message may be there once for every service that reads it.

`python -m chassis.dead_letters TOPIC` publishes the parked messages of TOPIC again, once what
was wrong is mended. Consumers that had understood them ignore the repeat (inbox).
"""

import argparse
import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from prometheus_client import Counter

from chassis.kafka import Cluster, LastingProducer
from chassis.kafka_settings import KafkaSettings
from contracts.topics import DEAD_LETTER_SUFFIX

REASON, PARKED_BY = "dlq_reason", "dlq_consumer"
ORIGIN = ("dlq_partition", "dlq_offset")
LEFT_OUT = "dlq_left_out"
PUBLISH_TIMEOUT = 30.0  # seconds
REPLAY_GROUP = "dead-letter-replay"

parked = Counter("dead_letters_total", "Messages parked because they could not be read", ["topic"])


class DeadLetters:
    """Parks messages of the topics this service reads."""

    def __init__(self, cluster: Cluster, consumer: str) -> None:
        self._consumer = consumer
        self._producer = LastingProducer(cluster)

    async def park(self, refused: "Sequence[tuple[ConsumerRecord[bytes, bytes], str]]") -> None:
        """Publish messages unchanged to their dead-letter topics, each with the reason for it.

        Returns once Kafka has them all. Of one that is too large for that, only its reason and its
        place are kept. No reason may hold patient data. Raises KafkaError or TimeoutError; then
        some may be parked nevertheless.
        """
        if not refused:
            return
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT):
                producer = await self._producer.get()
                sent = [await self._send(producer, record, why) for record, why in refused]
                results = await asyncio.gather(*sent, return_exceptions=True)
                for (record, why), result in zip(refused, results, strict=True):
                    if isinstance(result, MessageSizeTooLargeError):
                        await (await self._send_without_content(producer, record, why))
                    elif isinstance(result, BaseException):
                        raise result
        except BaseException:
            await self._producer.drop()
            raise
        for record, _ in refused:
            parked.labels(record.topic).inc()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._producer.drop()

    async def _send(
        self, producer: AIOKafkaProducer, record: "ConsumerRecord[bytes, bytes]", reason: str
    ) -> "asyncio.Future[Any]":
        """Hand over to the producer; the future is done once Kafka has it."""
        headers = [(name, value) for name, value in record.headers if value is not None]
        try:
            future: asyncio.Future[Any] = await producer.send(
                record.topic + DEAD_LETTER_SUFFIX,
                record.value,
                key=record.key,
                headers=headers + self._about(record, reason),
            )
        except MessageSizeTooLargeError:  # it came compressed, or just fitted without `about`
            return await self._send_without_content(producer, record, reason)
        return future

    async def _send_without_content(
        self, producer: AIOKafkaProducer, record: "ConsumerRecord[bytes, bytes]", reason: str
    ) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = await producer.send(
            record.topic + DEAD_LETTER_SUFFIX,
            b"",
            headers=[*self._about(record, reason), (LEFT_OUT, b"too large")],
        )
        return future

    def _about(
        self, record: "ConsumerRecord[bytes, bytes]", reason: str
    ) -> list[tuple[str, bytes]]:
        return [
            (REASON, reason.encode()),
            (PARKED_BY, self._consumer.encode()),
            (ORIGIN[0], str(record.partition).encode()),
            (ORIGIN[1], str(record.offset).encode()),
        ]


async def replay(cluster: Cluster, topic: str, *, idle: float = 5.0) -> int:
    """Publish the parked messages of `topic` again; returns how many. Resumes after a stop.

    What is parked meanwhile is left to the next time, else it would never end while something
    still can't be read. `idle` is how many seconds a partition may bring nothing.
    """
    consumer = cluster.consumer(
        group_id=REPLAY_GROUP, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    producer = cluster.producer()
    parked_in = topic + DEAD_LETTER_SUFFIX
    count = 0
    async with producer, consumer:
        numbers = await producer.partitions_for(parked_in)
        partitions = [TopicPartition(parked_in, number) for number in numbers]
        consumer.assign(partitions)
        for partition, end in (await consumer.end_offsets(partitions)).items():
            while await consumer.position(partition) < end:
                batch = await consumer.getmany(
                    partition, timeout_ms=int(idle * 1000), max_records=100
                )
                records = [each for each in batch.get(partition, ()) if each.offset < end]
                if not records:
                    break
                for record in records:
                    count += await _publish_again(producer, topic, record)
                await consumer.commit({partition: records[-1].offset + 1})
    return count


async def _publish_again(
    producer: AIOKafkaProducer, topic: str, record: "ConsumerRecord[bytes, bytes]"
) -> bool:
    """False when the message itself was left out as too large."""
    if any(name == LEFT_OUT for name, _ in record.headers):
        return False
    headers = [
        (name, value) for name, value in record.headers if name not in {REASON, PARKED_BY, *ORIGIN}
    ]
    await producer.send_and_wait(topic, record.value, key=record.key, headers=headers)
    return True


def main() -> None:
    """Command line of the replay."""
    parser = argparse.ArgumentParser(
        description="Publish parked messages of a topic again. Kafka and the login to it are set "
        "by variables as the services', without their prefix: KAFKA_BOOTSTRAP and so on."
    )
    parser.add_argument("topic", help="the topic they came from, without .dlq")
    arguments = parser.parse_args()
    count = asyncio.run(replay(Cluster.of(KafkaSettings()), arguments.topic))
    print(f"{count} messages published again to {arguments.topic}")


if __name__ == "__main__":
    main()
