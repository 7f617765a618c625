"""Who can write a topic can't speak for its producer: what is not signed by it is parked."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from contracts.channels import Channel
from contracts.envelope import Message, encode
from contracts.events import (
    Event,
    Evidence,
    InvitationDelivered,
    InvitationIssued,
    InvitationRequested,
    Recipients,
)
from tests.conftest import Stack
from tests.support import Json, Practice, http_client
from tests.support.topics import header, outcome_of, publish, reading


def better(practice: Practice, created: Json) -> Event:
    """„Delivered, confirmed" of an invitation that bounced."""
    return outcome_of(InvitationDelivered, practice, created, evidence=Evidence.CONFIRMED)


def elsewhere(practice: Practice, created: Json) -> Event:
    """The practice's mail to somebody else, with a link of somebody else's."""
    return InvitationRequested(
        appointment_id=UUID(created["id"]),
        practice_id=practice.id,
        appointment_version=1,
        invitation_id=uuid4(),
        attempt=1,
        sender_name="Praxis",
        start=datetime.now(UTC) + timedelta(days=1),
        duration_minutes=20,
        time_zone="Europe/Berlin",
        locale="de",
        patient_name="Erika Mustermann",
        channels=Recipients(email=f"{created['id']}@evil.example"),
        link="https://evil.example/login",
        not_after=datetime.now(UTC) + timedelta(days=1),
    )


def never_asked_for(practice: Practice, created: Json) -> Event:
    """An invitation of which nobody knows; of the services only status opens such events."""
    return InvitationIssued(
        appointment_id=UUID(created["id"]),
        practice_id=practice.id,
        invitation_id=uuid4(),
        attempt=9,
        version=1,
        channels=[Channel.EMAIL],
    )


async def untrusted(stack: Stack, service: str, topic: str) -> float:
    async with http_client(base_url=stack.operations_url(service)) as http:
        metrics = (await http.get("/metrics")).text
    name = f'events_untrusted_total{{topic="{topic}"}} '
    return sum(float(line.split()[1]) for line in metrics.splitlines() if line.startswith(name))


async def plainly(stack: Stack, message: Message, **headers: str) -> None:
    """Publish without a signature, or with a made-up one."""
    added = [(name, text.encode()) for name, text in headers.items()]
    async with stack.cluster.producer() as producer:
        await producer.send_and_wait(
            message.topic,
            message.value,
            key=message.key.encode(),
            headers=[*message.headers, *added],
        )


@pytest.mark.parametrize(
    ("event", "producer", "reader"),
    [
        (better, "notification", "status"),
        (elsewhere, "scheduling", "notification"),
        (never_asked_for, "scheduling", "status"),
    ],
)
async def test_what_its_producer_did_not_sign_is_parked_and_counted(
    practice: Practice, stack: Stack, event: object, producer: str, reader: str
) -> None:
    created = await practice.create(email="unbekannt@example.org")
    await practice.shows(created["id"], "failed")
    assert callable(event)
    message = encode(event(practice, created), source=f"/einladung/{producer}")
    before = await untrusted(stack, reader, message.topic)

    await plainly(stack, message)
    await plainly(stack, message, ce_signature="1." + "A" * 86)
    [other] = {"scheduling", "notification"} - {producer}
    await publish(stack, message, signed_by=other)

    async with reading(stack, f"{message.topic}.dlq") as consumer:
        reasons = []
        async for record in consumer:
            ours = record.key == message.key.encode() and record.value == message.value
            if ours and header(record, "dlq_consumer") == reader:
                reasons.append(header(record, "dlq_reason"))
                if len(reasons) == 3:
                    break
    assert reasons[0] == "ce_signature is missing"
    assert all(reason.startswith("ce_signature is not of") for reason in reasons[1:])
    assert await untrusted(stack, reader, message.topic) == before + 3
    # the same partition goes on, and nothing of it happened
    await practice.resend(created["id"], email=practice.form()["email"])
    await practice.shows(created["id"], "delivered", attempt=2)
    shown = await practice.indicator(created["id"])
    assert shown is not None
    assert "confirmed" not in json.dumps(shown["history"])
    assert not await practice.mails(f"{created['id']}@evil.example")


async def test_another_system_finds_the_signature_and_can_check_it(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    async with reading(stack, "clinic.invitations.outcomes.v1") as consumer:
        async for record in consumer:
            if record.key.decode() == created["id"]:
                break
    attributes = {name: value.decode() for name, value in record.headers}
    stack.event_verifier.check("notification", attributes, record.value)
