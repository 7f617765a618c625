"""What a server shows whoever connects by TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.certificates import LOOPBACK


class Connection:
    """One that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def answers(self) -> bool:
        """Whether the server still echoes a line."""
        self._writer.write(b"still there\n")
        return await self._reader.readline() == b"still there\n"


class Server:
    """At a port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Connection]:
        """Connected, whatever certificate it shows."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port, ssl=_trusting())
        yield Connection(reader, writer)
        writer.close()


@asynccontextmanager
async def listening(context: ssl.SSLContext) -> AsyncIterator[Server]:
    """A server that echoes lines."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK, 0, ssl=context)
    async with server:
        yield Server(server.sockets[0].getsockname()[1])


async def certificate_at(port: int) -> bytes:
    """The certificate (DER) that a new connection sees."""
    _, writer = await asyncio.open_connection(LOOPBACK, port, ssl=_trusting())
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return shown


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
