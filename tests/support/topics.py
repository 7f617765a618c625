"""Kafka's topics as any other system reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer

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


def header(record: Any, name: str) -> str:
    """A header of a record, as text."""
    return str(dict(record.headers)[name].decode())
