"""A mail server that is obliging until the final dot, and then answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import TypeAlias

from services.notification.sending.email.smtp_pool import SmtpServer
from tests.support import PATIENCE

Piece: TypeAlias = bytes | float | asyncio.Event


@dataclass
class AfterDot:
    """`answers` are its answers to one message after the other, the last one for all that follow.

    An answer is what it writes, piece by piece; a number is a wait in seconds, an event one until
    it is set. After the last piece it hangs up, unless that ends a line. `rcpt` is what it says to
    RCPT, once `rcpt_after` is set.
    """

    answers: Sequence[Sequence[Piece]]
    rcpt: bytes = b"250 ok\r\n"
    rcpt_after: asyncio.Event | None = None
    connections: int = 0
    message_ids: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    envelope_ids: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[SmtpServer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        port = server.sockets[0].getsockname()[1]
        try:
            yield SmtpServer(
                host="127.0.0.1",
                port=port,
                tls="none",
                client_name="client.example",
                timeout=PATIENCE,
                message_timeout=PATIENCE,
            )
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            writer.write(b"220 mail.example\r\n")
            while line := await reader.readline():
                if line.startswith(b"DATA"):
                    writer.write(b"354 go\r\n")
                    if not await self._take(reader, writer):
                        break
                elif line.startswith(b"EHLO"):
                    writer.write(b"250-mail.example\r\n250 DSN\r\n")
                elif line.startswith(b"MAIL"):
                    self.senders.append(_path(line))
                    self.envelope_ids.append(line.decode().partition("ENVID=")[2].split()[0])
                    writer.write(b"250 ok\r\n")
                elif line.startswith(b"RCPT"):
                    self.recipients.append(_path(line))
                    if self.rcpt_after is not None:
                        await self.rcpt_after.wait()
                    writer.write(self.rcpt)
                else:
                    writer.write(b"250 ok\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections -= 1
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """A whole message, and the answer to it; whether it goes on."""
        content = await reader.readuntil(b"\r\n.\r\n")
        answer = self.answers[min(len(self.message_ids), len(self.answers) - 1)]
        self.message_ids.append(message_from_bytes(content)["Message-ID"])
        last = b""
        for piece in answer:
            if isinstance(piece, bytes):
                writer.write(piece)
                last = piece
            elif isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                await asyncio.sleep(piece)
        return last.endswith(b"\n")


def _path(line: bytes) -> str:
    """Between the brackets of MAIL and RCPT (RFC 5321 section 4.1.2)."""
    return line.decode().partition("<")[2].partition(">")[0]
