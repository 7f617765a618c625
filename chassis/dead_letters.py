"""Dead letters: what cannot be read is parked with its reason and never blocks a partition.

Each consumer parks for itself, so one message may be there once for every service that reads it.

`python -m chassis.dead_letters list` says what is parked, by topic, reader and reason; `show TOPIC`
tells of each letter; `replay TOPIC` publishes them again, once what was wrong is mended. Consumers
that had understood them ignore the repeat (inbox).
"""

import argparse
import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from prometheus_client import Counter

from chassis.kafka import Cluster, LastingProducer
from chassis.kafka_settings import KafkaSettings
from chassis.undecodable import LEFT_OUT, next_of
from contracts.topics import DEAD_LETTER_SUFFIX, TOPICS

REASON, PARKED_BY = "dlq_reason", "dlq_consumer"
ORIGIN = ("dlq_partition", "dlq_offset")
TOO_LARGE, NOT_SENDABLE = b"too large", b"not sendable"
OUTAGES = (KafkaError, OSError)  # no fault of the message
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

        Returns once Kafka has them all. Of one that is too large for that, could not be decoded or
        can't be sent, only its reason and its place are kept. No reason may hold patient data.
        Raises KafkaError or TimeoutError; then some may be parked nevertheless.
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
                        await (await self._send_without_content(producer, record, why, TOO_LARGE))
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
                _value(record),
                key=record.key,
                headers=headers + self._about(record, reason),
            )
        except MessageSizeTooLargeError:  # it came compressed, or just fitted without `about`
            return await self._send_without_content(producer, record, reason, TOO_LARGE)
        except OUTAGES:
            raise
        except Exception:  # what Kafka holds, and its client does not send
            return await self._send_without_content(producer, record, reason, NOT_SENDABLE)
        return future

    async def _send_without_content(
        self,
        producer: AIOKafkaProducer,
        record: "ConsumerRecord[bytes, bytes]",
        reason: str,
        why: bytes,
    ) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = await producer.send(
            record.topic + DEAD_LETTER_SUFFIX,
            b"",
            headers=[*self._about(record, reason), (LEFT_OUT, why)],
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


def _value(record: "ConsumerRecord[bytes, bytes]") -> bytes | None:
    """Of a record without key and value an empty one: aiokafka sends none that has neither."""
    return b"" if record.key is None and record.value is None else record.value


@dataclass(frozen=True, slots=True)
class Letter:
    """A parked message. All but `body` can be shown: it holds no patient data."""

    topic: str  # that it came from
    offset: int  # among the topic's dead letters
    at: datetime
    reader: str
    reason: str
    place: str  # partition and offset that it came from
    type: str
    subject: str  # the appointment's id
    body: bytes

    @classmethod
    def of(cls, record: "ConsumerRecord[bytes, bytes]") -> "Letter":
        """What a record of a dead-letter topic is; of what strangers wrote only what has a form."""
        told = {name: _text(value) for name, value in record.headers}
        type_, key = told.get("ce_type", ""), _text(record.key)
        return cls(
            topic=record.topic.removesuffix(DEAD_LETTER_SUFFIX),
            offset=record.offset,
            at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
            reader=told.get(PARKED_BY, ""),
            reason=told.get(REASON, "") + (", left out" if LEFT_OUT in told else ""),
            place="/".join(told.get(name, "?") for name in ORIGIN),
            type=type_ if TYPE.fullmatch(type_) else "?",
            subject=key if SUBJECT.fullmatch(key) else "?",
            body=record.value or b"",
        )


TYPE = re.compile(r"[a-z0-9]+(\.[A-Za-z0-9]+){1,4}")
SUBJECT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


async def parked_in(cluster: Cluster, topics: Sequence[str]) -> AsyncIterator[Letter]:
    """The letters of these topics, oldest first in each. Raises KafkaError."""
    consumer = cluster.consumer(
        group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    async with cluster.producer(enable_idempotence=False) as asked, consumer:
        for topic in topics:
            async for _, records in _to_the_end(consumer, asked, topic + DEAD_LETTER_SUFFIX):
                for record in records:
                    yield Letter.of(record)


async def _to_the_end(
    consumer: AIOKafkaConsumer, asked: AIOKafkaProducer, topic: str, *, idle: float = 5.0
) -> "AsyncIterator[tuple[TopicPartition, list[ConsumerRecord[bytes, bytes]]]]":
    """What a topic holds by now, in batches of one partition each.

    What comes meanwhile is left, else it would never end while something still can't be read.
    `asked` tells of partitions; `idle` is how many seconds one may bring nothing.
    """
    partitions = [TopicPartition(topic, number) for number in await asked.partitions_for(topic)]
    consumer.assign(partitions)
    for partition, end in (await consumer.end_offsets(partitions)).items():
        while await consumer.position(partition) < end:
            batch = await next_of(consumer, partition, timeout_ms=int(idle * 1000), most=100)
            records = [each for each in batch if each.offset < end]
            if not records:
                break
            yield partition, records


async def replay(
    cluster: Cluster, topic: str, *, reader: str | None = None, idle: float = 5.0
) -> int:
    """Publish the parked messages of `topic` again; returns how many. Resumes after a stop.

    With a `reader` only what it has parked.
    """
    consumer = cluster.consumer(
        group_id=f"{REPLAY_GROUP}-{reader}" if reader else REPLAY_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = cluster.producer()
    count = 0
    async with producer, consumer:
        async for partition, records in _to_the_end(
            consumer, producer, topic + DEAD_LETTER_SUFFIX, idle=idle
        ):
            for record in records:
                if reader in {None, Letter.of(record).reader}:
                    count += await publish_again(producer, topic, record)
            await consumer.commit({partition: records[-1].offset + 1})
    return count


async def publish_again(
    producer: AIOKafkaProducer, topic: str, record: "ConsumerRecord[bytes, bytes]"
) -> bool:
    """To its topic, as it was. False when the message itself was left out, or can't be sent."""
    if any(name == LEFT_OUT for name, _ in record.headers):
        return False
    headers = [
        (name, value) for name, value in record.headers if name not in {REASON, PARKED_BY, *ORIGIN}
    ]
    try:
        await producer.send_and_wait(topic, _value(record), key=record.key, headers=headers)
    except OUTAGES:
        raise
    except Exception:  # one of them keeps none of the others back
        return False
    return True


async def _list(cluster: Cluster, topics: Sequence[str], reader: str | None) -> None:
    found: dict[tuple[str, str, str], list[datetime]] = {}
    async for letter in parked_in(cluster, topics):
        if reader in {None, letter.reader}:
            found.setdefault((letter.topic, letter.reader, letter.reason), []).append(letter.at)
    for (topic, by, reason), times in sorted(found.items()):
        span = f"{min(times):%Y-%m-%d %H:%M} to {max(times):%Y-%m-%d %H:%M}"
        print(f"{topic}  {by}  {len(times)}  {span}  {reason}")
    print(f"{sum(map(len, found.values()))} messages are parked")


async def _show(
    cluster: Cluster, topics: Sequence[str], reader: str | None, *, bodies: bool
) -> None:
    async for letter in parked_in(cluster, topics):
        if reader in {None, letter.reader}:
            print(
                f"{letter.topic}{DEAD_LETTER_SUFFIX}@{letter.offset}  {letter.at:%Y-%m-%d %H:%M:%S}"
                f"  {letter.reader}  from {letter.place}  {letter.type}  {letter.subject}"
                f"  {letter.reason}"
            )
            if bodies:
                print(f"    {letter.body!r}")


async def _replay(cluster: Cluster, topics: Sequence[str], reader: str | None) -> None:
    for topic in topics:
        count = await replay(cluster, topic, reader=reader)
        print(f"{count} messages published again to {topic}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line, for an administrator of Kafka."""
    parser = argparse.ArgumentParser(
        prog="python -m chassis.dead_letters",
        description="Messages that could not be read. Kafka and the login to it are set by "
        "variables as the services', without their prefix: KAFKA_BOOTSTRAP and so on.",
    )
    names = [topic.name for topic in TOPICS]
    deeds = parser.add_subparsers(dest="deed", required=True)
    for deed, what in {
        "list": "how many are parked, by topic, reader and reason",
        "show": "one line for each; without what it says",
        "replay": "publish them again, where they came from",
    }.items():
        one = deeds.add_parser(deed, help=what, description=what)
        one.add_argument(
            "topic",
            nargs="+" if deed == "replay" else "*",
            default=None if deed == "replay" else "all",
            choices=[*names, "all"],
            metavar="TOPIC",
            help=f"without .dlq: {', '.join(names)}, or all",
        )
        one.add_argument("--reader", help="only what this service has parked")
        if deed == "show":
            one.add_argument(
                "--with-patient-data",
                action="store_true",
                help="with what each message says, which may be patients' data",
            )
    chosen = parser.parse_args(arguments)
    topics = names if "all" in chosen.topic else chosen.topic
    cluster = partial(Cluster.of, KafkaSettings())

    async def work() -> None:
        match chosen.deed:
            case "list":
                await _list(cluster(), topics, chosen.reader)
            case "show":
                if chosen.with_patient_data:
                    print("What follows may be patients' data: keep it nowhere.", file=sys.stderr)
                await _show(cluster(), topics, chosen.reader, bodies=chosen.with_patient_data)
            case _:
                await _replay(cluster(), topics, chosen.reader)

    asyncio.run(work())


if __name__ == "__main__":
    main()
