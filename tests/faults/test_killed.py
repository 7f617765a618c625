"""Nothing accepted is lost: services killed at the worst moments, brokers restarted."""

import asyncio

import asyncpg

from local.ports import free_port
from tests.conftest import Stack
from tests.servers.mail import MailServer
from tests.support import Json, Practice, eventually


async def test_killed_between_commit_and_publish(practice: Practice, stack: Stack) -> None:
    """Kafka is away, so the committed events can't leave; then the service is killed."""
    await stack.kafka.stop()
    try:
        accepted = [await practice.create() for _ in range(5)]
        await stack.service("scheduling").kill()
    finally:
        await stack.kafka.start()
    await stack.service("scheduling").start()
    for created in accepted:
        await practice.shows(created["id"], "delivered")
        await practice.mail(created["email"])


async def test_killed_between_smtp_accept_and_record(practice: Practice, stack: Stack) -> None:
    """The mail has left, its record can't be written, the service dies: sent again, same id."""
    form, port = practice.form(), free_port()
    notification = stack.service("notification")
    holding, watching = [await asyncpg.connect(stack.owner_dsn("notification")) for _ in range(2)]
    hold = holding.transaction()
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid))"

    async def before_reply() -> None:
        if len(server.message_ids) == 1:
            await hold.start()
            await holding.execute(
                "SELECT FROM deliveries WHERE practice_id = $1 FOR UPDATE", practice.id
            )

    async def unrecorded() -> bool:
        return bool(await watching.fetchval(waiting, holding.get_server_pid()))

    server = MailServer([form["email"]], before_reply)
    stack.configure("notification", NOTIFICATION_SMTP_PORT=str(port))
    try:
        async with server.listening(port):
            await notification.restart()
            created = await practice.create(**form)
            await eventually(unrecorded, "taken, and its record waits")
            await notification.kill()
            await hold.rollback()
            await practice.shows(created["id"], "pending")
            await let_leases_run_out(stack)
            await notification.start()
            shown = await practice.shows(created["id"], "delivered")
        assert [entry["type"] for entry in shown["history"]].count("delivered") == 1
        assert len(server.message_ids) == 2
        assert server.message_ids[0] == server.message_ids[1]
    finally:
        await holding.close()
        await watching.close()
        stack.configure("notification", NOTIFICATION_SMTP_PORT=str(stack.smtp_port))
        await notification.restart()


async def let_leases_run_out(stack: Stack) -> None:
    """As if as much time had passed since notification was killed."""
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    try:
        await owner.execute("UPDATE deliveries SET due_at = now() WHERE state = 'sending'")
    finally:
        await owner.close()


async def test_every_service_killed_under_load(practice: Practice, stack: Stack) -> None:
    accepted: list[Json] = []
    for name in ("scheduling", "notification", "status"):
        creating = [asyncio.create_task(practice.post(practice.form())) for _ in range(20)]
        await asyncio.wait(creating, return_when=asyncio.FIRST_COMPLETED)
        await stack.service(name).kill()
        if name == "notification":
            await let_leases_run_out(stack)
        answers = await asyncio.gather(*creating, return_exceptions=True)
        accepted += [
            answer.json()
            for answer in answers
            if not isinstance(answer, BaseException) and answer.status_code == 201
        ]
        await stack.service(name).start()
    assert accepted
    for created in accepted:
        await practice.shows(created["id"], "delivered")
        assert await practice.mails(created["email"])


async def test_the_broker_restarts_in_the_middle(practice: Practice, stack: Stack) -> None:
    before = [await practice.create() for _ in range(5)]
    await stack.kafka.stop()
    during = [await practice.create() for _ in range(5)]
    await stack.kafka.start()
    after = [await practice.create() for _ in range(5)]
    for created in [*before, *during, *after]:
        await practice.shows(created["id"], "delivered")
        await practice.mail(created["email"])


async def test_an_event_that_kafka_never_takes_holds_up_its_own_appointment_only(
    practice: Practice, stack: Stack
) -> None:
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    try:
        await owner.execute(
            "INSERT INTO outbox (topic, key, headers, value) VALUES ($1, 'stuck', '{}', $2)",
            "clinic.appointments.v1",
            b"x" * 2_000_000,
        )
        for _ in range(3):
            created = await practice.create()
            await practice.shows(created["id"], "delivered")

        async def alone() -> bool:
            return [row["key"] for row in await owner.fetch("SELECT key FROM outbox")] == ["stuck"]

        await eventually(alone, "all but the one have left")
    finally:
        await owner.execute("DELETE FROM outbox WHERE key = 'stuck'")
        await owner.close()
