"""SMTP on the wire, by aiosmtplib: commands out, replies in (RFC 5321 section 4.2).

What servers really say decides whether a patient gets a mail once, twice or never. So blank lines
before a reply are passed over, what is said unasked is no reply to the next command, and the
message is one thing, the final dot that hands it over another.

Of commands said at once (PIPELINING, RFC 2920) the order alone tells whose reply is whose: as many
are taken as commands were said.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiosmtplib import SMTPException, SMTPResponse, SMTPResponseException
from aiosmtplib.protocol import COMMAND_INJECTION_REGEX, MAX_RESPONSE_LENGTH, SMTPProtocol

NO_REPLY = b"no reply\r\n"  # which the library refuses


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


class WholeReplies(SMTPProtocol):
    """Hands on whole replies, one at a time: no blank lines, and nothing that was not asked for.

    `all_left` is set while all that was written has left this process, or there is no connection.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._reply, self._line, self._heard = b"", b"", 0
        # Of commands said at once: replies that nobody has asked for yet, those of them that are to
        # come still, and those that are here.
        self._unread = self._to_come = 0
        self._kept: deque[bytes] = deque()
        self.all_left = asyncio.Event()
        self.all_left.set()

    def pause_writing(self) -> None:
        """Something was written that has not left."""
        super().pause_writing()
        self.all_left.clear()

    def resume_writing(self) -> None:
        """It has left."""
        super().resume_writing()
        self.all_left.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing leaves any more."""
        super().connection_lost(exc)
        self.all_left.set()

    def forget(self) -> None:
        """What was heard by halves is no part of a reply to come."""
        self._reply, self._line, self._heard = b"", b"", 0

    def say(self, commands: Sequence[bytes]) -> None:
        """Say commands at once; `reply` has the reply to each. Raises SMTPException."""
        self._unread = self._to_come = len(commands)
        self._response_pending = True
        self.write(b"".join(command + b"\r\n" for command in commands))

    async def reply(self, within: float) -> SMTPResponse:
        """The reply to the next of them. Raises SMTPException."""
        self._unread -= 1
        if not self._kept:
            return await self.read_response(within)
        self._buffer[:] = self._kept.popleft()  # said, even if the server has hung up behind it
        response = self._read_response_from_buffer()
        if response is None:
            raise NoReply
        return response

    def data_received(self, data: bytes) -> None:
        """Take lines until one ends the last reply asked for; the rest was said unasked."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._heard += len(line) + 1
            if not line.strip():
                continue
            self._reply += line + b"\n"
            if line[3:4] != b"-":
                # The library reads three digits, whatever follows them.
                self._hand_on(NO_REPLY if line[3:4].isdigit() else self._reply)
                if not self._to_come:
                    self._line = b""
                    return
        if self._heard + len(self._line) > MAX_RESPONSE_LENGTH:
            self._line = b""
            self._hand_on(NO_REPLY)

    def _hand_on(self, reply: bytes) -> None:
        self._reply, self._heard = b"", 0
        waiter = self._response_waiter
        waited_for = waiter is not None and self._response_pending and not waiter.done()
        if waited_for or not self._unread:
            super().data_received(reply)
        elif self._to_come:
            self._kept.append(reply)
        self._to_come = max(0, self._to_come - 1)


class SmtpWire:
    """One connection, used by one task at a time. What is to be there `within` is in seconds."""

    def __init__(self, protocol: WholeReplies) -> None:
        self._protocol = protocol

    @classmethod
    async def connect(
        cls, host: str, port: int, *, tls: ssl.SSLContext | None, within: float
    ) -> "SmtpWire":
        """Connect, over TLS from the first byte where `tls` is given. Raises OSError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(within):
            _, protocol = await loop.create_connection(
                lambda: WholeReplies(loop),
                host,
                port,
                ssl=tls,
                server_hostname=host if tls else None,
            )
        return cls(protocol)

    async def start_tls(self, context: ssl.SSLContext, host: str, within: float) -> WireReply:
        """Ask for encryption and, after the server's yes, encrypt. Raises OSError or NoReply.

        What came in plain behind that yes may be anybody's, and counts for nothing.
        """
        try:
            reply = await self._protocol.start_tls(context, host, within)
            self._protocol.forget()
            return _checked(reply)
        except SMTPResponseException as refused:
            return _checked(SMTPResponse(refused.code, refused.message))
        except SMTPException:
            self.close()
            raise NoReply from None

    @property
    def usable(self) -> bool:
        """False once either side has closed."""
        return self._protocol.is_connected

    async def greeting(self, within: float) -> WireReply:
        """What the server says first. Raises NoReply."""
        return await self._heard(self._protocol.read_response(within))

    async def command(self, line: bytes, within: float) -> WireReply:
        """Say a command, without its line end, and hear the reply. Raises NoReply, closed by then.

        Raises ValueError for more than a line.
        """
        return await self._heard(self._protocol.execute_command(line, timeout=within))

    async def say(self, commands: Sequence[bytes]) -> None:
        """Say commands at once, without their line ends, to a server that offers PIPELINING.

        Nothing else may be said before `reply` has heard the reply to each. Raises NoReply, closed
        by then, and ValueError for more than lines.
        """
        if any(COMMAND_INJECTION_REGEX.search(command) for command in commands):
            raise ValueError("a command is one line")
        try:
            self._protocol.say(commands)
        except (SMTPException, OSError):
            self.close()
            raise NoReply from None

    async def reply(self, within: float) -> WireReply:
        """The reply to the next command of those said at once. Raises NoReply, closed by then."""
        return await self._heard(self._protocol.reply(within))

    async def write(self, data: bytes, within: float) -> None:
        """Send, and wait until the system has taken it all. Raises NoReply, closed by then."""
        try:
            # After STARTTLS it is another transport than the one that `connection_made` saw.
            self._transport.set_write_buffer_limits(high=1, low=0)
            self._protocol.write(data)
            async with asyncio.timeout(within):
                await self._protocol.all_left.wait()
        except (SMTPException, OSError):
            self.close()
            raise NoReply from None
        if not self.usable:
            raise NoReply

    def close(self) -> None:
        """Close at once."""
        if self._protocol.transport is not None:
            self._transport.abort()

    @property
    def _transport(self) -> asyncio.WriteTransport:
        if self._protocol.transport is None:
            raise NoReply
        return cast(asyncio.WriteTransport, self._protocol.transport)

    async def _heard(self, response: Coroutine[Any, Any, SMTPResponse]) -> WireReply:
        try:
            return _checked(await response)
        except (SMTPException, NoReply, OSError):
            self.close()
            raise NoReply from None
        except asyncio.CancelledError:
            # What would come now would be taken for the reply to the next command.
            self.close()
            raise


def _checked(response: SMTPResponse) -> WireReply:
    if response.code // 100 not in {2, 3, 4, 5}:
        raise NoReply
    return WireReply(response.code, response.message)
