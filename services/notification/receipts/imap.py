"""Bounces from an IMAP mailbox (RFC 9051): read, never changed; IDLE where the server offers it.

How far the mailbox has been read is stored with what was read, in one transaction: nothing is
missed and nothing matters twice, whatever is killed and however many processes poll.
"""

import asyncio
import imaplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, cast

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Database
from chassis.loop import Loop
from chassis.sealing import Sealer
from services.notification.receipts import mailbox_positions
from services.notification.receipts import store as receipt_store
from services.notification.receipts.mailbox_positions import MailboxPosition
from services.notification.receipts.return_path import ReturnPath
from services.notification.receipts.store import MAX_MAIL_BYTES, ReturnedMail

COMMAND_TIMEOUT = 30.0  # seconds for each command
IDLE_TIMEOUT = 60.0  # seconds in one IDLE; far below the 29 minutes of RFC 2177
BATCH = 10  # messages at a time: each may have a mebibyte
MAX_TURN = 300.0  # seconds without progress

MAILBOX_ERRORS: tuple[type[BaseException], ...] = (
    *TRANSIENT_ERRORS,
    ImapToolsError,
    imaplib.IMAP4.error,
    EOFError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """Which mailbox, and how to reach it."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    username: str
    password: str
    folder: str = "INBOX"
    ca_file: str | None = None
    poll: float = 30.0  # seconds between two looks where IDLE is not offered

    def __repr__(self) -> str:
        """Without the password."""
        return f"ImapServer({self.host}:{self.port}, {self.folder})"

    @property
    def name(self) -> str:
        """What its position is stored under."""
        return f"{self.username}@{self.host}:{self.port}/{self.folder}"


class ImapIntake:
    """Polls one mailbox; `wake_reader` is called after every stored batch."""

    name = "mailbox"

    def __init__(
        self,
        db: Database,
        server: ImapServer,
        return_path: ReturnPath,
        *,
        sealer: Sealer,
        now: Clock,
        wake_reader: Callable[[], None],
    ) -> None:
        self._db = db
        self._server = server
        self._return_path = return_path
        self._sealer = sealer
        self._now = now
        self._wake_reader = wake_reader
        self._connection: _MailboxConnection | None = None
        self._loop = Loop(
            self.name,
            self._poll,
            poll=server.poll,
            backoff=Backoff(first=1, most=120),
            transient=MAILBOX_ERRORS,
            max_turn=MAX_TURN,
        )
        self.stalled = self._loop.stalled

    async def run(self) -> None:
        """Poll for ever; every outage is waited out with back-off."""
        try:
            await self._loop.run()
        finally:
            self._hang_up()

    async def _poll(self) -> bool:
        """Store what is new, or wait for news; True if there may be any."""
        try:
            if self._connection is None:
                self._connection = await asyncio.to_thread(_MailboxConnection, self._server)
            stored = await self._store_new(self._connection)
            self._loop.progress()
            return stored > 0 or await asyncio.to_thread(self._connection.wait)
        except MAILBOX_ERRORS:
            self._hang_up()
            raise

    async def _store_new(self, connection: "_MailboxConnection") -> int:
        """Store a batch of what is new; returns how many messages that were."""
        async with self._db.system() as tx:
            position = await mailbox_positions.find(tx, self._server.name)
        validity = await asyncio.to_thread(connection.uid_validity)
        last = position.last_uid if position and position.uid_validity == validity else 0
        found = await asyncio.to_thread(connection.fetch_after, last)
        if not found:
            return 0
        mails = [ReturnedMail(each.content, self._return_path.find(each.content)) for each in found]
        async with self._db.system() as tx:
            await receipt_store.store_mail(tx, self._sealer, mails, self._now())
            await mailbox_positions.advance(
                tx, self._server.name, MailboxPosition(validity, found[-1].uid)
            )
        self._wake_reader()
        return len(found)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.hang_up()
        self._connection = None


@dataclass(frozen=True, slots=True)
class _Fetched:
    uid: int
    content: bytes


class _MailboxConnection:
    """One connection, read-only. Blocking: for use in a thread."""

    def __init__(self, server: ImapServer) -> None:
        self._server = server
        self._mailbox = _connect(server)
        try:
            self._mailbox.login(server.username, server.password, initial_folder=None)
            self._mailbox.folder.set(server.folder, readonly=True)
        except BaseException:
            self.hang_up()
            raise

    def uid_validity(self) -> int:
        """The number under which UIDs hold (RFC 9051 section 2.3.1.1)."""
        status = self._mailbox.folder.status(self._server.folder, ["UIDVALIDITY"])
        return int(status["UIDVALIDITY"])

    def fetch_after(self, uid: int) -> list[_Fetched]:
        """The next messages with a higher UID, in order; of huge ones the beginning."""
        # "n:*" always has the last message in it, however low its UID is.
        newer = sorted(each for each in self._uids(f"UID {uid + 1}:*") if each > uid)
        return [_Fetched(each, self._content(each)) for each in newer[:BATCH]]

    def wait(self) -> bool:
        """Wait for news with IDLE; False at once where the server doesn't offer it."""
        if "IDLE" not in self._mailbox.client.capabilities:
            return False
        self._mailbox.idle.wait(timeout=IDLE_TIMEOUT)
        return True

    def hang_up(self) -> None:
        """Close at once; whoever is waiting in another thread gets an OSError."""
        with suppress(OSError):
            self._mailbox.client.sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._mailbox.client.sock.close()

    def _uids(self, criteria: str) -> list[int]:
        return [int(each) for each in self._mailbox.uids(criteria)]

    def _content(self, uid: int) -> bytes:
        _, parts = self._mailbox.client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAX_MAIL_BYTES}>)")
        for part in cast("Sequence[object]", parts):
            if isinstance(part, tuple) and b"BODY[]" in part[0]:
                return bytes(part[1])
        return b""  # gone in the meantime


def _connect(server: ImapServer) -> BaseMailBox:
    if server.tls == "none":
        return MailBoxUnencrypted(server.host, server.port, timeout=COMMAND_TIMEOUT)
    context = ssl.create_default_context(cafile=server.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    kind = MailBox if server.tls == "tls" else MailBoxStartTls
    return kind(server.host, server.port, timeout=COMMAND_TIMEOUT, ssl_context=context)
