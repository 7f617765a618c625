"""The topics as another system sees them: plain Kafka, and nothing but the schema files."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from jsonschema import Draft202012Validator

from chassis.dead_letters import replay
from contracts import envelope
from contracts.events import AppointmentScheduled, InvitationUnconfirmed
from tests.conftest import Stack
from tests.support import Practice
from tests.support.topics import header, outcome_of, publish, reading

# On purpose not taken from the code: what a stranger knows.
CONTRACTS = Path(__file__).parents[2] / "contracts" / "schemas"
APPOINTMENTS = "clinic.appointments.v1"
REQUESTED = "clinic.invitations.requested.v1"
OUTCOMES = "clinic.invitations.outcomes.v1"


async def events_of(consumer: AIOKafkaConsumer, appointment: str, last: str) -> list[Any]:
    """The records of one appointment until one of type `last`."""
    found = []
    async for record in consumer:
        if record.key.decode() == appointment:
            found.append(record)
            if header(record, "ce_type") == f"einladung.v1.{last}":
                return found
    raise AssertionError("the topic ended")


async def test_another_system_reads_the_topics_with_the_schema_files_alone(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    await practice.scheduling.delete(f"/v1/appointments/{created['id']}")
    async with reading(stack, APPOINTMENTS) as consumer:
        records = await events_of(consumer, created["id"], "AppointmentDeleted")
    async with reading(stack, OUTCOMES) as consumer:
        records += await events_of(consumer, created["id"], "InvitationPending")

    assert [header(record, "ce_type").rsplit(".", 1)[-1] for record in records] == [
        "AppointmentScheduled",
        "InvitationIssued",
        "AppointmentDeleted",
        "InvitationPending",
    ]
    traces = set()
    for record in records:
        schema = json.loads((CONTRACTS / f"{header(record, 'ce_type')[13:]}.json").read_text())
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            json.loads(record.value)
        )
        assert header(record, "ce_specversion") == "1.0"
        assert header(record, "ce_subject") == created["id"]
        assert header(record, "content-type") == "application/json"
        assert UUID(header(record, "ce_id")).version == 7
        traces.add(header(record, "traceparent").split("-")[1])
        for private in ("Mustermann", created["email"], "besuch"):
            assert private.encode() not in record.value + repr(record.headers).encode()
    assert len(traces) == 2  # the request that created it with its outcome, and the deletion


async def test_topics_are_made_as_described(stack: Stack) -> None:
    admin = stack.cluster.admin()
    await admin.start()
    try:
        found = {topic["topic"]: topic for topic in await admin.describe_topics()}
        for name in (APPOINTMENTS, REQUESTED, OUTCOMES):
            assert len(found[name]["partitions"]) == 6
            assert f"{name}.dlq" in found
        [response] = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, REQUESTED)]
        )
        configured = {entry[0]: entry[1] for entry in response.resources[0][4]}
        assert int(configured["retention.ms"]) == 7 * 24 * 3600 * 1000
    finally:
        await admin.close()


async def test_repeated_and_shuffled_outcomes_change_nothing(
    practice: Practice, stack: Stack
) -> None:
    """Everything the topics ever said of an appointment, again, backwards, twice."""
    created = await practice.create(email="unbekannt@example.org")
    await practice.shows(created["id"], "failed")
    await practice.resend(created["id"], email=practice.form()["email"])
    before = await practice.shows(created["id"], "delivered", attempt=2)
    async with reading(stack, APPOINTMENTS) as consumer:
        records = await events_of(consumer, created["id"], "InvitationIssued")
    async with reading(stack, OUTCOMES) as consumer:
        records += await events_of(consumer, created["id"], "InvitationDelivered")

    marker = await practice.create()
    for number, record in enumerate([*reversed(records), *records]):
        # under new ids, so that not the inbox alone keeps them out
        await publish(stack, record, event_id=str(UUID(int=number + 2**120)), times=2)
    await practice.shows(marker["id"], "delivered")
    await practice.resend(created["id"])  # goes through the same partitions, behind the repeats
    after = await practice.shows(created["id"], "delivered", attempt=3)
    assert before["channels"]["email"]["state"] == after["channels"]["email"]["state"]


async def test_a_repeated_request_is_sent_once(practice: Practice, stack: Stack) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    async with reading(stack, REQUESTED) as consumer:
        [record] = await events_of(consumer, created["id"], "InvitationRequested")
    for event_id in (header(record, "ce_id"), str(UUID(int=2**121))):
        await publish(stack, record, event_id=event_id)
    # „Erneut senden" travels behind the repeats in the same partition
    await practice.resend(created["id"])
    await practice.shows(created["id"], "delivered", attempt=2)
    assert len(await practice.mails(created["email"])) == 2


async def test_what_cannot_be_read_is_parked_and_blocks_nothing(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    good = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(UUID(int=7)).encode()),
        ("ce_type", b"einladung.v1.InvitationDelivered"),
        ("ce_source", b"/test"),
        ("ce_time", b"2026-11-24T12:00:00Z"),
        ("ce_subject", created["id"].encode()),
    ]
    signer = stack.event_signer("notification")

    def signed(value: bytes) -> list[tuple[str, bytes | None]]:
        signature = signer.sign({name: text.decode() for name, text in good}, value)
        return [*good, ("ce_signature", signature.encode())]

    rubbish: list[tuple[bytes | None, list[tuple[str, bytes | None]]]] = [
        (b"not json", signed(b"not json")),
        (None, signed(b"")),
        (b"{}", []),
        (b"{}", [("ce_id", b"\xff\xfe")]),
        (b"{}", [("ce_id", None)]),
        (b'{"patient_name": "Erika"}', signed(b'{"patient_name": "Erika"}')),
    ]
    async with stack.cluster.producer() as producer:
        for value, headers in rubbish:
            await producer.send_and_wait(
                OUTCOMES, value, key=created["id"].encode(), headers=headers
            )
    readers = {"status", "scheduling"}  # each parks what it could not read
    async with reading(stack, f"{OUTCOMES}.dlq") as consumer:
        parked: list[Any] = []
        while len(parked) < len(rubbish) * len(readers):
            record = await anext(consumer)
            if record.key == created["id"].encode():  # not what another test had parked
                parked.append(record)
    for reader in readers:
        of_reader = [record for record in parked if header(record, "dlq_consumer") == reader]
        assert [record.value for record in of_reader] == [value for value, _ in rubbish]
        for record in of_reader:
            assert header(record, "dlq_reason")
            assert "Erika" not in header(record, "dlq_reason")
    await practice.resend(created["id"])  # the same partition goes on
    await practice.shows(created["id"], "delivered", attempt=2)


def scheduled(practice: Practice) -> envelope.Message:
    """An event of an appointment that nobody knows."""
    event = AppointmentScheduled(
        appointment_id=uuid4(),
        practice_id=practice.id,
        version=1,
        start=datetime.now(UTC),
        duration_minutes=20,
        time_zone="Europe/Berlin",
    )
    return envelope.encode(event, source="/test")


BEFORE_TIME = b"0001-01-01T00:00:00+14:00"  # in UTC there is no such year


async def test_a_time_out_of_range_is_parked_and_blocks_nothing(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    message = replace(scheduled(practice), key=created["id"])
    envelope_broken = [
        (name, BEFORE_TIME if name == "ce_time" else value) for name, value in message.headers
    ]
    body_broken = re.sub(rb'"start":"[^"]+"', b'"start":"%s"' % BEFORE_TIME, message.value)
    await publish(stack, replace(message, headers=envelope_broken))
    await publish(stack, replace(message, value=body_broken))
    await practice.resend(created["id"])  # travels behind them in the same partition
    await practice.shows(created["id"], "delivered", attempt=2)


async def test_what_is_too_large_to_be_parked_whole_blocks_nothing(
    practice: Practice, stack: Stack
) -> None:
    """Five megabytes, small enough for the broker only as long as they are compressed."""
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    async with stack.cluster.producer(
        compression_type="gzip",
        max_request_size=10_000_000,
    ) as producer:
        placed = await producer.send_and_wait(
            APPOINTMENTS, b"x" * 5_000_000, key=created["id"].encode()
        )
    readers = {"notification", "status"}
    async with reading(stack, f"{APPOINTMENTS}.dlq") as consumer:
        while readers:
            record = await anext(consumer)
            place = (header(record, "dlq_partition"), header(record, "dlq_offset"))
            if place == (str(placed.partition), str(placed.offset)):
                assert header(record, "dlq_left_out") == "too large"
                assert header(record, "dlq_reason")
                readers.remove(header(record, "dlq_consumer"))


async def test_a_record_without_key_and_value_is_parked_and_blocks_nothing(
    practice: Practice, stack: Stack
) -> None:
    async with stack.cluster.producer(enable_idempotence=False) as producer:
        batch = producer.create_batch()  # a single one is not sent by this client
        batch.append(timestamp=None, key=None, value=None, headers=[])
        placed = await (await producer.send_batch(batch, OUTCOMES, partition=0))
    readers = {"scheduling", "status"}
    async with reading(stack, f"{OUTCOMES}.dlq") as consumer:
        while readers:
            record = await anext(consumer)
            place = (header(record, "dlq_partition"), header(record, "dlq_offset"))
            if place == ("0", str(placed.offset)):
                assert record.key is None
                assert not record.value
                readers.remove(header(record, "dlq_consumer"))


async def test_dead_letters_are_published_again_once(practice: Practice, stack: Stack) -> None:
    """What still can't be read is parked anew while the replay runs; it ends nevertheless."""
    created = await practice.create()
    rubbish = f"rubbish {uuid4()}".encode()
    async with stack.cluster.producer() as producer:
        await producer.send_and_wait(OUTCOMES, rubbish, key=created["id"].encode())
    async with reading(stack, f"{OUTCOMES}.dlq") as consumer:
        for _ in range(2):  # by scheduling and by status
            await until(consumer, rubbish)
        again = await replay(stack.cluster, OUTCOMES)
        assert again >= 2
        for _ in range(4):  # both copies, again by both
            await until(consumer, rubbish)
    async with reading(stack, OUTCOMES) as consumer:
        for _ in range(3):
            await until(consumer, rubbish)


async def until(consumer: AIOKafkaConsumer, value: bytes) -> None:
    async for record in consumer:
        if record.value == value:
            return


async def test_an_invitation_nobody_confirmed_is_shown_as_such(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    shown = await practice.shows(created["id"], "delivered")
    event = outcome_of(InvitationUnconfirmed, practice, created)
    message = envelope.encode(event, source="/test")
    await publish(stack, message)
    shown = await practice.shows(created["id"], "unconfirmed")
    assert shown["channels"]["email"]["evidence"] is None
    assert shown["history"][-1]["type"] == "unconfirmed"
