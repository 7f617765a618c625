"""Events of appointments, straight into the topics: as scheduling and notification tell them."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaProducer
from uuid_utils.compat import uuid7

from contracts.channels import Channel
from contracts.envelope import encode
from contracts.events import (
    AppointmentScheduled,
    Event,
    Evidence,
    InvitationDelivered,
    InvitationIssued,
    InvitationPending,
    PendingState,
)
from contracts.signatures import HEADER
from contracts.topics import TOPIC_OF
from local.stack import Stack

AT_ONCE = 2000  # events


def scheduled(practice_id: UUID) -> Iterator[Event]:
    """What scheduling tells of a new appointment with an invitation by mail."""
    ids = {"practice_id": practice_id, "appointment_id": uuid7()}
    start = datetime.now(UTC) + timedelta(days=7)
    yield AppointmentScheduled(
        **ids, version=1, start=start, duration_minutes=20, time_zone="Europe/Berlin"
    )
    yield InvitationIssued(
        **ids, version=1, invitation_id=uuid7(), attempt=1, channels=[Channel.EMAIL]
    )


def invited(practice_id: UUID) -> Iterator[Event]:
    """The same, and what notification tells of it up to the tick."""
    now = datetime.now(UTC)
    for event in scheduled(practice_id):
        yield event
    assert isinstance(event, InvitationIssued)
    outcome = {
        "practice_id": practice_id,
        "appointment_id": event.appointment_id,
        "invitation_id": event.invitation_id,
        "attempt": 1,
        "channel": Channel.EMAIL,
        "occurred_at": now,
    }
    yield InvitationPending(**outcome, sequence=1, state=PendingState.QUEUED)
    yield InvitationDelivered(**outcome, sequence=2, evidence=Evidence.ACCEPTED)


async def publish(stack: Stack, events: Iterable[Event]) -> int:
    """Sign and publish; how many. Kafka has them all when this returns."""
    signers = {name: stack.event_signer(name) for name in ("scheduling", "notification")}
    sent: list[asyncio.Future[object]] = []
    told = 0

    async def send(producer: AIOKafkaProducer, event: Event) -> None:
        source = TOPIC_OF[type(event)].producer
        message = encode(event, source=f"/{source}")
        headers = {name: value.decode() for name, value in message.headers}
        headers[HEADER] = signers[source].sign(headers, message.value)
        sent.append(
            await producer.send(
                message.topic,
                message.value,
                key=message.key.encode(),
                headers=[(name, value.encode()) for name, value in headers.items()],
            )
        )

    async with stack.cluster.producer(linger_ms=20) as producer:
        for event in events:
            await send(producer, event)
            told += 1
            if len(sent) >= AT_ONCE:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    return told
