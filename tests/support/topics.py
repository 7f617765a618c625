"""Kafka's topics as any other system reads them, and as their producers write them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from contracts.channels import Channel
from contracts.envelope import Message
from contracts.events import Outcome
from contracts.signatures import HEADER
from contracts.topics import EVENT_OF, TOPIC_OF
from local.stack import Stack
from tests.support import Json, Practice

OutcomeT = TypeVar("OutcomeT", bound=Outcome)


@asynccontextmanager
async def reading(stack: Stack, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A plain consumer of everything in these topics."""
    consumer = stack.cluster.consumer(*topics, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def outcome_of(kind: type[OutcomeT], practice: Practice, created: Json, **said: object) -> OutcomeT:
    """What notification would tell last of all of the invitation by e-mail of this appointment."""
    return kind.model_validate(
        {
            "appointment_id": created["id"],
            "practice_id": practice.id,
            "invitation_id": created["invitation"]["id"],
            "attempt": 1,
            "channel": Channel.EMAIL,
            "sequence": 99,
            "occurred_at": datetime.now(UTC),
        }
        | said
    )


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
