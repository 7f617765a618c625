"""Databases restored to different moments, and topics lost: all comes together again."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest_asyncio
from aiokafka import TopicPartition

from chassis.recovery import rewind
from contracts.topics import OUTCOMES, REQUESTED, TOPICS, Topic
from local import topics
from local.processes import REPOSITORY
from tests.conftest import Stack
from tests.support import Json, Practice, berlin_day, eventually, http_client, unused_phone
from tests.support.backups import back_up, restore
from tests.support.database import owner
from tests.support.http_server import Server, serve
from tests.support.keys import bearer, new_key

PHONE = "+491713920001"
STILL_THERE = "Processes of status still run: stop them first.\n"
ALL = ("scheduling", "notification", "status", "webhooks")
GROUP = "reader of what was made anew"


async def recover(
    stack: Stack, since: datetime, *services: str, restored: Sequence[str] = ALL
) -> tuple[int, str]:
    """The guide's command, by default with all databases restored: its exit code and words.

    At the same time for all services, as none knows of another.
    """

    async def of(name: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"services.{name}.recover"),
            *("--since", since.isoformat(), *(("--restored", *restored) if restored else ())),
            env=stack.environment(name),
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    codes, said = zip(*await asyncio.gather(*map(of, services)), strict=True)
    return max(codes), "".join(said)


async def lose(stack: Stack, *lost: Topic) -> None:
    """Delete topics with their offsets."""
    admin = stack.cluster.admin()
    await admin.start()
    try:
        await admin.delete_topics([each.name for each in lost])

        async def gone() -> bool:
            return not {each.name for each in lost} & set(await admin.list_topics())

        await eventually(gone, "topics are deleted")
    finally:
        await admin.close()


async def gateway_is_asked(stack: Stack, practice: Practice, created: Json) -> None:
    """What it says makes the tick; as if it had been silent for long enough."""
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    due = "UPDATE deliveries SET ask_at = now() WHERE appointment_id = $1 AND ask_at > now()"

    async def ask() -> bool:
        await owner.execute(due, created["id"])
        shown = await practice.indicator(created["id"])
        return bool(shown and shown["overall"] == "delivered")

    try:
        await eventually(ask, "the gateway's word")
    finally:
        await owner.close()


@pytest_asyncio.fixture
async def receiver(practice: Practice, stack: Stack) -> AsyncIterator[Server]:
    """A system of the practice that hears its events."""
    await stack.service("webhooks").start()
    try:
        key = await new_key(stack, practice.id, "webhooks:manage")
        async with (
            serve() as server,
            http_client(base_url=stack.url("webhooks"), headers=await bearer(stack, key)) as client,
        ):
            made = await client.post("/v1/webhooks", json={"url": f"{server.url}/hook"})
            assert made.status_code == 201, made.text
            yield server
    finally:
        await stack.service("webhooks").stop()


async def hears(receiver: Server, kind: str, one: Json, *, after: int = 0) -> Json:
    """The event of this type about it, as it comes after so many messages."""

    async def ask() -> Json | None:
        for each in receiver.seen[after:]:
            event: Json = json.loads(each.body)
            if (event["type"], event["subject"]) == (f"einladung.v1.{kind}", one["id"]):
                return event
        return None

    return await eventually(ask, f"{kind} comes")


async def test_restored_from_different_moments_and_two_topics_lost(
    practice: Practice, stack: Stack, receiver: Server
) -> None:
    since, desk = datetime.now(UTC), practice.scheduling

    async def created(**changes: Any) -> Json:
        one = await practice.create(**changes)
        expected = "failed" if "unbekannt" in str(changes) else "delivered"
        await practice.shows(one["id"], expected)
        return one

    async def found(one: Json) -> Json | None:
        answer = await desk.get(f"/v1/appointments/{one['id']}")
        return answer.json() if answer.status_code == 200 else None

    still, moved, deleted, erased = [await created() for _ in range(4)]
    await back_up(stack.owner_dsn("status"))
    await back_up(stack.owner_dsn("webhooks"))
    bounced = await created(email=f"unbekannt+{practice.id.hex[:8]}@example.org")
    await back_up(stack.owner_dsn("notification"))
    unknown = await created()
    text = {"channels": ["sms"], "email": None, "phone": PHONE, "send_now": True}
    sms, texts = await created(**text), await practice.texts(PHONE)
    await back_up(stack.owner_dsn("scheduling"))
    lost = await created()
    day = berlin_day(9).isoformat()
    path = f"/v1/appointments/{moved['id']}"
    after = (await desk.patch(path, json={"date": day, "notify": False})).json()
    removed = await desk.delete(f"/v1/appointments/{deleted['id']}?notify=false")
    forgotten = await desk.post(f"/v1/appointments/{erased['id']}/erasure")
    assert (removed.status_code, forgotten.status_code) == (204, 204)
    deletion = await hears(receiver, "AppointmentDeleted", deleted)
    erasure = await hears(receiver, "AppointmentErased", erased)

    assert await recover(stack, since, "status") == (1, STILL_THERE)
    for name in ALL:
        await stack.service(name).stop()
    try:
        for name in ALL:
            await restore(stack.owner_dsn(name))
        heard = len(receiver.seen)
        await lose(stack, OUTCOMES, REQUESTED)
        await topics.create(stack.cluster)
        code, printed = await recover(stack, since, *ALL)
    finally:
        for name in ALL:
            await stack.service(name).start()

    assert code == 0, printed
    [named] = [line for line in printed.splitlines() if line.startswith("LOST")]
    assert lost["id"] in named
    for one in (still, unknown):
        await practice.shows(one["id"], "delivered")
        mails = await practice.mails(one["email"])
        assert 1 <= len(mails) <= 2
        assert len({mail["message_id"] for mail in mails}) == 1
    await practice.shows(bounced["id"], "failed")
    await gateway_is_asked(stack, practice, sms)
    assert await practice.texts(PHONE) == texts

    async def as_it_was_moved() -> bool:
        shown = await practice.indicator(moved["id"])
        return bool(shown and shown["starts_at"] == after["start"])

    await eventually(as_it_was_moved, "status shows the move")
    here = await found(moved)
    assert here
    assert here["start"] == after["start"]
    for one in (deleted, erased):
        assert await found(one) is None

        async def gone(one: Json = one) -> bool:
            return await practice.indicator(one["id"]) is None

        await eventually(gone, "status shows nothing")
    # Webhooks sends again what it does not know as sent: a receiver knows it by its id.
    assert await hears(receiver, "AppointmentDeleted", deleted, after=heard) == deletion
    assert await hears(receiver, "AppointmentErased", erased, after=heard) == erasure
    # What is done now is news to everybody.
    await practice.resend(still["id"])
    number = (await found(still) or {})["invitation"]["attempt"]
    await practice.shows(still["id"], "delivered", number)


async def settled(stack: Stack, one: Json) -> None:
    """Wait until the end of sending is recorded."""

    async def ask() -> bool:
        async with owner(stack, "notification") as database:
            query = "SELECT state = 'accepted' FROM deliveries WHERE appointment_id = $1"
            return bool(await database.fetchval(query, one["id"]))

    await eventually(ask, "the mail server's word is recorded")


async def published(stack: Stack, service: str) -> None:
    """Wait until all that it has told is on the topics."""

    async def ask() -> bool:
        async with owner(stack, service) as database:
            return not await database.fetchval("SELECT EXISTS (SELECT FROM outbox)")

    await eventually(ask, f"{service} has published")


async def test_all_topics_lost_with_what_nobody_has_read_and_what_was_not_published(
    practice: Practice, stack: Stack, receiver: Server
) -> None:
    since, desk = datetime.now(UTC), practice.scheduling
    known, moved, deleted, corrected = [await practice.create() for _ in range(4)]
    for one in (known, moved, deleted, corrected):
        await practice.shows(one["id"], "delivered")
    number, other = unused_phone(), f"richtig-{uuid4().hex[:12]}@example.org"
    day = berlin_day(9).isoformat()
    may_correct = await bearer(stack, await new_key(stack, practice.id, "appointments:correct"))

    async def change(one: Json, headers: dict[str, str] | None = None, **how: Any) -> Json:
        answer = await desk.patch(f"/v1/appointments/{one['id']}", json=how, headers=headers)
        assert answer.status_code == 200, answer.text
        changed: Json = answer.json()
        return changed

    try:
        for name in ("status", "webhooks"):
            await stack.service(name).stop()
        told = await practice.create()
        await practice.mail(told["email"])
        await settled(stack, told)
        await published(stack, "notification")
        await stack.service("notification").stop()
        asked = await practice.create()
        text = await practice.create(channels=["sms"], email=None, phone=number)
        moved = await change(moved, date=day, notify=False)
        await change(corrected, may_correct, email=other)
        removed = await desk.delete(f"/v1/appointments/{deleted['id']}?notify=false")
        assert removed.status_code == 204
        await published(stack, "scheduling")
        await lose(stack, *TOPICS)
        late = await practice.create()
        await stack.service("scheduling").stop()
        await topics.create(stack.cluster)
        code, printed = await recover(stack, since, *ALL, restored=())
        assert code == 0, printed
    finally:
        down = [each for name in ALL if not (each := stack.service(name)).running]
        await asyncio.gather(*(each.start() for each in down))

    for one in (known, told, asked, late, text):
        await practice.shows(one["id"], "delivered")
    shown = await practice.shows(corrected["id"], "unconfirmed")
    assert shown["channels"]["email"]["address_changed"]

    async def as_it_was_left() -> bool:
        there = await practice.indicator(moved["id"])
        gone = await practice.indicator(deleted["id"]) is None
        return bool(gone and there and there["starts_at"] == moved["start"])

    await eventually(as_it_was_left, "status shows what was moved and deleted")
    await hears(receiver, "AppointmentDeleted", deleted)
    for one in (known, told, asked, late, moved, deleted, corrected):
        assert len(await practice.mails(one["email"])) == 1
    assert len(await practice.texts(number)) == 1
    assert await practice.mails(other) == []
    await practice.resend(known["id"])
    await practice.shows(known["id"], "delivered", 2)


async def test_who_says_behind_the_end_of_a_topic_that_was_made_anew_begins_it(
    stack: Stack,
) -> None:
    topic = Topic("made.anew", "Lost and made anew.", timedelta(days=1), partitions=1)
    partition, now = TopicPartition(topic.name, 0), datetime.now(UTC)
    await topics.create(stack.cluster, [topic])

    async def read_up_to(offset: int | None = None) -> int | None:
        """What the group has committed; before, what is to be."""
        reader = stack.cluster.consumer(group_id=GROUP, enable_auto_commit=False)
        async with reader:
            reader.assign([partition])
            if offset is not None:
                await reader.commit({partition: offset})
            committed: int | None = await reader.committed(partition)
            return committed

    try:
        async with stack.cluster.producer() as producer:
            for _ in range(3):
                await producer.send_and_wait(topic.name, b"{}")
        for before, after in (None, 0), (57, 0), (2, 2):
            for which in {"topics": [topic]}, {"topics": [], "read_on": [topic]}:
                await read_up_to(before)
                moved = await rewind(stack.cluster, GROUP, since=now + timedelta(hours=1), **which)
                assert (moved, await read_up_to()) == (before == 57, after)
    finally:
        await lose(stack, topic)
