"""A TCP proxy between two parts, which does to their connections what networks do."""

import asyncio
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from itertools import count

CHUNK = 65_536
CONNECT_TIMEOUT = 5.0  # seconds
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Mode(StrEnum):
    """What becomes of bytes."""

    PASS = "pass"
    CUT = "cut"  # connections are reset, new ones too
    DELAY = "delay"  # each chunk comes later
    HOLD = "hold"  # nothing comes, until it all does
    HALF_CLOSE = "half close"  # the client's side is ended towards the server, replies still pass
    MUTE = "mute"  # requests pass; replies are swallowed, and the connection is reset at the end


class Proxy:
    """Listens on `port` of 127.0.0.1; each connection goes on to one of `targets`, by turns."""

    def __init__(self, port: int, targets: Sequence[int], *, delay: float = 0.3) -> None:
        self.port = port
        self.targets = targets
        self._delay = delay
        self._mode = Mode.PASS
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._turns = count()
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self._reset()

    @contextmanager
    def behaving(self, mode: Mode) -> Iterator[None]:
        """Do this to all connections meanwhile."""
        self._mode = mode
        if mode is Mode.CUT:
            self._reset()
        elif mode is Mode.HOLD:
            self._flowing.clear()
        elif mode is Mode.HALF_CLOSE:
            for each in self._connections:
                each.end_requests()
        try:
            yield
        finally:
            self._mode = Mode.PASS
            self._flowing.set()
            if mode is Mode.MUTE:
                self._reset()

    def _reset(self) -> None:
        for each in list(self._connections):
            each.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode is Mode.CUT or (other := await self._connect()) is None:
            _reset(writer)
            return
        connection = _Connection(reader, writer, *other)
        self._connections.add(connection)
        pumps = [
            asyncio.create_task(self._pump(reader, other[1], replies=False)),
            asyncio.create_task(self._pump(other[0], writer, replies=True)),
        ]
        try:
            await asyncio.wait(pumps)
        finally:
            self._connections.discard(connection)
            for pump in pumps:
                pump.cancel()
            connection.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turns)
        for number in range(len(self.targets)):
            target = self.targets[(first + number) % len(self.targets)]
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    return await asyncio.open_connection("127.0.0.1", target)
        return None

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool
    ) -> None:
        """One direction, until its end, which is passed on."""
        try:
            while chunk := await reader.read(CHUNK):
                if self._mode is Mode.DELAY:
                    await asyncio.sleep(self._delay)
                await self._flowing.wait()
                if self._mode is Mode.MUTE and replies:
                    continue
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()
        except (OSError, RuntimeError):  # reset, or closed while we wrote
            _reset(writer)


class _Connection:
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        other_reader: asyncio.StreamReader,
        other_writer: asyncio.StreamWriter,
    ) -> None:
        self._reader, self._other_reader = reader, other_reader
        self._writer, self._other_writer = writer, other_writer

    def end_requests(self) -> None:
        with suppress(OSError, RuntimeError):
            self._other_writer.write_eof()

    def reset(self) -> None:
        _reset(self._writer)
        _reset(self._other_writer)

    def close(self) -> None:
        self._writer.close()
        self._other_writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError, ValueError):  # closed: of uvloop's, nothing is left to set it on
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
