"""Bounces in over SMTP or LMTP (RFC 5321, RFC 2033): stored before they are acknowledged.

Meant for the mail server in front, which speaks to the world. Mail to anything but a return path
that we have signed, or the address below which they are, is refused.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, AnyStr, Literal

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Database
from chassis.sealing import Sealer
from services.notification.receipts import store as receipt_store
from services.notification.receipts.door import Door
from services.notification.receipts.return_path import ReturnPath
from services.notification.receipts.store import MAX_MAIL_BYTES, ReturnedMail

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES = 10_000_000  # of a message; its beginning is kept, larger ones are refused
# Of the StreamReader, which has twice that in memory, and what the socket brings at once.
BUFFER_BYTES = 64 * 1024
MAX_RECIPIENTS = 10  # of a message: a bounce has one; further ones come again (RFC 5321 4.5.3.1.10)
MAX_STORING = 4  # messages at a time: each is in memory three times, as itself and sealed

IDLE_TIMEOUT = 60.0  # seconds without a command, or without any of a message's content
MAIL_TIMEOUT = 60.0  # seconds without the beginning of a message
CONNECTION_TIMEOUT = 600.0  # seconds

END_OF_DATA = b"\r\n.\r\n"
FULL = "452 4.3.1 Too much mail waits to be read, please try again later"
LATER = "451 4.3.0 Not kept, please try again later"


class SmtpIntake:
    """Listens on one address; `wake_reader` is called after every stored mail."""

    def __init__(
        self,
        db: Database,
        return_path: ReturnPath,
        *,
        protocol: Literal["smtp", "lmtp"],
        door: Door,
        sealer: Sealer,
        now: Clock,
        wake_reader: Callable[[], None],
    ) -> None:
        # aiosmtpd writes addresses into its log.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._handler = _Handler(
            db,
            return_path,
            lmtp=protocol == "lmtp",
            door=door,
            sealer=sealer,
            now=now,
            wake_reader=wake_reader,
        )
        self._kind = _Lmtp if protocol == "lmtp" else _Smtp
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port)

    async def stop(self) -> None:
        """Listen no more; what is not acknowledged yet comes again."""
        if self._server is not None:
            self._server.close()

    async def stalled(self) -> bool:
        """True when nobody listens."""
        return self._server is None or not self._server.is_serving()

    def _connection(self) -> SMTP:
        return self._kind(
            self._handler,
            data_size_limit=MAX_MESSAGE_BYTES,
            hostname="bounces.invalid",
            ident="bounces",
            enable_SMTPUTF8=True,
            timeout=IDLE_TIMEOUT,
        )


class _Limited(SMTP):
    """Lets in whom the door lets in, for a time, and keeps the beginning of what they send."""

    line_length_limit = BUFFER_BYTES

    _host: str | None = None  # of whom the door has let in
    _abort: Callable[[], None]
    _end: asyncio.TimerHandle
    _begin: asyncio.TimerHandle

    def connection_made(self, transport: Any) -> None:
        """Ask the door; the clocks run."""
        host = str((transport.get_extra_info("peername") or ("",))[0])
        refusal = self.event_handler.door.enter(host)
        if refusal is not None:
            transport.write(f"{refusal}\r\n".encode())
            transport.close()
            return
        self._host = host
        self._abort = transport.abort
        self._end = self.loop.call_later(CONNECTION_TIMEOUT, self._abort)
        self._begin = self.loop.call_later(MAIL_TIMEOUT, self._abort)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever was let in has gone."""
        if self._host is None:
            return
        self.event_handler.door.leave(self._host)
        self._end.cancel()
        self._begin.cancel()
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        """Whoever was not let in has no session that could end."""
        return None if self._host is None else super().eof_received()

    async def push(self, status: AnyStr) -> None:
        """Let others have their turn after each command, however many come at once."""
        await super().push(status)
        await asyncio.sleep(0)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        """A message begins."""
        await super().smtp_MAIL(arg)
        if self.envelope is not None and self.envelope.mail_from is not None:
            self._begin.cancel()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """Take a message: of any length up to the limit, of which the beginning is kept.

        aiosmtpd would keep all of it, look at it line by line, and refuse it for a long line.
        """
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 No recipient")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content, length = await self._content()
        if length > MAX_MESSAGE_BYTES:
            reply = "552 5.3.4 Message too big"
        else:
            envelope.content = envelope.original_content = content
            reply = await self.event_handler.handle_DATA(self, self.session, envelope)
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        self._begin = self.loop.call_later(MAIL_TIMEOUT, self._abort)
        await self.push(reply)

    async def _content(self) -> tuple[bytes, int]:
        """The first MAX_MAIL_BYTES of a message, and how many it had."""
        # The line end before the first line ended the command. It stands here for the dots' sake.
        kept = bytearray(b"\r\n")
        while not (last := kept.endswith(END_OF_DATA)) and _may_be_ending(kept):
            kept += await self._reader.readexactly(1)
            await asyncio.sleep(0)
        length = len(kept)
        while not last:
            try:
                piece = await self._reader.readuntil(END_OF_DATA)
                last = True
            except asyncio.LimitOverrunError as more:
                piece = await self._reader.readexactly(more.consumed)
            self._reset_timeout()
            length += len(piece)
            kept += piece[: max(0, MAX_MAIL_BYTES + len(END_OF_DATA) - len(kept))]
        if kept.endswith(END_OF_DATA):
            del kept[-3:]
        # RFC 5321 section 4.5.2: a dot at a line's beginning is not the message's own.
        content = bytes(kept).replace(b"\r\n.", b"\r\n")[2:]
        return content[:MAX_MAIL_BYTES], length


def _may_be_ending(content: bytearray) -> bool:
    """Whether the end of the data may have begun in it."""
    return any(content.endswith(END_OF_DATA[:length]) for length in range(1, len(END_OF_DATA)))


def _trace(sender: str) -> bytes:
    """Return-Path, which the last server writes first (RFC 5321 section 4.4): this is it.

    Whoever reads asks the first: one that the message brought along says nothing.
    """
    bare = "".join(each if each.isprintable() else "?" for each in sender.strip("<>"))
    return f"Return-Path: <{bare}>\r\n".encode()


class _Smtp(_Limited):
    pass


class _Lmtp(LMTP, _Limited):
    pass


class _Handler:
    """What aiosmtpd calls; the names are its own."""

    def __init__(
        self,
        db: Database,
        return_path: ReturnPath,
        *,
        lmtp: bool,
        door: Door,
        sealer: Sealer,
        now: Clock,
        wake_reader: Callable[[], None],
    ) -> None:
        self._db = db
        self._return_path = return_path
        self._lmtp = lmtp
        self._sealer = sealer
        self._now = now
        self._wake_reader = wake_reader
        self._storing = asyncio.Semaphore(MAX_STORING)
        self.door = door

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Take mail to a genuine return path only."""
        if not self._return_path.accepts(address):
            return "550 5.1.1 No such return path"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Store, once for each delivery that is named; then say so."""
        content = envelope.original_content or b""
        named = {self._return_path.read(address) for address in envelope.rcpt_tos}
        references = {each or self._return_path.find(content) for each in named}
        delivered = (_trace(envelope.mail_from or "") + content)[:MAX_MAIL_BYTES]
        mails = [ReturnedMail(delivered, each) for each in references]
        try:
            async with self._storing, self._db.system() as tx:
                full = await receipt_store.is_full(tx)
                if not full:
                    await receipt_store.store_mail(tx, self._sealer, mails, self._now())
        except TRANSIENT_ERRORS as error:
            log.warning("returned mail can't be stored", error=type(error).__qualname__)
            reply = LATER
        else:
            self._wake_reader()
            reply = FULL if full else "250 2.0.0 Kept"
        # LMTP answers for each recipient (RFC 2033 section 4.2).
        return "\r\n".join([reply] * (len(envelope.rcpt_tos) if self._lmtp else 1))
