"""Kafka's topics as any other system reads them, and as their producers write them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from contracts.envelope import Message
from contracts.signatures import HEADER
from contracts.topics import EVENT_OF, TOPIC_OF
from local.stack import Stack


@asynccontextmanager
async def reading(stack: Stack, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A plain consumer of everything in these topics."""
    consumer = stack.cluster.consumer(*topics, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def publish(
    stack: Stack,
    message: "Message | ConsumerRecord[bytes, bytes]",
    *,
    event_id: str | None = None,
    times: int = 1,
    signed_by: str | None = None,
) -> None:
    """Publish an event, or a record that was read, signed as by its producer, or by another.

    With an `event_id` of its own no inbox knows it.
    """
    attributes = {name: (value or b"").decode() for name, value in message.headers}
    attributes.pop(HEADER, None)
    if event_id is not None:
        attributes["ce_id"] = event_id
    value = message.value or b""
    producer_name = signed_by or TOPIC_OF[EVENT_OF[attributes["ce_type"]]].producer
    attributes[HEADER] = stack.event_signer(producer_name).sign(attributes, value)
    key = message.key.encode() if isinstance(message.key, str) else message.key
    headers = [(name, text.encode()) for name, text in attributes.items()]
    async with stack.cluster.producer() as producer:
        for _ in range(times):
            await producer.send_and_wait(message.topic, value, key=key, headers=headers)


def header(record: Any, name: str) -> str:
    """A header of a record, as text."""
    return str(dict(record.headers)[name].decode())
