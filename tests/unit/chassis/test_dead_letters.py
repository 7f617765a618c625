"""A batch is parked in one go, by one producer that is kept."""

import asyncio
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from chassis.dead_letters import LEFT_OUT, REASON, DeadLetters
from chassis.kafka import Cluster

LARGE = b"x" * 100


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
        if value == LARGE:
            raise MessageSizeTooLargeError
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


def record(value: bytes, offset: int) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord(
        topic="topic",
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=b"key",
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(("ce_id", b"1"), ("empty", None)),
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
