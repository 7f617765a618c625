"""Dead letters: what cannot be read is parked with its reason and never blocks a partition.

Each consumer parks for itself, so one message may be there once for every service that reads it.

`python -m chassis.dead_letters TOPIC` publishes the parked messages of TOPIC again, once what
was wrong is mended. Consumers that had understood them ignore the repeat (inbox).
"""

import argparse
import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from prometheus_client import Counter

from contracts.topics import DEAD_LETTER_SUFFIX

REASON, PARKED_BY = "dlq_reason", "dlq_consumer"
ORIGIN = ("dlq_partition", "dlq_offset")
LEFT_OUT = "dlq_left_out"
PUBLISH_TIMEOUT = 30.0  # seconds
REPLAY_GROUP = "dead-letter-replay"

parked = Counter("dead_letters_total", "Messages parked because they could not be read", ["topic"])


class DeadLetters:
    """Parks messages of the topics this service reads."""

    def __init__(self, bootstrap: str, consumer: str) -> None:
        self._bootstrap = bootstrap
        self._consumer = consumer

    async def park(self, record: "ConsumerRecord[bytes, bytes]", reason: str) -> None:
        """Publish the message unchanged to its dead-letter topic, and return once Kafka has it.

        Of one that is too large for that, only its reason and its place are kept. `reason` must
        hold no patient data. Raises KafkaError or TimeoutError.
        """
        headers = [(name, value) for name, value in record.headers if value is not None]
        about = [
            (REASON, reason.encode()),
            (PARKED_BY, self._consumer.encode()),
            (ORIGIN[0], str(record.partition).encode()),
            (ORIGIN[1], str(record.offset).encode()),
        ]
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True
        )
        topic = record.topic + DEAD_LETTER_SUFFIX
        async with asyncio.timeout(PUBLISH_TIMEOUT), producer:
            try:
                await producer.send_and_wait(
                    topic, record.value, key=record.key, headers=headers + about
                )
            except MessageSizeTooLargeError:  # it came compressed, or just fitted without `about`
                await producer.send_and_wait(topic, b"", headers=[*about, (LEFT_OUT, b"too large")])
        parked.labels(record.topic).inc()


async def replay(bootstrap: str, topic: str, *, idle: float = 5.0) -> int:
    """Publish the parked messages of `topic` again; returns how many. Resumes after a stop.

    What is parked meanwhile is left to the next time, else it would never end while something
    still can't be read. `idle` is how many seconds a partition may bring nothing.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=REPLAY_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
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
    parser = argparse.ArgumentParser(description="Publish parked messages of a topic again.")
    parser.add_argument("topic", help="the topic they came from, without .dlq")
    parser.add_argument("--bootstrap", required=True, help="Kafka bootstrap servers")
    arguments = parser.parse_args()
    count = asyncio.run(replay(arguments.bootstrap, arguments.topic))
    print(f"{count} messages published again to {arguments.topic}")


if __name__ == "__main__":
    main()
