"""What is parked, at an administrator's command line, on the running stack."""

import asyncio
import json
import os
import sys
from uuid import uuid4

import pytest

from contracts.topics import APPOINTMENTS, OUTCOMES
from local.kafka_setup import ADMIN
from tests.conftest import Stack
from tests.support import Practice, eventually
from tests.support.topics import reading

READERS = {APPOINTMENTS.name: {"notification", "status"}, OUTCOMES.name: {"scheduling", "status"}}


async def command(stack: Stack, *arguments: str) -> tuple[str, str]:
    """What it prints, and what it warns of."""
    cluster = stack.kafka.login(ADMIN)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chassis.dead_letters", *arguments),
        env={
            "PATH": os.environ["PATH"],
            "KAFKA_BOOTSTRAP": cluster.bootstrap,
            "KAFKA_SECURITY": cluster.security,
            "KAFKA_USERNAME": cluster.username,
            "KAFKA_PASSWORD": cluster.password,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, warned = await process.communicate()
    assert process.returncode == 0, warned.decode()
    return printed.decode(), warned.decode()


@pytest.fixture
async def secret(practice: Practice, stack: Stack) -> tuple[str, str]:
    """A patient's name in rubbish on two topics, parked by all readers; and the key of both."""
    name, key = f"Erika {uuid4().hex}", str(uuid4())
    body = json.dumps({"patient_name": name}).encode()
    headers = [("ce_type", name.encode()), ("ce_id", b"1")]
    async with stack.cluster.producer() as producer:
        for topic in READERS:
            await producer.send_and_wait(topic, body, key=key.encode(), headers=headers)
    for topic, readers in READERS.items():
        async with reading(stack, f"{topic}.dlq") as consumer:
            left = set(readers)
            while left:
                record = await anext(consumer)
                if record.key == key.encode():
                    left.discard(dict(record.headers)["dlq_consumer"].decode())
    return name, key


async def test_all_that_is_parked_is_listed_and_shown_without_patients(
    stack: Stack, secret: tuple[str, str]
) -> None:
    name, key = secret
    listed, _ = await command(stack, "list")
    for topic, readers in READERS.items():
        for reader in readers:
            assert any(line.startswith(f"{topic}  {reader}  ") for line in listed.splitlines())
    shown, _ = await command(stack, "show")
    lines = [line for line in shown.splitlines() if key in line]
    assert len(lines) == sum(map(len, READERS.values()))
    of_status, _ = await command(stack, "show", OUTCOMES.name, "--reader", "status")
    (line,) = [line for line in of_status.splitlines() if key in line]
    assert line.startswith(f"{OUTCOMES.name}.dlq@")
    assert name not in listed + shown + of_status


async def test_what_messages_say_is_shown_when_it_is_asked_for_and_warned_of(
    stack: Stack, secret: tuple[str, str]
) -> None:
    shown, warned = await command(stack, "show", OUTCOMES.name, "--with-patient-data")
    assert secret[0] in shown
    assert "patients' data" in warned


async def test_one_reader_s_are_published_again(stack: Stack, secret: tuple[str, str]) -> None:
    said, _ = await command(stack, "replay", OUTCOMES.name, "--reader", "status")
    assert "published again to " + OUTCOMES.name in said

    async def parked_by_status() -> bool:
        shown, _ = await command(stack, "show", OUTCOMES.name, "--reader", "status")
        return shown.count(secret[1]) >= 2

    await eventually(parked_by_status, "published again once, it is parked anew")
