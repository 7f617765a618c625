"""The intake: what it takes from whom, over real sockets."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

import pytest
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from local.ports import free_base
from services.notification.bounces import EvidenceKind, confined, read
from services.notification.bounces.confined import ConfinedReader
from services.notification.receipts import smtp
from services.notification.receipts import store as receipt_store
from services.notification.receipts.door import MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ONE, Door
from services.notification.receipts.reader import ReceiptReader
from services.notification.receipts.return_path import ReturnPath
from services.notification.receipts.smtp import SmtpIntake
from services.notification.receipts.store import MAX_MAIL_BYTES, Queue
from services.notification.receipts.tags import ENVELOPE_ID, Tags
from tests.database.notification.support import now, reading
from tests.support import PATIENCE, eventually

RETURN_PATH = ReturnPath("rueck@praxis.example", {1: b"r" * 32})
BARE = "rueck@praxis.example"
NEIGHBOUR = "127.0.0.2"
FROM_NOBODY = b"Return-Path: <>\r\n"
MEBIBYTE = 1 << 20


class Client:
    """A mail server that speaks to the intake, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> str:
        """The next reply, without what is more than one line of it."""
        while (line := (await self.reader.readline()).decode())[3:4] == "-":
            pass
        return line.strip()

    async def say(self, line: bytes) -> str:
        """Say it and hear what comes."""
        self.writer.write(line + b"\r\n")
        return await self.answer()

    async def deliver(
        self, pieces: Sequence[bytes], *recipients: str, sender: str = "<>", options: str = ""
    ) -> str:
        """Send a message, in these pieces, as it is on the wire; the reply after its dot."""
        await self.say(b"EHLO mx.example")
        assert (await self.say(f"MAIL FROM:{sender}{options}".encode())).startswith("250")
        answers = [await self.say(f"RCPT TO:<{each}>".encode()) for each in recipients]
        assert answers[0].startswith("250")
        assert (await self.say(b"DATA")).startswith("354")
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
        return await self.answer()


@asynccontextmanager
async def intake(
    db: Database,
    sealer: Sealer,
    *networks: str,
    protocol: Literal["smtp", "lmtp"] = "smtp",
) -> AsyncIterator[int]:
    """An intake, and its port."""
    server = SmtpIntake(
        db,
        RETURN_PATH,
        protocol=protocol,
        door=Door([ip_network(each) for each in networks or ("127.0.0.0/8",)]),
        sealer=sealer,
        now=now,
        wake_reader=lambda: None,
    )
    port = free_base()
    await server.start("127.0.0.1", port)
    try:
        yield port
    finally:
        await server.stop()


@asynccontextmanager
async def connected(port: int, source: str = "127.0.0.1") -> AsyncIterator[Client]:
    """A connection from this address, before its greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def kept(db: Database, sealer: Sealer) -> list[Any]:
    """What is stored, opened."""
    async with db.system() as tx:
        return [
            receipt
            for queue in Queue
            for receipt in await receipt_store.claim_due(tx, sealer, queue, now(), now(), 100)
        ]


async def delivered(
    db: Database,
    sealer: Sealer,
    pieces: Sequence[bytes],
    *recipients: str,
    sender: str = "<>",
    options: str = "",
) -> list[Any]:
    """What is stored of a message that was taken."""
    async with intake(db, sealer) as port, connected(port) as client:
        await client.answer()
        to = recipients or (BARE,)
        answer = await client.deliver(pieces, *to, sender=sender, options=options)
        assert answer.startswith("250")
        return await kept(db, sealer)


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..a\r\n..\r\n.b\r\n.\r\n", b".a\r\n.\r\nb\r\n"),
        (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
        (b"a\n.\nb\r.\r\r\n.\r\n", b"a\n.\nb\r.\r\r\n"),
        (b"x" * 300_000 + b"\r\n.\r\n", b"x" * 300_000 + b"\r\n"),
    ],
)
async def test_a_message_is_kept_as_it_came(
    notification_db: Database, sealer: Sealer, wire: bytes, content: bytes
) -> None:
    (receipt,) = await delivered(notification_db, sealer, [wire])
    assert receipt.content == FROM_NOBODY + content


async def test_a_message_may_come_byte_by_byte(notification_db: Database, sealer: Sealer) -> None:
    wire = b"\r\n.\r.\r\n..\r\na\r\n\r\n.\r\n"
    (receipt,) = await delivered(notification_db, sealer, [bytes([each]) for each in wire])
    assert receipt.content == FROM_NOBODY + b"\r\n\r.\r\n.\r\na\r\n\r\n"


@pytest.mark.parametrize(
    ("sender", "options", "written"),
    [
        ("<>", "", "<>"),
        ("<otto@else.example>", "", "<otto@else.example>"),
        ("<jörg@müller.example>", " SMTPUTF8", "<jörg@müller.example>"),
        ('<"a\x0bb\x85c"@else.example>', "", "<a?b?c@else.example>"),
        ('<"a\rReturn-Path:<>\r"@else.example>', "", '<"a?Return-Path:<>?"@else.example>'),
    ],
)
async def test_the_envelope_s_sender_stands_first(
    notification_db: Database, sealer: Sealer, sender: str, options: str, written: str
) -> None:
    wire = [b"Subject: x\r\n.\r\n"]
    (receipt,) = await delivered(
        notification_db, sealer, wire, sender=sender, options=f"{options} SIZE=10"
    )
    assert receipt.content == f"Return-Path: {written}\r\nSubject: x\r\n".encode()


FROM_A_GATEWAY = (
    b"From: NoSpamProxy <nospamproxy@klinik.example>\r\n"
    b"Subject: Undeliverable: Ihre Videosprechstunde\r\n"
    b"\r\n"
    b"Your message to petra.lang@klinik.example could not be delivered.\r\n"
    b"Reason: 550 5.1.1 user unknown\r\n"
)


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
@pytest.mark.parametrize(
    ("sender", "brought", "kind"),
    [
        ("<>", b"", EvidenceKind.FAILED),
        ("<>", b"Return-Path: <otto@else.example>\r\n", EvidenceKind.FAILED),
        ("<otto@else.example>", b"", EvidenceKind.NOT_A_BOUNCE),
        ("<otto@else.example>", b"Return-Path: <>\r\n", EvidenceKind.NOT_A_BOUNCE),
        ("<otto@else.example>", b"From MAILER-DAEMON\r\n", EvidenceKind.NOT_A_BOUNCE),
    ],
)
async def test_a_bounce_has_nobody_for_its_sender_and_none_is_made_up(
    notification_db: Database,
    sealer: Sealer,
    protocol: Literal["smtp", "lmtp"],
    sender: str,
    brought: bytes,
    kind: EvidenceKind,
) -> None:
    """What the message itself says of its sender does not count."""
    async with (
        intake(notification_db, sealer, protocol=protocol) as port,
        connected(port) as client,
    ):
        await client.answer()
        await client.say(b"LHLO mx.example" if protocol == "lmtp" else b"EHLO mx.example")
        await client.say(b"MAIL FROM:" + sender.encode())
        await client.say(b"RCPT TO:<%s>" % BARE.encode())
        await client.say(b"DATA")
        assert (await client.say(brought + FROM_A_GATEWAY + b".")).startswith("250")
        (receipt,) = await kept(notification_db, sealer)
    assert read(receipt.content).kind is kind


async def test_what_follows_a_message_is_the_next_command(
    notification_db: Database, sealer: Sealer
) -> None:
    async with intake(notification_db, sealer) as port, connected(port) as client:
        await client.answer()
        assert (await client.deliver([b"a\r\n.\r\nNOOP\r\n"], BARE)).startswith("250 2.0.0 Kept")
        assert (await client.answer()).startswith("250")
        assert (await client.say(b"QUIT")).startswith("221")


async def test_of_a_huge_message_the_beginning_is_kept(
    notification_db: Database, sealer: Sealer
) -> None:
    line = b"y" * 998 + b"\r\n"
    (receipt,) = await delivered(notification_db, sealer, [line * 9_900, b".\r\n"])
    assert receipt.content == (FROM_NOBODY + line * 2_000)[:MAX_MAIL_BYTES]
    async with intake(notification_db, sealer) as port, connected(port) as client:
        await client.answer()
        answer = await client.deliver([line * 10_001, b".\r\n"], BARE)
    assert answer.startswith("552 5.3.4")


async def test_a_message_is_kept_once_for_each_delivery(
    notification_db: Database, sealer: Sealer
) -> None:
    one, other = uuid7(), uuid7()
    recipients = [
        *(RETURN_PATH.of(each) for each in (one, other)),
        RETURN_PATH.of(one).upper(),
        BARE,
        BARE.upper(),
    ]
    receipts = await delivered(notification_db, sealer, [b"Subject: x\r\n.\r\n"], *recipients)
    assert {each.reference for each in receipts} == {one, other, None}
    assert len(receipts) == 3


async def test_each_recipient_over_lmtp_has_an_answer(
    notification_db: Database, sealer: Sealer
) -> None:
    async with (
        intake(notification_db, sealer, protocol="lmtp") as port,
        connected(port) as client,
    ):
        await client.answer()
        await client.say(b"LHLO mx.example")
        await client.say(b"MAIL FROM:<>")
        for recipient in (BARE, BARE.upper()):
            await client.say(f"RCPT TO:<{recipient}>".encode())
        await client.say(b"DATA")
        assert (await client.say(b"Subject: x\r\n.")).startswith("250")
        assert (await client.answer()).startswith("250")


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@asynccontextmanager
async def watched() -> AsyncIterator[dict[str, float]]:
    """The longest that the loop was busy at a stretch, and the most memory taken meanwhile (bytes).

    In seconds of its thread's processor time, so that others on this machine do not count.
    """
    worst = {"busy": 0.0, "memory": 0.0}
    before = resident()

    async def watch() -> None:
        while True:
            start = time.thread_time()
            await asyncio.sleep(0.02)
            worst["busy"] = max(worst["busy"], time.thread_time() - start)
            worst["memory"] = max(worst["memory"], resident() - before)

    task = asyncio.create_task(watch())
    try:
        yield worst
    finally:
        task.cancel()


async def test_a_huge_message_to_a_hundred_costs_little(
    notification_db: Database, sealer: Sealer
) -> None:
    """As much as it was of memory and time: 3 GB, and 24 seconds in which nothing else went on."""
    body = b"Subject: x\r\n\r\n" + (b"x" * 990 + b"\r\n") * 9_979 + b".\r\n"
    async with intake(notification_db, sealer) as port, connected(port) as client:
        await client.answer()
        async with watched() as worst:
            assert (await client.deliver([body], *[BARE] * 100)).startswith("250")
    assert len(await kept(notification_db, sealer)) == 1
    assert worst["memory"] < 64 * MEBIBYTE
    assert worst["busy"] < 1


async def test_many_commands_at_once_let_others_have_their_turn(
    notification_db: Database, sealer: Sealer
) -> None:
    async with intake(notification_db, sealer) as port, connected(port) as client:
        await client.answer()
        await client.say(b"EHLO mx.example")
        async with watched() as worst:
            client.writer.write(b"NOOP\r\n" * 20_000)
            for _ in range(20_000):
                await client.answer()
    assert worst["busy"] < 0.5


async def test_silent_connections_leave_room_for_a_bounce(
    notification_db: Database, sealer: Sealer
) -> None:
    async with intake(notification_db, sealer) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAX_CONNECTIONS)]
        answers = [(await reader.readline())[:3] for reader, _ in silent]
        assert answers.count(b"220") == MAX_CONNECTIONS_OF_ONE
        assert answers.count(b"421") == MAX_CONNECTIONS - MAX_CONNECTIONS_OF_ONE
        async with connected(port, NEIGHBOUR) as client:
            await client.answer()
            assert (await client.deliver([b"Subject: x\r\n.\r\n"], BARE)).startswith("250")
        for _, writer in silent:
            writer.close()


async def test_who_is_not_named_is_not_let_in(notification_db: Database, sealer: Sealer) -> None:
    async with intake(notification_db, sealer, NEIGHBOUR) as port:
        async with connected(port) as stranger:
            assert (await stranger.answer()).startswith("554 5.7.1")
            assert await stranger.reader.read() == b""
        async with connected(port, NEIGHBOUR) as named:
            assert (await named.answer()).startswith("220")


@pytest.mark.parametrize("clock", ["MAIL_TIMEOUT", "CONNECTION_TIMEOUT"])
async def test_no_connection_stays_by_saying_nothing_that_matters(
    notification_db: Database, sealer: Sealer, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    monkeypatch.setattr(smtp, clock, 0.3)
    async with intake(notification_db, sealer) as port, connected(port) as client:
        await client.answer()
        async with asyncio.timeout(30):
            with suppress(ConnectionError):
                while await client.say(b"NOOP"):
                    pass


async def test_while_much_waits_to_be_read_no_more_is_taken(
    notification_db: Database, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipt_store, "MAX_UNREAD", 1)
    await delivered(notification_db, sealer, [b"Subject: x\r\n.\r\n"])
    async with intake(notification_db, sealer) as port, connected(port) as client:
        await client.answer()
        answer = await client.deliver([b"Subject: y\r\n.\r\n"], BARE)
    assert answer.startswith("452 4.3.1")


BLANKS = base64.encodebytes(b"<html>" + b" " * 60_000).replace(b"\n", b"\r\n")
HOSTILE = (
    b"From: MAILER-DAEMON@x.example\r\nSubject: Undelivered\r\nContent-Type: text/html\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + BLANKS,
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--a" + b"\t" * 990_000 + b"\r\n",
    b"Subject: x\r\n\r\n" + (b"x" * 990 + b"\r\n") * 9_979,
)


async def test_the_loop_goes_on_while_hostile_mail_comes_in(
    notification_db: Database, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At ten a second, so that /health/live answers within 250 ms; the reader keeps up with it."""
    monkeypatch.setattr(confined, "WALL_SECONDS", PATIENCE)
    reads = ConfinedReader()
    reader = ReceiptReader(
        notification_db,
        sealer=sealer,
        envelope_ids=Tags({1: b"r" * 32}, purpose=ENVELOPE_ID),
        organizers=RETURN_PATH.organizer,
        read_mail=reads.read,
        poll=0.05,
        wake_relay=lambda: None,
        now=now,
    )

    async def settled() -> bool:
        async with notification_db.system() as tx:
            done = await tx.fetchval("SELECT count(*) FROM receipts WHERE due_at IS NULL")
        return bool(done == 30)

    async def bring(port: int, at: int) -> None:
        await asyncio.sleep(at / 10)
        mail = b"X-Number: %d\r\n" % at + HOSTILE[at % len(HOSTILE)] + b".\r\n"
        async with connected(port) as client:
            await client.answer()
            assert (await client.deliver([mail], BARE)).startswith("250")

    try:
        async with (
            intake(notification_db, sealer) as port,
            reading(reader),
            watched() as worst,
        ):
            await asyncio.gather(*(bring(port, at) for at in range(30)))
            await eventually(settled, "all of it is read")
    finally:
        await reads.close()
    assert worst["busy"] < 0.25
