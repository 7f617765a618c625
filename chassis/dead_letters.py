"""Dead letters: what cannot be read is parked with its reason and never blocks a partition.

Each consumer parks for itself, so one message may be there once for every service that reads it.

`python -m chassis.dead_letters TOPIC` publishes the parked messages of TOPIC again, once what
was wrong is mended. Consumers that had understood them ignore the repeat (inbox).
"""

import argparse
import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from prometheus_client import Counter

from contracts.topics import DEAD_LETTER_SUFFIX

REASON, PARKED_BY = "dlq_reason", "dlq_consumer"
ORIGIN = ("dlq_partition", "dlq_offset")
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

        `reason` must hold no patient data. Raises KafkaError or TimeoutError.
        """
        headers = [(name, value) for name, value in record.headers if value is not None]
        headers += [
            (REASON, reason.encode()),
            (PARKED_BY, self._consumer.encode()),
            (ORIGIN[0], str(record.partition).encode()),
            (ORIGIN[1], str(record.offset).encode()),
        ]
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True
        )
        async with asyncio.timeout(PUBLISH_TIMEOUT), producer:
            await producer.send_and_wait(
                record.topic + DEAD_LETTER_SUFFIX, record.value, key=record.key, headers=headers
            )
        parked.labels(record.topic).inc()


async def replay(bootstrap: str, topic: str, *, idle: float = 5.0) -> int:
    """Publish the parked messages of `topic` again; returns how many. Resumes after a stop."""
    consumer = AIOKafkaConsumer(
        topic + DEAD_LETTER_SUFFIX,
        bootstrap_servers=bootstrap,
        group_id=REPLAY_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    count = 0
    async with producer, consumer:
        while records := await _next(consumer, idle):
            for record in records:
                headers = [
                    (name, value)
                    for name, value in record.headers
                    if name not in {REASON, PARKED_BY, *ORIGIN}
                ]
                await producer.send_and_wait(topic, record.value, key=record.key, headers=headers)
                count += 1
            await consumer.commit()
    return count


async def _next(
    consumer: AIOKafkaConsumer, idle: float
) -> Sequence["ConsumerRecord[bytes, bytes]"]:
    batches = await consumer.getmany(timeout_ms=int(idle * 1000), max_records=100)
    return [record for batch in batches.values() for record in batch]


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
