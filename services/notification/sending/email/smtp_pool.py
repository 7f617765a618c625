"""Reused SMTP connections, and one mail transaction over one of them (RFC 5321).

A connection that the server has closed while it lay idle is replaced without anybody noticing,
as long as the message itself has not gone out. Certificates are always checked. Where the server
offers DSN (RFC 3461), it is asked to tell of success, failure and delay; where it offers PIPELINING
(RFC 2920), sender, recipient and DATA are said at once.
"""

import asyncio
import base64
import socket
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from aiosmtplib.esmtp import parse_esmtp_extensions

from services.notification.deliveries import metrics
from services.notification.deliveries.events import NO_REPLY, Reply
from services.notification.refusals.refusal import About, Stage
from services.notification.sending.email.smtp_replies import classify, contact_of, read_reply
from services.notification.sending.email.smtp_wire import NoReply, SmtpWire, WireReply
from services.notification.sending.sender import Contact, SendResult, Verdict

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
    message_timeout: float = 600.0  # for the reply after the final dot (RFC 5321 4.5.3.2.6)
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
        return 3 * self.timeout + self.message_timeout + _TIDY_UP


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


def _result(stage: Stage, reply: Reply) -> SendResult:
    verdict = classify(stage, reply.code, reply.about)
    return SendResult(verdict, reply, contact=contact_of(stage, reply))


class TryFailed(Exception):
    """A try ended at `stage`, by a reply or by silence (code None)."""

    def __init__(self, stage: Stage, code: int | None = None, text: str = "") -> None:
        super().__init__(stage, code)
        self.stage = stage
        self.reply = NO_REPLY if code is None else read_reply(stage, code, text)

    @property
    def result(self) -> SendResult:
        """What it means for the delivery."""
        return _result(self.stage, self.reply)


class ServerMisconfigured(TryFailed):
    """The server can't be used as it is configured: no TLS, no login, wrong certificate."""

    @property
    def result(self) -> SendResult:
        """Whatever the code: operations has to act."""
        reply = replace(self.reply, about=About.ALL_MAIL)
        return SendResult(Verdict.TECHNICAL, reply, contact=Contact.REFUSES_US)


class AddressBeyondAscii(TryFailed):
    """The server can't take an address with a local part beyond ASCII (RFC 6531)."""

    @property
    def result(self) -> SendResult:
        """The practice can do something about it: another address."""
        return SendResult(Verdict.PERMANENT, Reply(status="5.6.7"), contact=Contact.GOOD)


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
        self._used = 0
        shown = metrics.smtp_connections
        shown.labels("used").set_function(lambda: self._used)
        shown.labels("idle").set_function(lambda: len(self._idle))
        shown.labels("most").set(server.connections)

    async def send(self, envelope: Envelope, hand_over: Callable[[], None]) -> SendResult:
        """Hand a message to the server. Never raises for what the server does.

        `hand_over` is called right before the final dot; what it raises keeps the dot back.
        """
        async with self._free:
            self._used += 1
            try:
                return await self._send(envelope, hand_over)
            except TryFailed as failed:
                return failed.result
            finally:
                self._used -= 1

    @property
    def longest_send(self) -> float:
        """Seconds after which a try has ended."""
        return self._server.longest_send

    async def close(self) -> None:
        """Say goodbye on idle connections."""
        while self._idle:
            await self._idle.pop().quit()

    async def _send(self, envelope: Envelope, hand_over: Callable[[], None]) -> SendResult:
        try:
            async with asyncio.timeout(2 * self._server.timeout):
                connection = await self._begin(envelope)
        except TimeoutError:
            raise TryFailed(Stage.CONNECT) from None
        try:
            reply = await connection.transmit(envelope.message, hand_over)
        except BaseException:
            await self._put_back(connection)
            raise
        await self._put_back(connection)
        return _result(Stage.MESSAGE, reply)

    async def _begin(self, envelope: Envelope) -> "_Connection":
        """A connection on which the server waits for the message."""
        connection = self._take_idle()
        if connection is not None:
            try:
                return await self._announce(connection, envelope)
            except TryFailed:
                # Closed by silence or 421: the server had given it up. A new one decides.
                if connection.usable or connection.hung_up:
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
    """One logged-in connection. `between_stages` is true while a transaction is half done.

    `hung_up` says that it was us who closed it, and not for what the server said.
    """

    def __init__(self, wire: SmtpWire, server: SmtpServer, offers: Mapping[str, str]) -> None:
        self._wire = wire
        self._server = server
        self._offers = offers
        self.messages = 0
        self.used_at = time.monotonic()
        self.between_stages = False
        self.hung_up = False

    @classmethod
    async def open(cls, server: SmtpServer, tls: ssl.SSLContext | None) -> "_Connection":
        """Connect, encrypt and log in as configured. Raises TryFailed."""
        wire = await _connect(server, tls)
        try:
            _yes(Stage.CONNECT, await wire.greeting(server.timeout))
            offers, logins = await _greet(wire, server, Stage.CONNECT)
            if server.tls == "starttls" and tls is not None:
                await _encrypt(wire, server, tls, offers)
                offers, logins = await _greet(wire, server, Stage.TLS)
            if server.username is not None:
                await _log_in(wire, server, logins)
        except NoReply:
            raise TryFailed(Stage.CONNECT) from None
        except BaseException:
            wire.close()
            raise
        return cls(wire, server, offers)

    @property
    def usable(self) -> bool:
        """False once either side has closed."""
        return self._wire.usable

    async def announce(self, envelope: Envelope) -> None:
        """MAIL, RCPT and DATA, up to the server's 354. Raises TryFailed."""
        if envelope.utf8 and "smtputf8" not in self._offers:
            raise AddressBeyondAscii(Stage.MAIL)
        encoding = "utf-8" if envelope.utf8 else "ascii"
        options = [b"SMTPUTF8", b"BODY=8BITMIME"] if envelope.utf8 else []
        if "size" in self._offers:
            options.append(b"SIZE=%d" % len(envelope.message))
        dsn = "dsn" in self._offers
        if dsn:
            options.extend(envelope.dsn_of_mail)
        sender, recipient = envelope.sender.encode(encoding), envelope.recipient.encode(encoding)
        wanted = envelope.dsn_of_rcpt if dsn else ()
        commands = {
            Stage.MAIL: b" ".join((b"MAIL FROM:<%s>" % sender, *options)),
            Stage.RCPT: b" ".join((b"RCPT TO:<%s>" % recipient, *wanted)),
            Stage.DATA: b"DATA",
        }
        self.between_stages = True
        if "pipelining" in self._offers:
            await self._say_at_once(commands)
            return
        for stage, command in commands.items():
            _go_on(stage, await self._reply(stage, self._wire.command(command, self._timeout)))

    async def _say_at_once(self, commands: Mapping[Stage, bytes]) -> None:
        """Say the commands before the first reply is here; the first refusal is what counts."""
        try:
            await self._wire.say([*commands.values()])
        except NoReply:
            raise TryFailed(Stage.MAIL) from None
        waiting = [*commands]
        while waiting:
            stage = waiting.pop(0)
            reply = await self._reply(stage, self._wire.reply(self._timeout))
            try:
                _go_on(stage, reply)
            except TryFailed:
                await self._hear_out(len(waiting))
                raise

    async def _hear_out(self, replies: int) -> None:
        """What is said behind a refusal changes nothing.

        A server that waits for the message all the same (RFC 2920, section 3.1) is not given one.
        """
        with suppress(NoReply):
            for _ in range(replies):
                if (await self._wire.reply(_TIDY_UP)).go_on:
                    self.hung_up = True
                    self.close()
                    return

    async def transmit(self, message: bytes, hand_over: Callable[[], None]) -> Reply:
        """The message, then its final dot; the reply decides. Raises TryFailed when none comes.

        Before the dot the server has nothing (RFC 5321 section 4.1.1.4): what breaks until then
        is tried again. After it only a reply tells.
        """
        stuffed = message.replace(b"\r\n.", b"\r\n..")
        try:
            await self._wire.write(stuffed, self._server.timeout)
        except NoReply:
            raise TryFailed(Stage.DATA) from None
        hand_over()
        try:
            reply = await self._wire.command(b".", self._server.message_timeout)
        except NoReply:
            raise TryFailed(Stage.MESSAGE) from None
        self.between_stages = False
        self.messages += 1
        return read_reply(Stage.MESSAGE, reply.code, reply.text)

    async def reset(self) -> None:
        """Leave a refused transaction, so that the connection can be used again."""
        if not self.usable:
            return
        with suppress(NoReply):
            self.between_stages = not (await self._wire.command(b"RSET", _TIDY_UP)).positive

    async def quit(self) -> None:
        """Close politely."""
        with suppress(NoReply):
            await self._wire.command(b"QUIT", _TIDY_UP)
        self.close()

    def close(self) -> None:
        """Close at once."""
        self._wire.close()

    async def _reply(self, stage: Stage, reply: Awaitable[WireReply]) -> WireReply:
        try:
            return await reply
        except NoReply:
            raise TryFailed(stage) from None

    @property
    def _timeout(self) -> float:
        return self._server.timeout


def _go_on(stage: Stage, reply: WireReply) -> None:
    """Raises TryFailed where it is a refusal; only DATA is answered with 3yz."""
    if not (reply.go_on if stage is Stage.DATA else reply.positive):
        raise TryFailed(stage, reply.code, reply.text)


def _yes(stage: Stage, reply: WireReply) -> WireReply:
    if not reply.positive:
        raise TryFailed(stage, reply.code, reply.text)
    return reply


async def _connect(server: SmtpServer, tls: ssl.SSLContext | None) -> SmtpWire:
    try:
        return await SmtpWire.connect(
            server.host,
            server.port,
            tls=tls if server.tls == "tls" else None,
            within=server.timeout,
        )
    except OSError as error:
        raise _not_encrypted(error) or TryFailed(Stage.CONNECT) from None


async def _greet(
    wire: SmtpWire, server: SmtpServer, stage: Stage
) -> tuple[Mapping[str, str], Sequence[str]]:
    """What the server offers, with parameters, and the ways to log in; both in lower case."""
    name = server.client_name
    if name is None:
        name = await asyncio.to_thread(socket.getfqdn)
    reply = _yes(stage, await wire.command(b"EHLO " + name.encode(), server.timeout))
    return parse_esmtp_extensions(reply.text)


async def _encrypt(
    wire: SmtpWire, server: SmtpServer, tls: ssl.SSLContext, offers: Mapping[str, str]
) -> None:
    if "starttls" not in offers:
        raise ServerMisconfigured(Stage.TLS)
    try:
        _yes(Stage.TLS, await wire.start_tls(tls, server.host, server.timeout))
    except (NoReply, OSError) as error:
        raise _not_encrypted(error) or TryFailed(Stage.TLS) from None


def _not_encrypted(error: Exception) -> TryFailed | None:
    """What is wrong with the encryption; None where something else is."""
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return TryFailed(Stage.TLS)  # hung up in the middle of it
    return ServerMisconfigured(Stage.TLS) if isinstance(error, ssl.SSLError) else None


async def _log_in(wire: SmtpWire, server: SmtpServer, logins: Collection[str]) -> None:
    """Once, by the first method both know: a second try with a wrong password may lock us out."""
    username, password = server.username or "", server.password or ""
    if "plain" in logins:  # RFC 4616
        words = [b"AUTH PLAIN " + _base64(f"\0{username}\0{password}")]
    elif "login" in logins:
        words = [b"AUTH LOGIN", _base64(username), _base64(password)]
    else:
        raise ServerMisconfigured(Stage.AUTH)
    *first, last = words
    try:
        for word in first:
            reply = await wire.command(word, server.timeout)
            if not reply.go_on:
                raise TryFailed(Stage.AUTH, reply.code, reply.text)
        _yes(Stage.AUTH, await wire.command(last, server.timeout))
    except NoReply:
        raise TryFailed(Stage.AUTH) from None


def _base64(text: str) -> bytes:
    return base64.b64encode(text.encode())
