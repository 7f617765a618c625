"""What patients are asked by stays between scheduling and notification: no broker shows it."""

import asyncio
import json
import secrets
from uuid import uuid4

from contracts.envelope import Message, decode
from contracts.events import InvitationRequested
from contracts.topics import REQUESTED
from tests.conftest import Stack
from tests.support import Practice, eventually, unused_phone
from tests.support.search import Words, every_record
from tests.support.topics import header, publish, reading


def segments(stack: Stack) -> dict[str, bytes]:
    """All that an embedded broker has on its disk; of one in a container, nothing."""
    folder = stack.folder.path / "kafka" / "log"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


async def topics(stack: Stack) -> dict[str, bytes]:
    """All that is on the topics, as who may read everything gets it."""
    found: dict[str, bytes] = {}
    async for record in every_record(stack):
        headers = b"".join(value or b"" for _, value in record.headers)
        found[record.topic] = found.get(record.topic, b"") + headers + (record.value or b"")
    return found


async def test_a_broker_s_operator_finds_no_patient_in_topics_segments_or_dead_letters(
    practice: Practice, stack: Stack
) -> None:
    mark = secrets.token_hex(6)
    name, email = f"Xaver {mark.capitalize()}", f"{mark}@example.org"
    number = unused_phone()
    created = await practice.create(
        patient_name=name, channels=["email", "sms"], email=email, phone=number
    )
    await practice.shows(created["id"], "delivered")
    # and a request of the same patient that notification can't read
    async with reading(stack, REQUESTED.name) as consumer:
        async for record in consumer:
            if record.key.decode() == created["id"]:
                break
    attributes = {each: value.decode() for each, value in record.headers} | {"ce_id": str(uuid4())}
    attributes, value = stack.body_sealer.seal(
        attributes, json.dumps({"patient_name": name, "link": email}).encode()
    )
    headers = [(each, text.encode()) for each, text in attributes.items()]
    await publish(stack, Message(REQUESTED.name, created["id"], headers, value))
    async with reading(stack, REQUESTED.dead_letters.name) as consumer:
        async for parked in consumer:
            if parked.key == record.key:
                assert "invitation_id: missing" in header(parked, "dlq_reason")
                assert parked.value == value
                break

    [mail] = await practice.mails(email)
    link = mail["text"].partition("/besuch/")[2].split()[0]
    words = Words([name, name.split()[1], email, number, number[3:], link])

    async def flushed() -> bool:
        files = await asyncio.to_thread(segments, stack)
        return not files or any(created["id"].encode() in content for content in files.values())

    await eventually(flushed, "the events are in the segments")
    everything = await asyncio.to_thread(segments, stack) | await topics(stack)
    assert REQUESTED.name in everything
    found = {place: hits for place, content in everything.items() if (hits := words.found(content))}
    assert not found


async def test_notification_s_key_opens_it(practice: Practice, stack: Stack) -> None:
    created = await practice.create()
    async with reading(stack, REQUESTED.name) as consumer:
        async for record in consumer:
            if record.key.decode() == created["id"]:
                break
    event = decode(record.headers, record.value, stack.event_verifier, stack.body_opener).event
    assert isinstance(event, InvitationRequested)
    assert event.channels.email == created["email"]
