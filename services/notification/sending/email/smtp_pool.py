"""Reused SMTP connections, and one mail transaction over one of them (RFC 5321).

A connection that the server has closed while it lay idle is replaced without anybody noticing,
as long as the message itself has not gone out. Certificates are always checked. Where the server
offers DSN (RFC 3461), it is asked to tell of success, failure and delay.
"""

import asyncio
import ssl
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

from services.notification.deliveries.events import NO_REPLY, Reply
from services.notification.refusals.refusal import About, Stage
from services.notification.sending.email.smtp_replies import classify, read_reply
from services.notification.sending.sender import SendResult, Verdict

_TIDY_UP = 2.0  # seconds for RSET and QUIT, whose replies change nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Which server to use and how. Times in seconds."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    username: str | None = None
    password: str | None = None
    client_name: str | None = None  # for EHLO; the host's own name if None
    ca_file: str | None = None
    timeout: float = 20.0  # for each command
    message_timeout: float = 60.0  # for the reply after the final dot
    connections: int = 10
    messages_per_connection: int = 100
    idle: float = 20.0

    def __post_init__(self) -> None:
        if self.username is not None and self.tls == "none":
            raise ValueError("a login needs TLS")

    def __repr__(self) -> str:
        """Without the password."""
        return f"SmtpServer({self.host}:{self.port}, tls={self.tls})"

    @property
    def longest_send(self) -> float:
        """Seconds after which a try has ended, one replaced connection included."""
        return 2 * self.timeout + self.message_timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message (CRLF line ends) to one recipient.

    `id` comes back in delivery status notifications as Original-Envelope-Id (RFC 3461 section
    4.4); `utf8` when an address needs SMTPUTF8 (RFC 6531).
    """

    id: str
    sender: str
    recipient: str
    message: bytes
    utf8: bool

    @property
    def dsn_of_mail(self) -> tuple[bytes, ...]:
        """What to add to MAIL where the server offers DSN; the headers are enough to come back."""
        return (b"RET=HDRS", b"ENVID=" + xtext(self.id))

    @property
    def dsn_of_rcpt(self) -> tuple[bytes, ...]:
        """What to add to RCPT where the server offers DSN."""
        notify = b"NOTIFY=SUCCESS,FAILURE,DELAY"
        # An address beyond ASCII would need the type utf-8 (RFC 6533), which few servers know.
        return (notify,) if self.utf8 else (notify, b"ORCPT=rfc822;" + xtext(self.recipient))


def xtext(text: str) -> bytes:
    """ASCII text as RFC 3461 section 4 encodes parameter values."""
    return b"".join(
        b"+%02X" % each if each in b"+=" or not 33 <= each <= 126 else bytes([each])
        for each in text.encode("ascii")
    )


class TryFailed(Exception):
    """A try ended at `stage`, by a reply or by silence (code None)."""

    def __init__(self, stage: Stage, code: int | None = None, text: str = "") -> None:
        super().__init__(stage, code)
        self.stage = stage
        self.reply = NO_REPLY if code is None else read_reply(stage, code, text)

    @property
    def result(self) -> SendResult:
        """What it means for the delivery."""
        verdict = classify(self.stage, self.reply.code, self.reply.about)
        return SendResult(verdict, self.reply)


class ServerMisconfigured(TryFailed):
    """The server can't be used as it is configured: no TLS, no login, wrong certificate."""

    @property
    def result(self) -> SendResult:
        """Whatever the code: operations has to act."""
        return SendResult(Verdict.TECHNICAL, replace(self.reply, about=About.ALL_MAIL))


class AddressBeyondAscii(TryFailed):
    """The server can't take an address with a local part beyond ASCII (RFC 6531)."""

    @property
    def result(self) -> SendResult:
        """The practice can do something about it: another address."""
        return SendResult(Verdict.PERMANENT, Reply(status="5.6.7"))


class SmtpPool:
    """At most `connections` at a time; the one used last is taken first, so others idle out."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._free = asyncio.Semaphore(server.connections)
        self._idle: deque[_Connection] = deque()
        self._tls: ssl.SSLContext | None = None
        if server.tls != "none":
            self._tls = ssl.create_default_context(cafile=server.ca_file)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    async def send(self, envelope: "Envelope") -> SendResult:
        """Hand a message to the server. Never raises for what the server does."""
        async with self._free:
            try:
                return await self._send(envelope)
            except TryFailed as failed:
                return failed.result

    async def close(self) -> None:
        """Say goodbye on idle connections."""
        while self._idle:
            await self._idle.pop().quit()

    async def _send(self, envelope: Envelope) -> SendResult:
        try:
            async with asyncio.timeout(2 * self._server.timeout):
                connection = await self._begin(envelope)
        except TimeoutError:
            raise TryFailed(Stage.CONNECT) from None
        try:
            reply = await connection.transmit(envelope.message)
        except BaseException:
            await self._put_back(connection)
            raise
        await self._put_back(connection)
        verdict = classify(Stage.MESSAGE, reply.code, reply.about)
        return SendResult(verdict, reply)

    async def _begin(self, envelope: Envelope) -> "_Connection":
        """A connection on which the server waits for the message."""
        connection = self._take_idle()
        if connection is not None:
            try:
                return await self._announce(connection, envelope)
            except TryFailed:
                # Closed by silence or 421: the server had given it up. A new one decides.
                if connection.usable:
                    raise
        return await self._announce(await _Connection.open(self._server, self._tls), envelope)

    async def _announce(self, connection: "_Connection", envelope: Envelope) -> "_Connection":
        try:
            await connection.announce(envelope)
        except TryFailed:
            await connection.reset()
            await self._put_back(connection)
            raise
        except BaseException:
            connection.close()
            raise
        return connection

    def _take_idle(self) -> "_Connection | None":
        now = time.monotonic()
        while self._idle and now - self._idle[0].used_at > self._server.idle:
            self._idle.popleft().close()
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _put_back(self, connection: "_Connection") -> None:
        if not connection.usable or connection.between_stages:
            connection.close()
        elif connection.messages >= self._server.messages_per_connection:
            await connection.quit()
        else:
            connection.used_at = time.monotonic()
            self._idle.append(connection)


class _Connection:
    """One logged-in connection. `between_stages` is true while a transaction is half done."""

    def __init__(self, smtp: aiosmtplib.SMTP, server: SmtpServer) -> None:
        self._smtp = smtp
        self._server = server
        self.messages = 0
        self.used_at = time.monotonic()
        self.between_stages = False

    @classmethod
    async def open(cls, server: SmtpServer, tls: ssl.SSLContext | None) -> "_Connection":
        """Connect, encrypt and log in as configured. Raises TryFailed."""
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout,
            use_tls=server.tls == "tls",
            start_tls=False,
            tls_context=tls,
            local_hostname=server.client_name,
        )
        stage = Stage.CONNECT
        try:
            await smtp.connect()
            await smtp.ehlo()
            if server.tls == "starttls":
                stage = Stage.TLS
                if not smtp.supports_extension("starttls"):
                    raise ServerMisconfigured(stage)
                await smtp.starttls()
                await smtp.ehlo()
            if server.username is not None:
                stage = Stage.AUTH
                await _log_in(smtp, server.username, server.password or "")
        except BaseException as error:
            smtp.close()
            if isinstance(error, Exception):
                raise _failed_to_open(stage, error) from None
            raise
        return cls(smtp, server)

    @property
    def usable(self) -> bool:
        """False once either side has closed."""
        return self._smtp.is_connected

    async def announce(self, envelope: Envelope) -> None:
        """MAIL, RCPT and DATA, up to the server's 354. Raises TryFailed."""
        if envelope.utf8 and not self._smtp.supports_extension("smtputf8"):
            raise AddressBeyondAscii(Stage.MAIL)
        encoding = "utf-8" if envelope.utf8 else "ascii"
        options = [b"SMTPUTF8", b"BODY=8BITMIME"] if envelope.utf8 else []
        if self._smtp.supports_extension("size"):
            options.append(b"SIZE=%d" % len(envelope.message))
        dsn = self._smtp.supports_extension("dsn")
        if dsn:
            options.extend(envelope.dsn_of_mail)
        sender, recipient = envelope.sender.encode(encoding), envelope.recipient.encode(encoding)
        wanted = envelope.dsn_of_rcpt if dsn else ()
        self.between_stages = True
        await self._command(Stage.MAIL, b"MAIL", b"FROM:<%s>" % sender, *options, expect=250)
        await self._command(Stage.RCPT, b"RCPT", b"TO:<%s>" % recipient, *wanted, expect=250)
        await self._command(Stage.DATA, b"DATA", expect=354)

    async def transmit(self, message: bytes) -> Reply:
        """The message and its final dot; the reply decides. Raises TryFailed when none comes."""
        protocol = self._smtp.protocol
        if protocol is None:
            raise TryFailed(Stage.MESSAGE)
        stuffed = message.replace(b"\r\n.", b"\r\n..")
        try:
            protocol.write(stuffed + b".\r\n")
            code, text = await protocol.read_response(timeout=self._server.message_timeout)
        except (SMTPException, OSError):
            self.close()
            raise TryFailed(Stage.MESSAGE) from None
        self.between_stages = False
        self.messages += 1
        return read_reply(Stage.MESSAGE, code, text)

    async def reset(self) -> None:
        """Leave a refused transaction, so that the connection can be used again."""
        if not self.usable:
            return
        with suppress(SMTPException, OSError):
            code, _ = await self._smtp.execute_command(b"RSET", timeout=_TIDY_UP)
            self.between_stages = code != 250

    async def quit(self) -> None:
        """Close politely."""
        with suppress(SMTPException, OSError, TimeoutError):
            await self._smtp.quit(timeout=_TIDY_UP)
        self.close()

    def close(self) -> None:
        """Close at once."""
        self._smtp.close()

    async def _command(self, stage: Stage, *words: bytes, expect: int) -> None:
        try:
            code, text = await self._smtp.execute_command(*words)
        except SMTPResponseException as error:  # not a reply of this protocol
            self.close()
            raise TryFailed(stage, error.code) from None
        except (SMTPException, OSError):
            self.close()
            raise TryFailed(stage) from None
        if code != expect and not (stage is Stage.RCPT and code == 251):
            raise TryFailed(stage, code, text)


async def _log_in(smtp: aiosmtplib.SMTP, username: str, password: str) -> None:
    """Once, by the first method both know: a second try with a wrong password may lock us out."""
    if "plain" in smtp.server_auth_methods:
        await smtp.auth_plain(username, password)
    elif "login" in smtp.server_auth_methods:
        await smtp.auth_login(username, password)
    else:
        raise ServerMisconfigured(Stage.AUTH)


def _failed_to_open(stage: Stage, error: Exception) -> TryFailed:
    if isinstance(error, TryFailed):
        return error
    if isinstance(error, SMTPResponseException):
        return TryFailed(stage, error.code, error.message)
    broken = error if isinstance(error, ssl.SSLError) else error.__cause__
    if isinstance(broken, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return TryFailed(Stage.TLS)  # hung up in the middle of it
    if isinstance(broken, ssl.SSLError):
        return ServerMisconfigured(Stage.TLS)
    if isinstance(error, (SMTPException, OSError)):
        return TryFailed(stage)
    raise error
