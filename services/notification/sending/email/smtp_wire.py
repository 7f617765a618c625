"""SMTP on the wire: command lines out, replies in, on one connection (RFC 5321 section 4.2).

Own, because what servers really say decides whether a patient gets a mail once, twice or never:
blank lines before a reply are passed over, which no client for asyncio does; a reply that is none
is told from a refusal; and the message is one thing, the final dot that hands it over another.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

MAX_LINE = 8 * 1024  # bytes; servers exceed the 512 of section 4.5.3.1.5
MAX_REPLY = 32 * 1024  # bytes, all its lines together

_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?![0-9])(-?)[ \t]*(.*)", re.S)


class NoReply(Exception):
    """No reply of this protocol came: silence, a cut, or words that are no reply."""


@dataclass(frozen=True, slots=True)
class WireReply:
    """A reply as it came. Its text may hold addresses: it is read and never kept."""

    code: int
    text: str

    @property
    def positive(self) -> bool:
        """2yz. Only the first digit decides (section 4.3.2): 252 and 254 to RCPT are a yes."""
        return self.code // 100 == 2

    @property
    def go_on(self) -> bool:
        """3yz: the server waits for more, as for the message after DATA."""
        return self.code // 100 == 3

    def __repr__(self) -> str:
        """The code alone."""
        return f"WireReply({self.code})"


class SmtpWire(asyncio.Protocol):
    """One connection, used by one task at a time. What is to be there `within` is in seconds."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._ended = False  # nothing more will come

    @classmethod
    async def connect(
        cls, host: str, port: int, *, tls: ssl.SSLContext | None, within: float
    ) -> "SmtpWire":
        """Connect, over TLS from the first byte where `tls` is given. Raises OSError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(within):
            _, wire = await loop.create_connection(
                cls, host, port, ssl=tls, server_hostname=host if tls else None
            )
        return wire

    async def start_tls(self, context: ssl.SSLContext, host: str, within: float) -> None:
        """Encrypt, after the server's 220 to STARTTLS. Raises OSError or NoReply."""
        if self._transport is None or self._ended:
            raise NoReply
        if self._received:
            # Said before there was encryption, by whoever sits between (RFC 3207 section 5).
            self.close()
            raise NoReply
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(within):
            encrypted = await loop.start_tls(self._transport, self, context, server_hostname=host)
        if encrypted is None:
            raise NoReply  # closed meanwhile
        self._use(encrypted)

    @property
    def usable(self) -> bool:
        """False once either side has closed."""
        return self._transport is not None and not self._ended and not self._transport.is_closing()

    async def command(self, line: bytes, within: float) -> WireReply:
        """Say a command, without its line end, and hear the reply. Raises NoReply."""
        if b"\r" in line or b"\n" in line:
            raise ValueError("a command is one line")
        self.write(line + b"\r\n")
        return await self.reply(within)

    def write(self, data: bytes) -> None:
        """Send. What the server said unasked before is no reply to it. Raises NoReply."""
        if self._transport is None or not self.usable:
            raise NoReply
        self._received.clear()
        self._transport.write(data)

    async def drain(self, within: float) -> None:
        """Wait until the system has taken what was written. Raises NoReply."""
        try:
            async with asyncio.timeout(within):
                await self._writable.wait()
        except TimeoutError:
            self.close()
            raise NoReply from None
        if not self.usable:
            raise NoReply

    async def reply(self, within: float) -> WireReply:
        """The next reply, blank lines before it passed over. Raises NoReply, closed by then."""
        try:
            async with asyncio.timeout(within):
                return await self._reply()
        except BaseException as error:
            # What would come now would be taken for the reply to the next command.
            self.close()
            if isinstance(error, TimeoutError):
                raise NoReply from None
            raise

    def close(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _reply(self) -> WireReply:
        lines: list[bytes] = []
        size = 0
        while True:
            line = await self._line()
            size += len(line)
            if size > MAX_REPLY:
                raise NoReply
            line = line.strip(b" \t\r\n")
            if not line:
                continue
            found = _REPLY_LINE.fullmatch(line)
            if found is None:
                raise NoReply
            code, more, text = found.groups()
            lines.append(text)
            if not more:
                return WireReply(int(code), b"\n".join(lines).decode("utf-8", "replace"))

    async def _line(self) -> bytes:
        while (end := self._received.find(b"\n") + 1) == 0:
            if len(self._received) > MAX_LINE or self._ended:
                raise NoReply
            self._news.clear()
            await self._news.wait()
        line = bytes(self._received[:end])
        del self._received[:end]
        return line

    def _use(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # `drain` waits for all of it: a dot is written once the message has left.
        transport.set_write_buffer_limits(high=1, low=0)
        self._writable.set()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._use(cast(asyncio.Transport, transport))  # uvloop's are no subclasses

    def data_received(self, data: bytes) -> None:
        """Keep what came, within bounds."""
        self._received += data
        if len(self._received) > MAX_REPLY + MAX_LINE:
            self._received.clear()
            self.close()
        self._news.set()

    def eof_received(self) -> bool:
        """The server says nothing more: close."""
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by either side."""
        self._end()

    def pause_writing(self) -> None:
        """More was written than has left."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has left."""
        self._writable.set()

    def _end(self) -> None:
        self._ended = True
        self._news.set()
        self._writable.set()


def extensions(ehlo: WireReply) -> Mapping[str, str]:
    """What a server offers in its reply to EHLO: keywords in lower case, with their parameters."""
    offered: dict[str, str] = {}
    for line in ehlo.text.splitlines()[1:]:
        keyword, _, parameters = line.strip().replace("=", " ", 1).partition(" ")
        if keyword:
            offered[keyword.lower()] = f"{offered.get(keyword.lower(), '')} {parameters}".strip()
    return offered
