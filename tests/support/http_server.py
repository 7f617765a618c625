"""A scripted HTTP server on a real socket: it answers, cuts, or says nothing, as told."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support import PATIENCE


@dataclass(frozen=True)
class Seen:
    """A request as it came. Header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        return urlsplit(self.target).query


@dataclass(frozen=True)
class Answer:
    """What to do with a request."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Cut(Answer):
    """Close without a word."""


class Half(Answer):
    """Send the head and close."""


class Silence(Answer):
    """Keep the connection and say nothing."""


class Server:
    """Answers in the order of `script`; the last answer stays."""

    def __init__(self) -> None:
        self.script: deque[Answer] = deque([Answer()])
        self.seen: list[Seen] = []
        self.port = 0
        self.connections = 0
        self._came = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, *answers: Answer) -> None:
        self.script = deque(answers)

    async def wait_for(self, count: int, within: float = PATIENCE) -> list[Seen]:
        async with asyncio.timeout(within):
            while len(self.seen) < count:
                self._came.clear()
                await self._came.wait()
        return self.seen

    async def close_connections(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.strip().split("\r\n")
                method, target, _ = first.split()
                pairs = (line.split(":", 1) for line in lines)
                headers = {name.lower(): value.strip() for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.seen.append(Seen(method, target, headers, body))
                self._came.set()
                answer = self.script.popleft() if len(self.script) > 1 else self.script[0]
                if isinstance(answer, Cut):
                    return
                if isinstance(answer, Silence):
                    await reader.read()
                    return
                writer.write(_head(answer) + (b"" if isinstance(answer, Half) else answer.body))
                await writer.drain()
                if isinstance(answer, Half):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


@asynccontextmanager
async def serve(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server for one test."""
    server = Server()
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.close_connections()


def _head(answer: Answer) -> bytes:
    length = len(answer.body) + isinstance(answer, Half)
    headers = {"content-length": str(length), **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} Scripted"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
