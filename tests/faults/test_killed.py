"""Nothing accepted is lost: services killed at the worst moments, brokers restarted."""

import asyncio
from uuid import uuid4

import asyncpg

from tests.conftest import Stack
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
        await practice.shows(created["id"], "delivered", patience=60)
        await practice.mail(created["email"])


async def test_killed_between_smtp_accept_and_record(practice: Practice, stack: Stack) -> None:
    """The mail has left, its record can't be written, the service dies: sent again, same id."""
    address = f"einmal-spaeter+{uuid4().hex[:8]}@example.org"
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    try:
        created = await practice.create(email=address)
        await retrying(practice, created["id"])
        async with owner.transaction():
            # A claim writes nothing to the outbox, the record of an outcome does.
            await owner.execute("LOCK TABLE outbox IN SHARE MODE")
            await eventually(lambda: practice.mails(address), "the first mail")
            await stack.service("notification").kill()
        assert (await practice.indicator(created["id"]) or {})["overall"] == "pending"
        await stack.service("notification").start()
        shown = await practice.shows(created["id"], "delivered", patience=60)
        assert [entry["type"] for entry in shown["history"]].count("delivered") == 1
        mails = await practice.mails(address)
        assert len(mails) == 2
        assert mails[0]["message_id"] == mails[1]["message_id"]
    finally:
        await owner.close()


async def retrying(practice: Practice, appointment_id: str) -> None:
    """Wait until the first try was put off, so that the second is still to come."""

    async def put_off() -> bool:
        shown = await practice.indicator(appointment_id)
        return shown is not None and shown["channels"]["email"]["status_code"] == "4.3.0"

    await eventually(put_off, "put off by the server")


async def test_every_service_killed_under_load(practice: Practice, stack: Stack) -> None:
    accepted: list[Json] = []
    for name in ("scheduling", "notification", "status"):
        creating = [asyncio.create_task(practice.post(practice.form())) for _ in range(20)]
        await asyncio.wait(creating, return_when=asyncio.FIRST_COMPLETED)
        await stack.service(name).kill()
        answers = await asyncio.gather(*creating, return_exceptions=True)
        accepted += [
            answer.json()
            for answer in answers
            if not isinstance(answer, BaseException) and answer.status_code == 201
        ]
        await stack.service(name).start()
    assert accepted
    for created in accepted:
        await practice.shows(created["id"], "delivered", patience=60)
        assert await practice.mails(created["email"])


async def test_the_broker_restarts_in_the_middle(practice: Practice, stack: Stack) -> None:
    before = [await practice.create() for _ in range(5)]
    await stack.kafka.stop()
    during = [await practice.create() for _ in range(5)]
    await stack.kafka.start()
    after = [await practice.create() for _ in range(5)]
    for created in [*before, *during, *after]:
        await practice.shows(created["id"], "delivered", patience=60)
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
        assert await owner.fetchval("SELECT count(*) FROM outbox") == 1
    finally:
        await owner.execute("DELETE FROM outbox WHERE key = 'stuck'")
        await owner.close()
