"""Silent connections at a port with TLS, and whoever comes beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from chassis import handshakes
from chassis.service import CountingServer, server_config
from chassis.tls import TlsFiles
from local.ports import free_port
from tests.support import PATIENCE, eventually
from tests.support.certificates import LOOPBACK, self_signed

MOST = 4


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    ours = str(self_signed(tmp_path / "ours.pem"))
    return TlsFiles(certificate=ours, peers_ca=ours)


@asynccontextmanager
async def served(files: TlsFiles, *, per_address: int) -> AsyncIterator[int]:
    """The port of a process's server, with so many places for one address and twice as many."""
    port = free_port()
    config = server_config(
        PlainTextResponse("ok"),
        (LOOPBACK, port),
        tls=files.for_callers(known_only=True),
        connections=2 * MOST,
        per_address=per_address,
        patience=1,
    )
    config.lifespan = "off"
    server = CountingServer(config)
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    try:
        await eventually(started, "started")
        yield port
    finally:
        server.should_exit = True
        await running


class Silent:
    """Connections on which nobody says a word."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def open(self, number: int) -> None:
        for _ in range(number):
            self.streams.append(await asyncio.open_connection(LOOPBACK, self._port))

    async def closed(self, number: int) -> None:
        """Until so many of them are closed by the server; no more are."""
        readers = [asyncio.create_task(reader.read()) for reader, _ in self.streams]
        try:
            async with asyncio.timeout(PATIENCE):
                while sum(each.done() for each in readers) < number:
                    await asyncio.wait(
                        [each for each in readers if not each.done()],
                        return_when=asyncio.FIRST_COMPLETED,
                    )
            assert sum(each.done() for each in readers) == number
        finally:
            for each in readers:
                each.cancel()

    def close(self) -> None:
        for _, writer in self.streams:
            writer.close()


async def answers(port: int, files: TlsFiles) -> bool:
    async with httpx.AsyncClient(verify=files.for_peers(), timeout=PATIENCE) as client:
        try:
            return (await client.get(f"https://{LOOPBACK}:{port}")).text == "ok"
        except httpx.TransportError:
            return False


@pytest.mark.parametrize("per_address", [MOST, 100])
async def test_handshakes_that_do_not_end_are_bounded_by_address_and_in_all(
    files: TlsFiles, per_address: int
) -> None:
    most = min(per_address, 2 * MOST)
    async with served(files, per_address=per_address) as port:
        silent = Silent(port)
        await silent.open(most)
        await silent.open(3)
        await silent.closed(3)
        assert not await answers(port, files)
        silent.close()
        await eventually(lambda: answers(port, files), "an answer")


async def test_a_handshake_has_an_end(files: TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKE", 0.2)
    async with served(files, per_address=MOST) as port:
        silent = Silent(port)
        await silent.open(MOST)
        await silent.closed(MOST)
        assert await answers(port, files)


async def test_who_speaks_no_tls_holds_no_place(files: TlsFiles) -> None:
    async with served(files, per_address=1) as port:
        for _ in range(3):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                assert b"200" not in await reader.read()
            writer.close()
        assert await answers(port, files)
