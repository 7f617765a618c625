"""Bounces through real mail servers: Postfix brings them by LMTP, Dovecot keeps them for IMAP."""

import os
import shutil
import smtplib
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from local.mailbox.reports import REPORTS, Mail, compose
from local.services import BOUNCES
from tests.conftest import Stack, changed, new_practice
from tests.servers.dovecot import PASSWORD, USER, Dovecot
from tests.servers.postfix import FINAL_DOMAIN, Postfix
from tests.support import PATIENCE, Json, Practice, eventually
from tests.support.answers import reply
from tests.support.mails import calendar_of

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="Postfix and Dovecot only run as root; make test installs them"
)


@dataclass
class Servers:
    """The stack with a real mail server before it and a mailbox behind."""

    stack: Stack
    postfix: Postfix
    dovecot: Dovecot

    def bring(self, content: bytes) -> None:
        """Deliver to the IMAP mailbox."""
        with smtplib.LMTP("127.0.0.1", self.dovecot.lmtp, timeout=PATIENCE) as lmtp:
            lmtp.sendmail("", [BOUNCES], content)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One that the servers' own users may enter."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def servers(folder: Path, stack: Stack) -> AsyncIterator[Servers]:
    """Started once for all tests here."""
    postfix = Postfix(
        folder / "postfix",
        next_hop=stack.ports.smtp,
        intake=stack.ports.bounces,
        bounce_domain=BOUNCES.partition("@")[2],
    )
    dovecot = Dovecot(folder / "dovecot")
    try:
        postfix.start()
        dovecot.start()
        async with changed(
            stack,
            "notification",
            NOTIFICATION_SMTP_PORT=str(postfix.port),
            NOTIFICATION_INTAKE_PROTOCOL="lmtp",
            NOTIFICATION_IMAP_HOST="127.0.0.1",
            NOTIFICATION_IMAP_PORT=str(dovecot.imap),
            NOTIFICATION_IMAP_TLS="none",
            NOTIFICATION_IMAP_USERNAME=USER,
            NOTIFICATION_IMAP_PASSWORD=PASSWORD,
            NOTIFICATION_IMAP_POLL_SECONDS="0.2",
        ):
            yield Servers(stack, postfix, dovecot)
    finally:
        postfix.stop()
        dovecot.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def clinic(servers: Servers) -> AsyncIterator[Practice]:
    """A practice of the test's own."""
    async with new_practice(servers.stack) as fresh:
        yield fresh


def at(role: str, domain: str = "example.org") -> str:
    return f"{role}+{uuid4().hex[:8]}@{domain}"


async def test_postfix_bounces_and_the_tick_goes(clinic: Practice) -> None:
    created = await clinic.create(email=at("unbekannt"))
    shown = await clinic.shows(created["id"], "failed")
    channel = shown["channels"]["email"]
    assert (channel["reason"], channel["status_code"]) == ("unknown_user", "5.1.1")
    assert [entry["type"] for entry in shown["history"]][-2:] == ["delivered", "failed"]
    assert channel["late"]


async def test_postfix_says_why(clinic: Practice) -> None:
    created = await clinic.create(email=at("voll"))
    shown = await clinic.shows(created["id"], "failed")
    assert shown["channels"]["email"]["reason"] == "mailbox_full"


async def test_postfix_confirms_what_it_delivered_itself(clinic: Practice) -> None:
    created = await clinic.create(email=at("erika", FINAL_DOMAIN))
    await confirmed(clinic, created)


async def test_postfix_hands_over_that_a_gateway_s_bounce_is_from_nobody(
    clinic: Practice, servers: Servers
) -> None:
    """By the words alone it could be anybody's, and Postfix writes no Return-Path for LMTP."""
    created, mail = await ticked(clinic)
    content = (
        "From: NoSpamProxy <nospamproxy@klinik.example>\r\n"
        "Subject: Undeliverable: Ihre Videosprechstunde\r\n"
        "\r\n"
        f"Your message to {created['email']} could not be delivered.\r\n"
        "Reason: 550 5.1.1 user unknown\r\n"
    )
    with smtplib.SMTP("127.0.0.1", servers.postfix.port, timeout=PATIENCE) as smtp:
        smtp.sendmail("", [mail["envelope_from"]], content)
    shown = await clinic.shows(created["id"], "failed")
    assert shown["channels"]["email"]["reason"] == "unknown_user"


async def confirmed(clinic: Practice, created: Json) -> None:
    async def ask() -> bool:
        found = await clinic.indicator(created["id"])
        return bool(found and found["channels"]["email"]["evidence"] == "confirmed")

    await eventually(ask, "evidence: confirmed")


def bounce_of(mail: Json) -> bytes:
    """What a server makes of it that keeps nothing but the head of what it returns."""
    returned = Mail(
        sender=mail["envelope_from"],
        recipient="erika@example.org",
        content=f"Message-ID: {mail['message_id']}\r\n\r\n".encode(),
    )
    report = compose(returned, REPORTS["spaeter-unbekannt"])
    assert report is not None
    return report


async def ticked(clinic: Practice) -> tuple[Json, Json]:
    created = await clinic.create()
    await clinic.shows(created["id"], "delivered")
    return created, await clinic.mail(created["email"])


async def test_a_bounce_in_the_mailbox_is_fetched(clinic: Practice, servers: Servers) -> None:
    created, mail = await ticked(clinic)
    servers.bring(bounce_of(mail))
    await clinic.shows(created["id"], "failed")


async def test_a_calendar_s_answer_in_the_mailbox_is_fetched(
    clinic: Practice, servers: Servers
) -> None:
    created, mail = await ticked(clinic)
    _, event = calendar_of(mail)
    organizer = str(event["ORGANIZER"]).removeprefix("mailto:")
    servers.bring(reply("outlook", uid=created["id"], organizer=organizer))
    owner = await asyncpg.connect(servers.stack.owner_dsn("notification"))
    try:

        async def known() -> str | None:
            query = "SELECT answer FROM answers WHERE appointment_id = $1"
            return cast("str | None", await owner.fetchval(query, UUID(created["id"])))

        assert await eventually(known, "the answer is read") == "declined"
    finally:
        await owner.close()


async def test_the_mailbox_is_read_on_where_it_was_left(clinic: Practice, servers: Servers) -> None:
    created, mail = await ticked(clinic)
    notification = servers.stack.service("notification")
    await notification.kill()
    servers.bring(bounce_of(mail))
    await notification.start()
    await clinic.shows(created["id"], "failed")
    owner = await asyncpg.connect(servers.stack.owner_dsn("notification"))
    try:
        assert await owner.fetchval("SELECT max(last_uid) FROM mailbox_positions") >= 2
        twice = """
            SELECT count(*) FROM receipts
            WHERE delivery_id IN (SELECT id FROM deliveries WHERE appointment_id = $1)
            GROUP BY delivery_id HAVING count(*) > 1
        """
        assert await owner.fetch(twice, UUID(created["id"])) == []
    finally:
        await owner.close()


async def test_a_mailbox_without_idle_is_polled(
    clinic: Practice, servers: Servers, folder: Path
) -> None:
    plain = Dovecot(folder / "dovecot-without-idle", idle=False)
    plain.start()
    servers.dovecot.stop()
    try:
        servers.dovecot = plain
        servers.stack.configure("notification", NOTIFICATION_IMAP_PORT=str(plain.imap))
        notification = servers.stack.service("notification")
        await notification.stop()
        await notification.start()
        created, mail = await ticked(clinic)
        servers.bring(bounce_of(mail))
        await clinic.shows(created["id"], "failed")
    finally:
        plain.stop()
