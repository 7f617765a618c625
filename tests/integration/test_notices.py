"""Reminders and notices, through the whole product: once, to whom and when it is right."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from local.mailbox.reports import REPORTS, Mail, compose, hand_over
from tests.conftest import Stack
from tests.support import (
    BERLIN,
    Json,
    Practice,
    berlin_day,
    eventually,
    unknown_address,
    unused_phone,
)
from tests.support.database import owner as owner_of
from tests.support.mails import calendar_of

BOTH = ["email", "sms"]


@pytest_asyncio.fixture
async def owner(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """Scheduling's database, where a test can let time pass."""
    async with owner_of(stack, "scheduling") as connection:
        yield connection


def form(**changes: object) -> Json:
    """In four days, so that both reminders are planned."""
    day = berlin_day(4).isoformat()
    return {"channels": BOTH, "phone": unused_phone(), "date": day} | changes


async def let_moves_settle(owner: asyncpg.Connection, created: Json) -> int:
    """As if nobody had moved it for long; returns how many notices of that are due."""
    done = await owner.execute(
        """
        UPDATE notices SET due_at = now()
        WHERE appointment_id = $1 AND kind = 'moved' AND done_at IS NULL
        """,
        UUID(created["id"]),
    )
    return int(done.removeprefix("UPDATE "))


async def let_it_be_due(owner: asyncpg.Connection, created: Json, minutes: int) -> None:
    done = await owner.execute(
        """
        UPDATE notices SET due_at = now()
        WHERE appointment_id = $1 AND minutes_before = $2 AND done_at IS NULL
        """,
        UUID(created["id"]),
        minutes,
    )
    assert done == "UPDATE 1"


async def arrived(practice: Practice, created: Json, mails: int, texts: int | None = None) -> None:
    """Wait for so many mails and texts."""

    async def ask() -> bool:
        found = len(await practice.mails(created["email"]))
        sent = 0 if texts is None else len(await practice.texts(created["phone"]))
        return found >= mails and sent >= (texts or 0)

    await eventually(ask, f"{mails} mails, {texts} texts")


async def settled(practice: Practice, owner: asyncpg.Connection) -> None:
    """What was asked for before has been sent: one more appointment has come through it all."""
    marker = await practice.create()
    await practice.mail(marker["email"])
    moved = await practice.scheduling.patch(
        f"/v1/appointments/{marker['id']}", json={"time": "17:15"}
    )
    assert moved.status_code == 200
    assert await let_moves_settle(owner, marker) == 1
    await arrived(practice, marker, 2)


async def test_a_reminder_arrives_once_by_mail_and_sms(
    practice: Practice, stack: Stack, owner: asyncpg.Connection
) -> None:
    created = await practice.create(**form())
    await arrived(practice, created, 1, 1)
    before = await practice.shows(created["id"], "delivered")
    await let_it_be_due(owner, created, 1440)
    await arrived(practice, created, 2, 2)
    await stack.service("scheduling").kill()
    await stack.service("scheduling").start()
    await settled(practice, owner)
    _, mail = await practice.mails(created["email"])
    assert mail["subject"].startswith("Erinnerung an Ihre Videosprechstunde am ")
    assert "10:00" in mail["text"]
    assert "/besuch/" in mail["text"]
    _, text = await practice.texts(created["phone"])
    assert "Erinnerung" in text["text"]
    after = await practice.indicator(created["id"])
    assert after is not None
    assert after["history"] == before["history"], "the tick tells of the invitation alone"


async def test_a_deleted_appointment_is_cancelled_once_and_reminds_nobody(
    practice: Practice, owner: asyncpg.Connection
) -> None:
    created = await practice.create(**form())
    await arrived(practice, created, 1, 1)
    path = f"/v1/appointments/{created['id']}"
    assert (await practice.scheduling.delete(path)).status_code == 204
    await arrived(practice, created, 2, 2)
    await settled(practice, owner)
    _, mail = await practice.mails(created["email"])
    assert "wurde abgesagt" in mail["subject"]
    assert "/besuch/" not in mail["text"]
    (_, invited), (calendar, event) = [
        calendar_of(each) for each in await practice.mails(created["email"])
    ]
    assert (calendar["METHOD"], event["UID"]) == ("CANCEL", invited["UID"])
    assert event["SEQUENCE"] > invited["SEQUENCE"]
    _, text = await practice.texts(created["phone"])
    assert "abgesagt" in text["text"]
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM notices WHERE appointment_id = $1 AND done_at IS NULL",
            UUID(created["id"]),
        )
        == 0
    )


async def test_quick_moves_are_one_notice_with_the_old_and_the_new_time(
    practice: Practice, owner: asyncpg.Connection
) -> None:
    created = await practice.create(**form())
    await arrived(practice, created, 1, 1)
    path = f"/v1/appointments/{created['id']}"
    for time in ("11:15", "16:45"):
        assert (await practice.scheduling.patch(path, json={"time": time})).status_code == 200
    assert await let_moves_settle(owner, created) == 1
    await arrived(practice, created, 2, 2)
    await settled(practice, owner)
    _, mail = await practice.mails(created["email"])
    assert "verschoben" in mail["subject"]
    assert "10:00 Uhr" in mail["text"]
    assert "16:45 Uhr" in mail["text"]
    assert "11:15" not in mail["text"]
    (_, invited), (_, event) = [
        calendar_of(each) for each in await practice.mails(created["email"])
    ]
    assert event["UID"] == invited["UID"]
    assert event["SEQUENCE"] > invited["SEQUENCE"]
    assert event["DTSTART"].dt.astimezone(BERLIN).strftime("%H:%M") == "16:45"
    assert len(await practice.texts(created["phone"])) == 2
    waiting = await owner.fetch(
        """
        SELECT starts_at, due_at FROM notices
        WHERE appointment_id = $1 AND kind = 'reminder' ORDER BY due_at
        """,
        UUID(created["id"]),
    )
    assert len(waiting) == 2
    assert {each["starts_at"].astimezone(BERLIN).strftime("%H:%M") for each in waiting} == {"16:45"}
    assert waiting[1]["starts_at"] - waiting[1]["due_at"] == timedelta(hours=1)


async def test_there_and_back_or_without_notice_tells_nobody(
    practice: Practice, owner: asyncpg.Connection
) -> None:
    back, silent, gone = [await practice.create(**form(channels=["email"])) for _ in range(3)]
    for each in (back, silent, gone):
        await practice.mail(each["email"])
    steps: list[tuple[Json, Json]] = [
        (back, {"time": "16:45"}),
        (back, {"time": "10:00"}),
        (silent, {"time": "16:45", "notify": False}),
    ]
    for created, wish in steps:
        moved = await practice.scheduling.patch(f"/v1/appointments/{created['id']}", json=wish)
        assert moved.status_code == 200, moved.text
    assert [await let_moves_settle(owner, each) for each in (back, silent)] == [0, 0]
    path = f"/v1/appointments/{gone['id']}"
    deleted = await practice.scheduling.delete(path, params={"notify": "false"})
    assert deleted.status_code == 204
    await settled(practice, owner)
    for created in (back, silent, gone):
        await practice.mail(created["email"])


def of_invitation(indicator: Json | None) -> Json:
    """What an indicator says of the invitation alone."""
    assert indicator is not None
    return {name: indicator[name] for name in ("overall", "attempt", "channels", "history")}


async def becomes(
    practice: Practice, created: Json, about: str, kind: str, channel: str = "email"
) -> Json:
    """The line of the timeline that says that this became of a notice; waits for it."""

    async def told() -> Json | None:
        found = await practice.indicator(created["id"])
        lines = [] if found is None else found["timeline"]
        wanted = (about, kind, channel)
        same = [one for one in lines if (one["about"], one["type"], one["channel"]) == wanted]
        return same[-1] if same else None

    return await eventually(told, f"{about} {kind}")


async def test_an_address_that_refused_the_invitation_gets_nothing_else(
    practice: Practice, owner: asyncpg.Connection
) -> None:
    address = unknown_address()
    created = await practice.create(**form(channels=["email"], email=address))
    before = await practice.shows(created["id"], "failed")
    await let_it_be_due(owner, created, 60)
    reminder = await becomes(practice, created, "reminder", "failed")
    assert (reminder["category"], reminder["withheld"]) == ("cancelled", "not_invited")
    after = await practice.indicator(created["id"])
    assert of_invitation(after) == of_invitation(before)
    assert after is not None
    assert after["open"] == ["invitation_failed"]


async def test_who_got_the_bounced_invitation_hears_of_no_cancellation(
    practice: Practice, owner: asyncpg.Connection
) -> None:
    """Taken by a mail server and sent back: the one mail that anybody got would be the second."""
    address = f"spaeter-unbekannt+{uuid4().hex[:8]}@example.org"
    created = await practice.create(**form(channels=["email"], email=address))
    await practice.shows(created["id"], "failed")
    path = f"/v1/appointments/{created['id']}"
    assert (await practice.scheduling.delete(path)).status_code == 204
    await settled(practice, owner)
    await practice.mail(address)

    async def gone() -> bool:
        return await named(practice, created) is None

    await eventually(gone, "nobody has to be called: nothing is kept")


async def test_each_channel_is_told_what_it_was_told_of(
    practice: Practice, owner: asyncpg.Connection
) -> None:
    created = await practice.create(**form(phone="+491713920002"))
    await practice.shows(created["id"], "failed")
    texts = len(await practice.texts(created["phone"]))
    path = f"/v1/appointments/{created['id']}"
    assert (await practice.scheduling.patch(path, json={"time": "16:45"})).status_code == 200
    assert await let_moves_settle(owner, created) == 1
    await becomes(practice, created, "moved", "delivered")
    withheld = await becomes(practice, created, "moved", "failed", "sms")
    assert withheld["withheld"] == "not_invited"
    assert len(await practice.texts(created["phone"])) == texts
    found = await practice.indicator(created["id"])
    assert found is not None
    assert "moved_failed" not in found["open"]


async def called_off(stack: Stack, created: Json) -> None:
    """Wait until notification has heard that nothing is to be sent any more."""
    states = "SELECT array_agg(DISTINCT state) FROM deliveries WHERE appointment_id = $1"
    async with owner_of(stack, "notification") as db:

        async def all_ended() -> bool:
            return bool(await db.fetchval(states, UUID(created["id"])) == ["cancelled"])

        await eventually(all_ended, "its deliveries are called off")


@pytest.mark.parametrize("deed", ["move", "delete"])
async def test_an_invitation_that_is_under_way_is_the_only_mail(
    practice: Practice, stack: Stack, owner: asyncpg.Connection, deed: str
) -> None:
    """The mail server is away while it is moved, or deleted: no other mail, or none at all."""
    await stack.mailbox.kill()
    try:
        created = await practice.create(**form(channels=["email"]))

        async def tried() -> bool:
            found = await practice.indicator(created["id"])
            return bool(
                found and found["channels"]["email"]["state"] == "pending" and found["history"][2:]
            )

        await eventually(tried, "it is to be tried again")
        path = f"/v1/appointments/{created['id']}"
        if deed == "move":
            moved = await practice.scheduling.patch(path, json={"time": "16:45"})
            assert moved.status_code == 200
            assert await let_moves_settle(owner, created) == 1
            told = await becomes(practice, created, "moved", "failed")
            assert told["withheld"] == "in_invitation"
        else:
            assert (await practice.scheduling.delete(path)).status_code == 204
            await called_off(stack, created)
    finally:
        await stack.mailbox.start()
    if deed == "move":
        await practice.shows(created["id"], "delivered")
    await settled(practice, owner)
    mails = await practice.mails(created["email"])
    if deed == "delete":
        assert mails == []
        return
    (mail,) = mails
    assert "16:45 Uhr" in mail["text"]
    assert "10:00" not in mail["text"]
    _, event = calendar_of(mail)
    assert event["DTSTART"].dt.astimezone(BERLIN).strftime("%H:%M") == "16:45"


async def bounce(stack: Stack, sent: Json, recipient: str) -> None:
    """The mail comes back, as from a server that took it."""
    mail = Mail(sender="-", recipient=recipient, content=b"Subject: x\r\n\r\n")
    report = compose(mail, REPORTS["spaeter-unbekannt"])
    assert report is not None
    await hand_over(stack.ports.bounces, sent["envelope_from"], report)


async def test_a_late_bounce_of_a_notice_leaves_the_tick_alone(
    practice: Practice, stack: Stack, owner: asyncpg.Connection
) -> None:
    created = await practice.create(**form(channels=["email"]))
    before = await practice.shows(created["id"], "delivered")
    await let_it_be_due(owner, created, 60)
    await arrived(practice, created, 2)
    _, reminder = await practice.mails(created["email"])
    await bounce(stack, reminder, created["email"])
    told = await becomes(practice, created, "reminder", "failed")
    assert (told["late"], told["reason"]) == (True, "unknown_user")
    await settled(practice, owner)
    after = await practice.indicator(created["id"])
    assert of_invitation(after) == of_invitation(before)
    assert after is not None
    assert after["open"] == ["reminder_failed"]
    await practice.knows_as_dead(created["email"])


async def named(practice: Practice, created: Json) -> Json | None:
    found = await practice.scheduling.get("/v1/appointments", params={"id": created["id"]})
    assert found.status_code == 200, found.text
    listed: list[Json] = found.json()["appointments"]
    return listed[0] if listed else None


async def test_whom_the_cancellation_did_not_reach_can_be_called(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create(**form(channels=["email"]))
    await arrived(practice, created, 1)
    path = f"/v1/appointments/{created['id']}"
    assert (await practice.scheduling.delete(path)).status_code == 204
    assert (await practice.scheduling.get(path)).status_code == 404
    await arrived(practice, created, 2)
    _, cancellation = await practice.mails(created["email"])
    await bounce(stack, cancellation, created["email"])
    told = await becomes(practice, created, "cancelled", "failed")
    assert told["late"]
    found = await named(practice, created)
    assert found is not None
    assert found["cancelled"] is True
    assert (found["patient_name"], found["phone"]) == ("Erika Mustermann", created["phone"])
    listed = (await practice.status.get("/v1/indicators", params={"open": True})).json()
    (row,) = [each for each in listed["indicators"] if each["appointment_id"] == created["id"]]
    assert (row["open"], row["cancelled"]) == (["cancelled_failed"], True)
    erased = await practice.scheduling.post(f"{path}/erasure")
    assert erased.status_code == 204
    assert await named(practice, created) is None
