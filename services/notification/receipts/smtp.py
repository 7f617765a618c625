"""Bounces in over SMTP or LMTP (RFC 5321, RFC 2033): stored before they are acknowledged.

Meant for the mail server in front, which speaks to the world. Mail to anything but a return path
that we have signed, or the address below which they are, is refused.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Literal

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Database
from chassis.sealing import Sealer
from services.notification.receipts import store as receipt_store
from services.notification.receipts.return_path import ReturnPath
from services.notification.receipts.store import ReturnedMail

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES = 10_000_000  # bytes of a message
MAX_LINE_BYTES = 1_000_000  # bytes; what returns mail is not always careful with its lines
IDLE_TIMEOUT = 120.0  # seconds
MAX_CONNECTIONS = 50
MAX_RECIPIENTS = 100

LATER = "451 4.3.0 Not kept, please try again later"


class SmtpIntake:
    """Listens on one address; `wake_reader` is called after every stored mail."""

    def __init__(
        self,
        db: Database,
        return_path: ReturnPath,
        *,
        protocol: Literal["smtp", "lmtp"],
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
    """At most so many connections at a time; the rest are asked to come later."""

    line_length_limit = MAX_LINE_BYTES

    def connection_made(self, transport: Any) -> None:
        """Refuse beyond the limit."""
        handler: _Handler = self.event_handler
        handler.connections += 1
        if handler.connections > MAX_CONNECTIONS:
            transport.write(b"421 4.3.2 Too many connections, please try again later\r\n")
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Count."""
        self.event_handler.connections -= 1
        if self.transport is not None:
            super().connection_lost(error)


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
        self.connections = 0

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
        """Store, then say so."""
        content = envelope.original_content or b""
        mails = [
            ReturnedMail(
                content, self._return_path.read(address) or self._return_path.find(content)
            )
            for address in envelope.rcpt_tos
        ]
        try:
            async with self._db.system() as tx:
                await receipt_store.store_mail(tx, self._sealer, mails, self._now())
        except TRANSIENT_ERRORS as error:
            log.warning("returned mail can't be stored", error=type(error).__qualname__)
            reply = LATER
        else:
            self._wake_reader()
            reply = "250 2.0.0 Kept"
        # LMTP answers for each recipient (RFC 2033 section 4.2).
        return "\r\n".join([reply] * (len(mails) if self._lmtp else 1))
