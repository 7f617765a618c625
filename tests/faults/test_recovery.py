"""Four databases restored to different moments and topics lost: all comes together again."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest_asyncio

from contracts.topics import OUTCOMES, REQUESTED, Topic
from local import topics
from local.processes import REPOSITORY
from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client
from tests.support.backups import back_up, restore
from tests.support.http_server import Server, serve
from tests.support.keys import bearer, new_key

PHONE = "+491713920001"
STILL_THERE = "Processes of status still run: stop them first.\n"
ALL = ("scheduling", "notification", "status", "webhooks")


async def recover(stack: Stack, since: datetime, *services: str) -> tuple[int, str]:
    """The guide's command, with all databases restored: its last exit code, and what it says."""
    printed = ""
    for name in services:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"services.{name}.recover"),
            *("--since", since.isoformat(), "--restored", *ALL),
            env=stack.environment(name),
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        printed += said.decode()
        if process.returncode != 0:
            return process.returncode or 0, printed
    return 0, printed


async def lose(stack: Stack, *lost: Topic) -> None:
    """Delete topics with their offsets, and make them anew."""
    admin = stack.cluster.admin()
    await admin.start()
    try:
        await admin.delete_topics([each.name for each in lost])

        async def gone() -> bool:
            return not {each.name for each in lost} & set(await admin.list_topics())

        await eventually(gone, "topics are deleted")
    finally:
        await admin.close()
    await topics.create(stack.cluster)


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
    day = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
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
