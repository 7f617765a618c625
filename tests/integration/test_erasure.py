"""„Daten löschen": nothing of the patient is left in any table, topic or log."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from chassis.outbox import RELAY_LOCK
from contracts import envelope
from contracts.events import Evidence, InvitationDelivered
from contracts.topics import APPOINTMENTS, OUTCOMES, REQUESTED
from local.mailbox.reports import REPORTS, Mail, compose, hand_over
from tests.conftest import HURRIED, Stack
from tests.support import Json, Practice, eventually, unused_phone
from tests.support.database import owner
from tests.support.search import search
from tests.support.topics import header, outcome_of, publish, reading

FORGET = "NOTIFICATION_KAFKA_ERASURE_POLL_SECONDS"


@pytest_asyncio.fixture
async def forgetful(stack: Stack) -> AsyncIterator[Stack]:
    """Requests are removed from Kafka at once, once told to."""
    yield stack
    stack.configure("notification", **{FORGET: HURRIED["notification"][FORGET]})
    await stack.service("notification").restart()


async def forget_at_once(stack: Stack) -> None:
    stack.configure("notification", **{FORGET: "0.2"})
    await stack.service("notification").restart()


async def erase(practice: Practice, appointment_id: str) -> None:
    answer = await practice.scheduling.post(f"/v1/appointments/{appointment_id}/erasure")
    assert answer.status_code == 204, answer.text


async def send(stack: Stack, topic: str, key: str, value: bytes) -> None:
    async with stack.cluster.producer() as producer:
        await producer.send_and_wait(topic, value, key=key.encode())


async def waiting(stack: Stack) -> set[UUID]:
    """The receipts that are to be read, or tried again."""
    async with owner(stack, "notification") as db:
        return {
            row["id"] for row in await db.fetch("SELECT id FROM receipts WHERE due_at IS NOT NULL")
        }


async def test_after_an_erasure_nothing_is_found_of_the_patient(
    practice: Practice, forgetful: Stack
) -> None:
    stack, mark = forgetful, uuid4().hex[:10]
    name = f"Quirin{mark}"
    addresses = [f"{role}+{mark}@example.org" for role in ("unbekannt", "zugestellt", "spaeter")]
    phone = unused_phone()

    # Invited over both channels; the address is wrong, then right, then one that only waits.
    created = await practice.create(
        patient_name=f"{name} Quast", channels=["email", "sms"], email=addresses[0], phone=phone
    )
    key = created["id"]
    await practice.shows(key, "failed")
    await practice.resend(key, email=addresses[1])
    await practice.shows(key, "delivered", attempt=2)
    mail = await practice.mail(addresses[1])
    link = re.search(r"/besuch/([\w-]+)", mail["text"])
    assert link is not None
    await practice.resend(key, email=addresses[2])

    async def put_off() -> bool:
        shown = await practice.indicator(key) or {}
        channel = shown["channels"]["email"]
        return bool(shown["attempt"] == 3 and channel["status_code"] == "4.3.0")

    await eventually(put_off, "the third mail waits")
    # A request that can't be read, a mail that says nothing, one of another appointment.
    another = str(uuid4())
    await send(stack, REQUESTED.name, key, f'{{"patient_name": "{name}"}}'.encode())
    await send(stack, REQUESTED.name, another, f"not of {mark[:5]}".encode())
    await hand_over(
        stack.ports.bounces, mail["envelope_from"], f"Subject: Hallo\r\n\r\n{name}\r\n".encode()
    )

    words = [name, *addresses, phone, link[1]]
    expected = {
        "scheduling.appointments.contact": {name, addresses[2], phone},
        "notification.deliveries.letter": {name, addresses[2]},
        "notification.receipts.content": {name},
        f"topic {REQUESTED.name}": {name, *addresses, phone, link[1]},
        f"topic {REQUESTED.name}.dlq": {name},
    }

    async def all_there() -> bool:
        return await search(stack, words) == expected

    await eventually(all_there, f"found where it must be, and nowhere else: {expected}")

    await erase(practice, key)
    await forget_at_once(stack)

    async def gone() -> bool:
        return await search(stack, words) == {}

    await eventually(gone, "nothing is found")
    # A bounce that comes now finds nothing, and does not stay either.
    returned = Mail(sender="-", recipient=addresses[1], content=f"To: {name}\r\n\r\n".encode())
    report = compose(returned, REPORTS["spaeter-unbekannt"])
    assert report is not None
    before = await waiting(stack)  # other tests' among them
    await hand_over(stack.ports.bounces, mail["envelope_from"], report)

    async def read() -> bool:
        return await waiting(stack) <= before and await search(stack, words) == {}

    await eventually(read, "the late bounce is gone too")
    # Not a table has a line of the appointment, but for the tombstones that keep it away.
    assert await tables_with(stack, UUID(key)) == {
        "notification.appointments",
        "scheduling.tombstones",
        "status.events",
        "status.indicators",
    }
    # What belongs to others is still there.
    async with reading(stack, f"{REQUESTED.name}.dlq") as consumer:
        async for record in consumer:
            if record.key == another.encode():
                assert header(record, "dlq_reason")
                break


async def tables_with(stack: Stack, appointment_id: UUID) -> set[str]:
    """Tables that name the appointment in any column, but for the audit log, which holds ids."""
    found = set()
    for database in ("scheduling", "notification", "status", "dashboard"):
        async with owner(stack, database) as db:
            tables = await db.fetch(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            )
            for (table,) in tables:
                if await db.fetchval(
                    f'SELECT EXISTS (SELECT FROM "{table}" t WHERE t::text LIKE $1)',
                    f"%{appointment_id}%",
                ):
                    found.add(f"{database}.{table}")
    return found - {"scheduling.audit_entries"}


async def test_what_comes_late_brings_nothing_back(practice: Practice, stack: Stack) -> None:
    """The events of an erased appointment again, under new ids, and an outcome nobody knew."""
    async with reading(stack, REQUESTED.name, APPOINTMENTS.name, OUTCOMES.name) as consumer:
        await consumer.seek_to_end()
        created = await practice.create()
        await practice.shows(created["id"], "delivered")
        await erase(practice, created["id"])
        records = []
        async for record in consumer:
            if record.key == created["id"].encode():
                records.append(record)
                told = {header(each, "ce_type").rpartition(".")[2] for each in records}
                if told >= {"InvitationRequested", "AppointmentErased"}:
                    break
    late = envelope.encode(
        outcome_of(InvitationDelivered, practice, created, attempt=7, evidence=Evidence.CONFIRMED),
        source="/test",
    )
    for record in records:
        await publish(stack, record, event_id=str(uuid4()))
    await publish(stack, late)
    marker = await practice.create()
    await practice.shows(marker["id"], "delivered")
    await practice.resend(marker["id"])
    await practice.shows(marker["id"], "delivered", attempt=2)

    async def only_tombstones() -> bool:
        async with owner(stack, "status") as db:
            kinds = await db.fetch(
                "SELECT DISTINCT kind FROM events WHERE appointment_id = $1", UUID(created["id"])
            )
        async with owner(stack, "notification") as db:
            left = await db.fetchval(
                "SELECT count(*) FROM deliveries WHERE appointment_id = $1", UUID(created["id"])
            )
        return [row["kind"] for row in kinds] == ["erased"] and left == 0

    await eventually(only_tombstones, "nothing but tombstones")
    assert await practice.indicator(created["id"]) is None
    assert len(await practice.mails(created["email"])) == 1


async def test_the_live_stream_tells_of_an_erasure(practice: Practice) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    async with practice.stream() as messages:
        assert (await anext(messages))[0] == "ready"
        await erase(practice, created["id"])
        event, _, data = await anext(messages)
        assert (event, data["appointment_id"]) == ("deleted", created["id"])


async def test_a_queued_invitation_of_an_erased_appointment_is_not_sent(
    practice: Practice, stack: Stack
) -> None:
    """Erased while the request is still in the outbox."""
    async with owner(stack, "scheduling") as db:
        await db.execute("SELECT pg_advisory_lock($1)", RELAY_LOCK)  # nothing leaves
        created = await practice.create()
        held = "SELECT count(*) FROM outbox WHERE key = $1 AND sealed"
        assert await db.fetchval(held, created["id"]) == 1
        await erase(practice, created["id"])
        assert await db.fetchval(held, created["id"]) == 0
    marker = await practice.create()
    await practice.shows(marker["id"], "delivered")
    assert await practice.mails(created["email"]) == []


async def test_a_deleted_appointment_can_be_erased_and_an_erased_one_is_gone(
    practice: Practice, other_practice: Practice
) -> None:
    created = await practice.create()
    path = f"/v1/appointments/{created['id']}"
    assert (await practice.scheduling.delete(path)).status_code == 204
    assert (await other_practice.scheduling.post(f"{path}/erasure")).status_code == 404
    await erase(practice, created["id"])
    assert (await practice.scheduling.post(f"{path}/erasure")).status_code == 404


async def of_another_time(stack: Stack, created: Json, ended: timedelta, days: int) -> None:
    """As if the appointment had ended so long ago, in a practice with this term."""
    async with owner(stack, "scheduling") as db:
        await db.execute(
            "UPDATE practices SET retention_days = $2 "
            "WHERE id = (SELECT practice_id FROM appointments WHERE id = $1)",
            UUID(created["id"]),
            days,
        )
        await db.execute(
            "UPDATE appointments SET "
            "starts_at = $2::timestamptz - make_interval(mins => duration_minutes) WHERE id = $1",
            UUID(created["id"]),
            datetime.now(UTC) - ended,
        )


@pytest.mark.parametrize(
    ("days", "ended", "erased"),
    [
        (0, timedelta(seconds=1), True),
        (0, timedelta(minutes=-10), False),
        (30, timedelta(days=30, minutes=1), True),
        (30, timedelta(days=29, hours=23), False),
        (88, timedelta(days=88, minutes=1), True),
        (88, timedelta(days=87, hours=23), False),
    ],
)
async def test_the_practices_term_ends_what_is_known_and_the_link_lives_on(
    practice: Practice, stack: Stack, days: int, ended: timedelta, erased: bool
) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    link = re.search(r"http\S+/besuch/[\w-]+", (await practice.mail(created["email"]))["text"])
    assert link is not None
    await of_another_time(stack, created, ended, days)
    await stack.service("scheduling").restart()  # looks at once
    path = f"/v1/appointments/{created['id']}"
    if erased:

        async def gone() -> bool:
            return (await practice.scheduling.get(path)).status_code == 404 and (
                await practice.indicator(created["id"]) is None
            )

        await eventually(gone, "erased")
        left = {"scheduling.appointments", "notification.appointments"}

        async def only_bare() -> bool:
            return await tables_with(stack, UUID(created["id"])) == left | {
                "status.events",
                "status.indicators",
            }

        await eventually(only_bare, "nothing but bare rows")
    else:
        assert (await practice.scheduling.get(path)).status_code == 200
        assert await practice.indicator(created["id"]) is not None
    assert (await practice.scheduling.get(link[0])).status_code == 200


async def test_the_last_of_it_goes_when_the_link_is_dead(practice: Practice, stack: Stack) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    await of_another_time(stack, created, timedelta(days=93, minutes=1), 88)
    await stack.service("scheduling").restart()

    async def gone() -> bool:
        return "scheduling.appointments" not in await tables_with(stack, UUID(created["id"]))

    await eventually(gone, "no row of it")


async def test_notification_forgets_without_being_told(practice: Practice, stack: Stack) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    async with owner(stack, "notification") as db:
        await db.execute(
            "UPDATE appointments SET starts_at = now() - interval '89 days' "
            "WHERE appointment_id = $1",
            UUID(created["id"]),
        )
        await stack.service("notification").restart()

        async def gone() -> bool:
            return not await db.fetchval(
                "SELECT count(*) FROM deliveries WHERE appointment_id = $1", UUID(created["id"])
            )

        await eventually(gone, "no delivery is left")
