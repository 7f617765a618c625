"""TLS between processes, on real sockets: who shows what, and who is let in."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from chassis.jwks import client_for
from chassis.probe import healthy
from chassis.tls import TlsFiles
from tests.support import PATIENCE
from tests.support.certificates import self_signed

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"


@pytest.fixture
def ours(tmp_path: Path) -> str:
    return str(self_signed(tmp_path / "ours.pem"))


@pytest.fixture
def strangers(tmp_path: Path) -> str:
    return str(self_signed(tmp_path / "strangers.pem"))


@asynccontextmanager
async def showing(context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """The port of a server with this side of TLS."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def answered(port: int, files: TlsFiles) -> bool:
    url = f"https://127.0.0.1:{port}"
    async with client_for(url, tls=files.for_peers()) as client:
        try:
            return (await client.get(url, timeout=PATIENCE)).text == "ok"
        except httpx.TransportError:
            return False


async def test_a_peer_without_a_certificate_of_known_authorities_is_not_asked(
    ours: str, strangers: str
) -> None:
    async with showing(TlsFiles(certificate=strangers).for_callers(known_only=True)) as port:
        assert await answered(port, TlsFiles(peers_ca=strangers))
        assert not await answered(port, TlsFiles(peers_ca=ours))
        assert not await answered(port, TlsFiles())


async def test_a_caller_without_a_certificate_of_known_authorities_is_not_let_in(
    ours: str, strangers: str
) -> None:
    files = TlsFiles(certificate=ours, callers_ca=ours, peers_ca=ours)
    async with showing(files.for_callers(known_only=True)) as port:
        assert await answered(port, files)
        assert not await answered(port, TlsFiles(peers_ca=ours))
        assert not await answered(port, TlsFiles(certificate=strangers, peers_ca=ours))
    async with showing(files.for_callers(known_only=False)) as port:
        assert await answered(port, TlsFiles(peers_ca=ours))


async def test_old_versions_are_not_spoken(ours: str) -> None:
    context = TlsFiles(certificate=ours).for_callers(known_only=True)
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


async def test_a_health_check_takes_the_certificate_as_it_is(ours: str) -> None:
    for files in (TlsFiles(), TlsFiles(certificate=ours)):
        async with showing(files.for_callers(known_only=False)) as port:
            assert await asyncio.to_thread(healthy, port, "/health/ready")
    assert not await asyncio.to_thread(healthy, port, "/health/ready")
