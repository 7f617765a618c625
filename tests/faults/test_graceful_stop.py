"""Told to stop (SIGTERM), a process finishes or gives back what it holds."""

import asyncio
import signal

import asyncpg

from local.ports import free_port
from tests.conftest import Stack
from tests.servers.mail import MailServer
from tests.support import Practice, eventually


async def test_stopped_while_it_sends_a_worker_gives_its_leases_back(
    practice: Practice, stack: Stack
) -> None:
    forms = [practice.form() for _ in range(4)]
    silent = MailServer([form["email"] for form in forms], asyncio.Event().wait)
    port, notification = free_port(), stack.service("notification")
    stack.configure(
        "notification",
        NOTIFICATION_SMTP_PORT=str(port),
        NOTIFICATION_SMTP_CONNECTIONS="1",
        NOTIFICATION_DRAIN_SECONDS="0.5",
    )
    owner = await asyncpg.connect(stack.owner_dsn("notification"))

    async def states() -> list[str]:
        rows = await owner.fetch("SELECT state FROM deliveries WHERE practice_id = $1", practice.id)
        return sorted(row["state"] for row in rows)

    try:
        async with silent.listening(port):
            await notification.restart()
            accepted = [await practice.create(**form) for form in forms]

            async def all_held() -> bool:
                return bool(silent.message_ids) and await states() == ["queued"] * 3 + ["sending"]

            await eventually(all_held, "one message given, three waiting for their turn")
            await notification.stop()
            assert notification.exit_code != -signal.SIGKILL  # which is for what does not end
        # At once, not after the lease.
        assert await states() == ["queued", "queued", "queued", "retrying"]
    finally:
        await owner.close()
        stack.configure(
            "notification",
            NOTIFICATION_SMTP_PORT=str(stack.smtp_port),
            NOTIFICATION_SMTP_CONNECTIONS="10",
            NOTIFICATION_DRAIN_SECONDS="10",
        )
        await notification.restart()
    mails = []
    for created in accepted:
        await practice.shows(created["id"], "delivered")
        mails.append(await practice.mail(created["email"]))
    # A mail server that had kept the first copy knows the second one by its id.
    assert set(silent.message_ids) <= {mail["message_id"] for mail in mails}


async def test_a_request_under_way_is_answered_before_the_end(
    practice: Practice, stack: Stack
) -> None:
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    waiting = """
        SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'appointments'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE appointments IN SHARE MODE")
            asking = asyncio.create_task(practice.post(practice.form()))
            await eventually(lambda: owner.fetchval(waiting), "the request waits for the table")
            stopping = asyncio.create_task(stack.service("scheduling").stop())

            async def closed() -> bool:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", stack.ports.scheduling)
                except OSError:
                    return True
                writer.close()
                return False

            await eventually(closed, "no further requests are taken")
            assert not asking.done()
        answer = await asking
        assert answer.status_code == 201, answer.text
        await stopping
    finally:
        await owner.close()
        await stack.service("scheduling").start()
    await practice.shows(answer.json()["id"], "delivered")
