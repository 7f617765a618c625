"""A mail server that takes long over each message holds up nothing but its own mails."""

import asyncio

from local.ports import free_port
from tests.conftest import Stack, changed
from tests.servers.mail import MailServer
from tests.support import Json, Practice

MAILS = 24  # more than are sent at the same time


async def test_text_messages_arrive_while_a_practices_mails_hang(
    practice: Practice, other_practice: Practice, stack: Stack
) -> None:
    answering, port = asyncio.Event(), free_port()
    forms = [practice.form() for _ in range(MAILS)]
    slow = MailServer([form["email"] for form in forms], answering.wait)

    async def text(sender: Practice) -> None:
        created = await sender.create(channels=["sms"], email=None, phone="+491713920001")
        await sender.shows(created["id"], "delivered")

    async with (
        slow.listening(port),
        changed(stack, "notification", NOTIFICATION_SMTP_PORT=str(port)),
    ):
        mails: list[Json] = await asyncio.gather(*(practice.create(**form) for form in forms))
        await slow.taken(1)
        await text(other_practice)
        await text(practice)
        assert len(slow.message_ids) < MAILS
        shown = [await practice.indicator(mail["id"]) for mail in mails]
        assert {each["overall"] for each in shown if each} == {"pending"}
        answering.set()
        for mail in mails:
            await practice.shows(mail["id"], "delivered")
        assert len(slow.message_ids) == MAILS
