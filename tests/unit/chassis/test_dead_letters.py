"""A batch is parked in one go, by one producer that is kept."""

import asyncio
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from chassis.dead_letters import REASON, DeadLetters, publish_again
from chassis.kafka import Cluster
from chassis.undecodable import LEFT_OUT

LARGE = b"x" * 100
UNSENDABLE = "\udcff"  # a header's name that is no text


class Producer:
    """Acknowledges what it was given only once the whole batch is there."""

    def __init__(self, together: int) -> None:
        self.together = together
        self.sent: list[tuple[str, bytes | None, dict[str, bytes]]] = []
        self.waiting: list[asyncio.Future[None]] = []
        self.running = False
        self.fails = False

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def send(
        self, topic: str, value: bytes | None, *, key: Any = None, headers: Any
    ) -> asyncio.Future[None]:
        assert not (value is None and key is None)  # as aiokafka does
        if value == LARGE:
            raise MessageSizeTooLargeError
        for name, _ in headers:
            name.encode()
        self.sent.append((topic, value, dict(headers)))
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        if len(self.waiting) == self.together:
            for each in self.waiting:
                if self.fails:
                    each.set_exception(KafkaConnectionError())
                else:
                    each.set_result(None)
            self.waiting.clear()
        return future

    async def send_and_wait(self, *sent: Any, **more: Any) -> None:
        await (await self.send(*sent, **more))


def record(
    value: bytes | None, offset: int, *, key: bytes | None = b"key", header: str = "ce_id"
) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord(
        topic="topic",
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=((header, b"1"), ("empty", None)),
    )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Producer]:
    producers: list[Producer] = []

    def producer(*_: object, **__: object) -> Producer:
        producers.append(Producer(together=200))
        return producers[-1]

    monkeypatch.setattr(Cluster, "producer", producer)
    return producers


async def test_two_hundred_are_parked_at_once_and_by_the_same_producer(
    made: list[Producer],
) -> None:
    letters = DeadLetters(Cluster("nowhere:9092"), "status")
    batch = [(record(b"rubbish", number), "no event") for number in range(199)]
    for _ in range(2):
        await letters.park([*batch, (record(LARGE, 199), "too long")])
    [producer] = made
    assert len(producer.sent) == 400
    topic, value, headers = producer.sent[0]
    assert (topic, value, headers[REASON]) == ("topic.dlq", b"rubbish", b"no event")
    assert (producer.sent[199][1], producer.sent[199][2][LEFT_OUT]) == (b"", b"too large")
    await letters.close()
    assert not producer.running


async def test_after_an_error_the_producer_is_made_anew(made: list[Producer]) -> None:
    letters = DeadLetters(Cluster("nowhere:9092"), "status")
    batch = [(record(b"rubbish", number), "no event") for number in range(200)]
    await letters.park(batch)
    made[0].fails = True
    with pytest.raises(KafkaConnectionError):
        await letters.park(batch)
    assert not made[0].running
    await letters.park(batch)
    assert len(made) == 2


async def test_no_record_keeps_the_others_of_its_batch_from_being_parked(
    made: list[Producer],
) -> None:
    letters = DeadLetters(Cluster("nowhere:9092"), "status")
    bare = record(None, 198, key=None)
    strange = record(b"x", 199, header=UNSENDABLE)
    batch = [record(b"rubbish", number) for number in range(198)]
    await letters.park([(each, "no event") for each in (bare, strange, *batch)])
    [producer] = made
    assert len(producer.sent) == 200
    assert [(value, headers.get(LEFT_OUT)) for _, value, headers in producer.sent[:3]] == [
        (b"", None),
        (b"", b"not sendable"),
        (b"rubbish", None),
    ]
    assert producer.sent[0][2]["ce_id"] == b"1"
    await letters.close()


async def test_no_letter_keeps_the_others_from_being_published_again() -> None:
    producer: Any = Producer(together=1)
    assert await publish_again(producer, "topic", record(None, 1, key=None))
    assert not await publish_again(producer, "topic", record(b"x", 2, header=UNSENDABLE))
    assert [value for _, value, _ in producer.sent] == [b""]
    producer.fails = True
    with pytest.raises(KafkaConnectionError):
        await publish_again(producer, "topic", record(b"x", 3))
