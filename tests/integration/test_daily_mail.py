"""A practice's daily mail of what is open, from the operator's setting to the mailbox."""

from datetime import UTC, datetime
from uuid import uuid4

from local.mailbox.reports import hand_over
from tests.conftest import Stack
from tests.support import Practice, eventually, unknown_address
from tests.support.database import owner
from tests.support.keys import admin, change_practice

PATIENT = "Wilhelmine Unverwechselbar"


async def comes_due(stack: Stack, practice: Practice, day: int) -> None:
    """Its hour has come, on that day of January, and it is asked about now."""
    async with owner(stack, "scheduling") as db:
        done = await db.execute(
            "UPDATE daily_mails SET due_at = $2, ask_at = now() WHERE practice_id = $1",
            practice.id,
            datetime(2026, 1, day, 6, tzinfo=UTC),
        )
    assert done == "UPDATE 1"

    async def asked() -> bool:
        async with owner(stack, "scheduling") as db:
            return bool(
                await db.fetchval(
                    "SELECT due_at > now() FROM daily_mails WHERE practice_id = $1", practice.id
                )
            )

    await eventually(asked, "the next one is due another day")


async def test_it_says_how_much_is_open_once_a_day(practice: Practice, stack: Stack) -> None:
    address = f"leitung-{uuid4().hex[:8]}@praxis-weiss.example"
    await change_practice(stack, practice, daily_mail_address=address, daily_mail_hour=7)
    refused = [unknown_address() for _ in "ab"]
    for email in refused:
        created = await practice.create(email=email, patient_name=PATIENT)
        await practice.shows(created["id"], "failed")
    await comes_due(stack, practice, 5)
    mail = await practice.mail(address)
    headers = dict(mail["headers"])
    assert headers["Subject"] == "2 Termine sind offen"
    link = f"{stack.url('dashboard')}/#/offen"
    for body in (mail["text"], mail["html"]):
        assert "sind 2 Termine offen" in body
        assert link in body
        assert "Abstellen" in body
    for told in (PATIENT.rsplit(maxsplit=1)[-1], *refused, "10:00", "/besuch/", "<img"):
        assert told not in mail["raw"]

    # The same day once more, as after a fault at a bad moment; then another day.
    for day in (5, 6):
        await comes_due(stack, practice, day)

    async def two() -> bool:
        return len(await practice.mails(address)) > 1

    await eventually(two, "the next day's mail")
    assert len(await practice.mails(address)) == 2  # requests of a practice stay in order
    async with owner(stack, "notification") as db:
        rows = await db.fetch(
            "SELECT * FROM daily_mails WHERE practice_id = $1 ORDER BY day", practice.id
        )
    assert [row["day"].day for row in rows] == [5, 6]
    assert headers["Message-ID"] == rows[0]["message_id"]

    # What comes back of it is recognised, and kept nowhere.
    back = (
        f"From: MAILER-DAEMON@praxis-weiss.example\r\nTo: {mail['envelope_from']}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n\r\n"
        f"<{address}>: 550 5.1.1 User unknown\r\n"
    ).encode()
    await hand_over(stack.ports.bounces, mail["envelope_from"], back)

    async def read() -> bool:
        async with owner(stack, "notification") as db:
            return not await db.fetchval(
                "SELECT count(*) FROM receipts WHERE reference = $1", rows[0]["id"]
            )

    await eventually(read, "the bounce is read")


async def test_it_is_set_and_switched_off_on_the_command_line(
    practice: Practice, stack: Stack
) -> None:
    async def change(*settings: str) -> str:
        code, told = await admin(stack, "practice", "set", str(practice.id), *settings)
        assert code == 0, told
        return told

    async def due() -> int:
        async with owner(stack, "scheduling") as db:
            found: int = await db.fetchval(
                "SELECT count(*) FROM daily_mails WHERE practice_id = $1", practice.id
            )
        return found

    shown = await change()
    assert "daily-mail-address: none" in shown
    assert await due() == 0
    address = "leitung@praxis-weiss.example"
    shown = await change("--daily-mail-address", address, "--daily-mail-hour", "9")
    assert f"daily-mail-address: {address}" in shown
    assert "daily-mail-hour: 9" in shown
    assert await due() == 1
    assert "daily-mail-address: none" in await change("--daily-mail-address", "")
    assert await due() == 0
